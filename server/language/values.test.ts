import { expect, test } from 'vitest';
import { decodeDecimal, decodeInteger, decodePattern, decodeString } from './values';

test.each([
  ['0', 0n],
  ['1_000_000', 1_000_000n],
  ['0x1f', 31n],
  ['0xFFFF_ffff_ffff_ffff', (1n << 64n) - 1n],
  ['0b1010', 10n],
])('%s is an integer', (text, value) => {
  expect(decodeInteger(text)).toEqual({ value });
});

test.each([
  ['0x', 0, 2],
  ['0b', 0, 2],
  ['1_', 1, 1],
  ['1__0', 1, 2],
  ['0x_1', 2, 1],
  ['0x1g', 3, 1],
  ['0b12', 3, 1],
])('%s is none, and the place is told', (text, offset, length) => {
  const { problem } = decodeInteger(text);
  expect([problem?.offset ?? 0, problem?.length ?? text.length]).toEqual([offset, length]);
});

test('decimals', () => {
  expect(decodeDecimal('1_0.5')).toEqual({ value: 10.5 });
  expect(decodeDecimal('7')).toEqual({ value: 7 });
  expect(decodeDecimal('1.5_').problem).toMatchObject({ offset: 3, length: 1 });
});

test.each([
  ['""', ''],
  ['"a b"', 'a b'],
  [String.raw`"\n\t\r\0\"\\"`, '\n\t\r\0"\\'],
  [String.raw`"\x41\u{1f600}"`, 'A\u{1f600}'],
  ['"ünï"', 'ünï'],
])('%s is a string', (text, value) => {
  expect(decodeString(text)).toEqual({ value });
});

test.each([
  [String.raw`"ab\q"`, 3, 2],
  [String.raw`"\x4"`, 1, 3],
  [String.raw`"\u{110000}"`, 1, 10],
  [String.raw`"\u{}"`, 1, 4],
  ['"\\\u{1f600}"', 1, 3],
])('%s has a bad escape, and the place is told', (text, offset, length) => {
  expect(decodeString(text).problem).toMatchObject({ offset, length });
});

test.each(['"abc', '"', '"abc\\', String.raw`"abc\"`])('%s has no end', (text) => {
  const { problem } = decodeString(text);
  expect(problem?.message).toContain('no end');
  expect(problem?.offset).toBeUndefined();
});

test('patterns', () => {
  expect(decodePattern('/a\\/b/')).toEqual({ value: 'a\\/b' });
  expect(decodePattern('/a').problem?.message).toContain('no end');
  expect(decodePattern('/a\\/').problem?.message).toContain('no end');
  expect(decodePattern('/(/').problem?.message).toContain('no regular expression');
});
