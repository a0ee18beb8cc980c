import { AstUtils, CstUtils, type CstNode } from 'langium';
import type { Fix, Span } from './diagnostic';
import * as ast from './generated/ast';

/** How far behind a fault its target is looked for. */
const reach = 200;

const isStrike = (node: unknown): node is ast.Fault | ast.Alternative => ast.isFault(node) || ast.isAlternative(node);

/** ` in replica B` behind a trigger, where many would write it: it stands before. */
export function lateTargetOf({ $cstNode: whole, target }: ast.Fault | ast.Alternative): Span | undefined {
  if (!whole || target) return undefined;
  const found = /^(\s+)(?:in\s+replica\s+\w+|on\s+core\s+\w+)/.exec(whole.root.fullText.slice(whole.end, whole.end + reach));
  return found?.[1] === undefined ? undefined : { offset: whole.end + found[1].length, end: whole.end + found[0].length };
}

/** The late target that begins at a place of a text, and how to put it where it belongs. */
export function lateTargetAt(root: CstNode, offset: number): { span: Span; message: string; fixes: Fix[] } | undefined {
  const before = root.root.fullText.slice(0, offset).trimEnd().length - 1;
  const strike = AstUtils.getContainerOfType(CstUtils.findLeafNodeAtOffset(root, before)?.astNode, isStrike);
  const span = strike && lateTargetOf(strike);
  const trigger = strike?.trigger?.$cstNode;
  if (!span || span.offset !== offset || !trigger) return undefined;
  const text = root.root.fullText;
  const written = text.slice(span.offset, span.end);
  const moved = { offset: trigger.offset, end: span.end };
  return {
    span,
    message: `\`${written}\` stands before the trigger`,
    fixes: [{ title: `Write \`${written}\` before the trigger`, span: moved, text: `${written} ${text.slice(trigger.offset, span.offset).trimEnd()}` }],
  };
}
