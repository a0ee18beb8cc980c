import { isCompositeCstNode, type AstNode, type CstNode, type LangiumDocument } from 'langium';
import * as ast from '../generated/ast';
import { fileOf } from '../imports';

/** A piece of a document, in characters from its start. */
interface Piece {
  offset: number;
  end: number;
}

/**
 * What a parser needs of a document to know what may stand at an offset: the heads of the blocks around it, and the text from the
 * last statement before it on. The rest of a long file would only cost time.
 */
export interface Near {
  heads: readonly Piece[];
  /** Where a token begins, or white space; never inside of a comment. */
  from: number;
  /** The innermost block around the offset: the file, if there is no other. */
  block: AstNode | undefined;
}

export function near(document: LangiumDocument, offset: number): Near {
  const heads: Piece[] = [];
  let block: AstNode | undefined = fileOf(document);
  let from = 0;
  while (block) {
    const before: AstNode | undefined = partsOf(block)?.findLast(({ $cstNode: whole }) => whole !== undefined && whole.offset < offset);
    const whole = before?.$cstNode;
    if (!before || !whole) break;
    const start = partsOf(before) && braceOf(before);
    if (start === undefined || start > offset || (isClosed(before) && whole.end <= offset)) {
      from = whole.offset;
      break;
    }
    heads.push({ offset: whole.offset, end: start });
    from = start;
    block = before;
  }
  return { heads, from, block };
}

/** The text that {@link near} means, as one that parses. */
export function textBefore(document: LangiumDocument, offset: number): string {
  const { heads, from } = near(document, offset);
  const text = document.textDocument.getText();
  return [...heads.map((head) => text.slice(head.offset, head.end)), text.slice(from, offset)].join(' ');
}

/** The statements of a block; undefined for what is none. */
export function partsOf(node: AstNode | undefined): readonly AstNode[] | undefined {
  if (ast.isFile(node) || ast.isScenario(node) || ast.isCampaign(node) || ast.isBeside(node)) return node.items;
  if (ast.isChip(node) || ast.isGuest(node) || ast.isProtection(node) || ast.isTiming(node)) return node.settings;
  if (ast.isCosts(node)) return node.entries;
  return ast.isInjection(node) ? node.alternatives : undefined;
}

/** True of a block that has its closing brace. */
export function isClosed({ $cstNode: whole }: AstNode): boolean {
  return whole !== undefined && ownLeaves(whole).some(({ text }) => text === '}');
}

/** The end of the brace that opens a block. */
function braceOf({ $cstNode: whole }: AstNode): number | undefined {
  return whole && ownLeaves(whole).find(({ text }) => text === '{')?.end;
}

/** The tokens of a node that are in none of its parts. One rule that reads another has a place of its own in the tree. */
function ownLeaves(whole: CstNode): CstNode[] {
  if (!isCompositeCstNode(whole)) return [whole];
  return whole.content.flatMap((child) => (child.astNode === whole.astNode ? ownLeaves(child) : []));
}
