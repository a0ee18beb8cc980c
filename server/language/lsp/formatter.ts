import { AstUtils, CstUtils, type AstNode, type CstNode, type LangiumDocument, type LangiumCoreServices } from 'langium';
import type { Formatter } from 'langium/lsp';
import type { DocumentFormattingParams, DocumentOnTypeFormattingParams, DocumentRangeFormattingParams, FormattingOptions, Position, Range, TextEdit } from 'vscode-languageserver';
import { Reporter } from '../diagnostic';
import * as ast from '../generated/ast';
import { lineEndOf } from '../scenario-text';
import { leaves, reportLiteral } from '../syntax-errors';

/** What is formatted: a file, or a statement or block of one that is broken elsewhere. */
interface Piece {
  root: AstNode;
  /** Where it begins in the document. */
  start: number;
  /** Of the blocks around it. */
  depth: number;
}

/**
 * Indents by blocks, puts each statement on a line of its own, and one space
 * between words. Keeps what is the writer's: single blank lines, line breaks
 * inside a statement, blocks on one line, and where comments stand, also how far
 * behind a statement.
 * A file with syntax errors is left as it is, but that while it is typed each
 * part of it that parses by itself is formatted.
 */
export class CovertFormatter implements Formatter {
  readonly formatOnTypeOptions = { firstTriggerCharacter: '}', moreTriggerCharacter: ['\n'] };

  constructor(private readonly parser: Pick<LangiumCoreServices['parser'], 'LangiumParser' | 'Lexer'>) {}

  formatDocument(document: LangiumDocument, { options }: DocumentFormattingParams): TextEdit[] {
    return edits(document, wholeOf(document), options);
  }

  formatDocumentRange(document: LangiumDocument, { options, range }: DocumentRangeFormattingParams): TextEdit[] {
    return edits(document, wholeOf(document), options).filter((edit) => inside(edit.range, range));
  }

  /** The line or the block that was finished; of a new line, how far it is indented. */
  formatDocumentOnType(document: LangiumDocument, { options, position, ch }: DocumentOnTypeFormattingParams): TextEdit[] {
    const piece = wholeOf(document) ?? this.#partBefore(document, position);
    const all = edits(document, piece, options);
    const opening = ch === '}' && piece ? openingLine(document, piece, position) : undefined;
    // The block's first line is indented with it, which is the end of what stands between it and the line before.
    if (opening !== undefined) return all.filter(({ range }) => range.end.line >= opening && range.end.line <= position.line);
    const lines = { start: { line: Math.max(0, position.line - 1), character: 0 }, end: position };
    const found = all.filter((edit) => inside(edit.range, lines));
    if (ch !== '\n') return found;
    // The new line itself stays, also where there would be one too many.
    const begun = document.textDocument.getText({ start: { line: position.line, character: 0 }, end: { line: position.line + 1, character: 0 } }).trim();
    const isIndented = begun === '' || (begun.startsWith('}') && !wholeOf(document));
    return isIndented ? [...found.filter(({ range }) => range.end.line < position.line), ...this.#indentation(document, options, position.line)] : found;
  }

  /** The outermost statement or block that parses by itself, of those that the last word before a place is in. */
  #partBefore(document: LangiumDocument, position: Position): Piece | undefined {
    const { parseResult, textDocument } = document;
    const root = parseResult.value.$cstNode;
    const leaf = root && CstUtils.findLeafNodeBeforeOffset(root, textDocument.offsetAt(position) - 1);
    const around: AstNode[] = [];
    for (let node = leaf?.astNode; node && !ast.isFile(node); node = node.$container) around.unshift(node);
    const declaration = declarationBefore(document, textDocument.offsetAt(position));
    for (const [depth, node] of around.entries()) {
      const { $type, $cstNode: whole } = node;
      if (!whole || !isStatement(node) || (whole.offset === declaration && !ast.isItem(node))) continue;
      const { value, lexerErrors, parserErrors } = this.parser.LangiumParser.parse(whole.text, { rule: $type });
      if (lexerErrors.length === 0 && parserErrors.length === 0) return { root: value, start: whole.offset, depth };
    }
    // Behind a block without an end the parser takes the head of a declaration for a use of what it declares.
    if (declaration === undefined) return undefined;
    const text = textDocument.getText().slice(declaration, textDocument.offsetAt(position));
    const { value, lexerErrors, parserErrors } = this.parser.LangiumParser.parse(text, { rule: 'Item' });
    return lexerErrors.length === 0 && parserErrors.length === 0 ? { root: value, start: declaration, depth: 0 } : undefined;
  }

  /** Indents a line as deep as it is in blocks; also where the rest of the file is not whole. */
  #indentation(document: LangiumDocument, options: FormattingOptions, line: number): TextEdit[] {
    const { textDocument } = document;
    const whole = textDocument.getText();
    const start = textDocument.offsetAt({ line, character: 0 });
    const [text = '', blank = ''] = /^([^\S\r\n]*)[^\r\n]*/.exec(whole.slice(start)) ?? [];
    // What is not closed before a declaration is not around it.
    const from = declarationBefore(document, start) ?? 0;
    const { tokens, hidden } = this.parser.Lexer.tokenize(whole.slice(from, start + text.length + 1));
    const comment = hidden.findLast(({ tokenType, startOffset }) => tokenType.name === 'BLOCK_COMMENT' && startOffset < start - from);
    if (comment && (comment.startOffset + comment.image.length > start - from || !/^\/\*[^]*\*\/$/.test(comment.image))) return [];
    let depth = text.trimStart().startsWith('}') ? -1 : 0;
    for (const { image, startOffset } of tokens) {
      if (startOffset >= start - from) break;
      if (image === '{') depth++;
      else if (image === '}') depth--;
    }
    const indent = unitOf(options).repeat(Math.max(0, depth));
    return blank === indent ? [] : [{ range: { start: { line, character: 0 }, end: { line, character: blank.length } }, newText: indent }];
  }
}

function wholeOf({ parseResult }: LangiumDocument): Piece | undefined {
  if (parseResult.lexerErrors.length > 0 || parseResult.parserErrors.length > 0) return undefined;
  return { root: parseResult.value, start: 0, depth: 0 };
}

/** Where the last declaration begins before an offset, as far as the words say so with which lines begin. */
function declarationBefore({ parseResult, textDocument }: LangiumDocument, offset: number): number | undefined {
  const root = parseResult.value.$cstNode;
  const text = textDocument.getText().slice(0, offset);
  const starts = [...text.matchAll(/^[ \t]*(?=(?:chip|guest|scenario|campaign)\b[^\n{]*\{)/gm)].map(({ 0: blank, index }) => index + blank.length);
  return starts.findLast((start) => root !== undefined && CstUtils.findLeafNodeAtOffset(root, start)?.hidden !== true);
}

function inside(part: Range, whole: Range): boolean {
  return part.start.line >= whole.start.line && part.end.line <= whole.end.line;
}

/** The line in which the block begins that a brace at a place ends. */
function openingLine({ textDocument }: LangiumDocument, { root, start }: Piece, position: Position): number | undefined {
  const end = textDocument.offsetAt(position) - start;
  const open: number[] = [];
  for (const { text, offset } of root.$cstNode ? leaves(root.$cstNode) : []) {
    if (offset >= end) break;
    if (text === '{') open.push(offset);
    else if (text === '}') {
      const opening = open.pop();
      if (offset + 1 === end && opening !== undefined) return textDocument.positionAt(start + opening).line;
    }
  }
  return undefined;
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

function edits({ textDocument }: LangiumDocument, piece: Piece | undefined, options: FormattingOptions): TextEdit[] {
  if (!piece?.root.$cstNode || hasOpenLiteral(piece.root, textDocument)) return [];
  const { root, start } = piece;
  const isWhole = ast.isFile(root);
  const text = textDocument.getText().slice(start);
  const tokens = tokensOf(root);
  const unit = unitOf(options);
  const oneLine = blocksOnOneLine(tokens, text);
  const found: TextEdit[] = [];
  const lineEnd = lineEndOf(textDocument.getText());
  const change = (offset: number, end: number, plain: string): void => {
    const newText = plain.replaceAll('\n', lineEnd);
    if (text.slice(offset, end) === newText) return;
    found.push({ range: { start: textDocument.positionAt(start + offset), end: textDocument.positionAt(start + end) }, newText });
  };
  let { depth } = piece;
  let flat = 0;
  tokens.forEach((token, index) => {
    const previous = tokens[index - 1];
    if (token.text === '}') {
      if (flat > 0) flat--;
      else depth--;
    }
    const gap = text.slice(previous?.end ?? 0, token.offset);
    if (!previous) {
      if (isWhole) change(0, token.offset, '');
      else found.push(...leadingEdit(textDocument, start, unit.repeat(depth)));
    } else {
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
  if (isWhole) change(last?.end ?? 0, text.length, last ? '\n' : '');
  return found;
}

/** Indents the line in which a part begins, if nothing stands before it there. */
function leadingEdit(textDocument: LangiumDocument['textDocument'], start: number, indent: string): TextEdit[] {
  const end = textDocument.positionAt(start);
  const range = { start: { line: end.line, character: 0 }, end };
  const blank = textDocument.getText(range);
  return blank === indent || /\S/.test(blank) ? [] : [{ range, newText: indent }];
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
function hasOpenLiteral(root: AstNode, textDocument: LangiumDocument['textDocument']): boolean {
  const reporter = new Reporter('', textDocument);
  for (const leaf of leaves(root.$cstNode as CstNode)) reportLiteral(leaf, reporter);
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
