import type { CstNode, LangiumDocument } from 'langium';
import type { FoldingRangeProvider } from 'langium/lsp';
import { FoldingRangeKind, type FoldingRange } from 'vscode-languageserver';
import { importsOf } from '../imports';
import { leaves } from '../syntax-errors';

/** Blocks, imports that follow each other, and comments: block comments, and line comments one below the other. */
export class CovertFolding implements FoldingRangeProvider {
  getFoldingRanges(document: LangiumDocument): FoldingRange[] {
    const root = document.parseResult.value.$cstNode;
    if (!root) return [];
    return [...blocks(root), ...comments(document, root), ...imports(document)].sort((a, b) => a.startLine - b.startLine || b.endLine - a.endLine);
  }
}

function fold(startLine: number, endLine: number, kind?: FoldingRangeKind): FoldingRange[] {
  return endLine > startLine ? [{ startLine, endLine, ...(kind && { kind }) }] : [];
}

function blocks(root: CstNode): FoldingRange[] {
  const open: number[] = [];
  const found: FoldingRange[] = [];
  for (const { text, range } of leaves(root)) {
    if (text === '{') open.push(range.start.line);
    else if (text === '}') {
      const start = open.pop();
      // The closing brace stays in sight.
      if (start !== undefined) found.push(...fold(start, range.start.line - 1));
    }
  }
  return found;
}

function comments({ textDocument }: LangiumDocument, root: CstNode): FoldingRange[] {
  const found: FoldingRange[] = [];
  let first = -1;
  let last = -1;
  const close = (): void => {
    if (first >= 0) found.push(...fold(first, last, FoldingRangeKind.Comment));
    first = -1;
  };
  for (const { tokenType, range } of leaves(root)) {
    const { line, character } = range.start;
    if (tokenType.name === 'BLOCK_COMMENT') found.push(...fold(line, range.end.line, FoldingRangeKind.Comment));
    if (tokenType.name !== 'LINE_COMMENT') continue;
    // One behind a statement belongs to it, not to those below.
    const isAlone = textDocument.getText({ start: { line, character: 0 }, end: { line, character } }).trim() === '';
    if (first < 0 || line !== last + 1 || !isAlone) close();
    if (!isAlone) continue;
    if (first < 0) first = line;
    last = line;
  }
  close();
  return found;
}

function imports(document: LangiumDocument): FoldingRange[] {
  const nodes = importsOf(document).flatMap(({ $cstNode }) => $cstNode ?? []);
  const [first, last] = [nodes[0], nodes.at(-1)];
  if (!first || !last) return [];
  const between = document.textDocument.getText().slice(first.offset, last.end);
  const own = nodes.reduce((rest, { text }) => rest.replace(text, ''), between);
  return own.trim() === '' ? fold(first.range.start.line, last.range.end.line, FoldingRangeKind.Imports) : [];
}
