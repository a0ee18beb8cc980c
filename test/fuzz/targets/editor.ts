import { copyFileSync, mkdtempSync, realpathSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter, type Diagnostic, type DocumentDiagnosticReport, type ProtocolConnection } from 'vscode-languageserver-protocol/node';
import { compileFile } from '../../../server/language/compile';
import { mostCharacters } from '../../../server/language/scenario-text';
import { startLanguageServer } from '../../../server/language/server';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';
import { askEverything } from './editor-questions';
import { derived } from './grammar-text';
import { isolate } from './isolation';
import { here, textOf, words } from './scenario-text';

const mostSteps = 12;

/**
 * An editor that types, asks and changes files beneath: the server itself, over
 * its protocol. In the end it has to say the same of the text as `covert check`,
 * which reads it for the first time. The input: how many steps, six bytes for
 * each, and the text that they begin with.
 */
export const editorTarget: FuzzTarget = {
  what: 'the language server, typed into and asked',
  runs: 100,
  seeds: () => [
    Uint8Array.of(0, 1, 0),
    Uint8Array.of(3, 0, 90, 1, 3, 9, 0, 4, 200, 0, 40, 0, 0, 8, 60, 1, 0, 0, 0, 1, 0),
    Uint8Array.of(4, 6, 0, 0, 0, 0, 0, 8, 9, 0, 0, 0, 0, 6, 0, 0, 2, 0, 0, 7, 0, 0, 1, 0, 0, 0, ...Buffer.from('import "boards.covert" guest g { elf "checksum.elf" } scenario "s" { chip octo guest g expect clean }')),
    Uint8Array.of(2, 2, 0, 0, 7, 3, 1, 8, 0, 0, 0, 0, 0, 3, 1, 2, 7, 0, 1, 1, 4, 6, 2, 5, 1, 0, 3, 2),
  ],
  run(input) {
    isolate();
    session ??= new Session();
    return session.play(new ByteReader(input));
  },
};

let session: Session | undefined;

/** One server and its client for all inputs: each begins with the same files and no open document. */
class Session {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'covert-fuzz-editor-')));
  readonly #file = join(this.#folder, 'here.covert');
  readonly #uri = pathToFileURL(this.#file).toString();
  readonly #client: ProtocolConnection;
  readonly #ready: Promise<unknown>;
  #complaint: string | undefined;
  #version = 0;

  constructor() {
    const [toServer, toClient] = [new PassThrough(), new PassThrough()];
    startLanguageServer(toServer, toClient);
    this.#client = createProtocolConnection(new StreamMessageReader(toClient), new StreamMessageWriter(toServer));
    this.#client.listen();
    process.on('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
    // What the server's libraries do not bear, they swallow and write down.
    const complain = (...what: unknown[]): void => void (this.#complaint ??= what.map(String).join(' '));
    console.error = complain;
    this.#client.onNotification('window/logMessage', ({ type, message }: { type: number; message: string }) => {
      if (type === 1) complain(message);
    });
    this.#client.onNotification('window/showMessage', ({ message }: { message: string }) => complain(message));
    this.#ready = this.#begin();
  }

  async #begin(): Promise<void> {
    const uri = pathToFileURL(this.#folder).toString();
    await this.#client.sendRequest('initialize', {
      processId: null,
      rootUri: uri,
      workspaceFolders: [{ uri, name: 'fuzz' }],
      capabilities: { textDocument: { diagnostic: {}, completion: { completionItem: { snippetSupport: true } } }, workspace: { workspaceFolders: true } },
    });
    await this.#client.sendNotification('initialized', {});
  }

  async play(program: ByteReader): Promise<string> {
    await this.#ready;
    this.#complaint = undefined;
    this.#restore();
    await this.#filesChanged();
    const steps = Array.from({ length: program.byte() % (mostSteps + 1) }, () => program.take(6));
    let document = TextDocument.create(this.#uri, 'covert', ++this.#version, textOf(program));
    await this.#client.sendNotification('textDocument/didOpen', { textDocument: { uri: this.#uri, languageId: 'covert', version: this.#version, text: document.getText() } });
    const happened = new Set<string>();
    try {
      for (const step of [...steps, Uint8Array.of(8, ...(steps.at(-1) ?? Uint8Array.of(0, 0, 40)).subarray(1))]) {
        document = await this.#step(new ByteReader(step), document, happened);
        this.#noComplaint();
      }
      await this.#compare(document.getText(), happened);
    } finally {
      await this.#client.sendNotification('textDocument/didClose', { textDocument: { uri: this.#uri } });
    }
    return [...happened].sort().join(', ');
  }

  async #step(step: ByteReader, document: TextDocument, happened: Set<string>): Promise<TextDocument> {
    const kind = step.byte() % 10;
    const length = document.getText().length;
    const at = step.half() % (length + 1);
    switch (kind) {
      case 0:
      case 1:
        return this.#edit(document, at, at, words(step, 1 + (step.byte() & 1)));
      case 2:
      case 3:
        return this.#edit(document, at, Math.min(length, at + (step.byte() & 63)), kind === 2 ? '' : derived('ScenarioItem', step));
      case 4:
        // The whole text, as editors do that cannot say what has changed.
        document = TextDocument.create(this.#uri, 'covert', ++this.#version, step.byte() & 1 ? document.getText().slice(at) : derived('File', step));
        await this.#client.sendNotification('textDocument/didChange', { textDocument: { uri: this.#uri, version: this.#version }, contentChanges: [{ text: document.getText() }] });
        return document;
      case 5:
        await this.#client.sendNotification('textDocument/didSave', { textDocument: { uri: this.#uri } });
        return document;
      case 6:
        this.#disturb('boards.covert', at);
        await this.#filesChanged();
        return document;
      case 7:
        this.#disturb('checksum.elf', at);
        await this.#filesChanged();
        return document;
      default: {
        // Now and then at a place that is none.
        const position = step.byte() > 250 ? { line: 1e6, character: at } : document.positionAt(at);
        for (const what of await askEverything(this.#client, document, position)) happened.add(what);
        return document;
      }
    }
  }

  #noComplaint(): void {
    if (this.#complaint !== undefined) throw new Error(`the server complained: ${this.#complaint}`);
  }

  async #edit(document: TextDocument, from: number, to: number, text: string): Promise<TextDocument> {
    const change = { range: { start: document.positionAt(from), end: document.positionAt(to) }, text };
    const next = TextDocument.update(document, [change], ++this.#version);
    await this.#client.sendNotification('textDocument/didChange', { textDocument: { uri: this.#uri, version: this.#version }, contentChanges: [change] });
    return next;
  }

  /** What is said of the text is what `covert check` says of it. */
  async #compare(text: string, happened: Set<string>): Promise<void> {
    const report = await this.#client.sendRequest<DocumentDiagnosticReport>('textDocument/diagnostic', { textDocument: { uri: this.#uri } });
    if (report.kind !== 'full') throw new Error('the first report is none');
    if (text.length > mostCharacters) return;
    const { diagnostics } = await compileFile(this.#file, { text });
    const own = diagnostics.filter(({ file }) => file === this.#file);
    const fresh = own.map(({ code, message, range }) => `${code} ${range.line}:${range.column}-${range.endLine}:${range.endColumn} ${message}`);
    const told = report.items.map(lineOf);
    const first = fresh.findIndex((line, index) => line !== told[index]);
    if (first >= 0 || told.length !== fresh.length) throw new Error(`the editor is told ${told[first] ?? told.at(-1) ?? 'nothing'}, and check says ${fresh[first] ?? 'less'}`);
    for (const { code } of own) happened.add(code);
  }

  #restore(): void {
    for (const [name, from] of Object.entries({ 'boards.covert': '../boards/common.covert', 'checksum.elf': 'checksum.elf', 'checksum.c': 'checksum.c' })) copyFileSync(join(here, '..', from), join(this.#folder, name));
  }

  /** A file is gone, cut off, another one, or back. */
  #disturb(name: string, how: number): void {
    const path = join(this.#folder, name);
    if (how % 4 === 0) rmSync(path, { force: true });
    else if (how % 4 === 1) {
      this.#restore();
      truncateSync(path, how % 1000);
    } else if (how % 4 === 2) writeFileSync(path, how % 8 < 4 ? `import "here.covert" chip octo { cores ${how} }` : Buffer.from([0xff, how & 255, 0, how >> 8]));
    else this.#restore();
  }

  async #filesChanged(): Promise<void> {
    const changes = ['boards.covert', 'checksum.elf'].map((name) => ({ uri: pathToFileURL(join(this.#folder, name)).toString(), type: 2 }));
    await this.#client.sendNotification('workspace/didChangeWatchedFiles', { changes });
  }
}

function lineOf({ code, message, range: { start, end } }: Diagnostic): string {
  return `${code} ${start.line + 1}:${start.character + 1}-${end.line + 1}:${end.character + 1} ${message}`;
}
