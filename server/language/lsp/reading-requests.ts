import { createServerRequestHandler, type LangiumSharedServices } from 'langium/lsp';
import { DocumentState } from 'langium';
import type { Connection } from 'vscode-languageserver';
import { CovertCompletion } from './completion';
import { inlineValues } from './inline-values';
import type { CovertLspServices } from './lsp-services';

/** Answers what Langium has no handlers for: the rest of a completion item, and values beside names while debugging. */
export function answerReaders(connection: Connection, shared: LangiumSharedServices, covert: CovertLspServices): void {
  const { CompletionProvider } = covert.lsp;
  if (CompletionProvider instanceof CovertCompletion) connection.onCompletionResolve((item) => CompletionProvider.resolve(item));
  connection.languages.inlineValue.on(
    createServerRequestHandler((_services, document, { range }) => inlineValues(document, range), shared, DocumentState.Parsed),
  );
}
