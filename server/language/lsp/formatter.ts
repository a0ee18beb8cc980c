import type { AstNode, CstNode, LangiumDocument } from 'langium';
import { AstUtils } from 'langium';
import type { Formatter } from 'langium/lsp';
import type { DocumentFormattingParams, DocumentOnTypeFormattingParams, DocumentRangeFormattingParams, FormattingOptions, Position, Range, TextEdit } from 'vscode-languageserver';
import { Reporter } from '../diagnostic';
import * as ast from '../generated/ast';
import { lineEndOf } from '../scenario-text';
import { leaves, reportLiteral } from '../syntax-errors';

/**
 * Indents by blocks, puts each statement on a line of its own, and one space
 * between words. Keeps what is the writer's: single blank lines, line breaks
 * inside a statement, blocks on one line, and where comments stand, also how far
 * behind a statement.
 * A file with syntax errors is left as it is.
 */
export class CovertFormatter implements Formatter {
  readonly formatOnTypeOptions = { firstTriggerCharacter: '}', moreTriggerCharacter: ['\n'] };

  formatDocument(document: LangiumDocument, { options }: DocumentFormattingParams): TextEdit[] {
    return edits(document, options);
  }

  formatDocumentRange(document: LangiumDocument, { options, range }: DocumentRangeFormattingParams): TextEdit[] {
    return edits(document, options).filter((edit) => inside(edit.range, range));
  }

  /** The line or the block that was finished; of a new line, how far it is indented. */
  formatDocumentOnType(document: LangiumDocument, { options, position, ch }: DocumentOnTypeFormattingParams): TextEdit[] {
    const first = (ch === '}' ? openingLine(document, position) : undefined) ?? Math.max(0, position.line - 1);
    const lines = { start: { line: first, character: 0 }, end: position };
    const found = edits(document, options).filter((edit) => inside(edit.range, lines));
    if (ch !== '\n') return found;
    // The new line itself stays, also where there would be one too many.
    const isEmpty = document.textDocument.getText({ start: { line: position.line, character: 0 }, end: { line: position.line + 1, character: 0 } }).trim() === '';
    return isEmpty ? [...found.filter(({ range }) => range.end.line < position.line), ...indentation(document, options, position.line)] : found;
  }
}

function inside(part: Range, whole: Range): boolean {
  return part.start.line >= whole.start.line && part.end.line <= whole.end.line;
}

/** The line in which the block begins that a brace at a place ends. */
function openingLine({ parseResult, textDocument }: LangiumDocument, position: Position): number | undefined {
  const end = textDocument.offsetAt(position);
  const open: number[] = [];
  for (const { text, offset, range } of parseResult.value.$cstNode ? leaves(parseResult.value.$cstNode) : []) {
    if (offset >= end) break;
    if (text === '{') open.push(range.start.line);
    else if (text === '}') {
      const line = open.pop();
      if (offset + 1 === end) return line;
    }
  }
  return undefined;
}

/** Indents a line on which nothing stands yet, as deep as it is in blocks; also where the rest of the file is not whole. */
function indentation({ parseResult, textDocument }: LangiumDocument, options: FormattingOptions, line: number): TextEdit[] {
  const start = textDocument.offsetAt({ line, character: 0 });
  const [text = ''] = /^[^\r\n]*/.exec(textDocument.getText().slice(start)) ?? [];
  if (!parseResult.value.$cstNode) return [];
  let depth = 0;
  for (const { text: token, offset, end } of leaves(parseResult.value.$cstNode)) {
    if (offset < start && end > start) return [];
    if (offset >= start) break;
    if (token === '{') depth++;
    else if (token === '}') depth--;
  }
  const indent = unitOf(options).repeat(Math.max(0, depth));
  return text === indent ? [] : [{ range: { start: { line, character: 0 }, end: { line, character: text.length } }, newText: indent }];
}

function unitOf({ insertSpaces, tabSize }: FormattingOptions): string {
  return insertSpaces ? ' '.repeat(tabSize) : '\t';
}

interface Token {
  text: string;
  offset: number;
  end: number;
  type: string;
  /** Begins a statement. */
  starts: boolean;
  /** The sign of a number, and not what is between two. */
  isSign: boolean;
}

function edits(document: LangiumDocument, options: FormattingOptions): TextEdit[] {
  const { parseResult, textDocument } = document;
  if (parseResult.lexerErrors.length > 0 || parseResult.parserErrors.length > 0 || !parseResult.value.$cstNode) return [];
  const text = textDocument.getText();
  if (hasOpenLiteral(document)) return [];
  const tokens = tokensOf(parseResult.value);
  const unit = unitOf(options);
  const oneLine = blocksOnOneLine(tokens, text);
  const found: TextEdit[] = [];
  const lineEnd = lineEndOf(text);
  const change = (offset: number, end: number, plain: string): void => {
    const newText = plain.replaceAll('\n', lineEnd);
    if (text.slice(offset, end) === newText) return;
    found.push({ range: { start: textDocument.positionAt(offset), end: textDocument.positionAt(end) }, newText });
  };
  let depth = 0;
  let flat = 0;
  tokens.forEach((token, index) => {
    const previous = tokens[index - 1];
    if (token.text === '}') {
      if (flat > 0) flat--;
      else depth--;
    }
    const gap = text.slice(previous?.end ?? 0, token.offset);
    if (!previous) change(0, token.offset, '');
    else {
      const breaks = gap.split('\n').length - 1;
      // A one-line block may stand inside of an outer one only; its closing brace ends the flatness after itself.
      const isFlat = flat > 0 || (token.text === '}' && oneLine.has(matching(tokens, index)));
      change(previous.end, token.offset, isAside(token, gap) ? gap : between(previous, token, breaks, isFlat, unit.repeat(Math.max(0, depth)), unit));
    }
    if (token.text === '{') {
      if (flat > 0 || oneLine.has(index)) flat++;
      else depth++;
    }
  });
  const last = tokens.at(-1);
  change(last?.end ?? 0, text.length, last ? '\n' : '');
  return found;
}

/** True for a comment behind a statement, whose distance is the writer's: several of them may stand in a column. */
function isAside(token: Token, gap: string): boolean {
  return token.type === 'LINE_COMMENT' && /^ +$/.test(gap);
}

/** What goes between two neighbours. */
function between(previous: Token, token: Token, breaks: number, flat: boolean, indent: string, unit: string): string {
  const lines = breaks > 1 && previous.text !== '{' && token.text !== '}' ? '\n\n' : '\n';
  const isComment = token.type.endsWith('COMMENT');
  if (previous.type === 'LINE_COMMENT') return lines + indent + continuation(token, isComment, unit);
  if (isComment) return breaks > 0 ? lines + indent : ' ';
  if (flat) return space(previous, token);
  if (token.starts) return lines + indent;
  if (token.text === '}') return previous.text === '{' ? '' : `\n${indent}`;
  if (breaks > 0 && token.text !== '{' && previous.text !== '{') return `\n${indent}${unit}`;
  return space(previous, token);
}

/** A statement that goes on after a line comment is indented once more. */
function continuation(token: Token, isComment: boolean, unit: string): string {
  return token.starts || isComment || token.text === '}' ? '' : unit;
}

function space(previous: Token, token: Token): string {
  if (previous.text === '{' && token.text === '}') return '';
  if ([',', ':', ']', '.', '..', '['].includes(token.text)) return '';
  if (['[', '.', '..', '&'].includes(previous.text) || previous.isSign) return '';
  // `"sum.c":42` and `127.0.0.1:80`, but `name: flip …`.
  if (previous.text === ':' && token.type === 'INTEGER') return '';
  return ' ';
}

function tokensOf(root: AstNode): Token[] {
  const starts = new Set<number>();
  const signs = new Set<number>();
  for (const node of AstUtils.streamAst(root)) {
    if (isStatement(node) && node.$cstNode) starts.add(node.$cstNode.offset);
    if (ast.isNegativeValue(node) && node.$cstNode) signs.add(node.$cstNode.offset);
  }
  return [...leaves(root.$cstNode as CstNode)]
    .filter(({ tokenType }) => tokenType.name !== 'WS')
    .map(({ text, offset, end, tokenType }) => ({ text, offset, end, type: tokenType.name, starts: starts.has(offset), isSign: text === '-' && signs.has(offset) }));
}

/** A string, pattern, name or comment without an end: followed by other white space, it would end elsewhere. */
function hasOpenLiteral({ parseResult, textDocument }: LangiumDocument): boolean {
  const reporter = new Reporter('', textDocument);
  for (const leaf of leaves(parseResult.value.$cstNode as CstNode)) reportLiteral(leaf, reporter);
  return reporter.diagnostics.some(({ code }) => code === 'COV102');
}

function isStatement(node: AstNode): boolean {
  // What a block is about belongs to its head.
  if (ast.isGuestUse(node) && ast.isBeside(node.$container)) return false;
  return (
    ast.isItem(node) ||
    ast.isScenarioItem(node) ||
    ast.isCampaignItem(node) ||
    ast.isChipSetting(node) ||
    ast.isGuestSetting(node) ||
    ast.isProtectionSetting(node) ||
    ast.isTimingSetting(node) ||
    ast.isCost(node) ||
    ast.isAlternative(node)
  );
}

/** The opening braces of blocks that the writer put on one line. */
function blocksOnOneLine(tokens: readonly Token[], text: string): Set<number> {
  const found = new Set<number>();
  tokens.forEach((token, index) => {
    if (token.text !== '}') return;
    const open = matching(tokens, index);
    const opening = tokens[open];
    if (opening && !text.slice(opening.offset, token.offset).includes('\n')) found.add(open);
  });
  return found;
}

/** The opening brace of a closing one. */
function matching(tokens: readonly Token[], closing: number): number {
  let depth = 0;
  for (let index = closing; index >= 0; index--) {
    if (tokens[index]?.text === '}') depth++;
    else if (tokens[index]?.text === '{' && --depth === 0) return index;
  }
  return -1;
}
