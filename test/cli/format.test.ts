import { chmod, lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { edited, LanguageClient } from '../language/language-client';
import type { TextEdit } from 'vscode-languageserver-protocol/node';
import { covert, root } from './covert';

const loose = 'guest  g{elf "a.elf"\nram   16 MiB // room\n}';
const neat = 'guest g {\n  elf "a.elf"\n  ram 16 MiB // room\n}\n';
const broken = 'guest g {\n  elf\n';

const folder = await mkdtemp(path.join(tmpdir(), 'covert-format-'));
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);
const format = (...args: string[]): ReturnType<typeof covert> => covert(['format', ...args], { cwd: folder });

beforeEach(async () => {
  for (const name of await readdir(folder)) await rm(at(name), { recursive: true });
  await mkdir(at('deep'));
  await writeFile(at('loose.covert'), loose);
  await writeFile(at('neat.covert'), neat);
  await writeFile(at('deep/loose.covert'), loose);
});

test('files and those of folders are formatted, and those that change are listed', async () => {
  expect(await format('.', 'loose.covert')).toEqual({ exit: 0, stderr: '', stdout: 'deep/loose.covert\nloose.covert\n3 files, 2 changed\n' });
  for (const name of ['loose.covert', 'neat.covert', 'deep/loose.covert']) expect(await readFile(at(name), 'utf8')).toBe(neat);
  expect(await readdir(folder)).toEqual(['deep', 'loose.covert', 'neat.covert']);
  expect(await format('.')).toEqual({ exit: 0, stderr: '', stdout: '3 files, 0 changed\n' });
});

test('what is formatted is not touched', async () => {
  const before = await lstat(at('neat.covert'));
  await format('neat.covert');
  const { ino, mtimeMs, ctimeMs } = await lstat(at('neat.covert'));
  expect({ ino, mtimeMs, ctimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs, ctimeMs: before.ctimeMs });
});

test('--check lists what is not formatted, with exit code 1, and writes nothing', async () => {
  expect(await format('--check', '.')).toEqual({ exit: 1, stderr: '', stdout: 'deep/loose.covert\nloose.covert\n3 files, 2 not formatted\n' });
  expect(await readFile(at('loose.covert'), 'utf8')).toBe(loose);
  expect(await format('--check', 'neat.covert')).toEqual({ exit: 0, stderr: '', stdout: '1 file, 0 not formatted\n' });
});

test('mode, line ends and byte order mark stay', async () => {
  await writeFile(at('loose.covert'), `\ufeff${loose.replaceAll('\n', '\r\n')}`);
  await chmod(at('loose.covert'), 0o750);
  expect((await format('loose.covert')).exit).toBe(0);
  expect(await readFile(at('loose.covert'), 'utf8')).toBe(`\ufeff${neat.replaceAll('\n', '\r\n')}`);
  if (process.platform !== 'win32') expect((await lstat(at('loose.covert'))).mode & 0o777).toBe(0o750);
});

describe('one line says which file is left alone, the others are formatted, and the exit code is 2', () => {
  const bad = 'bad.covert';
  test.each<[string, () => Promise<unknown>, string]>([
    ['syntax errors', () => writeFile(at(bad), broken), 'bad.covert:2:5: error COV101: expected a string in quotation marks, but the file ends (left as it is)'],
    ['no UTF-8', () => writeFile(at(bad), Buffer.from('guest g { }\n// caf\xe9\n', 'latin1')), 'bad.covert:2: this line is no UTF-8 (left as it is)'],
    ['read-only', async () => writeFile(at(bad), loose, { mode: 0o444 }), 'bad.covert: it is read-only'],
    ['a symbolic link', () => symlink('neat.covert', at(bad)), 'bad.covert: it is a symbolic link: name the file that it leads to'],
    ['too long', () => writeFile(at(bad), ' '.repeat(2_100_000)), 'bad.covert:1:1: error COV203: this file has 2,100,000 characters, and a scenario file at most 2,097,152: divide it (left as it is)'],
    ['not there', async () => undefined, 'bad.covert: no such file'],
    ['a folder without any', () => mkdir(at(bad)), 'bad.covert: there is no scenario file (*.covert) in this folder or below'],
  ])('%s', async (_, make, message) => {
    await make();
    const content = await readFile(at(bad)).catch(() => undefined);
    const { exit, stdout, stderr } = await format(bad, 'loose.covert');
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: `covert: ${message}\n` });
    expect(stdout).toMatch(/^loose\.covert\n1 file, 1 changed, 1 problem\n$/);
    expect(await readFile(at('loose.covert'), 'utf8')).toBe(neat);
    expect(await readFile(at(bad)).catch(() => undefined)).toEqual(content);
    expect((await readdir(folder)).filter((name) => name.includes('.part'))).toEqual([]);
  });

  test('a name that does not end in .covert', async () => {
    await writeFile(at('notes.txt'), loose);
    expect((await format('notes.txt')).stderr).toBe("covert: notes.txt: a scenario file's name ends in .covert\n");
    expect(await readFile(at('notes.txt'), 'utf8')).toBe(loose);
  });

  test('what is read-only and formatted is fine', async () => {
    await chmod(at('neat.covert'), 0o444);
    expect((await format('neat.covert')).exit).toBe(0);
  });
});

describe('standard input', () => {
  test.each(['-', '--stdin'])('%s is formatted to standard output', async (argument) => {
    expect(await covert(['format', argument], { input: `\ufeff${loose}` })).toEqual({ exit: 0, stderr: '', stdout: `\ufeff${neat}` });
  });

  test('with --check', async () => {
    expect(await covert(['format', '--check', '-'], { input: loose })).toEqual({ exit: 1, stderr: '', stdout: '-\n' });
    expect(await covert(['format', '--check', '-'], { input: neat })).toEqual({ exit: 0, stderr: '', stdout: '' });
  });

  test.each([
    [broken, 'standard input:2:5: error COV101: expected a string in quotation marks, but the file ends (left as it is)'],
    [Buffer.from([0x2f, 0x2f, 0xff]), 'standard input:1: this line is no UTF-8 (left as it is)'],
    [' '.repeat(9_000_000), 'standard input: a scenario file has at most 2,097,152 characters'],
  ])('what cannot be formatted is a line, and nothing comes out', async (input, message) => {
    expect(await covert(['format', '-'], { input })).toEqual({ exit: 2, stdout: '', stderr: `covert: ${message}\n` });
  });
});

test('the language server formats the same', async () => {
  const everything = await readFile(path.join(root, 'test', 'language', 'textmate', 'everything.covert'), 'utf8');
  const text = everything.replace(/^ +/gm, '').replace(/,? \b/g, '$&  ');
  const { stdout, exit } = await covert(['format', '-'], { input: text });
  expect(exit).toBe(0);
  expect(stdout).not.toBe(text);
  const client = await LanguageClient.start(folder);
  await client.open(at('everything.covert'), text);
  const edits = await client.of<TextEdit[]>('textDocument/formatting', at('everything.covert'), { options: { tabSize: 2, insertSpaces: true } });
  expect(edited(text, edits)).toBe(stdout);
  expect(await client.stop()).toBe(0);
});

test('the examples are formatted', async () => {
  const { exit, stdout } = await covert(['format', '--check', 'examples']);
  expect({ exit, stdout: stdout.replace(/^\d+/, 'all') }).toEqual({ exit: 0, stdout: 'all files, 0 not formatted\n' });
});
