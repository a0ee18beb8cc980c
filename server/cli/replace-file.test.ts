import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { BadInput } from './failure';
import { replaceFile } from './replace-file';

const folder = mkdtempSync(path.join(tmpdir(), 'covert-replace-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, 'some.covert');
beforeEach(() => {
  rmSync(file, { force: true });
  writeFileSync(file, 'before', { mode: 0o600 });
});

test('the content is another one, and nothing but the file is there', async () => {
  await replaceFile(file, lstatSync(file), 'after');
  expect(readFileSync(file, 'utf8')).toBe('after');
  expect(readdirSync(folder)).toEqual(['some.covert']);
});

test.skipIf(process.platform === 'win32').each([0o755, 0o622, 0o4750])('mode %o stays, whatever the mask', async (mode) => {
  chmodSync(file, mode);
  await replaceFile(file, lstatSync(file), 'after');
  expect(lstatSync(file).mode & 0o7777).toBe(mode);
});

test.each([
  ['vanished', () => rmSync(file), 'it has vanished'],
  ['was changed', () => writeFileSync(file, 'somebody else'), 'it was changed meanwhile, and so left as it is'],
  ['was changed to as much', () => utimesSync(file, 1, 1), 'it was changed meanwhile, and so left as it is'],
  ['cannot be written', () => chmodSync(file, 0o444), 'it is read-only'],
])('a file that %s since it was read is left alone', async (_, meanwhile, message) => {
  const was = lstatSync(file);
  meanwhile();
  const before = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
  await expect(replaceFile(file, was, 'after')).rejects.toThrow(new BadInput(`${file}: ${message}`));
  expect(readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'))).toEqual(before);
});

test('somebody else has a file of the temporary name', async () => {
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, 'theirs');
  await expect(replaceFile(file, lstatSync(file), 'after')).rejects.toThrow(BadInput);
  expect([readFileSync(file, 'utf8'), readFileSync(part, 'utf8')]).toEqual(['before', 'theirs']);
});
