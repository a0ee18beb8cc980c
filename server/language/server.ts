import { startLanguageServer as serve } from 'langium/lsp';
import { createConnection, ProposedFeatures, type Connection } from 'vscode-languageserver/node';
import { addEditingRequests } from './lsp/extra-requests';
import { createCovertLspServices } from './lsp/lsp-services';
import { PulledDiagnostics } from './lsp/pulled-diagnostics';
import { answerReaders } from './lsp/reading-requests';

/**
 * Speaks the Language Server Protocol, until the client says `exit`, its streams
 * close, or the process that it named is gone.
 */
export function startLanguageServer(input: NodeJS.ReadableStream = process.stdin, output: NodeJS.WritableStream = process.stdout): void {
  const connection = createConnection(ProposedFeatures.all, input, output);
  const { shared, covert } = createCovertLspServices(connection);
  const { TextDocuments } = shared.workspace;
  const pulled = new PulledDiagnostics(shared, connection);
  tellVersions(connection, (uri) => TextDocuments.get(uri)?.version, () => pulled.isAsked);
  answerReaders(connection, shared, covert);
  addEditingRequests(connection, shared, covert);
  serve(shared);
}

/** Says with diagnostics which version of a document they are about, so that a client can drop what is late. A client that asks for them is sent none. */
function tellVersions(connection: Connection, versionOf: (uri: string) => number | undefined, isAsked: () => boolean): void {
  const send = connection.sendDiagnostics.bind(connection);
  connection.sendDiagnostics = async (params) => {
    if (isAsked()) return;
    const version = versionOf(params.uri);
    return send(version === undefined ? params : { ...params, version });
  };
}
