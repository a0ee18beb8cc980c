/** Slips through the protocol and on the command line: one error each, its mend, and all that the language server does of the rest. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CodeAction, Diagnostic, DocumentSymbol, Hover, TextEdit, WorkspaceEdit } from 'vscode-languageserver-protocol';
import { covert } from '../cli/covert';
import { edited, type LanguageClient } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let scratch = '';
beforeAll(async () => {
  folder = await scratchFolder('slips');
  ({ client, scratch } = await openScratch(folder));
});
afterAll(() => closeScratch(folder, client));

const guest = 'guest g { elf "checksum.elf" }\n';
const mended = `${guest}scenario "x" {\n  guest g\n  protect dmr on core 0, core 1\n  fault one: flip a0 bit 3 in replica B at crc32_update\n  expect exit 0\n}\n`;
const text = mended.replace('"x"', 'x');

async function mends(diagnostics: Diagnostic[], only: string): Promise<CodeAction[]> {
  const range = { start: { line: 0, character: 0 }, end: { line: 9999, character: 0 } };
  return client.of<CodeAction[]>('textDocument/codeAction', scratch, { range, context: { diagnostics, only: [only] } });
}

test('a scenario without quotation marks around its name is one error, with its mend', async () => {
  const diagnostics = await client.change(scratch, text);
  expect(diagnostics.map(({ code, message, range }) => [code, message, range.start.line, range.start.character])).toEqual([['COV101', 'the name of a scenario stands in quotation marks: write `"x"`', 1, 9]]);
  const [action, ...more] = await mends(diagnostics, 'quickfix');
  expect(more).toEqual([]);
  expect(action?.isPreferred).toBe(true);
  const after = edited(text, action?.edit?.changes?.[client.uri(scratch)] ?? []);
  expect(after).toBe(mended);
  expect(await client.change(scratch, after)).toEqual([]);
});

test('and it keeps its symbols, hovers and names', async () => {
  await client.change(scratch, text);
  const symbols = await client.of<DocumentSymbol[]>('textDocument/documentSymbol', scratch);
  expect(symbols.map(({ name, children }) => [name, children?.map((child) => child.name)])).toEqual([['g', expect.any(Array)], ['x', expect.arrayContaining(['one'])]]);
  const hover = await client.at<Hover>('textDocument/hover', scratch, { line: 4, character: 49 });
  expect(JSON.stringify(hover.contents)).toContain('crc32_update');
  const { changes = {} } = await client.at<WorkspaceEdit>('textDocument/rename', scratch, { line: 1, character: 9 }, { newName: 'y' });
  expect(edited(text, changes[client.uri(scratch)] ?? [])).toBe(mended.replace('"x"', '"y"'));
});

test('a file is formatted when its slips are mended', async () => {
  const options = { options: { tabSize: 2, insertSpaces: true } };
  const wild = text.replace('  guest g', '      guest g');
  await client.change(scratch, wild);
  expect(await client.of<TextEdit[]>('textDocument/formatting', scratch, options)).toEqual([]);
  await client.change(scratch, wild.replace('x {', '"x" {'));
  expect(edited(wild.replace('x {', '"x" {'), await client.of<TextEdit[]>('textDocument/formatting', scratch, options))).toBe(mended);
});

test('many slips of a file are mended at once', async () => {
  const many = mended.replace('scenario "x"', 'scenaro "x"').replace('core 0, core 1', '0, 1').replace('one: flip', 'one = flip').replace('in replica B', 'in B').replace('expect exit 0', 'expect exit = 0');
  const diagnostics = await client.change(scratch, many);
  expect(diagnostics.map(({ code }) => code)).toEqual(['COV101', 'COV101', 'COV101', 'COV101', 'COV101']);
  const [action] = await mends(diagnostics, 'source.fixAll');
  expect(await client.change(scratch, edited(many, action?.edit?.changes?.[client.uri(scratch)] ?? []))).toEqual([]);
});

test('on the command line it is one error, and the file neither runs nor is formatted', async () => {
  await writeFile(scratch, text);
  const checked = await covert(['check', scratch]);
  expect(checked.exit).toBe(2);
  expect(checked.stdout).toMatch(/scratch\.covert:2:10: error COV101: the name of a scenario stands in quotation marks: write `"x"`\n/);
  expect(checked.stdout).toContain('1 file, 1 error, 0 warnings');
  const run = await covert(['run', scratch]);
  expect(run.exit).toBe(2);
  expect(run.stdout + run.stderr).toContain('COV101');
  const formatted = await covert(['format', scratch]);
  expect(formatted.exit).toBe(2);
  expect(formatted.stderr).toContain('(left as it is)');
});

test('nor does a scenario whose guest has the slip', async () => {
  await writeFile(scratch, mended.replace('guest g {', 'gest g {'));
  const run = await covert(['run', scratch]);
  expect(run.exit).toBe(2);
  expect(run.stdout + run.stderr).toContain('did you mean `guest`?');
});
