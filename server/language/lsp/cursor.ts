import { AstUtils, CstUtils, GrammarAST, type AstNode, type LangiumDocument, type LeafCstNode } from 'langium';
import * as ast from '../generated/ast';
import { isClosed } from './near-text';

/** What stands at a place of a document. */
export interface Cursor {
  leaf: LeafCstNode;
  /** The node that the text belongs to. */
  node: AstNode;
}

/** What the cursor is on, or has just behind it. */
export function cursorAt(document: LangiumDocument, position: { line: number; character: number }): Cursor | undefined {
  const root = document.parseResult.value.$cstNode;
  if (!root) return undefined;
  const leaf = CstUtils.findDeclarationNodeAtOffset(root, document.textDocument.offsetAt(position), /[\w$`"]/);
  if (!leaf || leaf.hidden) return undefined;
  return { leaf, node: leaf.astNode };
}

/** True if the leaf is (part of) a property of its node. */
export function isPart<N extends AstNode>(leaf: LeafCstNode, node: N, property: keyof N & string): boolean {
  for (let at: typeof leaf.container | LeafCstNode | undefined = leaf; at && at.astNode === node; at = at.container) {
    const source = at.grammarSource;
    if (source?.$container && 'feature' in source.$container && source.$container.feature === property) return true;
  }
  return false;
}

/** The property of its node that a leaf is, or is in; undefined for the words around it. */
export function propertyOf(leaf: LeafCstNode): string | undefined {
  const node = leaf.astNode;
  for (let at: typeof leaf.container | LeafCstNode | undefined = leaf; at && at.astNode === node; at = at.container) {
    const source = at.grammarSource;
    if (!source) continue;
    let property = properties.get(source);
    if (property === undefined) properties.set(source, (property = AstUtils.getContainerOfType(source, GrammarAST.isAssignment)?.feature ?? ''));
    if (property !== '') return property;
  }
  return undefined;
}

/** Of elements of the grammar; empty for those that are assigned to none. */
const properties = new WeakMap<object, string>();

export function ownerOf<T extends AstNode>(node: AstNode | undefined, is: (item: unknown) => item is T): T | undefined {
  for (let at = node; at; at = at.$container) if (is(at)) return at;
  return undefined;
}

/** What has a guest: a scenario, a campaign, or a block about another guest in a scenario. */
export type Run = ast.Scenario | ast.Campaign | ast.Beside;

/** The innermost of these that holds an offset. One without an end reaches to what comes next. */
export function runAt(document: LangiumDocument, offset: number): Run | undefined {
  const { value } = document.parseResult;
  if (!ast.isFile(value)) return undefined;
  const run = lastHolding(value.items, offset);
  if (!ast.isScenario(run) && !ast.isCampaign(run)) return undefined;
  const inner = lastHolding(run.items, offset);
  return ast.isBeside(inner) ? inner : run;
}

function lastHolding<T extends AstNode>(nodes: readonly T[], offset: number): T | undefined {
  const last = nodes.findLast(({ $cstNode: whole }) => whole !== undefined && whole.offset <= offset);
  const whole = last?.$cstNode;
  return last && whole && (whole.end >= offset || !isClosed(last)) ? last : undefined;
}

/** The innermost of these around a node. */
export function runAround(node: AstNode): Run | undefined {
  return ownerOf(node, (item): item is Run => ast.isBeside(item) || ast.isScenario(item) || ast.isCampaign(item));
}

/** The guest that it is about. */
export function guestOf(run: Run | undefined): ast.Guest | undefined {
  const use = run && (ast.isBeside(run) ? run.use : run.items.find(ast.isGuestUse));
  return use?.guest?.ref;
}
