import { existsSync } from 'node:fs';
import { URI } from 'langium';
import { DefaultDocumentUpdateHandler, type LangiumSharedServices } from 'langium/lsp';
import { FileChangeType, type DidChangeWatchedFilesParams, type TextDocumentChangeEvent } from 'vscode-languageserver';

/** Keeps documents in step with what happens to files outside of the editor, and with what is closed in it. */
export class CovertFileChanges extends DefaultDocumentUpdateHandler {
  readonly #documents: LangiumSharedServices['workspace']['LangiumDocuments'];
  readonly #open: LangiumSharedServices['workspace']['TextDocuments'];

  constructor(services: LangiumSharedServices) {
    super(services);
    this.#documents = services.workspace.LangiumDocuments;
    this.#open = services.workspace.TextDocuments;
  }

  override didChangeWatchedFiles(params: DidChangeWatchedFilesParams): void {
    this.onWatchedFilesChangeEmitter.fire(params);
    const scenarios = params.changes.filter(({ uri }) => uri.endsWith('.covert'));
    const deleted = (uri: string): boolean => scenarios.some((change) => change.uri === uri && change.type === FileChangeType.Deleted);
    // What is open is as the editor has it, whatever becomes of the file: also if it is gone.
    const gone = scenarios.map(({ uri }) => uri).filter((uri) => deleted(uri) && !this.#open.get(uri));
    const changed = scenarios.map(({ uri }) => uri).filter((uri) => !gone.includes(uri));
    // A guest that was built anew has other symbols: every file that is known is looked at again.
    const others = scenarios.length < params.changes.length ? this.#documents.all.map(({ uri }) => uri.toString()).filter((uri) => !gone.includes(uri)).toArray() : [];
    this.fireDocumentUpdate([...new Set([...changed, ...others])].map((uri) => URI.parse(uri)), [...new Set(gone)].map((uri) => URI.parse(uri)));
  }

  /** From then on the file counts, if there is one. */
  didCloseDocument({ document }: TextDocumentChangeEvent<{ uri: string }>): void {
    const uri = URI.parse(document.uri);
    if (uri.scheme === 'file' && existsSync(uri.fsPath)) this.fireDocumentUpdate([uri], []);
    else this.fireDocumentUpdate([], [uri]);
  }

  /** Folders matter only through the files in them; the extension watches both kinds itself. */
  protected override getWatchers(): { globPattern: string }[] {
    return [{ globPattern: '**/*.{covert,elf}' }];
  }
}
