import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate, locate, type ExpressionContext } from './expression';
import { fromFloat, toFloat, type ValueType } from './expression-value';

const types: Record<number, ValueType> = {
  1: { size: 4, encoding: 'signed' },
  2: { size: 8, encoding: 'float' },
  3: { size: 1, encoding: 'unsigned' },
};

/** Registers hold 100 + their number; memory at an address holds its low byte, byte for byte. */
const context: ExpressionContext = {
  register: (number) => (number < 32 ? 100n + BigInt(number) : undefined),
  read: (address, bytes) => Uint8Array.from({ length: bytes }, (_, index) => Number((address + BigInt(index)) & 0xffn)),
  frameBase: () => 0x1000n,
  cfa: () => 0x2000n,
  entryValue: () => 77n,
  indexedAddress: (index) => 0x3000n + BigInt(index),
  baseType: (offset) => types[offset],
};

const run = (...bytes: number[]): bigint | undefined => evaluate(Uint8Array.from(bytes), context);

describe('stack operations', () => {
  test.each<[string, number[], bigint | undefined]>([
    ['lit5 lit3 minus', [0x35, 0x33, 0x1c], 2n],
    ['lit3 lit5 minus wraps', [0x33, 0x35, 0x1c], (1n << 64n) - 2n],
    ['const1s -7 lit2 div is signed', [0x09, 0xf9, 0x32, 0x1b], BigInt.asUintN(64, -3n)],
    ['lit1 lit0 div', [0x31, 0x30, 0x1b], undefined],
    ['const1s -1 lit1 lt is signed', [0x09, 0xff, 0x31, 0x2d], 1n],
    ['const1s -8 lit1 shra', [0x09, 0xf8, 0x31, 0x26], BigInt.asUintN(64, -4n)],
    ['lit1 const1u 64 shl', [0x31, 0x08, 64, 0x24], 0n],
    ['lit1 lit2 lit3 rot: 3 1 2, then top minus', [0x31, 0x32, 0x33, 0x17, 0x1c], BigInt.asUintN(64, 1n - 2n)],
    ['lit1 lit2 swap minus', [0x31, 0x32, 0x16, 0x1c], 1n],
    ['lit4 lit7 over minus plus', [0x34, 0x37, 0x14, 0x1c, 0x22], 7n],
    ['lit4 lit7 pick 1', [0x34, 0x37, 0x15, 1], 4n],
    ['breg2 + 3', [0x72, 3], 105n],
    ['breg of a lost register', [0x92, 40, 0], undefined],
    ['fbreg -16', [0x91, 0x70], 0x1000n - 16n],
    ['call_frame_cfa', [0x9c], 0x2000n],
    ['addrx 5', [0xa1, 5], 0x3005n],
    ['lit16 deref_size 2', [0x40, 0x94, 2], 0x1110n],
    ['entry_value', [0xa3, 1, 0x5a, 0x9f], 77n],
    ['lit0 bra over a lit9', [0x39, 0x30, 0x28, 1, 0, 0x31, 0x22], 10n],
    ['lit1 bra over lit1 plus', [0x39, 0x31, 0x28, 2, 0, 0x31, 0x22], 9n],
    ['a loop without end', [0x2f, 0xfd, 0xff], undefined],
    ['an unknown operation', [0x01], undefined],
    ['a jump out of the expression', [0x2f, 0x10, 0], undefined],
  ])('%s', (_, bytes, expected) => {
    expect(run(...bytes)).toBe(expected);
  });
});

describe('typed operations', () => {
  test('a division of floating-point numbers', () => {
    const one = [...new Uint8Array(Float64Array.of(1).buffer)];
    const four = [...new Uint8Array(Float64Array.of(4).buffer)];
    const bits = run(0xa4, 2, 8, ...one, 0xa4, 2, 8, ...four, 0x1b, 0x9f);
    expect(toFloat(bits!, 8)).toBe(0.25);
  });

  test('a conversion truncates', () => {
    const bytes = [...new Uint8Array(Float64Array.of(-2.75).buffer)];
    expect(run(0xa4, 2, 8, ...bytes, 0xa8, 1, 0x9f)).toBe(BigInt.asUintN(32, -2n));
    expect(run(0x0a, 0x34, 0x12, 0xa8, 3, 0x9f)).toBe(0x34n);
  });

  test('floats to bits and back', () => {
    fc.assert(fc.property(fc.double(), (value) => Object.is(toFloat(fromFloat(value, 8), 8), value)));
    fc.assert(fc.property(fc.float(), (value) => Object.is(toFloat(fromFloat(value, 4), 4), value)));
  });
});

describe('locations', () => {
  const places = (...bytes: number[]): unknown => locate(Uint8Array.from(bytes), context);

  test('memory, registers, values and nothing', () => {
    expect(places(0x91, 0)).toEqual([{ place: { kind: 'memory', address: 0x1000n }, bitOffset: 0 }]);
    expect(places(0x5a)).toEqual([{ place: { kind: 'register', register: 10 }, bitOffset: 0 }]);
    expect(places(0x90, 42)).toEqual([{ place: { kind: 'register', register: 42 }, bitOffset: 0 }]);
    expect(places(0x39, 0x9f)).toEqual([{ place: { kind: 'value', bits: 9n }, bitOffset: 0 }]);
    expect(places(0x9e, 2, 7, 8)).toEqual([{ place: { kind: 'bytes', bytes: Uint8Array.of(7, 8) }, bitOffset: 0 }]);
    expect(places()).toEqual([{ place: { kind: 'unavailable' }, bitOffset: 0 }]);
  });

  test('pieces, one of them lost', () => {
    expect(places(0x5a, 0x93, 8, 0x93, 4, 0x5b, 0x9d, 3, 2)).toEqual([
      { place: { kind: 'register', register: 10 }, bitSize: 64, bitOffset: 0 },
      { place: { kind: 'unavailable' }, bitSize: 32, bitOffset: 0 },
      { place: { kind: 'register', register: 11 }, bitSize: 3, bitOffset: 2 },
    ]);
  });
});

test('any bytes give an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(locate(bytes, context).length).toBeGreaterThan(0);
    }),
    { numRuns: 2000 },
  );
});
