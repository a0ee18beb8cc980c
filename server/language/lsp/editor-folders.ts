import { DefaultWorkspaceManager, type LangiumDocument, type Stream, type URI } from 'langium';

/** Reads what lies in the folders that an editor has open. A file that cannot be read keeps nobody from the others. */
export class EditorFolders extends DefaultWorkspaceManager {
  protected override async loadWorkspaceDocuments(uris: Stream<URI>, collector: (document: LangiumDocument) => void): Promise<void> {
    await Promise.all(
      uris.map(async (uri) => {
        const document = await this.langiumDocuments.getOrCreateDocument(uri).catch(() => undefined);
        if (document) collector(document);
      }),
    );
  }
}
