import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileFile, type Compiled } from './compile';

const megabyte = 2 ** 20;
const root = path.resolve(import.meta.dirname, '../..');
const here = path.join(root, 'examples', 'checksum', 'here.covert');
const guest = 'guest g { elf "checksum.elf" ram 16 MiB }\n';
const compile = (text: string): Promise<Compiled> => compileFile(here, { text });
const marks = ({ diagnostics }: Compiled): string[] => diagnostics.map(({ code, range }) => `${code} ${range.line}:${range.column}`);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-bytes-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: Buffer | string): Promise<string> {
  const whole = path.join(folder, name);
  await writeFile(whole, content);
  return whole;
}

describe('bytes that are no UTF-8', () => {
  const broken = Buffer.from('chip c { }\n// caf\xe9\n', 'latin1');

  test('in the file itself', async () => {
    await expect(compileFile(await file('broken.covert', broken))).rejects.toThrow('is no UTF-8 in line 2: save it as UTF-8');
  });

  test('in a file that is imported', async () => {
    await file('broken.covert', broken);
    const { diagnostics } = await compileFile(await file('main.covert', 'import "broken.covert"\n'));
    expect(diagnostics.map(({ code, message, range }) => `${code} ${range.line}:${range.column} ${message}`)).toEqual(['COV203 1:8 broken.covert is no UTF-8 in line 2: save it as UTF-8']);
  });
});

test('a byte order mark is no part of a file, nor of one that is imported', async () => {
  await file('chips.covert', '\ufeffchip c { cores 0 }');
  const { diagnostics } = await compileFile(await file('marked.covert', '\ufeffimport "chips.covert" chip d { cores 0 }'));
  expect(diagnostics.filter(({ code }) => code === 'COV106').map((one) => `${path.basename(one.file)} ${one.range.column}`)).toEqual(['marked.covert 38', 'chips.covert 16']);
});

test.each(['\n', '\r\n', '\r'])('lines end with %j', async (end) => {
  expect(marks(await compile(['// one', 'chip c {', '  cores 0', '}', 'fault'].join(end)))).toEqual(['COV106 3:9', 'COV101 5:1']);
});

describe('a line of a megabyte', () => {
  test.each([
    ['blanks', ' '.repeat(megabyte), ''],
    ['a comment', `//${'x'.repeat(megabyte)}`, ''],
    ['a comment without an end', `/*${'* '.repeat(megabyte / 2)}`, 'COV102 2:1'],
    ['a string without an end', `import "${'a'.repeat(megabyte)}`, 'COV102 2:8'],
    ['a name', 'a'.repeat(megabyte), 'COV101 2:1'],
    ['digits', `chip c { cores ${'9'.repeat(megabyte)} } scenario "s" { chip c guest g expect exit 0 }`, 'COV104 2:16'],
    ['characters without a meaning', ';'.repeat(megabyte), 'COV100 2:1'],
    ['brackets', '['.repeat(megabyte), 'COV101 2:1'],
    ['braces', '{'.repeat(megabyte), 'COV101 2:1'],
    ['words', 'core '.repeat(megabyte / 5), 'COV101 2:1'],
    ['numbers of one list', `scenario "s" { guest g protect dmr fault flip a0 bits ${'1,'.repeat(megabyte / 2)}2 in replica B at main expect clean }`, 'COV403 2:57'],
  ])('of %s', async (_, line, expected) => {
    const { plans, diagnostics } = await compile(`${guest}${line}\nscenario "t" { guest g expect exit 0 }`);
    expect(marks({ plans, campaigns: [], diagnostics })[0] ?? '').toBe(expected);
    for (const { message } of diagnostics) expect(message.length).toBeLessThan(1000);
    if (expected === '') expect(plans).toHaveLength(1);
  });
});

describe('half a megabyte of mistakes', () => {
  test.each([
    ['faults broken off', `scenario "s" { ${'fault '.repeat(80_000)}`],
    ['faults in one line each', `scenario "s" { ${'fault flip a0\n'.repeat(35_000)}`],
    ['array elements', `scenario "s" { fault flip a0 bit 1 at ${'&a[0'.repeat(120_000)}`],
    ['scenarios within scenarios', 'scenario "s" {'.repeat(35_000)],
    ['chips within chips', 'chip c {'.repeat(60_000)],
  ])('%s', async (_, text) => {
    const { plans, diagnostics } = await compile(text);
    expect(plans).toEqual([]);
    expect(diagnostics).toHaveLength(1000);
    expect(diagnostics.some(({ message }) => message.includes('nothing behind it was read, after 1000 mistakes'))).toBe(true);
  });

  test('what stands before them keeps its features', async () => {
    const { diagnostics } = await compile(`chip c { cores 0 }\n${'chip d {'.repeat(2000)}`);
    expect(diagnostics[0]).toMatchObject({ code: 'COV101' });
  });
});
