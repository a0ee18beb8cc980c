import type { LangiumDocument } from 'langium';
import type { CodeAction, Range, TextEdit, WorkspaceEdit } from 'vscode-languageserver';
import type { Fix, Span } from '../diagnostic';
import { lineEndOf } from '../scenario-text';

export function rangeOf({ textDocument }: LangiumDocument, { offset, end }: Span): Range {
  return { start: textDocument.positionAt(offset), end: textDocument.positionAt(end) };
}

/** Changes of one document, as a client carries them out. */
export function workspaceEdit(document: LangiumDocument, edits: readonly Pick<Fix, 'span' | 'text'>[]): WorkspaceEdit {
  // Most edits are within a line, and a file may have a thousand of them: it is looked at only for others.
  const ended = (text: string): string => (text.includes('\n') ? text.replace(/\r?\n/g, lineEndOf(document.textDocument.getText())) : text);
  return { changes: { [document.uri.toString()]: edits.map(({ span, text }): TextEdit => ({ range: rangeOf(document, span), newText: ended(text) })) } };
}

export function action(document: LangiumDocument, title: string, kind: string, edits: readonly Pick<Fix, 'span' | 'text'>[]): CodeAction {
  return { title, kind, edit: workspaceEdit(document, edits) };
}

/** True if two ranges have a place in common; an empty one may be at the other's edge. */
export function touches(a: Range, b: Range): boolean {
  const before = (x: Range, y: Range): boolean =>
    x.end.line < y.start.line || (x.end.line === y.start.line && x.end.character < y.start.character);
  return !before(a, b) && !before(b, a);
}
