import { AstUtils, type LangiumDocument, type LangiumDocuments } from 'langium';
import type { Context } from './context';
import { part } from './diagnostic';
import * as ast from './generated/ast';
import { resolvedUri, visibleDocuments } from './imports';
import { remove } from './mends';

/** Warns of chips, guests and imports that no scenario of the file uses. A file without scenarios is there to be imported. */
export function reportUnused(items: readonly ast.Item[], { reporter, document }: Context, documents: LangiumDocuments): void {
  const users = items.filter((item) => ast.isScenario(item) || ast.isCampaign(item));
  if (users.length === 0) return;
  const used = new Set<ast.Chip | ast.Guest>();
  const unknown = new Set<string>();
  for (const { items: uses } of users) {
    for (const item of uses) {
      const use = ast.isBeside(item) ? item.use : item;
      const reference = ast.isChipUse(use) ? use.chip : ast.isGuestUse(use) ? use.guest : undefined;
      if (reference?.ref) used.add(reference.ref);
      else if (reference) unknown.add(ast.isChipUse(use) ? ast.Chip.$type : ast.Guest.$type);
    }
  }
  // A name that is not found may be a slip for any of its kind, and may be meant to come from an import.
  for (const item of items) {
    if ((ast.isChip(item) || ast.isGuest(item)) && item.name !== undefined && !used.has(item) && !unknown.has(item.$type)) {
      reporter.warning('COV602', part(item, 'name'), `no scenario uses ${item.$type.toLowerCase()} \`${item.name}\``, remove(item.$cstNode, `Remove ${item.$type.toLowerCase()} \`${item.name}\``, true));
    }
  }
  if (unknown.size > 0) return;
  const homes = new Set<LangiumDocument>([...used].map((node) => AstUtils.getDocument(node)));
  for (const item of items) {
    if (!ast.isImport(item)) continue;
    const uri = resolvedUri(document, item.path);
    const imported = uri && documents.getDocument(uri);
    if (!imported || imported === document) continue;
    if (visibleDocuments(imported, documents).some((one) => homes.has(one))) continue;
    reporter.warning('COV602', part(item, 'path'), 'nothing of this file is used', remove(item.$cstNode, 'Remove this import', true));
  }
}
