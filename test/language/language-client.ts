/** Speaks to the bundled language server as an editor does: its own process, LSP over its stdio. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type ClientCapabilities,
  type Diagnostic,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  type TextDocumentContentChangeEvent,
  type TextEdit,
} from 'vscode-languageserver-protocol/node';

export const root = path.resolve(import.meta.dirname, '..', '..');

/** Milliseconds to wait for diagnostics on a busy machine. */
const patience = 30_000;

export class LanguageClient {
  readonly #newest = new Map<string, PublishDiagnosticsParams>();
  readonly #waiting = new Set<() => void>();
  #version = 0;

  private constructor(
    readonly process: ChildProcess,
    readonly connection: ProtocolConnection,
    readonly initialized: InitializeResult,
  ) {
    connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
      this.#newest.set(params.uri, params);
      for (const wake of this.#waiting) wake();
    });
  }

  /** Starts a server whose workspace is one folder; the client can do what is usual, and `more`, and `env` is added to the environment. */
  static async start(folder: string, { env = {}, ...more }: ClientCapabilities & { env?: Record<string, string> } = {}): Promise<LanguageClient> {
    const child = spawn(process.execPath, [path.join(root, 'dist', 'covert.cjs'), 'lsp', '--stdio'], { stdio: 'pipe', env: { ...process.env, ...env } });
    const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    connection.listen();
    const uri = pathToFileURL(folder).toString();
    const initialized = await connection.sendRequest<InitializeResult>('initialize', {
      processId: process.pid,
      rootUri: uri,
      workspaceFolders: [{ uri, name: 'test' }],
      capabilities: {
        textDocument: { publishDiagnostics: { versionSupport: true, dataSupport: true }, completion: { completionItem: { snippetSupport: true } }, ...more.textDocument },
        workspace: { workspaceFolders: true, ...more.workspace },
        experimental: more.experimental === undefined ? { commands: { commands: ['covert.runScenario', 'covert.debugScenario'] } } : (more.experimental as object),
      },
    });
    await connection.sendNotification('initialized', {});
    return new LanguageClient(child, connection, initialized);
  }

  uri(file: string): string {
    return pathToFileURL(file).toString();
  }

  /** Opens a document and waits for what is wrong with it. */
  async open(file: string, text: string): Promise<Diagnostic[]> {
    const version = ++this.#version;
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri: this.uri(file), languageId: 'covert', version, text },
    });
    return this.#diagnostics(this.uri(file), version);
  }

  /** Replaces the text and waits for what is wrong then. */
  change(file: string, text: string): Promise<Diagnostic[]> {
    return this.edit(file, [{ text }]);
  }

  /** Changes parts of the text, as typing does, and waits for what is wrong then. */
  async edit(file: string, contentChanges: TextDocumentContentChangeEvent[]): Promise<Diagnostic[]> {
    const version = ++this.#version;
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: this.uri(file), version },
      contentChanges,
    });
    return this.#diagnostics(this.uri(file), version);
  }

  /** A request about a place of an open document. */
  at<R>(method: string, file: string, position: Position, more: object = {}): Promise<R> {
    return this.connection.sendRequest<R>(method, { textDocument: { uri: this.uri(file) }, position, ...more });
  }

  /** A request about a whole open document. */
  of<R>(method: string, file: string, more: object = {}): Promise<R> {
    return this.connection.sendRequest<R>(method, { textDocument: { uri: this.uri(file) }, ...more });
  }

  /** Waits until the published diagnostics of a file hold something. */
  async until(file: string, holds: (diagnostics: Diagnostic[]) => boolean): Promise<Diagnostic[]> {
    for (;;) {
      const { diagnostics = [] } = this.#newest.get(this.uri(file)) ?? {};
      if (this.#newest.has(this.uri(file)) && holds(diagnostics)) return diagnostics;
      await this.#next();
    }
  }

  async #diagnostics(uri: string, version: number): Promise<Diagnostic[]> {
    for (;;) {
      const newest = this.#newest.get(uri);
      if (newest?.version !== undefined && newest.version >= version) return newest.diagnostics;
      await this.#next();
    }
  }

  #next(): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        clearTimeout(late);
        resolve();
      };
      const late = setTimeout(() => {
        this.#waiting.delete(wake);
        reject(new Error(`no diagnostics came for ${patience / 1000} s`));
      }, patience);
      this.#waiting.add(wake);
    });
  }

  /** Ends the server as the protocol wants it; gives its exit code. */
  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.process.on('exit', resolve));
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    const code = await ended;
    this.connection.dispose();
    return code;
  }
}

/** Takes the mark `|` out of a text: the text without it, and where it stood. */
export function marked(text: string): { text: string; position: Position } {
  const offset = text.indexOf('|');
  if (offset < 0) throw new Error('the text has no mark');
  const before = text.slice(0, offset).split('\n');
  return {
    text: text.slice(0, offset) + text.slice(offset + 1),
    position: { line: before.length - 1, character: before.at(-1)?.length ?? 0 },
  };
}

/** A text with edits carried out. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  const offset = ({ line, character }: Position): number => (starts[line] ?? text.length) + character;
  return [...edits]
    .sort((a, b) => offset(b.range.start) - offset(a.range.start))
    .reduce((done, { range, newText }) => done.slice(0, offset(range.start)) + newText + done.slice(offset(range.end)), text);
}
