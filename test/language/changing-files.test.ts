/** The language server in a folder of which not everything can be read, and whose files change and vanish beneath it. */
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { CompletionList, Diagnostic, DocumentSymbol, FoldingRange, Hover, SemanticTokens } from 'vscode-languageserver-protocol';
import type { LanguageClient } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let scratch = '';
/** What the server has asked to be asked for again. */
const refreshed = new Set<string>();
beforeAll(async () => {
  folder = await scratchFolder('changing');
  await writeFile(path.join(folder, 'chips.covert'), 'chip octo { cores 8 }\n');
  await writeFile(path.join(folder, 'latin.covert'), Buffer.from('chip caf\xe9 { }\n', 'latin1'));
  await mkdir(path.join(folder, 'folder.covert'));
  await writeFile(path.join(folder, 'endless.covert'), '');
  await truncate(path.join(folder, 'endless.covert'), 2 ** 40);
  ({ client, scratch } = await openScratch(folder, { workspace: { inlayHint: { refreshSupport: true }, codeLens: { refreshSupport: true } } }));
  for (const what of ['inlayHint', 'codeLens']) client.connection.onRequest(`workspace/${what}/refresh`, () => {
      refreshed.add(what);
      return null;
    });
});
afterAll(() => closeScratch(folder, client));

const codesOf = (diagnostics: Diagnostic[]): unknown[] => diagnostics.map(({ code }) => code);
const used = 'import "chips.covert"\nguest g { elf "checksum.elf" ram 16 MiB }\nscenario "s" { chip octo guest g expect exit 0 }\n';

async function changed(name: string, type: 1 | 2 | 3): Promise<void> {
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: client.uri(path.join(folder, name)), type }] });
}

test('files of the folder that cannot be read keep nobody from the others', async () => {
  expect(codesOf(await client.change(scratch, used))).toEqual([]);
});

test('an import that is no text is told where it stands', async () => {
  const [found] = await client.change(scratch, 'import "latin.covert"\nguest g { elf "checksum.elf" ram 16 MiB }\nscenario "s" { guest g expect exit 0 }\n');
  expect(found).toMatchObject({ code: 'COV203', message: 'latin.covert is no UTF-8 in line 1: save it as UTF-8', range: { start: { line: 0, character: 7 } } });
});

test.each([
  ['as deleted', 3],
  ['as changed, since it was both', 2],
] as const)('an import vanishes while it is open elsewhere, told %s, and comes back', async (_, type) => {
  await client.change(scratch, used);
  await rm(path.join(folder, 'chips.covert'));
  await changed('chips.covert', type);
  expect(codesOf(await client.until(scratch, (diagnostics) => diagnostics.length > 0))).toEqual(['COV203']);
  expect(await client.at<Hover>('textDocument/hover', scratch, { line: 1, character: 7 })).toMatchObject({ contents: expect.anything() as unknown });
  await writeFile(path.join(folder, 'chips.covert'), 'chip octo { cores 8 }\n');
  await changed('chips.covert', 1);
  await client.until(scratch, (diagnostics) => diagnostics.length === 0);
});

test('an import becomes something else', async () => {
  await client.change(scratch, used);
  await writeFile(path.join(folder, 'chips.covert'), Buffer.from([0xff, 0xfe, 0, 1]));
  await changed('chips.covert', 2);
  const found = await client.until(scratch, (diagnostics) => diagnostics.length > 0);
  expect(found[0]?.message).toContain('is no UTF-8 in line 1');
  await writeFile(path.join(folder, 'chips.covert'), 'chip octo { cores 8 }\n');
  await changed('chips.covert', 2);
  await client.until(scratch, (diagnostics) => diagnostics.length === 0);
});

test('the guest is cut off, is gone, and is back', async () => {
  await client.change(scratch, used);
  const elf = path.join(folder, 'checksum.elf');
  const saved = await readFile(elf);
  await truncate(elf, 100);
  await changed('checksum.elf', 2);
  expect(codesOf(await client.until(scratch, (diagnostics) => diagnostics.length > 0))).toEqual(['COV207']);
  await rm(elf);
  await changed('checksum.elf', 3);
  await client.until(scratch, (diagnostics) => diagnostics[0]?.code === 'COV203');
  await writeFile(elf, saved);
  await changed('checksum.elf', 1);
  await client.until(scratch, (diagnostics) => diagnostics.length === 0);
});

test('who asks as soon as a document is open is answered', async () => {
  for (let each = 0; each < 20; each++) {
    const file = path.join(folder, `new${each}.covert`);
    const text = `chip c${each} {\n  cores 2\n}\n`;
    // Something else is being worked out as well.
    void changed('checksum.elf', 2);
    const opened = client.connection.sendNotification('textDocument/didOpen', { textDocument: { uri: client.uri(file), languageId: 'covert', version: 1, text } });
    const answers = await Promise.all([
      client.of<DocumentSymbol[]>('textDocument/documentSymbol', file),
      client.of<FoldingRange[]>('textDocument/foldingRange', file),
      client.of<SemanticTokens>('textDocument/semanticTokens/full', file),
      client.at<CompletionList>('textDocument/completion', file, { line: 1, character: 2 }),
      opened,
    ]);
    expect(answers[0].map(({ name }) => name)).toEqual([`c${each}`]);
    expect(answers[1]).toHaveLength(1);
    expect(answers[2].data.length).toBeGreaterThan(0);
    expect(answers[3].items.map(({ label }) => label)).toContain('ring');
  }
});

test('who asks as soon as something was typed is answered of the new text', async () => {
  const file = path.join(folder, 'typed.covert');
  await client.open(file, 'chip c {\n}\n');
  for (let version = 1000, lines = 1; lines < 40; version++, lines++) {
    const changes = [{ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: `// ${lines}\n` }];
    void changed('checksum.elf', 2);
    void client.connection.sendNotification('textDocument/didChange', { textDocument: { uri: client.uri(file), version }, contentChanges: changes });
    const [symbol] = await client.of<DocumentSymbol[]>('textDocument/documentSymbol', file);
    expect(symbol?.range.start.line).toBe(lines);
  }
});

test('an import that is changed and not saved makes hints and lenses old', async () => {
  const chips = path.join(folder, 'chips.covert');
  await client.change(scratch, `${used.replace('expect', 'fault flip a0 bit 1 in replica A at 2 ms expect')}`);
  await client.open(chips, 'chip octo { cores 8 }\n');
  refreshed.clear();
  await client.change(chips, 'chip octo { cores 8 at 1 GHz }\n');
  await client.of('textDocument/inlayHint', scratch, { range: { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } } });
  await vi.waitFor(() => expect([...refreshed].sort()).toEqual(['codeLens', 'inlayHint']), { timeout: 10_000 });
});

test('what lies outside of the folder, under whatever name, is looked at by the server itself', async () => {
  const elsewhere = await mkdtemp(path.join(tmpdir(), 'covert-elsewhere-'));
  try {
    const [guest, chips, disk] = ['guest', 'chips.covert', 'data.img'].map((name) => path.join(elsewhere, name)) as [string, string, string];
    await copyFile(path.join(folder, 'checksum.elf'), guest);
    await writeFile(chips, 'chip octo { cores 8 }\n');
    const text = `import "${chips}"\nguest g { elf "${guest}" disk "${disk}" ram 16 MiB }\nscenario "s" { chip octo guest g expect exit 0 }\n`;
    expect(codesOf(await client.change(scratch, text))).toEqual(['COV203']);
    await writeFile(disk, Buffer.alloc(4096));
    await client.until(scratch, (diagnostics) => diagnostics.length === 0);
    await writeFile(chips, 'chip other { cores 8 }\n');
    expect(codesOf(await client.until(scratch, (diagnostics) => diagnostics.length > 0))).toEqual(['COV201']);
    await rm(chips);
    await client.until(scratch, (diagnostics) => diagnostics[0]?.code === 'COV203');
    await writeFile(chips, 'chip octo { cores 8 }\n');
    await client.until(scratch, (diagnostics) => diagnostics.length === 0);
    // Another file of the same size and age is put in its place.
    const { atime, mtime } = await stat(guest);
    await writeFile(`${guest}.new`, (await readFile(guest)).fill(0));
    await utimes(`${guest}.new`, atime, mtime);
    await rename(`${guest}.new`, guest);
    expect(codesOf(await client.until(scratch, (diagnostics) => diagnostics.length > 0))).toEqual(['COV207']);
  } finally {
    await rm(elsewhere, { recursive: true });
  }
});
