import fc from 'fast-check';
import { expect, it } from 'vitest';
import { coreMemory } from '../core/core';
import { i32, i64, op, WasmCode, wasmModule, type WasmFunction } from './wasm-code';

function call<T>(fn: WasmFunction, ...parameters: (number | bigint)[]): T {
  const memory = coreMemory(1);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasmModule([], [fn])), { env: { memory } });
  return (exports['0'] as (...all: (number | bigint)[]) => T)(...parameters);
}

it('writes every 32-bit constant, and those of 64 bits that a double holds, as they are', () => {
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-(2 ** 63), 2 ** 62, -(2 ** 32), 2 ** 31, 2 ** 32)), fc.integer(), (long, short) => {
      const longs: WasmFunction = { type: { parameters: [], results: [i64] }, locals: [], code: new WasmCode().i64(long) };
      expect(call(longs)).toBe(BigInt(long));
      const shorts: WasmFunction = { type: { parameters: [], results: [i32] }, locals: [], code: new WasmCode().i32(short) };
      expect(call(shorts)).toBe(short);
    }),
  );
});

it('writes code of any length, locals and jumps', () => {
  // x + n, one at a time.
  const times = 5000;
  const code = new WasmCode();
  for (let i = 0; i < times; i++) code.get(0).i64(1).plain(op.i64_add).set(0);
  code.block().loop().get(1).brIf(1).i32(1).set(1).get(0).i64(10).plain(op.i64_add).set(0).br(0).plain(op.end, op.end).get(0);
  const fn: WasmFunction = { type: { parameters: [i64], results: [i64] }, locals: [i32], code };
  expect(call(fn, 5n)).toBe(5n + BigInt(times) + 10n);
});

it('chooses among labels', () => {
  const code = new WasmCode().block().block().block().get(0).brTable([0, 1], 2).plain(op.end).i32(10).plain(op.return, op.end).i32(11).plain(op.return, op.end).i32(12);
  const fn: WasmFunction = { type: { parameters: [i32], results: [i32] }, locals: [], code };
  expect([0, 1, 2, 3, -1].map((index) => call(fn, index))).toEqual([10, 11, 12, 12, 12]);
});
