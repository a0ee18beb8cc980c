import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DocumentDiagnosticReport, WorkspaceDiagnosticReport } from 'vscode-languageserver-protocol';
import { LanguageClient, root } from './language-client';

let folder = '';
let client: LanguageClient;
let refreshes = 0;
let pushes = 0;
/** Resolves at the next refresh. */
let refreshed = Promise.resolve();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-pulling-'));
  await copyFile(path.join(root, 'examples', 'checksum', 'checksum.elf'), path.join(folder, 'checksum.elf'));
  await writeFile(path.join(folder, 'closed.covert'), 'chip c { cores 0 }\n');
  client = await LanguageClient.start(folder, { textDocument: { diagnostic: {} }, workspace: { diagnostics: { refreshSupport: true } } });
  client.connection.onNotification('textDocument/publishDiagnostics', () => pushes++);
  refreshed = nextRefresh();
});
afterAll(async () => {
  expect(await client.stop()).toBe(0);
  await rm(folder, { recursive: true });
});

function nextRefresh(): Promise<void> {
  return new Promise((resolve) => {
    client.connection.onRequest('workspace/diagnostic/refresh', () => {
      refreshes++;
      resolve();
      return null;
    });
  });
}

let version = 0;
async function put(file: string, text: string): Promise<void> {
  const uri = client.uri(file);
  const first = version++ === 0;
  await (first
    ? client.connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'covert', version, text } })
    : client.connection.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ text }] }));
}

function pull(file: string, previousResultId?: string): Promise<DocumentDiagnosticReport> {
  return client.of<DocumentDiagnosticReport>('textDocument/diagnostic', file, previousResultId === undefined ? {} : { previousResultId });
}

const codes = (report: DocumentDiagnosticReport): unknown[] => (report.kind === 'full' ? report.items.map(({ code }) => code) : [report.kind]);

test('who asks is told of the text as it is, and nothing unasked', async () => {
  expect(client.initialized.capabilities.diagnosticProvider).toMatchObject({ interFileDependencies: true, workspaceDiagnostics: true });
  const file = path.join(folder, 'late.covert');
  await put(file, 'guest g { elf "late.elf" ram 16 MiB }\nscenario "s" { guest g expect exit 0 }');
  const missing = await pull(file);
  expect(codes(missing)).toEqual(['COV203']);
  expect(await pull(file, missing.resultId)).toEqual({ kind: 'unchanged', resultId: missing.resultId });

  // Each answer is about the text that was sent just before, however fast they come.
  const answers: Promise<DocumentDiagnosticReport>[] = [];
  for (const units of ['KiB', 'MiB', 'KiB', 'MiB']) {
    await put(file, `guest g { elf "checksum.elf" ram 5 ${units} }\nscenario "s" { guest g expect exit 0 }`);
    answers.push(pull(file));
  }
  expect(codes(await answers[3]!)).toEqual([]);
  await Promise.all(answers);

  // A guest that is built anew: the client is told to ask again.
  await put(file, 'guest g { elf "late.elf" ram 16 MiB }\nscenario "s" { guest g expect exit 0 }');
  expect(codes(await pull(file))).toEqual(['COV203']);
  const elf = path.join(folder, 'late.elf');
  await copyFile(path.join(folder, 'checksum.elf'), elf);
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: client.uri(elf), type: 1 }] });
  await refreshed;
  expect(refreshes).toBe(1);
  expect(codes(await pull(file))).toEqual([]);
  expect(pushes).toBe(0);
});

test('of a workspace all files, and what has not changed in a word', async () => {
  const ask = (previousResultIds: { uri: string; value: string }[], more: object = {}): Promise<WorkspaceDiagnosticReport> =>
    client.connection.sendRequest('workspace/diagnostic', { previousResultIds, ...more });
  const first = await ask([]);
  const closed = first.items.find(({ uri }) => uri === client.uri(path.join(folder, 'closed.covert')));
  expect(closed).toMatchObject({ kind: 'full', version: null, items: [{ code: 'COV106' }] });
  const known = first.items.map(({ uri, resultId = '' }) => ({ uri, value: resultId }));
  expect((await ask(known)).items.map(({ kind }) => kind)).toEqual(first.items.map(() => 'unchanged'));

  // With a place for partial results the request stands until there is something new.
  const standing = ask(known, { partialResultToken: 'parts' });
  await put(path.join(folder, 'late.covert'), 'chip d { cores 0 }');
  const news = (await standing).items.filter(({ kind }) => kind === 'full');
  expect(news.map(({ uri }) => path.basename(uri))).toEqual(['late.covert']);
});
