import { expect, test } from 'vitest';
import { nearestNames } from './nearest';

const names = ['checksum', 'check_sum', 'main', 'memset', 'memcpy', 'Main', 'table'];

test('the name that was meant comes first', () => {
  expect(nearestNames('chekcsum', names, 3)).toEqual(['checksum', 'check_sum']);
  expect(nearestNames('MAIN', names, 1)).toEqual(['Main']);
  expect(nearestNames('memcyp', names, 3)[0]).toBe('memcpy');
});

test('a name like none is offered none', () => {
  expect(nearestNames('quicksort', names, 3)).toEqual([]);
});

test('a name that is far too long is offered none', () => {
  const long = 'a'.repeat(200_000);
  expect(nearestNames(long, [`${long}b`], 1)).toEqual([]);
});

test('no more than asked for', () => {
  expect(nearestNames('mem', ['mem1', 'mem2', 'mem3'], 2)).toEqual(['mem1', 'mem2']);
});
