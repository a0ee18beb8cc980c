import type { LexerResult } from 'langium';

export type Token = LexerResult['tokens'][number];
type LexingError = LexerResult['errors'][number];

/** A text and its tokens, each list in the order of the text. */
export interface Lexed {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** Comments. */
  readonly hidden: readonly Token[];
  readonly errors: readonly LexingError[];
}

/** A part of the text that can be taken as it is where no character of it changes. */
export interface Section {
  readonly first: Token;
}

export interface Relexed<S extends Section> extends Lexed {
  /** The sections that stay, in order. */
  readonly usable: readonly S[];
  /** Those of them that stand behind the change. */
  readonly moved: readonly S[];
  /** How far they have moved, in characters and in lines. */
  readonly by: number;
  readonly lines: number;
}

export type Lex = (part: string) => Omit<Lexed, 'text'>;

/**
 * The tokens of the next text of a document, of which only those are made anew that
 * an edit may have changed: from the beginning of a section to that of another one.
 * Those behind are moved in place, so the former lists are of no use afterwards.
 * Undefined where no section stays.
 *
 * It is sound since a token that is no block comment ends in its line, and whether it
 * matches depends on that line alone. So a text can be read from the first token of
 * any line on, and reading it has come in step with the former text where there is
 * white space, with the end of a line, before such a token: a comment that goes on
 * leaves none.
 */
export function relexed<S extends Section>(before: Lexed, text: string, sections: readonly S[], lex: Lex): Relexed<S> | undefined {
  const { from, end } = changed(before.text, text);
  const by = text.length - before.text.length;
  const begin = sections.findLastIndex(({ first }) => first.startOffset < from && lineOf(before.text, first.startOffset) >= 0);
  const start = sections[begin]?.first;
  const startOffset = start?.startOffset ?? 0;
  const behind = sections.findIndex(({ first }) => lineOf(before.text, first.startOffset) > end);
  // At each failure twice as far, so that a comment without an end costs little more than reading the whole text.
  for (let ahead = 0; behind >= 0 && behind + ahead < sections.length; ahead = 2 * ahead + 1) {
    const next = sections[behind + ahead]!.first;
    if (lineOf(before.text, next.startOffset) < 0) continue;
    const part = text.slice(startOffset, next.startOffset + by);
    const anew = lex(part);
    if (!isSettled(part, anew)) continue;
    const lines = linesIn(part) - linesIn(before.text.slice(startOffset, next.startOffset));
    const moved = sections.slice(behind + ahead);
    return { ...joined(before, anew, text, start, { next: next.startOffset, by, lines }), usable: [...sections.slice(0, Math.max(0, begin)), ...moved], moved, by, lines };
  }
  if (begin <= 0) return undefined;
  const anew = lex(text.slice(startOffset));
  return { ...joined(before, anew, text, start, { next: Infinity, by, lines: 0 }), usable: sections.slice(0, begin), moved: [], by, lines: 0 };
}

/** The first character that differs, and the former offset from which on all are the same. */
function changed(before: string, after: string): { from: number; end: number } {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before.charCodeAt(from) === after.charCodeAt(from)) from++;
  let same = 0;
  while (same < shorter - from && before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same)) same++;
  return { from, end: before.length - same };
}

/** Where the line of an offset begins, if there is nothing but white space before it; else -1. */
export function lineOf(text: string, offset: number): number {
  let at = offset;
  while (at > 0 && (text[at - 1] === ' ' || text[at - 1] === '\t')) at--;
  return at === 0 || text[at - 1] === '\n' || text[at - 1] === '\r' ? at : -1;
}

/** True if a part of a text, up to a token that begins a line, was read without running on into that line. */
export function isSettled(part: string, { tokens, hidden, errors }: Omit<Lexed, 'text'>): boolean {
  const error = errors.at(-1);
  const end = Math.max(endOf(tokens.at(-1)), endOf(hidden.at(-1)), error ? error.offset + error.length : 0);
  return /^\s+$/.test(part.slice(end));
}

function endOf(token: Token | undefined): number {
  return token ? token.startOffset + token.image.length : 0;
}

/** As the lexer counts them. */
function linesIn(text: string): number {
  return text.match(/\n|\r\n?/g)?.length ?? 0;
}

function joined(before: Lexed, anew: Omit<Lexed, 'text'>, text: string, start: Token | undefined, { next, by, lines }: { next: number; by: number; lines: number }): Lexed {
  const offset = start?.startOffset ?? 0;
  const line = (start?.startLine ?? 1) - 1;
  const column = (start?.startColumn ?? 1) - 1;
  const head = <T>(list: readonly T[], of: (one: T) => number): T[] => list.slice(0, indexFrom(list, of, offset));
  const tail = <T>(list: readonly T[], of: (one: T) => number): T[] => list.slice(indexFrom(list, of, next));
  const place = (one: Token): Token => {
    // Columns of what stands in the line at which reading began.
    if (one.startLine === 1) one.startColumn! += column;
    if (one.endLine === 1) one.endColumn! += column;
    return moveToken(one, offset, line);
  };
  const tokensOf = (list: readonly Token[], fresh: readonly Token[]): Token[] => [
    ...head(list, startOf),
    ...fresh.map(place),
    ...tail(list, startOf).map((one) => moveToken(one, by, lines)),
  ];
  const errorsOf = (list: readonly LexingError[], fresh: readonly LexingError[]): LexingError[] => [
    ...head(list, ({ offset: at }) => at),
    ...fresh.map((one) => ({ ...one, offset: one.offset + offset, line: (one.line ?? 1) + line, column: (one.column ?? 1) + (one.line === 1 ? column : 0) })),
    ...tail(list, ({ offset: at }) => at).map((one) => ({ ...one, offset: one.offset + by, line: (one.line ?? 1) + lines })),
  ];
  return { text, tokens: tokensOf(before.tokens, anew.tokens), hidden: tokensOf(before.hidden, anew.hidden), errors: errorsOf(before.errors, anew.errors) };
}

const startOf = (token: Token): number => token.startOffset;

/** The index of the first one that begins at an offset or behind it. */
function indexFrom<T>(list: readonly T[], of: (one: T) => number, offset: number): number {
  let low = 0;
  for (let high = list.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (of(list[middle]!) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function moveToken(token: Token, by: number, lines: number): Token {
  if (by === 0 && lines === 0) return token;
  token.startOffset += by;
  token.endOffset! += by;
  token.startLine! += lines;
  token.endLine! += lines;
  return token;
}
