import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../engine/covert/plan';
import { compileFile } from './compile';
import { diagnosticCodes } from './diagnostic-codes';

const root = path.resolve(import.meta.dirname, '../..');
/** Where the manual's examples are taken to stand, so that their paths lead somewhere. */
const here = path.join(root, 'examples', 'checksum', 'here.covert');
const manual = readFileSync(path.join(root, 'docs', 'language.md'), 'utf8');

function blocks(text: string, kind: string): string[] {
  return [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].filter(([, label]) => label === kind).map(([, , code = '']) => code);
}

/** A statement of a scenario with what the manual says stands around it; anything else as it is. */
function whole(example: string): string {
  if (/^\s*(import|chip|guest|scenario|campaign)\b/.test(example)) return example;
  const protect = /^protect\b/m.test(example) ? '' : 'protect dmr on core 0, core 1\n';
  const expectation = /^expect\b/m.test(example) ? '' : 'expect exit 0\n';
  return `guest checksum { elf "checksum.elf" }\nscenario "example" {\nguest checksum\n${protect}${expectation}${example}}\n`;
}

async function compile(text: string): Promise<{ plans: Plan[]; codes: string[] }> {
  const { plans, diagnostics } = await compileFile(here, { text });
  return { plans, codes: diagnostics.map(({ code }) => code) };
}

const sections = manual.split(/^#### /m).slice(1);

test('every code has its section, with its meaning, in order', () => {
  const titles = sections.map((section) => section.split('\n')[0]);
  expect(titles).toEqual(Object.entries(diagnosticCodes).map(([code, meaning]) => `${code}: ${meaning}`));
});

describe.each(sections.map((section) => [section.slice(0, 6), section]))('%s', (code, section) => {
  const [wrong, right] = [blocks(section, 'covert wrong'), blocks(section, 'covert right')];

  test('has examples', () => {
    expect(wrong.length).toBeGreaterThan(0);
    expect(right.length).toBeGreaterThan(0);
  });

  test.each(wrong)('wrong: %s', async (example) => {
    expect(new Set((await compile(whole(example))).codes)).toEqual(new Set([code]));
  });

  test.each(right)('right: %s', async (example) => {
    expect((await compile(whole(example))).codes).toEqual([]);
  });
});

test('the examples of the manual compile', async () => {
  for (const example of blocks(manual.split('## Diagnostics')[0]!, 'covert')) {
    expect((await compile(example)).codes).toEqual([]);
  }
});

test('the defaults are what the manual spells out', async () => {
  const [short, long] = blocks(manual, 'covert same');
  const guest = 'guest checksum { elf "checksum.elf" }\n';
  const [a] = (await compile(guest + short)).plans;
  const [b] = (await compile(guest + long)).plans;
  expect(a).toBeDefined();
  const plain = (plan: Plan | undefined): unknown =>
    plan && { ...plan, name: '', range: undefined, guest: { ...plan.guest, image: undefined }, expectations: plan.expectations.map(({ expectation }) => expectation) };
  expect(plain(a)).toEqual(plain(b));
});
