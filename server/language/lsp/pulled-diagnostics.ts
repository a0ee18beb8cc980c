import { createHash } from 'node:crypto';
import { DocumentState, URI, type LangiumDocument } from 'langium';
import type { LangiumSharedServices } from 'langium/lsp';
import {
  DiagnosticRefreshRequest,
  DocumentDiagnosticReportKind,
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
  type Connection,
  type Diagnostic,
  type DocumentDiagnosticReport,
  type WorkspaceDiagnosticParams,
  type WorkspaceDiagnosticReport,
  type WorkspaceDocumentDiagnosticReport,
} from 'vscode-languageserver';

/** Says what is wrong with a document when a client asks. One that asks is told nothing unasked. */
export class PulledDiagnostics {
  #pulls = false;
  #refreshes = false;
  /** What clients were told of documents, and of which version of each. */
  readonly #told = new Map<string, { version: number; id: string }>();

  constructor(
    private readonly shared: LangiumSharedServices,
    private readonly connection: Connection,
  ) {
    shared.lsp.LanguageServer.onInitialize(({ capabilities: { textDocument, workspace } }) => {
      this.#pulls = textDocument?.diagnostic !== undefined;
      this.#refreshes = workspace?.diagnostics?.refreshSupport === true;
    });
    connection.languages.diagnostics.on(({ textDocument, previousResultId }, token) => this.#one(textDocument.uri, previousResultId, token));
    connection.languages.diagnostics.onWorkspace((params, token, _work, parts) => this.#all(params, parts !== undefined, token));
    shared.workspace.DocumentBuilder.onBuildPhase(DocumentState.Validated, (documents) => this.#refresh(documents));
    shared.workspace.TextDocuments.onDidClose(({ document }) => this.#told.delete(document.uri));
  }

  /** True if the client asks for diagnostics, so that none are to be sent to it. */
  get isAsked(): boolean {
    return this.#pulls;
  }

  async #one(uri: string, previous: string | undefined, token: CancellationToken): Promise<DocumentDiagnosticReport> {
    const { LangiumDocuments, WorkspaceLock, DocumentBuilder } = this.shared.workspace;
    const asked = URI.parse(uri);
    const isKnown = await this.#settled(token, () => LangiumDocuments.hasDocument(asked));
    if (!isKnown) await WorkspaceLock.write((writing) => DocumentBuilder.update([asked], [], writing));
    return this.#settled(token, () => {
      const document = LangiumDocuments.getDocument(asked);
      if (!document) throw new ResponseError(LSPErrorCodes.RequestFailed, `There is no scenario file ${uri}.`);
      const { id, items } = reportOf(document);
      this.#told.set(uri, { version: document.textDocument.version, id });
      return id === previous ? { kind: DocumentDiagnosticReportKind.Unchanged, resultId: id } : { kind: DocumentDiagnosticReportKind.Full, resultId: id, items };
    });
  }

  /** With somewhere to put parts of an answer a client lets the request stand: it is answered when there is something new. */
  async #all({ previousResultIds }: WorkspaceDiagnosticParams, mayStand: boolean, token: CancellationToken): Promise<WorkspaceDiagnosticReport> {
    const known = new Map(previousResultIds.map(({ uri, value }) => [uri, value]));
    for (;;) {
      const items = await this.#settled(token, () => this.#reports(known));
      if (!mayStand || items.some(({ kind }) => kind === DocumentDiagnosticReportKind.Full)) return { items };
      await this.#nextBuild(token);
    }
  }

  #reports(known: ReadonlyMap<string, string>): WorkspaceDocumentDiagnosticReport[] {
    const { LangiumDocuments, TextDocuments } = this.shared.workspace;
    const documents = LangiumDocuments.all.toArray();
    const there = new Set(documents.map(({ uri }) => uri.toString()));
    return [
      ...documents.map((document): WorkspaceDocumentDiagnosticReport => {
        const uri = document.uri.toString();
        const { id, items } = reportOf(document);
        const whose = { uri, version: TextDocuments.get(document.uri)?.version ?? null, resultId: id };
        return id === known.get(uri) ? { ...whose, kind: DocumentDiagnosticReportKind.Unchanged } : { ...whose, kind: DocumentDiagnosticReportKind.Full, items };
      }),
      // Files that are gone have nothing wrong with them.
      ...[...known].flatMap(([uri, id]): WorkspaceDocumentDiagnosticReport[] =>
        there.has(uri) || id === idOf([]) ? [] : [{ uri, version: null, resultId: idOf([]), kind: DocumentDiagnosticReportKind.Full, items: [] }]),
    ];
  }

  /** What was told of a text may no longer be right although the text is the same: an ELF or an import has changed. */
  #refresh(documents: readonly LangiumDocument[]): void {
    if (!this.#refreshes) return;
    const outdated = documents.filter((document) => {
      const told = this.#told.get(document.uri.toString());
      return told?.version === document.textDocument.version && told.id !== reportOf(document).id;
    });
    for (const { uri } of outdated) this.#told.delete(uri.toString());
    if (outdated.length > 0) void this.connection.sendRequest(DiagnosticRefreshRequest.type).catch(() => undefined);
  }

  /** Looks at documents when everything that has come in so far is worked out: who reads waits for who writes, and keeps them waiting. */
  async #settled<T>(token: CancellationToken, look: () => T): Promise<T> {
    const { WorkspaceManager, WorkspaceLock } = this.shared.workspace;
    await WorkspaceManager.ready;
    return WorkspaceLock.read(() => {
      if (token.isCancellationRequested) throw cancelled();
      return look();
    });
  }

  #nextBuild(token: CancellationToken): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        building.dispose();
        cancelling.dispose();
      };
      const building = this.shared.workspace.DocumentBuilder.onBuildPhase(DocumentState.Validated, () => {
        done();
        resolve();
      });
      const cancelling = token.onCancellationRequested(() => {
        done();
        reject(cancelled());
      });
    });
  }
}

function cancelled(): ResponseError<void> {
  return new ResponseError(LSPErrorCodes.RequestCancelled, 'The request has been cancelled.');
}

function reportOf({ diagnostics = [] }: LangiumDocument): { id: string; items: Diagnostic[] } {
  return { id: idOf(diagnostics), items: diagnostics };
}

/** Of equal diagnostics the same, however often they are worked out. */
function idOf(diagnostics: readonly Diagnostic[]): string {
  return createHash('sha256').update(JSON.stringify(diagnostics)).digest('hex').slice(0, 16);
}
