import { DefaultLanguageServer } from 'langium/lsp';
import type { InitializeParams, InitializeResult } from 'vscode-languageserver';

/** Announces what the language answers beyond what Langium has handlers for. */
export class CovertLanguageServer extends DefaultLanguageServer {
  protected override buildInitializeResult(params: InitializeParams): InitializeResult {
    const { capabilities, ...rest } = super.buildInitializeResult(params);
    return {
      ...rest,
      capabilities: {
        ...capabilities,
        completionProvider: { ...capabilities.completionProvider, resolveProvider: true, completionItem: { labelDetailsSupport: true } },
        diagnosticProvider: { identifier: 'covert', interFileDependencies: true, workspaceDiagnostics: true },
        inlineValueProvider: true,
      },
    };
  }
}
