import type { LangiumDocument } from 'langium';
import type { LinkedEditingRanges, Position } from 'vscode-languageserver';
import * as ast from '../generated/ast';
import { cursorAt } from './cursor';
import type { CovertLspServices } from './lsp-services';

/** What a name looks like while it is edited in all its places at once. */
const wordPattern = '[a-zA-Z_][a-zA-Z0-9_$]*';

/** A chip's or guest's name and its uses in the same file, where all are written alike. */
export function linkedNames(document: LangiumDocument, position: Position, { references }: CovertLspServices): LinkedEditingRanges | undefined {
  const leaf = cursorAt(document, position)?.leaf;
  const declared = leaf && references.References.findDeclarations(leaf).find((node) => ast.isChip(node) || ast.isGuest(node));
  // A name between backticks may hold what a word cannot.
  if (!declared || !/^[a-zA-Z_]/.test(leaf.text)) return undefined;
  const found = references.References.findReferences(declared, { documentUri: document.uri, includeDeclaration: true });
  const here = found.filter(({ sourceUri }) => sourceUri.toString() === document.uri.toString()).map(({ segment }) => segment.range).toArray();
  const ranges = here.filter((range) => document.textDocument.getText(range) === leaf.text);
  return ranges.length > 1 ? { ranges, wordPattern } : undefined;
}
