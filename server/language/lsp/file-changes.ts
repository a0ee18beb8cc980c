import { existsSync } from 'node:fs';
import { DocumentState, URI } from 'langium';
import { DefaultDocumentUpdateHandler, type LangiumSharedServices } from 'langium/lsp';
import { FileChangeType, type DidChangeWatchedFilesParams, type TextDocumentChangeEvent } from 'vscode-languageserver';
import { filesNamedIn, NamedFiles } from './named-files';

/** Keeps documents in step with what happens to files outside of the editor, and with what is closed in it. */
export class CovertFileChanges extends DefaultDocumentUpdateHandler {
  readonly #documents: LangiumSharedServices['workspace']['LangiumDocuments'];
  readonly #open: LangiumSharedServices['workspace']['TextDocuments'];
  readonly #connection: LangiumSharedServices['lsp']['Connection'];
  readonly #builder: LangiumSharedServices['workspace']['DocumentBuilder'];
  /** How many updates have been wanted, and how many of them have begun: one begins behind the other. */
  #wanted = 0;
  #begun = 0;
  #waiting: { update: number; go: () => void }[] = [];

  constructor(services: LangiumSharedServices) {
    super(services);
    this.#documents = services.workspace.LangiumDocuments;
    this.#open = services.workspace.TextDocuments;
    this.#builder = services.workspace.DocumentBuilder;
    this.#connection = services.lsp.Connection;
    const named = new NamedFiles((path, how) => {
      const type = { created: FileChangeType.Created, changed: FileChangeType.Changed, deleted: FileChangeType.Deleted }[how] as FileChangeType;
      this.didChangeWatchedFiles({ changes: [{ uri: URI.file(path).toString(), type }] });
    });
    this.#builder.onBuildPhase(DocumentState.Parsed, () => named.watch(this.#documents.all.flatMap((document) => filesNamedIn(document).map(({ path }) => path))));
  }

  /** Resolves when documents show what has changed until now: as not read yet, if nothing else. */
  async changesSeen(): Promise<void> {
    const update = this.#wanted;
    if (this.#begun < update) await new Promise<void>((go) => this.#waiting.push({ update, go }));
  }

  protected override fireDocumentUpdate(changed: URI[], deleted: URI[]): void {
    const update = ++this.#wanted;
    const begin = (): void => {
      this.#begun = update;
      const [ready, later] = [this.#waiting.filter((each) => each.update <= update), this.#waiting.filter((each) => each.update > update)];
      this.#waiting = later;
      for (const { go } of ready) go();
    };
    const run = async (): Promise<void> => {
      await this.workspaceManager.ready;
      await this.workspaceLock.write(async (token) => {
        const listening = this.#builder.onUpdate(begin);
        try {
          await this.#builder.update(changed, deleted, token);
        } finally {
          listening.dispose();
          if (this.#begun < update) begin();
        }
      });
    };
    run().catch((error: unknown) => this.#connection?.console.error(`A document could not be brought up to date: ${String(error)}`));
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

  /** Scenarios of the folder that nobody names have to be told of as well; the extension watches for itself. */
  protected override getWatchers(): { globPattern: string }[] {
    return [{ globPattern: '**/*.covert' }];
  }
}
