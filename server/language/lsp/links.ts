import type { LangiumDocument } from 'langium';
import type { DocumentLinkProvider } from 'langium/lsp';
import type { DocumentLink } from 'vscode-languageserver';
import { part } from '../diagnostic';
import type * as ast from '../generated/ast';
import { importsOf, resolvedUri } from '../imports';

/** Imported files open with a click. */
export class CovertLinks implements DocumentLinkProvider {
  getDocumentLinks(document: LangiumDocument): DocumentLink[] {
    return importsOf(document).flatMap((one: ast.Import) => {
      const target = resolvedUri(document, one.path)?.toString();
      const range = part(one, 'path')?.range;
      return target && range ? [{ range, target }] : [];
    });
  }
}
