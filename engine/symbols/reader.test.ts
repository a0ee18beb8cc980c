import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reader, stringAt } from './reader';
import { ElfError } from './types';

function leb(value: bigint, signed: boolean): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = signed ? (rest === 0n && low < 64) || (rest === -1n && low >= 64) : rest === 0n;
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

test('LEB128 of 64 bits', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value) => {
      expect(new Reader(Uint8Array.from(leb(value, false)), 'test').ulebBig()).toBe(value);
      const signed = BigInt.asIntN(64, value);
      expect(new Reader(Uint8Array.from(leb(signed, true)), 'test').slebBig()).toBe(signed);
    }),
  );
});

test('LEB128 as a number', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      expect(new Reader(Uint8Array.from(leb(BigInt(value), true)), 'test').sleb()).toBe(value);
      const positive = Math.abs(value);
      expect(new Reader(Uint8Array.from(leb(BigInt(positive), false)), 'test').uleb()).toBe(positive);
    }),
  );
});

test('padding with zeros does not change a number, a number beyond 2^53 is damage', () => {
  const padded = Uint8Array.from([0x85, ...new Array<number>(300).fill(0x80), 0]);
  expect(new Reader(padded, 'test').uleb()).toBe(5);
  expect(new Reader(padded, 'test').ulebBig()).toBe(5n);
  expect(() => new Reader(Uint8Array.from(leb(1n << 53n, false)), 'test').uleb()).toThrow(ElfError);
});

test('no read goes past the end', () => {
  const reader = new Reader(Uint8Array.of(1, 2, 3, 0x80), '.debug_test');
  expect(() => reader.u64()).toThrow('.debug_test is damaged: it ends at 0x4, 8 bytes are needed at 0x0');
  expect(reader.u16()).toBe(0x201);
  expect(() => reader.string()).toThrow(ElfError);
  expect(() => reader.take(3)).toThrow(ElfError);
  reader.advance(1);
  expect(() => reader.uleb()).toThrow(ElfError);
  expect(() => new Reader(Uint8Array.of(1), 'test', 2)).toThrow(ElfError);
});

test('strings of a section', () => {
  const section = new TextEncoder().encode('\0first\0last');
  expect(stringAt(section, 1)).toBe('first');
  expect(stringAt(section, 7)).toBe('last');
  expect(stringAt(section, 99)).toBe('');
  expect(stringAt(undefined, 0)).toBe('');
});
