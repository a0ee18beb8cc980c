import { DocumentState } from 'langium';
import { createRequestHandler, type LangiumSharedServices } from 'langium/lsp';
import { CodeLensRefreshRequest, LinkedEditingRangeRequest, SelectionRangeRequest, type Connection, type ServerCapabilities } from 'vscode-languageserver';
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

/** Answers what Langium has no service for, and tells clients when results of runs are new. */
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
  let canRefresh = false;
  LanguageServer.initialize = async (params) => {
    canRefresh = params.capabilities.workspace?.codeLens?.refreshSupport === true;
    const result = await initialize(params);
    return { ...result, capabilities: { ...result.capabilities, ...capabilities } };
  };
  const refresh = (): void => {
    // A client that is about to go does not answer, and nothing is lost.
    if (canRefresh) connection.sendRequest(CodeLensRefreshRequest.type).catch(() => undefined);
  };
  watchResults(refresh);
  // A guest that was built anew makes results old.
  DocumentUpdateHandler.onWatchedFilesChange(refresh);
}
