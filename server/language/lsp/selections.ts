import { CstUtils, type CstNode, type LangiumDocument } from 'langium';
import type { Position, SelectionRange } from 'vscode-languageserver';
import type { Span } from '../diagnostic';
import { rangeOf } from './edits';

/** What can be selected around a place, from the word over value, part, statement and block to the file. */
export function selectionAt(document: LangiumDocument, position: Position): SelectionRange {
  const text = document.textDocument.getText();
  const spans: Span[] = [{ offset: 0, end: text.length }];
  const root = document.parseResult.value.$cstNode;
  const offset = document.textDocument.offsetAt(position);
  const leaf = root && (CstUtils.findLeafNodeAtOffset(root, offset) ?? (offset > 0 ? CstUtils.findLeafNodeAtOffset(root, offset - 1) : undefined));
  const around: CstNode[] = [];
  for (let at: CstNode | undefined = leaf; at; at = at.container) around.unshift(at);
  for (const node of around) {
    add(spans, node);
    const inside = insideBraces(node);
    if (inside && inside.offset <= offset && offset <= inside.end) add(spans, inside);
  }
  // A text in quotation marks is also what stands between them.
  if (leaf && /^(["`])[^]*\1$/.test(leaf.text) && leaf.length > 2 && offset > leaf.offset && offset < leaf.end) add(spans, { offset: leaf.offset + 1, end: leaf.end - 1 });
  // The first is the whole file.
  return spans.slice(1).reduce<SelectionRange>((parent, span) => ({ range: rangeOf(document, span), parent }), { range: rangeOf(document, { offset: 0, end: text.length }) });
}

/** Adds a span that is narrower than the last one. */
function add(spans: Span[], { offset, end }: Span): void {
  const last = spans.at(-1);
  if (offset >= last.offset && end <= last.end && end - offset < last.end - last.offset) spans.push({ offset, end });
}

/** What stands in the block that a statement ends with. */
function insideBraces({ text, offset, end, container }: CstNode): Span | undefined {
  if (!container || !text.endsWith('}')) return undefined;
  // A brace in a string before the block is none; names of scenarios are the only strings there.
  const open = text.replace(/"(?:[^"\\\n]|\\.)*"/g, (string) => ' '.repeat(string.length)).indexOf('{');
  if (open < 0) return undefined;
  const inner = text.slice(open + 1, -1);
  const lead = inner.length - inner.trimStart().length;
  return inner.trim() === '' ? undefined : { offset: offset + open + 1 + lead, end: end - 1 - (inner.length - inner.trimEnd().length) };
}
