import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atMost, labelled, table, wrap } from './layout';

test('a label stands before its first line only', () => {
  expect(labelled('fault', ['one', 'two'], (text) => `<${text}>`)).toEqual(['  <fault>      one', '             two']);
});

test('wrapping keeps all words, and lines within the width where words allow it', () => {
  const word = fc.string({ minLength: 1, maxLength: 12 }).map((text) => text.replace(/\s/g, '_'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 1, max: 40 }), (words, width) => {
      const lines = wrap(words.join(' '), width);
      expect(lines.join(' ')).toBe(words.join(' '));
      for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true);
    }),
  );
});

test('columns of a table line up', () => {
  const rows = [
    ['a', '1', 'x'],
    ['bbb', '22', ''],
  ];
  expect(table(rows, [false, true])).toEqual(['a      1   x', 'bbb   22']);
});

test('a cut list says how much was cut', () => {
  expect(atMost([1, 2, 3], 2, (item) => [`${item}`])).toEqual(['1', '2', '… and 1 more (--json has all)']);
  expect(atMost([1, 2], 2, (item) => [`${item}`])).toEqual(['1', '2']);
});
