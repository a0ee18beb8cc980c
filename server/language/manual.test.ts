import { describe, expect, test } from 'vitest';
import type { Plan } from '../../engine/covert/plan';
import { compileFile } from './compile';
import { diagnosticCodes } from './diagnostic-codes';
import { blocks, here, manual, sections, whole } from './manual.test-support';

async function compile(text: string): Promise<{ plans: Plan[]; codes: string[] }> {
  const { plans, diagnostics } = await compileFile(here, { text });
  return { plans, codes: diagnostics.map(({ code }) => code) };
}

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
    // One mistake gives one error.
    expect((await compile(whole(example))).codes).toEqual([code]);
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
