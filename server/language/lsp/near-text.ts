import { isCompositeCstNode, isLeafCstNode, type AstNode, type LangiumDocument } from 'langium';
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
}

export function near(document: LangiumDocument, offset: number): Near {
  const heads: Piece[] = [];
  let block: AstNode | undefined = fileOf(document);
  let from = 0;
  while (block) {
    const before: AstNode | undefined = partsOf(block)?.findLast(({ $cstNode: whole }) => whole !== undefined && whole.offset < offset);
    const whole = before?.$cstNode;
    if (!before || !whole) break;
    const start = before && partsOf(before) && braceOf(before);
    const isClosed = whole.text.endsWith('}');
    if (start === undefined || start > offset || (isClosed && whole.end <= offset)) {
      from = whole.offset;
      break;
    }
    heads.push({ offset: whole.offset, end: start });
    from = start;
    block = before;
  }
  return { heads, from };
}

/** The text that {@link near} means, as one that parses. */
export function textBefore(document: LangiumDocument, offset: number): string {
  const { heads, from } = near(document, offset);
  const text = document.textDocument.getText();
  return [...heads.map((head) => text.slice(head.offset, head.end)), text.slice(from, offset)].join(' ');
}

/** The statements of a block; undefined for what is none. */
function partsOf(node: AstNode): readonly AstNode[] | undefined {
  if (ast.isFile(node) || ast.isScenario(node) || ast.isCampaign(node) || ast.isBeside(node)) return node.items;
  if (ast.isChip(node) || ast.isGuest(node) || ast.isProtection(node) || ast.isTiming(node)) return node.settings;
  if (ast.isCosts(node)) return node.entries;
  return ast.isInjection(node) ? node.alternatives : undefined;
}

/** The end of the brace that opens a block. */
function braceOf({ $cstNode: whole }: AstNode): number | undefined {
  if (!whole || !isCompositeCstNode(whole)) return undefined;
  return whole.content.find((leaf) => isLeafCstNode(leaf) && leaf.text === '{')?.end;
}
