/** The language server, over its protocol: types, declarations, and files that get other names. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodeLens, LocationLink, WorkspaceEdit } from 'vscode-languageserver-protocol';
import { LanguageClient, root } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let scratch = '';
beforeAll(async () => {
  folder = await scratchFolder('further');
  for (const each of ['sort.elf', 'sort.c']) await copyFile(path.join(root, 'examples', 'sort', each), path.join(folder, each));
  await mkdir(path.join(folder, 'boards', 'large'), { recursive: true });
  await writeFile(path.join(folder, 'boards', 'octo.covert'), 'chip octo { cores 8 }\n');
  await writeFile(path.join(folder, 'boards', 'user.covert'), 'import "octo.covert"\nguest h { elf "../sort.elf" }\nscenario "h" { chip octo guest h expect exit 0 }\n');
  ({ client, scratch } = await openScratch(folder));
});
afterAll(() => closeScratch(folder, client));

/** Where a request leads to from the `|` in a place of a fault: the line's text, with its file. */
async function from(method: 'declaration' | 'definition' | 'implementation' | 'typeDefinition', place: string): Promise<string | undefined> {
  const lines = ['guest g { elf "sort.elf" ram 16 MiB }', 'scenario "s" { guest g protect dmr', `fault ${place.replace('|', '')} in replica B at main`, 'expect exit 0 }'];
  expect(await client.change(scratch, lines.join('\n'))).toEqual([]);
  const [link] = (await client.at<LocationLink[] | null>(`textDocument/${method}`, scratch, { line: 2, character: `fault ${place}`.indexOf('|') })) ?? [];
  if (!link) return undefined;
  const file = fileURLToPath(link.targetUri);
  return `${path.basename(file)}: ${(await readFile(file, 'utf8')).split('\n')[link.targetRange.start.line]?.trim()}`;
}

describe('into the source', () => {
  test.each([
    ['declaration', 'flip memory[&by_na|me[3]] bit 1', 'sort.c: static struct record *by_name[RECORDS];'],
    ['definition', 'flip memory[&heap_use|d] bit 1', 'sort.c: static size_t heap_used;'],
    ['implementation', 'flip memory[&by_na|me[3]] bit 1', 'sort.c: static struct record *by_name[RECORDS];'],
    ['definition', 'set x1 to &next_ran|dom', 'sort.c: static uint32_t next_random(uint32_t *state) {'],
    ['implementation', 'set x1 to &next_ran|dom', 'sort.c: static uint32_t next_random(uint32_t *state) {'],
    ['typeDefinition', 'flip memory[&by_na|me[3]] bit 1', 'sort.c: struct record {'],
  ] as const)('%s of %s', async (method, place, line) => {
    expect(await from(method, place)).toBe(line);
  });

  test('a number has no type', async () => {
    expect(await from('typeDefinition', 'flip a0 bit |1')).toBeUndefined();
  });
});

describe('files that get other names', () => {
  async function renamed(...pairs: [string, string][]): Promise<Record<string, string[]>> {
    const files = pairs.map(([from, to]) => ({ oldUri: client.uri(path.join(folder, from)), newUri: client.uri(path.join(folder, to)) }));
    const edit = await client.connection.sendRequest<WorkspaceEdit | null>('workspace/willRenameFiles', { files });
    return Object.fromEntries(Object.entries(edit?.changes ?? {}).map(([uri, edits]) => [path.relative(folder, fileURLToPath(uri)), edits.map(({ newText }) => newText)]));
  }
  const main = ['import "boards/octo.covert"', 'guest g { elf "./checksum.elf" ram 16 MiB }', 'scenario "s" { chip octo guest g expect exit 0 }'].join('\n');

  test('are announced', () => {
    expect(client.initialized.capabilities.workspace?.fileOperations?.willRename?.filters).toHaveLength(1);
  });

  test.each<[string, [string, string][], Record<string, string[]>]>([
    ['an import', [['boards/octo.covert', 'boards/large/eight.covert']], { 'scratch.covert': ['"boards/large/eight.covert"'], 'boards/user.covert': ['"large/eight.covert"'] }],
    ['the folder of an import, whose files stay beside each other', [['boards', 'chips']], { 'scratch.covert': ['"chips/octo.covert"'] }],
    ['a folder that goes deeper', [['boards', 'all/boards']], { 'scratch.covert': ['"all/boards/octo.covert"'], 'boards/user.covert': ['"../../sort.elf"'] }],
    ['a program', [['checksum.elf', 'sum']], { 'scratch.covert': ['"./sum"'] }],
    ['the scenario itself', [['scratch.covert', 'boards/scratch.covert']], { 'scratch.covert': ['"octo.covert"', '"../checksum.elf"'] }],
    ['the scenario with its program', [['scratch.covert', 'boards/scratch.covert'], ['checksum.elf', 'boards/checksum.elf']], { 'scratch.covert': ['"octo.covert"'] }],
    ['what nobody names', [['sort.c', 'sorted.c']], {}],
    ['what only begins like it', [['board', 'chips']], {}],
  ])('%s', async (_, pairs, expected) => {
    expect(await client.change(scratch, main)).toEqual([]);
    expect(await renamed(...pairs)).toEqual(expected);
  });
});

test('diagnostics lead to the manual, and to what they speak of', async () => {
  const text = 'guest g { elf "sort.elf" ram 16 MiB }\nscenario "s" { guest g protect dmr expect exit 0\nexpect exit 1 }\nguest g { elf "sort.elf" }\n';
  const found = await client.change(scratch, text);
  expect(found.map(({ code, codeDescription, relatedInformation }) => [code, codeDescription?.href.replace(/.*#/, '#'), relatedInformation?.map(({ location }) => location.range.start)])).toEqual([
    ['COV501', '#cov501-expectations-that-exclude-each-other', [{ line: 1, character: 42 }]],
    ['COV202', '#cov202-a-name-that-is-already-taken', [{ line: 0, character: 6 }]],
    ['COV602', '#cov602-a-declaration-that-nothing-uses', undefined],
  ]);
  const manual = found[0]?.codeDescription?.href.replace(/#.*/, '') ?? '';
  expect(await readFile(fileURLToPath(manual), 'utf8')).toContain('#### COV501: expectations that exclude each other');
});

test('a client without the commands is offered none, and no codes of icons', async () => {
  const other = await LanguageClient.start(folder, { experimental: {} });
  const file = path.join(folder, 'lenses.covert');
  const text = 'guest g { elf "sort.elf" }\nscenario "s" { guest g expect exit 0 }\ncampaign "c" { guest g protect dmr inject 5 faults { flip 1 random bit of a0 in replica A at main } }\n';
  await other.open(file, text);
  expect((await other.of<CodeLens[]>('textDocument/codeLens', file)).map(({ command }) => [command?.title, command?.command])).toEqual([['5 runs, seed 1', '']]);
  expect(await other.stop()).toBe(0);
  await client.open(file, text);
  expect((await client.of<CodeLens[]>('textDocument/codeLens', file)).map(({ command }) => command?.title)).toEqual(['$(list-ordered) 5 runs, seed 1', '$(play) Run', '$(debug-alt) Debug']);
});
