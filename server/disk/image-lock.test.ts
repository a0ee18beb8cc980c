import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ImageInUse, lockImage } from './image-lock';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'covert-lock-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function fresh(name: string): string {
  const image = join(folder, name);
  writeFileSync(image, new Uint8Array(512));
  return image;
}

it('is held by one at a time, by whatever name the image goes', () => {
  const image = fresh('a');
  const link = join(folder, 'link');
  symlinkSync(image, link);
  const unlock = lockImage(image);
  expect(() => lockImage(image)).toThrow(ImageInUse);
  expect(() => lockImage(link)).toThrow(`is written to by another run (process ${process.pid}): let that end, or delete ${image}.lock if there is none`);
  unlock();
  expect(existsSync(`${image}.lock`)).toBe(false);
  lockImage(link)();
});

it('is taken from a process that is no more, or is another one now', () => {
  const image = fresh('b');
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(`${image}.lock`, JSON.stringify({ host: hostname(), pid }));
  lockImage(image)();
  if (!existsSync('/proc/self/stat')) return;
  writeFileSync(`${image}.lock`, JSON.stringify({ host: hostname(), pid: process.pid, began: '1' }));
  const unlock = lockImage(image);
  expect(JSON.parse(readFileSync(`${image}.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
  unlock();
});

it('is left to another machine, and to what cannot be understood', () => {
  const image = fresh('c');
  for (const text of [JSON.stringify({ host: 'elsewhere', pid: 1 }), '', '{"pid":']) {
    writeFileSync(`${image}.lock`, text);
    expect(() => lockImage(image)).toThrow(ImageInUse);
    expect(readFileSync(`${image}.lock`, 'utf8')).toBe(text);
  }
  writeFileSync(`${image}.lock`, JSON.stringify({ host: 'elsewhere', pid: 7 }));
  expect(() => lockImage(image)).toThrow('is written to by another run (process 7 on elsewhere)');
});
