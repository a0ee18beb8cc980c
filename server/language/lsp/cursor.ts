import { AstUtils, CstUtils, GrammarAST, type AstNode, type LangiumDocument, type LeafCstNode } from 'langium';
import * as ast from '../generated/ast';

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

/** The node that a leaf is a property of, and which one; the property is absent for the words around it. */
export function propertyOf(leaf: LeafCstNode): { node: AstNode; name?: string } {
  const node = leaf.astNode;
  for (let at: typeof leaf.container | LeafCstNode | undefined = leaf; at && at.astNode === node; at = at.container) {
    const assignment = AstUtils.getContainerOfType(at.grammarSource, GrammarAST.isAssignment);
    if (assignment) return { node, name: assignment.feature };
  }
  return { node };
}

export function ownerOf<T extends AstNode>(node: AstNode | undefined, is: (item: unknown) => item is T): T | undefined {
  for (let at = node; at; at = at.$container) if (is(at)) return at;
  return undefined;
}

/** What has a guest: a scenario, a campaign, or a block about another guest in a scenario. */
export type Run = ast.Scenario | ast.Campaign | ast.Beside;

/** The innermost of these that holds an offset. */
export function runAt(document: LangiumDocument, offset: number): Run | undefined {
  const { value } = document.parseResult;
  if (!ast.isFile(value)) return undefined;
  const holds = ({ $cstNode: whole }: AstNode): boolean => whole !== undefined && whole.offset <= offset && whole.end >= offset;
  const run = value.items.find((item): item is ast.Scenario | ast.Campaign => (ast.isScenario(item) || ast.isCampaign(item)) && holds(item));
  return (run && ast.isScenario(run) ? run.items.find((item): item is ast.Beside => ast.isBeside(item) && holds(item)) : undefined) ?? run;
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
