import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AstUtils, createParser, LangiumParser, type LangiumCoreServices, type ParseResult } from 'langium';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mostMistakes } from './recovery';
import { createCovertServices } from './services';
import { isSlip } from './slip-reading';
import { mended } from './slips';

const root = path.resolve(import.meta.dirname, '../..');
const examples = ['checksum/checksum', 'sort/beside', 'ticker/ticker'].map((name) => readFileSync(path.join(root, 'examples', `${name}.covert`), 'utf8'));
const odd = ['{', '}', 'scenario "s" {', 'fault', 'at', 'core 1', '[', ',', 'ring', 'expect', '->', '"x"', '/* */', '5', '==', 'scenaro "x" {', 'guest a-b {', '# x\n', "'x'", 'on 0, 1', 'optional', 'when a0 = 3', 'inject 5 faults'];

/** The parser as Langium has it, with the messages of the language, and of texts whose slips are mended. */
function plainParser(services: LangiumCoreServices): LangiumParser {
  const parser = new LangiumParser(services);
  const { Lexer } = services.parser;
  const tokenize: typeof Lexer.tokenize = (text) => {
    const lexed = Lexer.tokenize(text);
    return { ...lexed, tokens: [...mended({ text, ...lexed }, Lexer.definition, (part) => Lexer.tokenize(part)).tokens] };
  };
  Object.assign(parser, { lexer: { definition: Lexer.definition, tokenize } });
  createParser(services.Grammar, parser, services.parser.Lexer.definition);
  parser.finalize();
  return parser;
}

const services = createCovertServices();
const plain = plainParser(services);

/** All of it: mistakes with their places, and the tree with the places of its nodes. */
function whole({ value, parserErrors }: ParseResult): unknown {
  return {
    mistakes: parserErrors.filter((error) => !isSlip(error)).map(({ message, token: { startOffset, image } }) => [message, startOffset, image]),
    nodes: AstUtils.streamAst(value).map((node) => [node.$type, node.$cstNode?.offset, node.$cstNode?.end]).toArray(),
  };
}

test('mistakes and trees are those of the parser without it', () => {
  const damage = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(40), put: fc.array(fc.constantFrom(...odd), { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.constantFrom(...examples), fc.array(damage, { minLength: 1, maxLength: 6 }), (example, changes) => {
      let text = example;
      for (const { at, cut, put } of changes) {
        const offset = Math.floor(at * text.length);
        text = `${text.slice(0, offset)} ${put.join(' ')} ${text.slice(offset + cut)}`;
      }
      expect(whole(services.parser.LangiumParser.parse(text))).toEqual(whole(plain.parse(text)));
    }),
    { numRuns: 150 },
  );
});

test.each(['chip c {', 'x ', 'scenario "s" { fault ', 'import "a" . ', 'guest g { ram 1 MiB ; '])('of more mistakes than count, the first ones: %s', (piece) => {
  const text = piece.repeat(mostMistakes + 20);
  const [own, other] = [services.parser.LangiumParser.parse(text), plain.parse(text)];
  expect(own.parserErrors.map(({ message }) => message)).toEqual(other.parserErrors.slice(0, mostMistakes).map(({ message }) => message));
});
