import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NoWholeFileError, readWhole } from './whole-file';

const folder = mkdtempSync(join(tmpdir(), 'covert-whole-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a file is read as a whole, an empty one too', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'content');
  expect((await readWhole(path)).toString()).toBe('content');
  writeFileSync(path, '');
  expect(await readWhole(path)).toHaveLength(0);
});

test('a large one holds what stands in it, to its last byte', async () => {
  const path = join(folder, 'megabytes');
  for (const bytes of [2 ** 20 - 1, 2 ** 20, 3_000_001]) {
    const content = Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 255));
    writeFileSync(path, content);
    const read = await readWhole(path);
    expect(read).toHaveLength(bytes);
    expect(read.compare(content)).toBe(0);
  }
});

test('what is too large is not read', async () => {
  const path = join(folder, 'large');
  writeFileSync(path, '');
  truncateSync(path, 2 ** 40);
  await expect(readWhole(path)).rejects.toThrow('is too large: it has 1,099,511,627,776 bytes of at most 2,147,483,647');
  truncateSync(path, 11);
  await expect(readWhole(path, 10)).rejects.toThrow(NoWholeFileError);
});

test('a folder and a path that leads nowhere are told as by the file system', async () => {
  await expect(readWhole(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(readWhole(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test.skipIf(process.platform === 'win32')('neither a device nor a pipe that nobody writes to is read', async () => {
  await expect(readWhole('/dev/null')).rejects.toThrow('is no file');
  const pipe = join(folder, 'pipe');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  await expect(readWhole(pipe)).rejects.toThrow('is no file');
});
