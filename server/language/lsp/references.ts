import type { LangiumDocument } from 'langium';
import { DefaultDocumentHighlightProvider, DefaultReferencesProvider } from 'langium/lsp';
import { DocumentHighlightKind, type DocumentHighlight, type DocumentHighlightParams, type Location, type ReferenceParams } from 'vscode-languageserver';
import { cursorAt } from './cursor';
import type { CovertLspServices } from './lsp-services';
import { thingAt, usesOf } from './symbol-uses';

/** All uses of chips and guests, and of the symbols of a guest's program in all files that are known. */
export class CovertReferences extends DefaultReferencesProvider {
  constructor(private readonly services: CovertLspServices) {
    super(services);
  }

  override async findReferences(document: LangiumDocument, params: ReferenceParams): Promise<Location[]> {
    const cursor = cursorAt(document, params.position);
    const thing = cursor && thingAt(cursor);
    if (!thing) return super.findReferences(document, params);
    return this.services.shared.workspace.LangiumDocuments.all
      .flatMap((each) => usesOf(thing, each))
      .map(({ document: { uri }, place: { range } }) => ({ uri: uri.toString(), range }))
      .toArray();
  }
}

/** The same name wherever else it stands in the file. */
export class CovertDocumentHighlights extends DefaultDocumentHighlightProvider {
  override async getDocumentHighlight(document: LangiumDocument, params: DocumentHighlightParams): Promise<DocumentHighlight[] | undefined> {
    const cursor = cursorAt(document, params.position);
    const thing = cursor && thingAt(cursor);
    if (!thing) return super.getDocumentHighlight(document, params);
    return usesOf(thing, document).map(({ place: { range } }) => ({ range, kind: DocumentHighlightKind.Text }));
  }
}
