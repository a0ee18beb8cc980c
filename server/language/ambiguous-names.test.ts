import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileFile } from './compile';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-ambiguous-'));
  const files = { 'two.covert': 'chip c { cores 2 }', 'eight.covert': 'chip c { cores 8 }', 'through.covert': 'import "eight.covert"\nchip d { cores 4 }', 'both.covert': 'import "two.covert"\nimport "eight.covert"\nchip e { cores 4 }' };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true }));

async function said(imports: string[], chip = 'c'): Promise<string[]> {
  const text = `${imports.map((name) => `import "${name}.covert"\n`).join('')}guest g { elf "missing.elf" }\nscenario "s" { chip ${chip} guest g expect exit 0 }`;
  const { diagnostics } = await compileFile(path.join(folder, 'here.covert'), { text });
  return diagnostics.filter(({ code }) => code !== 'COV203').map(({ code, message }) => `${code} ${message}`);
}

test('a chip of two files that are as near as each other cannot be used, in whichever order they are imported', async () => {
  expect(await said(['two', 'eight'])).toContain('COV202 "two.covert" and "eight.covert" both declare chip `c`: import one of them, or rename one');
  expect(await said(['eight', 'two'])).toContain('COV202 "eight.covert" and "two.covert" both declare chip `c`: import one of them, or rename one');
  expect(await said(['both'])).toContain('COV202 "two.covert" and "eight.covert" both declare chip `c`: import one of them, or rename one');
});

test.each([
  ['one file', ['two'], 'c'],
  ['a nearer one', ['two', 'through'], 'c'],
  ['another chip of such files', ['both'], 'e'],
])('%s is no matter', async (_, imports, chip) => {
  expect((await said(imports, chip)).filter((each) => each.startsWith('COV202'))).toEqual([]);
});
