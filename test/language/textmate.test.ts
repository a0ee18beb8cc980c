import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AstUtils, GrammarAST, URI, type CstNode } from 'langium';
import { beforeAll, describe, expect, test } from 'vitest';
import { CovertGrammar } from '../../server/language/generated/grammar';
import { registerNames } from '../../server/language/places';
import { createCovertServices } from '../../server/language/services';
import { leaves } from '../../server/language/syntax-errors';
import { root } from './language-client';
import { loadGrammar, type Colored } from './textmate-grammar';

let color: (text: string) => Colored[];
beforeAll(async () => {
  color = await loadGrammar();
});

const here = path.join(root, 'test', 'language', 'textmate');
const examples = readdirSync(path.join(root, 'examples'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.covert'))
  .map((name) => path.join('examples', name))
  .sort();
const files = ['test/language/textmate/everything.covert', 'test/language/textmate/broken.covert', ...examples].map((name) => name.replaceAll(path.sep, '/'));
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');

interface Rule {
  beforeText: string;
  afterText?: string;
  previousLineText?: string;
  action: { indent: string; appendText?: string; removeText?: number };
}

interface Configuration {
  comments: { lineComment: string; blockComment: [string, string] };
  brackets: [string, string][];
  autoClosingPairs: { open: string; close: string; notIn?: string[] }[];
  surroundingPairs: [string, string][];
  folding: { markers: { start: string; end: string } };
  wordPattern: string;
  indentationRules: { increaseIndentPattern: string; decreaseIndentPattern: string };
  onEnterRules: Rule[];
}

/** A letter for each kind of token that goldens show. */
const letters: Readonly<Record<string, string>> = {
  '': '.',
  'comment.line.double-slash': 'c',
  'comment.line.double-slash punctuation.definition.comment': '/',
  'comment.block': 'b',
  'comment.block punctuation.definition.comment': '*',
  'constant.language': 'L',
  'constant.numeric': '0',
  'constant.numeric.host': 'h',
  'entity.name.quoted': 'q',
  'entity.name.tag': 't',
  'entity.name.type': 'T',
  'keyword.control': 'C',
  'keyword.declaration': 'D',
  'keyword.operator': '+',
  'keyword.operator.word': 'w',
  'keyword.other': 'k',
  'keyword.other.unit': 'u',
  'punctuation.accessor': '>',
  'punctuation.section.block': '{',
  'punctuation.section.brackets': '[',
  'punctuation.separator': ',',
  'string.quoted.double': 's',
  'string.quoted.double constant.character.escape': '\\',
  'string.quoted.double entity.name.section': 'n',
  'string.quoted.double entity.name.section constant.character.escape': '|',
  'string.quoted.double entity.name.section invalid.illegal.escape': '?',
  'string.quoted.double invalid.illegal.escape': '!',
  'string.quoted.double punctuation.definition.string.begin': '"',
  'string.quoted.double punctuation.definition.string.end': '"',
  'string.regexp': 'r',
  'string.regexp constant.character.escape': '%',
  'string.regexp punctuation.definition.string.begin': '~',
  'string.regexp punctuation.definition.string.end': '~',
  'support.constant.expectation': 'E',
  'support.function.effect': 'F',
  'variable.language.register': 'R',
  'variable.other': 'v',
};

/** Each line of a text, and below it a letter for the scopes of each character; white space stays. */
function shown(text: string): string {
  const marks = text.split('');
  for (const { text: part, offset, scopes } of color(text)) {
    for (let i = offset; i < offset + part.length; i++) if (/\S/.test(text[i]!)) marks[i] = letters[scopes] ?? fail(scopes);
  }
  const below = marks.join('').split('\n');
  return text.split('\n').map((line, i) => (line === '' ? '' : `${line}\n${below[i]}`)).join('\n');
}

function fail(scopes: string): never {
  throw new Error(`goldens have no letter for \`${scopes}\``);
}

describe('goldens', () => {
  const golden = (name: string): string => path.join(here, 'golden', `${path.basename(name, '.covert')}.txt`);
  beforeAll(() => {
    if (!process.env['COVERT_UPDATE_GOLDENS']) return;
    rmSync(path.join(here, 'golden'), { recursive: true, force: true });
    mkdirSync(path.join(here, 'golden'));
  });

  test.each(files)('%s', (name) => {
    const text = shown(read(name));
    if (process.env['COVERT_UPDATE_GOLDENS']) writeFileSync(golden(name), text);
    else expect(text).toBe(readFileSync(golden(name), 'utf8'));
  });

  test('there is one for each file, and no other', () => {
    expect(readdirSync(path.join(here, 'golden')).sort()).toEqual(files.map((name) => path.basename(golden(name))).sort());
  });

  test('every kind of token is in one of them', () => {
    const seen = new Set(files.flatMap((name) => color(read(name)).map(({ scopes }) => scopes)));
    expect(Object.keys(letters).filter((scopes) => !seen.has(scopes))).toEqual([]);
  });
});

/** Rules of the grammar that read a name, whatever word it is. */
const nameRules = new Set(['Word', 'CostName', 'SymbolName', 'RegisterName', 'Unit']);

interface Leaf {
  text: string;
  offset: number;
  type: string;
  /** The rule that the word stands in. */
  rule: string;
}

const { LangiumDocumentFactory } = createCovertServices().shared.workspace;

/** The words of a text as the parser has them. */
function parsed(text: string): Leaf[] {
  const { value, parserErrors } = LangiumDocumentFactory.fromString(text, URI.file('/some.covert')).parseResult;
  expect(parserErrors).toEqual([]);
  return [...leaves(value.$cstNode as CstNode)].map(({ text: word, offset, tokenType, grammarSource }) => ({
    text: word,
    offset,
    type: tokenType.name,
    rule: (grammarSource && AstUtils.getContainerOfType(grammarSource, GrammarAST.isParserRule)?.name) ?? '',
  }));
}

/** The scopes of every character of a text. */
function scopesOf(text: string): (offset: number) => string {
  const all = color(text);
  return (offset) => all.findLast((one) => one.offset <= offset)?.scopes ?? '';
}

const grammar = CovertGrammar();
const isWord = (value: string): boolean => /^[a-z]/.test(value);
const keywords = [...new Set(AstUtils.streamAllContents(grammar).filter(GrammarAST.isKeyword).map(({ value }) => value))].filter(isWord);

/** The words with which what a rule reads can begin. */
function firstWords(name: string): string[] {
  const found = new Set<string>();
  const visit = (element: GrammarAST.AbstractElement): void => {
    if (GrammarAST.isKeyword(element)) found.add(element.value);
    else if (GrammarAST.isAssignment(element)) visit(element.terminal);
    else if (GrammarAST.isAlternatives(element)) element.elements.forEach(visit);
    else if (GrammarAST.isRuleCall(element) && GrammarAST.isParserRule(element.rule.ref)) visit(element.rule.ref.definition);
    else if (GrammarAST.isGroup(element)) {
      for (const one of element.elements) {
        visit(one);
        if (one.cardinality !== '?' && one.cardinality !== '*') break;
      }
    }
  };
  const rule = grammar.rules.find((one) => one.name === name);
  if (!rule || !GrammarAST.isParserRule(rule)) throw new Error(`the grammar has no rule ${name}`);
  visit(rule.definition);
  return [...found].filter(isWord);
}

/** The scope that a word of the language has by what it is for. */
function scopesFor(word: string): string[] {
  if (firstWords('Item').includes(word)) return ['keyword.declaration'];
  if (['ScenarioItem', 'BesideItem', 'CampaignItem'].some((rule) => firstWords(rule).includes(word))) return ['keyword.control'];
  if (firstWords('Effect').includes(word)) return ['support.function.effect'];
  if (firstWords('Condition').includes(word) && word !== 'no') return ['support.constant.expectation'];
  return ['keyword.other', 'keyword.operator.word', 'support.constant.expectation'];
}

describe('the parser and the colours agree', () => {
  const parsable = files.filter((name) => !name.endsWith('broken.covert'));

  test.each(parsable)('%s', (name) => {
    const text = read(name);
    const at = scopesOf(text);
    for (const { text: word, offset, type, rule } of parsed(text)) {
      const scopes = at(offset);
      const where = `${word} in ${text.slice(0, offset).split('\n').length}: ${rule}`;
      if (type === 'WS') continue;
      else if (rule === 'Unit') expect(scopes, where).toBe('keyword.other.unit');
      else if (word === '%') expect(scopes, where).toBe('keyword.other.unit');
      else if (type === 'ID') expect(scopes, where).toMatch(rule === 'RegisterName' ? /^variable\.language\.register$/ : /^(|constant\.language|entity\.name\.\w+|variable\.other|variable\.language\.register)$/);
      else if (type === 'QUOTED') expect(scopes, where).toMatch(/^entity\.name\.(quoted|type|tag)$/);
      else if (type === 'STRING') expect(scopes, where).toBe('string.quoted.double punctuation.definition.string.begin');
      else if (type === 'REGEX') expect(scopes, where).toBe('string.regexp punctuation.definition.string.begin');
      else if (type === 'HOST') expect(scopes, where).toBe('constant.numeric.host');
      else if (type === 'INTEGER' || type === 'DECIMAL') expect(scopes, where).toBe('constant.numeric');
      else if (type === 'LINE_COMMENT') expect(scopes, where).toMatch(/^comment\.line/);
      else if (type === 'BLOCK_COMMENT') expect(scopes, where).toMatch(/^comment\.block/);
      else if (!isWord(word)) expect(scopes, where).toMatch(/^(punctuation\.(section|separator|accessor)|keyword\.operator)/);
      else if (!nameRules.has(rule)) expect(scopesFor(word), where).toContain(scopes);
    }
  });

  test('each word of the language stands somewhere as what it is, and not as a name', () => {
    const seen = new Set(parsed(read(files[0]!)).filter(({ rule }) => !nameRules.has(rule)).map(({ text }) => text));
    expect(keywords.filter((word) => !seen.has(word))).toEqual([]);
  });

  test('each word of the language alone has the scope of what it is for, and other words have none', () => {
    const scope = (word: string): string => scopesOf(` ${word} `)(1);
    for (const word of keywords) expect(scopesFor(word), word).toContain(scope(word));
    const names = ['dmr', 'tmr', 'none', 'full', 'state', 'vote', 'trap', 'rollback', 'failover', 'debian', 'fast', 'detailed', 'time', 'rtc', 'epochs', 'cycles', 'instructions', 'main', 'ms', 'MiB', 'A'];
    for (const word of [...names, ...keywords.map((one) => `${one}x`), ...keywords.map((one) => `_${one}`), ...keywords.map((one) => one.toUpperCase())]) {
      if (!keywords.includes(word)) expect(scope(word), word).toBe('');
    }
    for (const word of keywords) expect(scope(`${word}$1`), word).toBe('variable.other');
  });

  test('registers are those that the language knows', () => {
    const scope = (word: string): string => scopesOf(`flip ${word} bit 1`)(5);
    // `seed` begins a statement, and has to stand between backticks.
    for (const name of registerNames().filter((one) => one !== 'seed')) expect(scope(name), name).toBe('variable.language.register');
    for (const name of ['x32', 'f32', 'a8', 's12', 't7', 'ft12', 'fa8', 'fs12', 'pmpcfg1', 'pmpcfg16', 'pmpaddr64', 'hpmcounter2', 'mhpmevent32', 'x01', 'xa0']) expect(scope(name), name).toBe('');
  });
});

describe('the language configuration', () => {
  const configuration = JSON.parse(read('syntaxes/language-configuration.json')) as Configuration;

  test('comments and brackets are those of the language', () => {
    const { lineComment, blockComment } = configuration.comments;
    const kinds = parsed(`${lineComment} a\n${blockComment.join(' b ')}`).map(({ type }) => type);
    expect(kinds.filter((type) => type !== 'WS')).toEqual(['LINE_COMMENT', 'BLOCK_COMMENT']);
    const symbols = AstUtils.streamAllContents(grammar).filter(GrammarAST.isKeyword).map(({ value }) => value).toSet();
    const opening = [...symbols].filter((one) => ['{', '[', '('].includes(one)).sort();
    expect(configuration.brackets.map(([open]) => open).sort()).toEqual(opening);
    for (const pair of configuration.brackets) expect(pair.every((one) => symbols.has(one))).toBe(true);
  });

  test('what closes by itself, and goes around a selection, is a bracket or encloses a literal', () => {
    const pairs = configuration.autoClosingPairs.map(({ open, close }) => open + close);
    expect(pairs).toEqual(['{}', '[]', '""', '``', '/* */']);
    for (const { notIn } of configuration.autoClosingPairs) expect(notIn).toEqual(['string', 'comment']);
    expect(configuration.surroundingPairs.map((pair) => pair.join(''))).toEqual(['{}', '[]', '""', '``']);
  });

  test.each([
    ['flip memory[&table[3].next + 0x1_F].w', ['flip', 'memory', 'table', '3', 'next', '0x1_F', 'w']],
    ['at `at` + _start$local `a b`', ['at', '`at`', '_start$local', '`a b`']],
    ['1_000 2.5 GHz bits 0..63 127.0.0.1:80 0b10', ['1_000', '2.5', 'GHz', 'bits', '0', '63', '127.0.0.1', '80', '0b10']],
    ['divergence in `op', ['divergence', 'in', '`op']],
    ['{ } -> == , "', []],
  ])('words of %s', (text, words) => {
    expect(text.match(new RegExp(configuration.wordPattern, 'g')) ?? []).toEqual(words);
    expect(new RegExp(`^(?:${configuration.wordPattern})$`).test('')).toBe(false);
  });

  test.each([
    ['chip octo {', true],
    ['  protect dmr on core 0, core 1 {  // as {usual}', true],
    ['scenario "a } { b // c" {', true],
    ['guest `a"b` { /* note', true],
    ['chip a { cores 1 } chip b {', true],
    ['  timing detailed { l1i 32 KiB 8 ways', true],
    ['chip octo { cores 8 }', false],
    ['// chip octo {', false],
    ['  ring // {', false],
    ['/* chip {', false],
    ['  expect output contains "{"', false],
    ['  expect output matches /a{2}{/', false],
    ['guest `{`', false],
    ['}', false],
  ])('the line after %s is indented: %s', (line, deeper) => {
    expect(new RegExp(configuration.indentationRules.increaseIndentPattern).test(line)).toBe(deeper);
  });

  test.each([
    ['}', true],
    ['    } // end', true],
    ['  ring }', false],
    ['// }', false],
  ])('%s goes back: %s', (line, back) => {
    expect(new RegExp(configuration.indentationRules.decreaseIndentPattern).test(line)).toBe(back);
  });

  test('a long line costs no time', () => {
    for (const text of ['{'.repeat(5000), '"\\'.repeat(5000), '/ '.repeat(5000), '`"{'.repeat(3000), 'a '.repeat(5000)]) {
      const start = performance.now();
      const { indentationRules, onEnterRules } = configuration;
      for (const pattern of [indentationRules.increaseIndentPattern, ...onEnterRules.map(({ beforeText }) => beforeText)]) new RegExp(pattern).test(text);
      expect(performance.now() - start).toBeLessThan(5000);
    }
  });

  /** What Enter puts behind the line break, by the first rule that fits: `|` is the cursor in the middle of the line. */
  function enter(line: string, previous = ''): string | number | undefined {
    const [before = '', after = ''] = line.split('|');
    const fits = (pattern: string | undefined, text: string): boolean => pattern === undefined || new RegExp(pattern).test(text);
    const rule = configuration.onEnterRules.find(({ beforeText, afterText, previousLineText }) => fits(beforeText, before) && fits(afterText, after) && fits(previousLineText, previous));
    const { indent, appendText, removeText } = rule?.action ?? {};
    return indent === 'indentOutdent' ? `${appendText}|` : (appendText ?? removeText);
  }

  test.each<[string, string, string | number | undefined]>([
    ['/* A block', '', ' * '],
    ['  /* |*/', '', ' * |'],
    ['/* whole */', '', undefined],
    [' * goes on', '/* A block', '* '],
    [' * and on', ' * goes on', '* '],
    [' * no comment', 'chip octo {', undefined],
    [' */', ' * and on', 1],
    ['// a note| that is long', '', '// '],
    ['  ring // a note| that is long', '', '// '],
    ['// a note|', '', undefined],
    ['expect output contains "http://a|b"', '', undefined],
    ['expect output matches /a\\/\\/|b/', '', undefined],
    ['chip octo {', '', undefined],
  ])('Enter in %j below %j', (line, previous, what) => {
    expect(enter(line, previous)).toBe(what);
  });

  test.each([
    ['// #region guests', true, false],
    ['  //#region', true, false],
    ['// #endregion', false, true],
    ['// #regions', false, false],
    ['"// #region"', false, false],
  ])('%s folds', (line, start, end) => {
    const { markers } = configuration.folding;
    expect([new RegExp(markers.start).test(line), new RegExp(markers.end).test(line)]).toEqual([start, end]);
  });
});
