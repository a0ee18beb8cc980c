import { expect, test } from 'vitest';
import { parseCount, parseCounts, parsePort, parseSize } from './values';

test('sizes need a unit and may have a space and underscores', () => {
  expect(parseSize('64MiB')).toBe(64 * 1024 * 1024);
  expect(parseSize('1 GiB')).toBe(2 ** 30);
  expect(parseSize('1_024 B')).toBe(1024);
  for (const wrong of ['64', '64MB', 'MiB', '-1KiB', '', '1.5MiB', '_KiB']) expect(() => parseSize(wrong)).toThrow(/size|whole number/);
});

test('counts are whole numbers below 2^53', () => {
  expect(parseCount('1_000_000')).toBe(1_000_000);
  expect(parseCount('0')).toBe(0);
  for (const wrong of ['', '-1', '1e6', '0x10', '9007199254740992', 'x']) expect(() => parseCount(wrong)).toThrow('count');
});

test('lists of counts are sorted and freed of repetitions', () => {
  expect(parseCounts('300,1_0,300,2')).toEqual([2, 10, 300]);
  expect(() => parseCounts('1,,2')).toThrow('count');
});

test('ports end at 65535', () => {
  expect(parsePort('0')).toBe(0);
  expect(parsePort('65535')).toBe(65_535);
  expect(() => parsePort('65536')).toThrow('port');
});
