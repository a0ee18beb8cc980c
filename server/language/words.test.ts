import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AstUtils, GrammarAST } from 'langium';
import { beforeAll, expect, test } from 'vitest';
import { CovertGrammar } from './generated/grammar';
import { words } from './words';

/** Words of the language, as the grammar has them. */
let keywords: string[] = [];
beforeAll(() => {
  const all = AstUtils.streamAllContents(CovertGrammar()).filter(GrammarAST.isKeyword).map(({ value }) => value);
  keywords = [...new Set(all)].filter((word) => /^[a-z]/.test(word)).sort();
});

test('every word of the language is explained, and nothing else', () => {
  expect(Object.keys(words).sort()).toEqual(keywords);
});

test('an explanation is a sentence', () => {
  for (const text of Object.values(words)) expect(text).toMatch(/^[A-Z`].*\.$/);
});

interface Pattern {
  match?: string;
  name?: string;
  captures?: Record<string, { name: string }>;
}

test('the highlighting knows every word of the language, and no other', () => {
  const file = path.resolve(import.meta.dirname, '../../syntaxes/covert.tmLanguage.json');
  const { repository } = JSON.parse(readFileSync(file, 'utf8')) as { repository: { words: { patterns: Pattern[] } } };
  const highlighted = repository.words.patterns.flatMap(({ match = '' }) => match.replace(/^\\b\(\?:|\)\\b$/g, '').split('|'));
  expect(highlighted.sort()).toEqual(keywords);
});

test('a name may be any word of the language that begins no statement', () => {
  const rule = CovertGrammar().rules.find(({ name }) => name === 'Word');
  const names = rule ? AstUtils.streamAllContents(rule).filter(GrammarAST.isKeyword).map(({ value }) => value) : [];
  const statements = ['beside', 'campaign', 'chip', 'expect', 'fault', 'guest', 'import', 'inject', 'optional', 'protect', 'scenario', 'switch'];
  expect([...names].sort()).toEqual(keywords.filter((word) => !statements.includes(word)));
});
