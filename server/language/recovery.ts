import type { ParseResult } from 'langium';
import type { Token } from './relexing';

/** Behind so many mistakes no more is read: nobody can be told of more, and coming back from each takes its time. */
export const mostMistakes = 1000;

/** What a message is made of where none of several alternatives fits. */
interface NoAlternative {
  expectedPathsPerAlt: unknown;
  actual: Token[];
  previous: Token;
  customUserDescription?: string | undefined;
  ruleName: string;
}

/** What the parser's own class keeps to itself (Chevrotain, as of Langium 4.2.1). */
export interface Recovering {
  input: Token[];
  tokVectorLength: number;
  _errors: ParseResult['parserErrors'];
  SAVE_ERROR(error: Error): Error;
  readonly maxLookahead: number;
  readonly errorMessageProvider: { buildNoViableAltMessage(about: NoAlternative): string };
  getCurrRuleFullName(): string;
  readonly RULE_STACK: readonly number[];
  readonly RULE_OCCURRENCE_STACK: readonly number[];
  flattenFollowSet(): readonly Token['tokenType'][];
  findReSyncTokenType(): Token['tokenType'];
  raiseNoAltException(occurrence: number, description: string | undefined): never;
  LA(ahead: number): Token;
  exportLexerState(): number;
}

/**
 * Bounds what mistakes cost: the parser works out anew at each one what it could
 * have worked out once, and text may have nothing but mistakes in it. Messages and
 * trees are those of the parser without it, up to the last mistake that counts.
 */
export class Recovery {
  readonly #parser: Recovering;
  /** By the rules that are being read, from which token on and where one of them could go on. */
  readonly #goesOnAt = new Map<string, { from: number; at: number; kind: Token['tokenType'] }>();

  constructor(parser: Recovering) {
    this.#parser = parser;
    const save = parser.SAVE_ERROR.bind(parser);
    parser.SAVE_ERROR = (error) => {
      const saved = save(error);
      if (parser._errors.length >= mostMistakes) this.#endReading();
      return saved;
    };
    this.#keepAlternatives();
    parser.findReSyncTokenType = () => this.#nextToGoOnAt();
  }

  /** Before each text. */
  begin(): void {
    this.#goesOnAt.clear();
  }

  /** The parser works out what could have stood in a place at each mistake there, in milliseconds; the grammar is always the same. */
  #keepAlternatives(): void {
    const parser = this.#parser;
    const messages = parser.errorMessageProvider;
    type Mistake = new (message: string, token: Token | undefined, previous: Token) => Error;
    const known = new Map<string, { expected: unknown; Mistake: Mistake }>();
    let expected: unknown;
    const build = messages.buildNoViableAltMessage.bind(messages);
    messages.buildNoViableAltMessage = (about) => {
      expected = about.expectedPathsPerAlt;
      return build(about);
    };
    const raise = parser.raiseNoAltException.bind(parser);
    parser.raiseNoAltException = (occurrence, description) => {
      const ruleName = parser.getCurrRuleFullName();
      const place = `${occurrence} ${ruleName}`;
      const kept = known.get(place);
      if (kept) {
        const actual = Array.from({ length: parser.maxLookahead }, (_, i) => parser.LA(i + 1));
        const previous = parser.LA(0);
        const message = build({ expectedPathsPerAlt: kept.expected, actual, previous, customUserDescription: description, ruleName });
        throw parser.SAVE_ERROR(new kept.Mistake(message, actual[0], previous));
      }
      try {
        return raise(occurrence, description);
      } catch (error) {
        known.set(place, { expected, Mistake: (error as Error).constructor as Mistake });
        throw error;
      }
    };
  }

  /**
   * The kind of the next token at which one of the rules that are being read could go on. The parser's own looks for it anew, to the end of
   * the file if need be, at each mistake. What was found from an earlier token on is still the next one if it is not behind; no token is of two kinds.
   */
  #nextToGoOnAt(): Token['tokenType'] {
    const parser = this.#parser;
    const from = parser.exportLexerState() + 1;
    const rules = `${parser.RULE_STACK.join()} ${parser.RULE_OCCURRENCE_STACK.join()}`;
    const known = this.#goesOnAt.get(rules);
    if (known && known.from <= from && from <= known.at) return known.kind;
    const follows = new Set(parser.flattenFollowSet());
    let at = from;
    while (!follows.has(parser.LA(at - from + 1).tokenType)) at++;
    const kind = parser.LA(at - from + 1).tokenType;
    this.#goesOnAt.set(rules, { from, at, kind });
    return kind;
  }

  /** Lets the text end here. That it does is no mistake of its own. */
  #endReading(): void {
    const parser = this.#parser;
    parser._errors.length = mostMistakes;
    parser.input.length = parser.tokVectorLength = Math.min(parser.input.length, parser.exportLexerState() + 1);
    // What was found is behind the end now.
    this.#goesOnAt.clear();
  }
}
