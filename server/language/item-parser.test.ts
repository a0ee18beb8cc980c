import { readFileSync } from 'node:fs';
import path from 'node:path';
import { GrammarUtils, isCompositeCstNode, isReference, type AstNode, type CstNode, type LeafCstNode, type ParseResult } from 'langium';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type * as ast from './generated/ast';
import type { ItemParser } from './item-parser';
import { createCovertServices } from './services';

const root = path.resolve(import.meta.dirname, '../..');
const examples = ['checksum/checksum', 'sort/beside', 'inputs/inputs', 'ticker/ticker'].map((name) => readFileSync(path.join(root, 'examples', `${name}.covert`), 'utf8'));
const parser = createCovertServices().parser.LangiumParser as ItemParser;
const fresh = createCovertServices().parser.LangiumParser;

/** All that a parse says: the nodes of both trees with their places, what they are called, and the mistakes. */
function told({ value, lexerErrors, parserErrors }: ParseResult): unknown {
  const token = ({ startOffset, startLine, startColumn, image }: ParseResult['parserErrors'][number]['token']): unknown[] => [startOffset, startLine, startColumn, image];
  return {
    tree: value.$cstNode && cst(value.$cstNode),
    model: model(value),
    lexerErrors: lexerErrors.map(({ offset, length, line, column }) => [offset, length, line, column]),
    parserErrors: parserErrors.map((error) => [error.name, error.message, token(error.token), error.resyncedTokens.map(token)]),
  };
}

function cst(node: CstNode): unknown {
  const { offset, end, range, hidden, text, grammarSource } = node;
  const rule = grammarSource && GrammarUtils.findNodeForProperty(grammarSource.$cstNode, 'feature')?.text;
  const place = [offset, end, range.start.line, range.start.character, range.end.line, range.end.character, hidden, rule];
  return isCompositeCstNode(node) ? [...place, node.astNode.$type, node.content.map(cst)] : [...place, text, (node as LeafCstNode).tokenType.name];
}

function model(node: AstNode): unknown {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (isReference(value)) return [value.$refText, value.$refNode?.offset];
    return typeof value === 'object' && value !== null ? model(value as AstNode) : value;
  };
  const { $containerProperty, $containerIndex, $cstNode, $container, ...others } = node;
  const own = Object.entries(others).filter(([name]) => !name.startsWith('$'));
  return [node.$type, $container?.$type, $containerProperty, $containerIndex, $cstNode?.offset, own.map(([name, value]) => [name, plain(value)])];
}

/** What is read as something else, which may depend on what stands far away. */
const slips = ['scenaro "x" {', 'scenario x y {', 'guest a-b {', 'gest g (', 'elf a/b.elf ', '# x\n', "'x'", '\u201cx\u201d', ' at a/b.c:5 ', ' at "a.c:5', 'inject 5 faults\nflip ', ' on 0, 1', 'optional ', ' when a0 = 3', '1,000', 'import "a"\n', 'protect dmr {\n', 'seed 5\n', 'elf ./a.elf /* x\n*/ ', 'elf a/b disk c/d } guest h { elf "y" } ', "# it's /* x\n", 'elf ./a.elf//* x\n', ' on (0, 1)', '\u201ca "b" c\u201d'];
const pieces = fc.constantFrom('}', '{', '"', '`', '/*', '*/', '//', '\n', '\r', '\r\n', '\t', ' ', '/', '\\', '\0', '\ud800', 'é', 'scenario', 'scenario "x" {', 'chip c {', 'guest g { elf "a" }\n', 'import "a"', '1.2.3', '0x', 'expect exit 0\n', 'fault ', '\u2028', ...slips);

interface Edit {
  at: number;
  cut: number;
  put: string;
}
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(12) }, fc.nat(900)),
    put: fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 3 }).map((some) => some.join('')),
  }),
  { minLength: 1, maxLength: 8 },
);

function edited(text: string, { at, cut, put }: Edit): string {
  const offset = Math.floor(at * (text.length + 1));
  return text.slice(0, offset) + put + text.slice(offset + cut);
}

describe('reading on after an edit', () => {
  test('gives what reading the whole text gives, whatever the edits', () => {
    fc.assert(
      fc.property(fc.constantFrom(...examples), edits, (example, some) => {
        let text = example;
        let result: ParseResult = parser.parse(text);
        for (const edit of some) {
          text = edited(text, edit);
          result = parser.reparse(text, result);
          expect(told(result)).toEqual(told(fresh.parse(text)));
        }
      }),
      { numRuns: 150 },
    );
  });

  test('at the ends of lines and items, one character at a time', () => {
    const text = '// a\nchip c { cores 2 }\n\nguest g { elf "x" } // b\n  guest h { elf "y" }\nscenario "s" { guest g expect exit 0 }\n';
    let result: ParseResult = parser.parse(text);
    for (let at = 0; at <= text.length; at++) {
      for (const put of ['', ' ', '\n', '}', '/*', '"', 'x']) {
        for (const changed of [text.slice(0, at) + put + text.slice(at), text.slice(0, at) + put + text.slice(at + 1), text]) {
          result = parser.reparse(changed, result);
          expect(told(result), JSON.stringify(changed)).toEqual(told(fresh.parse(changed)));
        }
      }
    }
  });

  test('takes the items that an edit has not touched as they are', () => {
    const [text = ''] = examples;
    const before = parser.parse<ast.File>(text);
    const { items } = before.value;
    const at = text.indexOf('scenario', text.length / 2);
    const after = parser.reparse(`${text.slice(0, at)}\n// new\n${text.slice(at)}`, before).value as ast.File;
    expect(after.items.filter((item) => items.includes(item)).length).toBe(items.length - 2);
  });

  test('what was read anew behind a slip is read anew again', () => {
    const text = 'chip c { cores 2 }\n\nguest g { elf ./a.elf /* x\n*/ } guest h { elf "y" }\nguest i { elf "z" }\n\n# /* x\nguest j { elf "z" }\nguest k { elf "z" }\n// */ x\n';
    let result: ParseResult = parser.parse(text);
    let changed = text;
    for (const [from, to] of [['c {', 'c  {'], ['c  {', 'c\n{'], ['"z" }\n\n', '"z" }\n'], ['"y"', '"yy"'], ['./a', './/a'], ['.//a', '"a'], ['# ', '// '], ['// /', '# /'], ['"z"', '"y"']] as const) {
      changed = changed.replace(from, to);
      result = parser.reparse(changed, result);
      expect(told(result), changed).toEqual(told(fresh.parse(changed)));
    }
  });

  test('a text that has nothing of the former one is read from its beginning', () => {
    const before = parser.parse('chip a { cores 2 }');
    const after = parser.reparse('guest b { elf "x" }', before);
    expect(told(after)).toEqual(told(fresh.parse('guest b { elf "x" }')));
  });
});
