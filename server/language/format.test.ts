import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { URI } from 'langium';
import { describe, expect, test } from 'vitest';
import { compileFile } from './compile';
import { formatText } from './format';
import { mostCharacters } from './scenario-text';
import { createCovertServices } from './services';
import { leaves } from './syntax-errors';

const root = path.resolve(import.meta.dirname, '../..');
const examples = readdirSync(path.join(root, 'examples'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.covert'))
  .map((name) => path.join(root, 'examples', name));
const everything = path.join(root, 'test', 'language', 'textmate', 'everything.covert');
const sources = [...examples, everything].map((file) => ({ file, text: readFileSync(file, 'utf8') }));

const { LangiumDocumentFactory } = createCovertServices().shared.workspace;

/** Words and comments of a text, in order. */
function tokens(text: string): string[] {
  const cst = LangiumDocumentFactory.fromString(text, URI.file('/tokens.covert')).parseResult.value.$cstNode;
  return cst ? [...leaves(cst)].filter(({ tokenType }) => tokenType.name !== 'WS').map((leaf) => leaf.text) : [];
}

/** The formatted text; fails where there is none. */
function formatted(text: string): string {
  const { text: done, problem } = formatText('/some.covert', text);
  expect(problem).toBeUndefined();
  return done!;
}

/** A text with other white space, and comments, between its words. */
function spread(text: string, gaps: readonly string[]): string {
  return tokens(text)
    .filter((token) => !token.startsWith('//'))
    .map((token, index) => token + (gaps[index % gaps.length] ?? ' '))
    .join('');
}

/** What scenarios come to, but for where they stand in the file. */
async function meaning(file: string, text: string): Promise<unknown> {
  const { plans, diagnostics } = await compileFile(file, { text });
  const plain = JSON.stringify(plans, (key, value: unknown) => {
    // A report quotes what was written.
    if (key === 'text' && typeof value === 'string') return value.replace(/\/\*[^]*?\*\/|\/\/.*|\s/g, '');
    return key === 'range' || key === 'image' ? undefined : typeof value === 'bigint' ? String(value) : value;
  });
  // COV610 is about where lines break.
  return { plans: plain, codes: diagnostics.map(({ code }) => code).filter((code) => code !== 'COV610').sort() };
}

const gaps = fc.array(fc.constantFrom(' ', '   ', '\n', '\n\n\n', '\t', '\r\n', ' // note\n', '  // { "\n', ' /* note */ ', '\n/* over\n   lines } */\n'), { minLength: 1, maxLength: 30 });

describe('whatever the white space', () => {
  test('the same words and comments, and formatting again changes nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...sources), gaps, ({ text }, some) => {
        const before = spread(text, some);
        const after = formatted(before);
        const onlyLines = (all: string[]): string[] => all.map((token) => token.replaceAll('\r\n', '\n'));
        expect(onlyLines(tokens(after))).toEqual(onlyLines(tokens(before)));
        expect(formatted(after)).toBe(after);
        expect(after.includes('\r') && /[^\r]\n/.test(after), 'one kind of line ends').toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('the same plans', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom(...sources.filter(({ file }) => !file.includes('debian'))), gaps, async ({ file, text }, some) => {
        const before = spread(text, some);
        const wanted = await meaning(file, text);
        expect(await meaning(file, formatted(before))).toEqual(wanted);
        expect(await meaning(file, before)).toEqual(wanted);
      }),
      { numRuns: 25 },
    ));
});

test('whatever the text: it is left as it is, with a reason, or has the same words', () => {
  const pieces = fc.constantFrom('"', '"a', '`', '`a b`', '/x/', '/', '/*', '*/', '//', '\\', '0x', '1__0', '-', '..', '}', '{', 'optional', 'fault', ':', 'é', '\ufeff', '\r', '\n', '\f', 'x', '// x\n', '/* x */');
  const damaged = fc
    .record({ source: fc.constantFrom(...sources), at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(8), put: fc.array(pieces, { maxLength: 2 }) })
    .map(({ source: { text }, at, cut, put }) => {
      const offset = Math.floor(at * text.length);
      return `${text.slice(0, offset)}${put.join(' ')}${text.slice(offset + cut)}`;
    });
  let kept = 0;
  let refused = 0;
  fc.assert(
    fc.property(damaged, (text) => {
      const { text: after, problem } = formatText('/some.covert', text);
      if (problem) {
        refused++;
        expect(problem.message).toMatch(/./);
        return;
      }
      kept++;
      expect(tokens(after)).toEqual(tokens(text));
      expect(formatText('/some.covert', after).text).toBe(after);
    }),
    { numRuns: 400 },
  );
  expect(Math.min(kept, refused)).toBeGreaterThan(40);
});

describe('what stands at the edges stays', () => {
  const text = 'guest  g {\nelf "a.elf"\n}';
  const done = 'guest g {\n  elf "a.elf"\n}\n';
  test.each([
    ['line feeds', text, done],
    ['returns', text.replaceAll('\n', '\r\n'), done.replaceAll('\n', '\r\n')],
    ['mostly returns', 'guest  g {\r\nelf "a.elf"\r\n// note\n}', 'guest g {\r\n  elf "a.elf"\r\n  // note\r\n}\r\n'],
    ['mostly line feeds', 'guest  g {\nelf "a.elf"\n// note\r\n}', 'guest g {\n  elf "a.elf"\n  // note\n}\n'],
    ['a byte order mark', `\ufeff${text}`, `\ufeff${done}`],
    ['a return too many', 'guest g {\n/* a\r\r\nb */\n}', 'guest g {\n  /* a\nb */\n}\n'],
    ['nothing', '', ''],
    ['white space alone', '\ufeff \n\t', '\ufeff'],
    ['a comment alone', '  // a', '// a\n'],
  ])('%s', (_, before, after) => {
    expect(formatted(before)).toBe(after);
  });
});

test.each([
  ['fault set a0 to   -   5 in replica A at main   -   4', 'fault set a0 to -5 in replica A at main - 4'],
  ['fault flip a0 bits 3 .. 5 ,7 in replica A when t0==-1', 'fault flip a0 bits 3..5, 7 in replica A when t0 == -1'],
  ['fault x :flip memory [ & t [ 1 ] . a ] . w bit 1 in replica A at "a.c" : 4', 'fault x: flip memory[&t[1].a].w bit 1 in replica A at "a.c":4'],
  ['expect exit 0      // in a column', 'expect exit 0      // in a column'],
  ['expect exit 0\t// after a tab', 'expect exit 0 // after a tab'],
  ['expect clean\n\n\n\n\nexpect masked', 'expect clean\n\n  expect masked'],
])('%s', (before, after) => {
  expect(formatted(`scenario "s" {\n${before}\n}`)).toBe(`scenario "s" {\n  ${after}\n}\n`);
});

test('blocks of a chip are indented as all others', () => {
  expect(formatted('chip c { timing detailed {\nl1i 32 KiB 8 ways link 1 cycles }\ncosts prescott {\nexit 5 cycles compare 1 cycles } }')).toBe(
    'chip c {\n  timing detailed {\n    l1i 32 KiB 8 ways\n    link 1 cycles\n  }\n  costs prescott {\n    exit 5 cycles\n    compare 1 cycles\n  }\n}\n',
  );
});

test.each([
  ['guest g {', 1, 9, 'COV101'],
  ['guest g { }\n  elf ? ', 2, 3, 'COV101'],
  ['guest g { elf "a\n}', 1, 15, 'COV102'],
  ['guest g { elf "a" }\n/* no end', 2, 1, 'COV102'],
  ['scenario "s" { fault `x\n: flip a0 bit 3 in replica A at main }', 1, 22, 'COV102'],
])('a mistake in the syntax is named: %j', (text, line, column, code) => {
  const { text: none, problem } = formatText('/some.covert', text);
  expect(none).toBeUndefined();
  expect([problem?.range.line, problem?.range.column, problem?.code]).toEqual([line, column, code]);
});

test('a file that no parser is given is left alone', () => {
  expect(formatText('/some.covert', ' '.repeat(mostCharacters + 1)).problem?.message).toContain('divide it');
});

describe('what comes with this is formatted', () => {
  test.each(sources.map(({ file, text }) => [path.relative(root, file), text]))('%s', (_, text) => {
    expect(formatted(text)).toBe(text);
  });

  const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
  test.each(pages)('the examples of %s', (page) => {
    for (const [, , text = ''] of readFileSync(path.join(root, page), 'utf8').matchAll(/^```covert( right| same|)\n([^]*?)^```$/gm)) {
      // Statements alone are those of a scenario.
      const isWhole = /^\s*(import|chip|guest|scenario|campaign|\/\/)\b/.test(text);
      const whole = isWhole ? text : `scenario "s" {\n${text.replace(/^(?=.)/gm, '  ')}}\n`;
      expect(formatted(whole)).toBe(whole);
    }
  });
});
