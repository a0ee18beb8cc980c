import fc from 'fast-check';
import { URI } from 'langium';
import { describe, expect, test } from 'vitest';
import type * as ast from './generated/ast';
import { digits, encodeString, freshName, removalSpan } from './mends';
import { createCovertServices } from './services';
import { decodeString } from './values';

const services = createCovertServices();

/** A file without the statement that begins with a text. */
function without(text: string, statement: string): string {
  const { parseResult } = services.shared.workspace.LangiumDocumentFactory.fromString<ast.File>(text, URI.file('/x.covert'));
  const items = parseResult.value.items.flatMap((item) => [item, ...('settings' in item ? item.settings : [])]);
  const node = items.find(({ $cstNode }) => $cstNode?.text.startsWith(statement))?.$cstNode;
  if (!node) throw new Error(`no ${statement}`);
  const { offset, end } = removalSpan(node);
  return text.slice(0, offset) + text.slice(end);
}

describe('what is taken out leaves the rest as a person would', () => {
  test.each([
    ['chip a { }\nchip b { }\nchip c { }\n', 'chip b', 'chip a { }\nchip c { }\n'],
    ['chip a { }\n\nchip b { }\n\nchip c { }\n', 'chip b', 'chip a { }\n\nchip c { }\n'],
    ['chip a { }\r\n\r\nchip b { }\r\n\r\nchip c { }\r\n', 'chip b', 'chip a { }\r\n\r\nchip c { }\r\n'],
    ['chip a { }\n\nchip b { }\n', 'chip a', 'chip b { }\n'],
    ['chip a { }\nchip b { }', 'chip b', 'chip a { }\n'],
    ['chip a { ring cores 2 }', 'ring', 'chip a { cores 2 }'],
    ['chip a {\n  ring cores 2\n}', 'ring', 'chip a {\n  cores 2\n}'],
    ['chip a {\n  ring // why\n}', 'ring', 'chip a {\n  // why\n}'],
    ['chip a { }', 'chip a', ''],
  ])('%j without %s', (text, statement, rest) => {
    expect(without(text, statement)).toBe(rest);
  });
});

test('any text is written as a string that means it', () => {
  const seed = Date.now() & 0x7fffffff;
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const written = encodeString(text);
      expect(written).not.toMatch(/[\r\n]/);
      expect(decodeString(written)).toEqual({ value: text });
    }),
    { seed },
  );
});

test('a name that is not taken goes on counting', () => {
  const taken = new Set(['octo', 'octo_2', 's 2', 's 3']);
  expect(freshName('octo', taken)).toBe('octo_3');
  expect(freshName('octo_2', taken)).toBe('octo_3');
  expect(freshName('s 2', taken, ' ')).toBe('s 4');
});

test('numbers as people write them', () => {
  expect([9, 999, 9000, 1_234_567].map(digits)).toEqual(['9', '999', '9_000', '1_234_567']);
});
