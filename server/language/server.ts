import { startLanguageServer as serve } from 'langium/lsp';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { createCovertLspServices } from './lsp/lsp-services';

/**
 * Speaks the Language Server Protocol over stdin and stdout, until the client
 * says `exit`, its streams close, or the process that it named is gone.
 */
export function startLanguageServer(): void {
  const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout);
  const { shared } = createCovertLspServices(connection);
  serve(shared);
}
