import type { ParseResult } from 'langium';
import type { Diagnostic, Fix, Span } from './diagnostic';
import type { Lex, Lexed, Token } from './relexing';
import { endOf, Source } from './slip-source';

export type Kinds = Readonly<Record<string, Token['tokenType']>>;
type ParserError = ParseResult['parserErrors'][number];

/** A slip of which is known what was meant. */
export interface Slip extends Pick<Diagnostic, 'code' | 'message'> {
  readonly span: Span;
  readonly fixes: Fix[];
}

/** What is read in the place of the next tokens. */
export interface Mend {
  /** How many tokens it stands for. */
  readonly take: number;
  readonly put: readonly Token[];
  /** What is to be read behind it, for slips too, before the other tokens. */
  readonly rest?: readonly Token[];
  /** What stands in parentheses that are left out, so that a slip which is all of it is one mistake with them. */
  readonly within?: Span;
  /** Undefined where validation reports it, which knows more. */
  readonly slip?: Slip;
}

/** The mend of what comes next, where it is a slip. */
export type SlipRule = (reading: Reading) => Mend | undefined;

/** An error of the parser's list that says what was meant. The tree is whole in spite of it. */
export type SlipError = ParserError & { readonly slip: Slip };

/** A token that the text does not have, and what stands around it there. */
interface Missing extends Token {
  readonly previous: Token | undefined;
  readonly next: Token | undefined;
}

/** How many tokens all looks ahead for the end of a block may take together. */
const farthestLooks = 200_000;

/** The words whose blocks are told apart. */
const blockWords: ReadonlySet<string> = new Set(['chip', 'guest', 'scenario', 'campaign', 'protect', 'inject', 'beside', 'timing', 'costs']);

/** A block that is open, by the word at its head. */
interface Block {
  readonly word: string | undefined;
  readonly line: number;
  /** What stands where it begins. */
  readonly mark: string;
}

/** The tokens of a text, with what has been made of those before the next one. */
export class Reading {
  readonly text: string;
  readonly put: Token[] = [];
  readonly blocks: Block[] = [];
  readonly #source: Source;
  #head: { word: string; line: number } | undefined;
  #looked = 0;
  /** How many of the open blocks have no word at their head. */
  #unknown = 0;

  constructor(
    lexed: Lexed,
    private readonly kinds: Kinds,
    lex: Lex,
  ) {
    this.text = lexed.text;
    this.#source = new Source(lexed, lex);
  }

  /** The next token, or one behind it. */
  token(ahead = 0): Token | undefined {
    return this.#source.token(ahead);
  }

  /** Its kind: a keyword is one of its own. Empty where there is none. */
  kind(ahead = 0): string {
    return this.token(ahead)?.tokenType.name ?? '';
  }

  /** The last token before, or one before that, as mended. */
  before(back = 1): Token | undefined {
    return this.put.at(-back);
  }

  kindBefore(back = 1): string {
    return this.put.at(-back)?.tokenType.name ?? '';
  }

  image(ahead = 0): string {
    return this.token(ahead)?.image ?? '';
  }

  /** The word at the head of the innermost block. */
  get block(): string | undefined {
    return this.blocks.at(-1)?.word;
  }

  /** True if all blocks that are open have begun as blocks do. */
  get isInOrder(): boolean {
    return this.#unknown === 0;
  }

  /** True if nothing stands before a token in its line. */
  beginsLine(ahead = 0): boolean {
    const token = this.token(ahead);
    const before = ahead > 0 ? this.token(ahead - 1) : this.before();
    return token !== undefined && (!before || endLine(before) < line(token));
  }

  /** True if a token follows the one before it without a gap. */
  adjoins(ahead: number): boolean {
    const [before, token] = [this.token(ahead - 1), this.token(ahead)];
    return before !== undefined && token !== undefined && endOf(before) === token.startOffset;
  }

  /** From the beginning of one token to the end of another. */
  span(from = 0, to = from): Span {
    const [first, last] = [this.token(from), this.token(to)];
    return { offset: first?.startOffset ?? 0, end: last ? endOf(last) : 0 };
  }

  textOf({ offset, end }: Span): string {
    return this.text.slice(offset, end);
  }

  /** The match of a pattern (sticky) at the beginning of the next token. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.token()?.startOffset ?? 0;
    return pattern.exec(this.text);
  }

  /** Where the line of the next token ends. */
  lineEnd(): number {
    return (this.match(/[^\r\n]*/y)?.[0].length ?? 0) + (this.token()?.startOffset ?? 0);
  }

  /** A token in the line of the next one, for a part of the text. */
  make(kind: string, { offset, end }: Span): Token {
    const base = this.token() as Token;
    const startColumn = base.startColumn! + offset - base.startOffset;
    return this.#as(kind, {
      ...base,
      image: this.text.slice(offset, end),
      startOffset: offset,
      endOffset: end - 1,
      endLine: base.startLine!,
      startColumn,
      endColumn: startColumn + end - offset - 1,
    });
  }

  /** A token of the text, read as one of another kind. */
  as(kind: string, ahead = 0): Token {
    return this.#as(kind, this.token(ahead) as Token);
  }

  /** A token that the text does not have, before the next one or one behind it. */
  missing(kind: string, ahead = 0): Missing {
    const [previous, next] = [writtenBefore(ahead > 0 ? this.token(ahead - 1) : this.before()), this.token(ahead)];
    const beside = previous ?? next;
    const startOffset = previous ? endOf(previous) : (next?.startOffset ?? 0);
    const place = { startLine: beside?.startLine ?? 1, startColumn: beside?.startColumn ?? 1, endLine: beside?.startLine ?? 1, endColumn: beside?.startColumn ?? 1 };
    // As the parser's own insertions, it leaves no trace in the tree of the text.
    const token = this.#as(kind, { image: '', startOffset, endOffset: startOffset - 1, ...place, tokenTypeIdx: -1, tokenType: { name: kind }, isInsertedInRecovery: true });
    return { ...token, previous, next };
  }

  /** Takes the text up to an offset in the line for one token, once that is known to be meant: see {@link Source.upTo}. */
  upTo(end: number): { take: number; rest: Token[] } | undefined {
    return this.#source.upTo(end);
  }

  /** All comments, as they have been read. */
  get hidden(): Token[] {
    return this.#source.hidden;
  }

  /** True if the next token is not the one of the text as it was read at first. */
  get isAnew(): boolean {
    return this.#source.isAnew;
  }

  /** False where more has been looked at than a file with few mistakes needs. */
  look(): boolean {
    return ++this.#looked < farthestLooks;
  }

  /** Passes over the next tokens; others may stand before those that come then. */
  skip(count: number, rest: readonly Token[] = []): void {
    this.#source.skip(count, rest);
  }

  /** Takes tokens as they are to be read. */
  take(tokens: readonly Token[]): void {
    for (const token of tokens) this.takeOne(token);
  }

  takeOne(token: Token): void {
    const word = token.tokenType.name;
    if (word === '{') {
      if (!this.#head) this.#unknown++;
      this.blocks.push({ word: this.#head?.word, line: this.#head?.line ?? line(token), mark: token.image });
      this.#head = undefined;
    } else if (word === '}') {
      const closed = this.blocks.pop();
      if (closed && closed.word === undefined) this.#unknown--;
      this.#head = undefined;
    } else if (blockWords.has(word) && !(word === 'guest' && this.kindBefore() === 'beside')) this.#head = { word, line: line(token) };
    this.put.push(token);
  }

  #as(kind: string, token: Token): Token {
    const tokenType = this.kinds[kind] as Token['tokenType'];
    return { ...token, tokenType, tokenTypeIdx: tokenType.tokenTypeIdx! };
  }
}

function isMissing(token: object): token is Missing {
  return 'previous' in token && 'next' in token;
}

/** The token itself if the text has it, else the one before its place there; undefined at the beginning of the text. */
export function writtenBefore<T extends object>(token: T | undefined): T | Token | undefined {
  return token && isMissing(token) ? token.previous : token;
}

/** The token itself if the text has it, else the one behind its place there; undefined at the end of the text. */
export function writtenBehind<T extends object>(token: T | undefined): T | Token | undefined {
  return token && isMissing(token) ? token.next : token;
}

/** True of the errors that slips have become. */
export function isSlip(error: ParserError): error is SlipError {
  return 'slip' in error;
}

export function line(token: Token): number {
  return token.startLine ?? 0;
}

function endLine(token: Token): number {
  return token.endLine ?? 0;
}
