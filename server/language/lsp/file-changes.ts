import { DefaultDocumentUpdateHandler, type LangiumSharedServices } from 'langium/lsp';
import type { DidChangeWatchedFilesParams } from 'vscode-languageserver';

/** A guest that was built anew has other symbols: every file that is known is looked at again. */
export class CovertFileChanges extends DefaultDocumentUpdateHandler {
  readonly #documents: LangiumSharedServices['workspace']['LangiumDocuments'];

  constructor(services: LangiumSharedServices) {
    super(services);
    this.#documents = services.workspace.LangiumDocuments;
  }

  override didChangeWatchedFiles(params: DidChangeWatchedFilesParams): void {
    const scenarios = params.changes.filter(({ uri }) => uri.endsWith('.covert'));
    if (scenarios.length > 0) super.didChangeWatchedFiles({ changes: scenarios });
    if (scenarios.length === params.changes.length) return;
    this.fireDocumentUpdate(this.#documents.all.map(({ uri }) => uri).toArray(), []);
  }

  /** Folders matter only through the files in them; the extension watches both kinds itself. */
  protected override getWatchers(): { globPattern: string }[] {
    return [{ globPattern: '**/*.{covert,elf}' }];
  }
}
