import path from 'node:path';
import { WriteStream } from 'node:tty';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, screenOf, shownPath } from './terminal';

const stream = (isTTY: boolean, columns = 120): WriteStream =>
  Object.assign(Object.create(WriteStream.prototype) as WriteStream, { isTTY, columns });

test('colours only on a terminal, and not with NO_COLOR or a dumb one', () => {
  const coloured = (tty: boolean, environment: NodeJS.ProcessEnv): boolean =>
    screenOf(stream(tty), environment).colors.isColorSupported;
  expect(coloured(true, {})).toBe(true);
  expect(coloured(true, { NO_COLOR: '' })).toBe(true);
  expect(coloured(false, {})).toBe(false);
  expect(coloured(true, { NO_COLOR: '1' })).toBe(false);
  expect(coloured(true, { TERM: 'dumb' })).toBe(false);
});

test('no control character of a guest reaches the terminal', () => {
  expect(printable('a\tb\r\nc\x1b[2J\x07\x9b')).toBe('a\tb\nc\\x1b[2J\\x07\\x9b');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});

test('paths below the current folder are shown relative, others whole', () => {
  const here = path.resolve('/', 'home', 'user');
  expect(shownPath(path.join(here, 'a', 'b.c'), here)).toBe(path.join('a', 'b.c'));
  expect(shownPath(path.resolve('/', 'usr', 'b.c'), here)).toBe(path.resolve('/', 'usr', 'b.c'));
  expect(shownPath('b.c', here)).toBe('b.c');
});
