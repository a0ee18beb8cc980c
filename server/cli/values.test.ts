import { expect, test } from 'vitest';
import { parseCount, parseCounts, parsePort, parsePositive, parseSize } from './values';

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

test('what begins with 1 is told of in one way, whatever is wrong', () => {
  expect(parsePositive('1')).toBe(1);
  expect(parsePositive('1_001')).toBe(1001);
  for (const wrong of ['', '0', '-1', 'abc', '1e6', '9007199254740992']) expect(() => parsePositive(wrong)).toThrow('It is a whole number from 1 on: 1_000.');
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
