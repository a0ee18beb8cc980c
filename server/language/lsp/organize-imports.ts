import type { LangiumDocument, LangiumDocuments } from 'langium';
import type { Diagnostic, Fix } from '../diagnostic';
import * as ast from '../generated/ast';
import { fileOf, importsOf, resolvedUri, visibleDocuments } from '../imports';
import { decodeString } from '../values';

type Edit = Pick<Fix, 'span' | 'text'>;

/**
 * Sorts imports by their paths and takes those out that stand twice or that
 * nothing uses. They stay where they are if something else stands among them,
 * or if it depends on their order which of two declarations of one name counts.
 */
export function organizedImports(document: LangiumDocument, diagnostics: readonly Diagnostic[], documents: LangiumDocuments): Edit[] {
  const imports = importsOf(document);
  const needless = new Map(
    diagnostics.flatMap(({ code, span, fixes: [fix] }) => (fix && (code === 'COV602' || code === 'COV202') ? [[span.offset, fix] as const] : [])),
  );
  const removed = imports.flatMap((one) => needless.get(pathOffset(one)) ?? []);
  const kept = imports.filter((one) => !needless.has(pathOffset(one)));
  const sorted = kept.toSorted((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  const isSorted = sorted.every((one, i) => one === kept[i]);
  const [first, last] = [imports[0]?.$cstNode, imports.at(-1)?.$cstNode];
  if (isSorted || !first || !last || !areAlone(document, imports) || shareNames(document, kept, documents)) return removed;
  return [{ span: { offset: first.offset, end: last.end }, text: sorted.map(({ $cstNode }) => $cstNode?.text ?? '').join('\n') }];
}

function pathOffset(one: ast.Import): number {
  const text = one.$cstNode?.text ?? '';
  return (one.$cstNode?.offset ?? 0) + Math.max(0, text.length - (one.path?.length ?? 0));
}

function pathOf({ path }: ast.Import): string {
  return (path === undefined ? undefined : decodeString(path).value) ?? '';
}

/** True if nothing but space stands between them. */
function areAlone({ textDocument }: LangiumDocument, imports: readonly ast.Import[]): boolean {
  const text = textDocument.getText();
  return imports.every(({ $cstNode: own }, i) => {
    const next = imports[i + 1]?.$cstNode;
    return own !== undefined && (!next || text.slice(own.end, next.offset).trim() === '');
  });
}

function shareNames(document: LangiumDocument, imports: readonly ast.Import[], documents: LangiumDocuments): boolean {
  const homes = new Map<string, LangiumDocument>();
  for (const one of imports) {
    const uri = resolvedUri(document, one.path);
    const imported = uri && documents.getDocument(uri);
    for (const each of imported ? visibleDocuments(imported, documents) : []) {
      for (const item of fileOf(each)?.items ?? []) {
        if ((!ast.isChip(item) && !ast.isGuest(item)) || !item.name) continue;
        const key = `${item.$type} ${item.name}`;
        if ((homes.get(key) ?? each) !== each) return true;
        homes.set(key, each);
      }
    }
  }
  return false;
}
