import * as vscode from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import { covertProcess } from './covert-process';

/** Starts the language server; it stops with the extension. */
export function startLanguageClient(context: vscode.ExtensionContext): LanguageClient {
  const { command, args, env } = covertProcess(context, 'lsp');
  const watcher = vscode.workspace.createFileSystemWatcher('**/*.covert');
  const client = new LanguageClient(
    'covert',
    'COVERT',
    // The transport makes the client append `--stdio`.
    { command, args, transport: TransportKind.stdio, options: { env: { ...process.env, ...env } } },
    {
      documentSelector: [{ language: 'covert', scheme: 'file' }],
      synchronize: { fileEvents: watcher },
    },
  );
  client.registerFeature({
    fillClientCapabilities: (capabilities) => {
      capabilities.experimental = { ...(capabilities.experimental as object | undefined), commands: { commands: ['covert.runScenario', 'covert.debugScenario'] } };
    },
    initialize: () => undefined,
    getState: () => ({ kind: 'static' }),
    clear: () => undefined,
  });
  context.subscriptions.push(watcher, client);
  client.start().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(`The COVERT language server did not start: ${reason}`);
  });
  return client;
}
