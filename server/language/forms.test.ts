import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { forms, slots, type Form, type FormKind } from './forms';
import { partAt, partsOf } from './lsp/form-match';
import { createCovertServices } from './services';
import { words } from './words';

const all = Object.entries(forms).flatMap(([kind, list]) => (list as readonly Form[]).map((form) => [kind as FormKind, form] as const));

/** A file with an example at its place. */
const around: Readonly<Record<FormKind, (example: string) => string>> = {
  file: (text) => text,
  chip: (text) => `chip c { ${text} }`,
  timing: (text) => `chip c { timing detailed { ${text} } }`,
  guest: (text) => `guest g { ${text} }`,
  scenario: (text) => `scenario "s" { ${text} }`,
  campaign: (text) => `campaign "c" { ${text} }`,
  protection: (text) => `scenario "s" { protect dmr { ${text} } }`,
  effect: (text) => `scenario "s" { fault ${text} }`,
  target: (text) => `scenario "s" { fault flip a0 bit 3 ${text} at main }`,
  trigger: (text) => `campaign "c" { inject 1 faults { flip a0 bit 3 in replica B ${text} } }`,
  lifetime: (text) => `scenario "s" { fault flip a0 bit 3 in replica B at main ${text} }`,
  expectation: (text) => `${text.includes('coverage') ? 'campaign' : 'scenario'} "s" { ${text} }`,
};

const { parser } = createCovertServices();

test.each(all)('%s: $form', (kind, { form, example }) => {
  const { parserErrors, lexerErrors } = parser.LangiumParser.parse(around[kind](example));
  expect([...parserErrors, ...lexerErrors]).toEqual([]);
  const parts = partsOf(form);
  for (const { text } of parts) {
    if (/^[A-Z]+$/.test(text)) expect(Object.keys(slots)).toContain(text);
    else for (const word of text.split('|')) if (/^[a-z]\w*$/.test(word)) expect(Object.keys(words)).toContain(word);
  }
  // The example is one of the form: its words lead through it without going astray.
  const written = parser.Lexer.tokenize(example).tokens.map(({ image }) => image);
  const brace = written.indexOf('{');
  const own = ownWords(kind, brace < 0 ? written : written.slice(0, brace + 1));
  expect(partAt(parts, own, false), `${form}: ${own.join(' ')}`).toBeDefined();
});

/** Examples of effects and triggers go on with what makes them whole. */
function ownWords(kind: FormKind, written: string[]): string[] {
  const last = kind === 'effect' ? written.findIndex((word, i) => i > 0 && (word === 'in' || (word === 'on' && written[i + 1] === 'core') || (word === 'at' && written[0] !== 'stick'))) : kind === 'trigger' ? written.indexOf('every') : -1;
  return last < 0 ? written : written.slice(0, last);
}

test('every effect, trigger, lifetime and expectation is in the documentation', () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/language.md'), 'utf8');
  for (const kind of ['effect', 'trigger', 'lifetime', 'expectation'] as const) {
    for (const { form } of forms[kind] as readonly Form[]) {
      const [first = '', second = ''] = form.split(' ');
      const begin = /^[a-z]+$/.test(second) ? `${first} ${second}` : first;
      if (!begin.startsWith('expect coverage') && !begin.startsWith('at any')) expect(text).toContain(begin);
    }
  }
});
