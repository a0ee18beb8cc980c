import { UriUtils, type LangiumDocuments } from 'langium';
import type { Context } from './context';
import * as ast from './generated/ast';
import { nearestDeclaring } from './imports';

/** Reports the chips and guests of a run that several files declare, none of them nearer than the others: which one counts would hang on the order of imports. */
export function reportAmbiguous(run: ast.Scenario | ast.Campaign, { document, reporter }: Context, documents: LangiumDocuments): void {
  for (const item of run.items) {
    const use = ast.isBeside(item) ? item.use : item;
    const isChip = ast.isChipUse(use);
    const reference = isChip ? use.chip : ast.isGuestUse(use) ? use.guest : undefined;
    if (!reference?.ref) continue;
    const name = reference.$refText;
    const [first, second] = isChip ? nearestDeclaring(document, documents, ast.isChip, name) : nearestDeclaring(document, documents, ast.isGuest, name);
    if (!first || !second) continue;
    const [one, other] = [first, second].map(({ uri }) => `"${UriUtils.relative(UriUtils.dirname(document.uri), uri)}"`);
    reporter.error('COV202', reference.$refNode, `${one} and ${other} both declare ${isChip ? 'chip' : 'guest'} \`${name}\`: import one of them, or rename one`);
  }
}
