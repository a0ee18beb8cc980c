import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodeAction, CodeLens } from 'vscode-languageserver-protocol';
import { edited, LanguageClient, root } from './language-client';

let folder = '';
let file = '';
let cache = '';
let client: LanguageClient;
let refreshes = 0;

const text = `guest sum { elf "sum.elf" ram 16 MiB }

scenario "caught" {
  guest sum
  protect dmr on core 0, core 1
  fault flip a0 bit 17 in replica B at crc32_update + 0x2a hit 50_000
  expect detected
}

scenario "missed" {
  guest sum
  protect none on core 0
  fault flip a0 bit 17 in replica A at crc32_update + 0x2a hit 50_000
  expect exit 3
}
`;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'covert-results-')));
  cache = path.join(folder, 'cache');
  file = path.join(folder, 'sum.covert');
  await copyFile(path.join(root, 'examples', 'checksum', 'checksum.elf'), path.join(folder, 'sum.elf'));
  await writeFile(file, text);
  client = await LanguageClient.start(folder, { env: { COVERT_CACHE: cache }, workspace: { codeLens: { refreshSupport: true } } });
  client.connection.onRequest('workspace/codeLens/refresh', () => {
    refreshes++;
    return null;
  });
  await client.open(file, text);
});
afterAll(async () => {
  expect(await client.stop()).toBe(0);
  await rm(folder, { recursive: true });
});

/** `covert run`, as a user does it in a terminal; its exit code. */
function run(...args: string[]): Promise<number> {
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(root, 'dist', 'covert.cjs'), 'run', file, ...args], { env: { ...process.env, COVERT_CACHE: cache } }, (error) => resolve(typeof error?.code === 'number' ? error.code : 0));
  });
}

/** How each scenario ran last, as the lenses say it. */
async function results(): Promise<string[]> {
  const lenses = await client.of<CodeLens[]>('textDocument/codeLens', file);
  return lenses.flatMap(({ command }) => (command?.command === '' ? [command.title] : []));
}

async function offers(line: number): Promise<CodeAction[]> {
  const at = { line, character: 0 };
  return client.of<CodeAction[]>('textDocument/codeAction', file, { range: { start: at, end: at }, context: { diagnostics: [], only: ['refactor.rewrite'] } });
}

async function refreshed(since: number): Promise<void> {
  for (const end = Date.now() + 30_000; refreshes === since; ) {
    if (Date.now() > end) throw new Error('no refresh came');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('before any run there is nothing to show and nothing to offer', async () => {
  expect(await results()).toEqual([]);
  expect(await offers(3)).toEqual([]);
});

describe('after a run', () => {
  beforeAll(async () => {
    const since = refreshes;
    expect(await run()).toBe(1);
    await refreshed(since);
  });

  test('each scenario has its result, one small file each', async () => {
    expect(await results()).toEqual(['$(pass) passed, just now', '$(error) failed, just now: line 14, expect exit 3 (it exited with 0)']);
    expect((await readdir(path.join(cache, 'results'))).map((name) => path.extname(name))).toEqual(['.json', '.json']);
  });

  test('lines that move and comments make it no older', async () => {
    await client.change(file, `// a comment\n\n${text.replace('scenario "caught" {', 'scenario "caught" { // here')}`);
    expect(await results()).toEqual(['$(pass) passed, just now', '$(error) failed, just now: line 16, expect exit 3 (it exited with 0)']);
  });

  test.each([
    ['another fault', text.replace('bit 17 in replica B', 'bit 18 in replica B'), [true, false]],
    ['another expectation', text.replace('expect detected', 'expect detected by output'), [true, false]],
    ['a mistake', text.replace('bit 17 in replica B', 'bit 99 in replica B'), [true, false]],
    ['other RAM of the guest', text.replace('16 MiB', '32 MiB'), [true, true]],
  ])('%s makes it old', async (_what, changed, old) => {
    await client.change(file, changed);
    expect((await results()).map((title) => title.endsWith('before the last change'))).toEqual(old);
    await client.change(file, text);
    expect((await results()).map((title) => title.endsWith('before the last change'))).toEqual([false, false]);
  });

  test('another ELF makes it old, and the lenses are asked for anew', async () => {
    const since = refreshes;
    await copyFile(path.join(root, 'examples', 'sort', 'sort.elf'), path.join(folder, 'sum.elf'));
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: client.uri(path.join(folder, 'sum.elf')), type: 2 }] });
    await refreshed(since);
    await client.until(file, (all) => all.length > 0);
    expect((await results()).map((title) => title.endsWith('before the last change'))).toEqual([true, true]);
    expect(await offers(3)).toEqual([]);
    await copyFile(path.join(root, 'examples', 'checksum', 'checksum.elf'), path.join(folder, 'sum.elf'));
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: client.uri(path.join(folder, 'sum.elf')), type: 2 }] });
    await client.until(file, (all) => all.length === 0);
  });

  test('what it fulfilled and nobody expects is offered, each by itself', async () => {
    const titles = (await offers(3)).map(({ title }) => title);
    expect(titles).toEqual([
      'Add `expect recovered by rollback`, as in the last run',
      expect.stringMatching(/^Add `expect divergence in \w+`/),
      'Add `expect no corruption`, as in the last run',
      expect.stringMatching(/^Add `expect output contains "crc=[0-9a-f]+"`/),
      'Add `expect exit 0`, as in the last run',
      expect.stringMatching(/^Add `expect overhead < \d+ %`/),
      'Add all 6 expectations that the last run fulfils',
    ]);
    // Of the other one: a wrong output, and no code of its own, which is not that of the run.
    expect((await offers(11)).map(({ title }) => title)).toContain('Add `expect corruption`, as in the last run');
  });

  test('all of it together is right, and holds when it is run again', async () => {
    for (const [line, name] of [[3, 'caught'], [11, 'missed']] as const) {
      const action = (await offers(line)).at(-1);
      const after = edited(text, action?.edit?.changes?.[client.uri(file)] ?? []).replace('expect exit 3', 'expect exit 0');
      expect(after.length).toBeGreaterThan(text.length);
      expect(await client.change(file, after)).toEqual([]);
      await writeFile(file, after);
      expect(await run('--scenario', name)).toBe(0);
      await client.change(file, text);
    }
    await writeFile(file, text);
  });
});

test('a run with other costs or another timing is not the file\'s, and a damaged result is none', async () => {
  await rm(path.join(cache, 'results'), { recursive: true });
  await mkdir(path.join(cache, 'results'));
  await run('--cost', 'exit=3963');
  await run('--timing', 'detailed', '--scenario', 'caught');
  expect(await readdir(path.join(cache, 'results'))).toEqual([]);
  await run();
  expect(await results()).toHaveLength(2);
  for (const name of await readdir(path.join(cache, 'results'))) await writeFile(path.join(cache, 'results', name), '{"version": 1, "mark":');
  expect(await results()).toEqual([]);
  expect(await offers(3)).toEqual([]);
});

test('where nothing can be kept, a run goes as ever', async () => {
  await rm(cache, { recursive: true });
  await writeFile(cache, 'a file in the place of the folder');
  expect(await run('--scenario', 'caught')).toBe(0);
  expect(await results()).toEqual([]);
});
