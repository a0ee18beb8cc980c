import type { LexerResult } from 'langium';
import { isSettled, lineOf, type Lex, type Lexed, type Token } from './relexing';

export type LexingError = LexerResult['errors'][number];

/** How many characters may be read anew in all: where lines are long and full of slips, each would cost its line. */
const mostAnew = 2_000_000;

/** What the characters are called that are no token. */
export const noToken = 'ERROR';

/** The tokens of a text that have not been taken, of which those behind a slip may be read anew. */
export class Source {
  readonly #text: string;
  /** The next one last. */
  readonly #coming: Token[];
  /** Comments, the next one last, and those before where the text was last looked at. */
  readonly #comments: Token[];
  readonly #passed: Token[] = [];
  /** How many characters have been read anew, and where the last of them is. */
  #anew = 0;
  #anewEnd = 0;

  constructor(
    { text, tokens, hidden, errors }: Lexed,
    private readonly lex: Lex,
  ) {
    this.#text = text;
    this.#coming = [...withErrors(tokens, errors, text)].reverse();
    this.#comments = [...hidden].reverse();
  }

  /** The next token, or one behind it. */
  token(ahead = 0): Token | undefined {
    return this.#coming[this.#coming.length - 1 - ahead];
  }

  /** Passes over the next tokens; others may stand before those that come then. */
  skip(count: number, rest: readonly Token[]): void {
    // One by one, as it is nearly always one: setting the length costs more.
    for (let i = 0; i < count; i++) this.#coming.pop();
    for (let last = rest.length - 1; last >= 0; last--) this.#coming.push(rest[last]!);
  }

  /**
   * Takes the text up to an offset in the line for one token, once that is known to be meant. Where it is not the end of what stands there, or
   * a comment follows, the text behind it is read anew, as if it began there, up to a line from which on it is the same as before. Undefined
   * where that costs too much.
   */
  upTo(end: number): { take: number; rest: Token[] } | undefined {
    let take = 0;
    while (this.token(take) && this.token(take)!.startOffset < end) take++;
    const last = this.token(take - 1);
    const isWhole = !last || endOf(last) <= end;
    if (isWhole && !this.#hasComment(end, this.token(take)?.startOffset)) return { take, rest: [] };
    // At each failure twice as far, so that a comment without an end costs little more than reading to the end.
    for (let step = 1; this.#anew < mostAnew; step *= 2) {
      for (let lines = 0; this.token(take) && !(this.#isFirst(this.token(take)!) && ++lines >= step); ) take++;
      const stop = this.token(take)?.startOffset ?? this.#text.length;
      const part = this.#text.slice(end, stop);
      this.#anew += part.length;
      if (this.#anew > mostAnew) return undefined;
      const lexed = this.lex(part);
      if (stop === this.#text.length || isSettled(part, lexed)) return { take, rest: this.#readAnew(lexed, part, end) };
      take++;
    }
    return undefined;
  }

  /** True of the first token of a line. */
  #isFirst(token: Token): boolean {
    return lineOf(this.#text, token.startOffset) >= 0;
  }

  /** True if part of a comment is between two places. */
  #hasComment(from: number, end = Infinity): boolean {
    for (let next = this.#comments.at(-1); next && endOf(next) <= from; next = this.#comments.at(-1)) this.#passed.push(this.#comments.pop()!);
    const next = this.#comments.at(-1);
    return next !== undefined && next.startOffset < end;
  }

  /** The tokens of a part that begins in the line of the next token; its comments take the places of those there were. */
  #readAnew({ tokens, hidden, errors }: Omit<Lexed, 'text'>, part: string, offset: number): Token[] {
    const stop = offset + part.length;
    this.#anewEnd = Math.max(this.#anewEnd, stop);
    while (this.#hasComment(offset, stop)) this.#comments.pop();
    for (const comment of this.#placed(hidden, offset).reverse()) this.#comments.push(comment);
    return this.#placed(withErrors(tokens, errors, part), offset);
  }

  #placed(tokens: readonly Token[], offset: number): Token[] {
    const base = this.token() as Token;
    const lines = base.startLine! - 1;
    const columns = base.startColumn! + offset - base.startOffset - 1;
    return tokens.map((token) => ({
      ...token,
      startOffset: token.startOffset + offset,
      endOffset: token.endOffset! + offset,
      startLine: token.startLine! + lines,
      endLine: token.endLine! + lines,
      startColumn: token.startColumn! + (token.startLine === 1 ? columns : 0),
      endColumn: token.endColumn! + (token.endLine === 1 ? columns : 0),
    }));
  }

  /** All comments, as they have been read. */
  get hidden(): Token[] {
    return [...this.#passed, ...[...this.#comments].reverse()];
  }

  /** True if the next token is not the one of the text as it was read at first. */
  get isAnew(): boolean {
    return (this.token()?.startOffset ?? 0) < this.#anewEnd;
  }
}

/** The tokens, and between them what is none. */
function withErrors(tokens: readonly Token[], errors: readonly LexingError[], text: string): readonly Token[] {
  if (errors.length === 0) return tokens;
  const all: Token[] = [];
  let next = 0;
  const add = (before: number): void => {
    for (; next < errors.length && errors[next]!.offset < before; next++) all.push(asToken(errors[next]!, text));
  };
  for (const token of tokens) {
    add(token.startOffset);
    all.push(token);
  }
  add(Infinity);
  return all;
}

function asToken({ offset, length, line: startLine = 1, column = 1 }: LexingError, text: string): Token {
  const end = offset + length;
  return {
    image: text.slice(offset, end),
    startOffset: offset,
    endOffset: end - 1,
    startLine,
    endLine: startLine,
    startColumn: column,
    endColumn: column + length - 1,
    tokenType: { name: noToken },
    tokenTypeIdx: -1,
  };
}

export function endOf(token: Token): number {
  return token.startOffset + token.image.length;
}
