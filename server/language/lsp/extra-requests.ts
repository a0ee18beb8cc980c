import { DocumentState } from 'langium';
import { createRequestHandler, type LangiumSharedServices } from 'langium/lsp';
import { CodeLensRefreshRequest, InlayHintRefreshRequest, LinkedEditingRangeRequest, SelectionRangeRequest, type Connection, type ServerCapabilities } from 'vscode-languageserver';
import { linkedNames } from './linked-names';
import type { CovertLspServices } from './lsp-services';
import { codeActionKinds } from './quick-fixes';
import { watchResults } from './result-watch';
import { selectionAt } from './selections';

const capabilities: ServerCapabilities = {
  linkedEditingRangeProvider: true,
  selectionRangeProvider: true,
  codeActionProvider: { codeActionKinds: [...codeActionKinds] },
};

/** Answers what Langium has no service for, and tells clients when results of runs are new, or what was said of a document is old. */
export function addEditingRequests(connection: Connection, shared: LangiumSharedServices, covert: CovertLspServices): void {
  connection.onRequest(
    LinkedEditingRangeRequest.type,
    createRequestHandler((_services, document, { position }: { textDocument: { uri: string }; position: { line: number; character: number } }) => linkedNames(document, position, covert) ?? null, shared, DocumentState.Linked),
  );
  connection.onRequest(
    SelectionRangeRequest.type,
    createRequestHandler((_services, document, { positions }: { textDocument: { uri: string }; positions: { line: number; character: number }[] }) => positions.map((position) => selectionAt(document, position)), shared, DocumentState.Parsed),
  );
  const { LanguageServer, DocumentUpdateHandler } = shared.lsp;
  const initialize = LanguageServer.initialize.bind(LanguageServer);
  const refreshes = new Set<string>();
  LanguageServer.initialize = async (params) => {
    const { codeLens, inlayHint } = params.capabilities.workspace ?? {};
    if (codeLens?.refreshSupport) refreshes.add(CodeLensRefreshRequest.method);
    if (inlayHint?.refreshSupport) refreshes.add(InlayHintRefreshRequest.method);
    const result = await initialize(params);
    return { ...result, capabilities: { ...result.capabilities, ...capabilities } };
  };
  const refresh = (): void => {
    // A client that is about to go does not answer, and nothing is lost.
    for (const method of refreshes) connection.sendRequest(method).catch(() => undefined);
  };
  watchResults(refresh);
  // A guest that was built anew makes results old.
  DocumentUpdateHandler.onWatchedFilesChange(refresh);
  onOutdated(shared, refresh);
}

/** Calls back when what was said of an open document may no longer be right although its text is the same: an import of it has changed. */
function onOutdated({ workspace: { DocumentBuilder, TextDocuments } }: LangiumSharedServices, outdated: () => void): void {
  const built = new Map<string, number>();
  DocumentBuilder.onBuildPhase(DocumentState.Validated, (documents) => {
    let isOutdated = false;
    for (const { uri } of documents) {
      const version = TextDocuments.get(uri)?.version;
      const key = uri.toString();
      if (version === undefined) built.delete(key);
      else {
        isOutdated ||= built.get(key) === version;
        built.set(key, version);
      }
    }
    if (isOutdated) outdated();
  });
}
