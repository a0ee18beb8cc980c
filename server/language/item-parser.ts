import { AstUtils, createParser, isCompositeCstNode, LangiumParser, type AstNode, type CompositeCstNode, type CstNode, type LangiumCoreServices, type ParseResult } from 'langium';
import * as ast from './generated/ast';
import { Recovery, type Recovering } from './recovery';
import { relexed, type Lexed, type Token } from './relexing';
import { mended } from './slips';

type Repeated = Parameters<LangiumParser['many']>[1];

/** An item that was read without a mistake. */
interface Piece {
  readonly node: ast.Item;
  readonly cst: CompositeCstNode;
  readonly first: Token;
  readonly last: Token;
  readonly tokens: number;
}

/** What stays of a parse for the next one. */
interface Kept extends Lexed {
  readonly root: Root;
  readonly pieces: readonly Piece[];
}

type Root = CompositeCstNode & { _text: string; _rangeCache: unknown };

/** What the parser's own classes keep to themselves (Langium 4.2.1). */
interface Inner {
  stack: AstNode[];
  nodeBuilder: { rootNode: Root; nodeStack: CompositeCstNode[]; buildRootNode(text: string): Root; addHiddenNodes(tokens: readonly Token[]): void };
  wrapper: Recovering & { importLexerState(index: number): void };
  extractHiddenTokens(token: Token): Token[];
  doParse(rule: unknown): ast.File;
}

/**
 * A parser that takes the items of a file which an edit has not touched as they
 * are. It gives the same as reading the whole text: an item that was read without
 * a mistake says nothing to what follows it, and the parser looks at no token
 * beyond its end. So at the beginning of such an item, in the loop over the
 * file's items, its tokens are passed over and its nodes put in place. Slips are
 * mended before, in all of the text: what they are may depend on what is far away.
 */
export class ItemParser extends LangiumParser {
  readonly #kept = new WeakMap<ParseResult, Kept>();
  readonly #inner = this as unknown as Inner;
  /** Of the text that is being read: comments, and how many of them have been put in place. */
  #hidden: readonly Token[] = [];
  #placed = 0;
  /** What may be taken as it is, by its first token. */
  #usable: ReadonlyMap<Token, Piece> = new Map();
  #pieces: Piece[] = [];
  /** Where slips were mended, ascending. */
  #mended: readonly number[] = [];
  #isWholeFile = false;
  readonly #recovery: Recovery;

  constructor(services: LangiumCoreServices) {
    super(services);
    const { nodeBuilder, wrapper } = this.#inner;
    // The parser's own takes comments from the front of a list, which takes long for a long list.
    this.#inner.extractHiddenTokens = ({ startOffset }) => this.#hiddenUpTo(startOffset);
    // And it looks for the place of no comments among all that is around a token.
    const addHiddenNodes = nodeBuilder.addHiddenNodes.bind(nodeBuilder);
    nodeBuilder.addHiddenNodes = (tokens) => {
      if (tokens.length > 0) addHiddenNodes(tokens);
    };
    this.#recovery = new Recovery(wrapper);
  }

  override parse<T extends AstNode = AstNode>(input: string, options: { rule?: string } = {}): ParseResult<T> {
    const { tokens, hidden, errors, report } = this.lexer.tokenize(input);
    return this.#read(input, { text: input, tokens, hidden, errors }, options.rule, undefined, report) as ParseResult<T>;
  }

  /** Reads the next text of a document. `previous` is of no use afterwards: its nodes become those of the new one. */
  reparse(text: string, previous: ParseResult): ParseResult {
    const kept = this.#kept.get(previous);
    const lexed = kept && relexed(kept, text, kept.pieces, (part) => this.lexer.tokenize(part));
    if (!lexed) return this.parse(text);
    const { usable, moved, by, lines } = lexed;
    for (const { cst } of moved) if (by !== 0 || lines !== 0) move(cst, by, lines);
    return this.#read(text, lexed, undefined, { root: kept.root, usable }, { diagnostics: [] });
  }

  /** The places at which the file's items begin that were read without a mistake, ascending. */
  startsOf(result: ParseResult): readonly number[] {
    return this.#kept.get(result)?.pieces.map(({ first }) => first.startOffset) ?? [];
  }

  #read(text: string, lexed: Lexed, rule: string | undefined, before: { root: Root; usable: readonly Piece[] } | undefined, report: ParseResult['lexerReport']): ParseResult {
    const { nodeBuilder, wrapper } = this.#inner;
    const { tokens, hidden, errors, slips, places } = mended(lexed, this.lexer.definition, (part) => this.lexer.tokenize(part));
    this.#mended = places;
    const start = rule === undefined ? this.mainRule : this.allRules.get(rule);
    if (!start) throw new Error(`No rule found with name '${rule}'`);
    if (before) {
      const { root } = before;
      root.content.length = 0;
      root._text = text;
      root._rangeCache = undefined;
      nodeBuilder.rootNode = root;
      nodeBuilder.nodeStack = [root];
    } else nodeBuilder.buildRootNode(text);
    const root = nodeBuilder.rootNode;
    const usable = new Map(before?.usable.flatMap((piece) => (this.#isMended(piece.first, piece.last) ? [] : [[piece.first, piece]])));
    this.#usable = usable;
    this.#pieces = [];
    this.#isWholeFile = start === this.mainRule;
    this.#hidden = hidden;
    this.#placed = 0;
    this.#recovery.begin();
    wrapper.input = [...tokens];
    const value = this.#inner.doParse(start);
    nodeBuilder.addHiddenNodes(this.#hiddenUpTo(Infinity));
    this.unorderedGroups.clear();
    this.#link(value);
    const result: ParseResult = { value, lexerErrors: [...errors], parserErrors: [...wrapper._errors, ...slips], ...(report && { lexerReport: report }) };
    if (this.#isWholeFile) this.#kept.set(result, { ...lexed, text, root, pieces: this.#pieces });
    return result;
  }

  /** Tells nodes where they are; those that were taken as they are know it of themselves. */
  #link(value: AstNode): void {
    const taken = new Set<unknown>(this.#usable.size > 0 ? this.#pieces.flatMap(({ first, node }) => (this.#usable.has(first) ? [node] : [])) : []);
    if (!ast.isFile(value) || taken.size === 0) {
      AstUtils.linkContentToContainer(value, { deep: true });
      return;
    }
    AstUtils.linkContentToContainer(value);
    for (const item of value.items) if (!taken.has(item)) AstUtils.linkContentToContainer(item, { deep: true });
  }

  override many(idx: number, callback: Repeated): void {
    // Only the rule of the whole file has nothing around it.
    if (this.isRecording() || !this.#isWholeFile || this.#inner.stack.length !== 1) super.many(idx, callback);
    else super.many(idx, { ...callback, DEF: () => this.#item(callback.DEF) });
  }

  #item(read: () => unknown): void {
    const { stack, nodeBuilder, wrapper } = this.#inner;
    const file = stack[0] as { items?: ast.Item[] };
    const { content } = nodeBuilder.rootNode;
    const first = wrapper.LA(1);
    const kept = this.#usable.get(first);
    if (kept) {
      nodeBuilder.addHiddenNodes(this.#hiddenUpTo(first.startOffset));
      content.push(kept.cst);
      (file.items ??= []).push(kept.node);
      this.#hiddenUpTo(kept.last.startOffset);
      wrapper.importLexerState(wrapper.exportLexerState() + kept.tokens);
      this.#pieces.push(kept);
      return;
    }
    const before = wrapper.exportLexerState();
    const mistakes = wrapper._errors.length;
    read();
    const cst = content.at(-1);
    const node = file.items?.at(-1);
    if (wrapper._errors.length > mistakes || !cst || !isCompositeCstNode(cst) || !node || this.#isMended(first, wrapper.LA(0))) return;
    this.#pieces.push({ node, cst, first, last: wrapper.LA(0), tokens: wrapper.exportLexerState() - before });
  }

  /** True if a slip was mended in what reaches from one token to another, so that it is not as it is written. */
  #isMended(first: Token, last: Token): boolean {
    let low = 0;
    for (let high = this.#mended.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#mended[middle]! < first.startOffset) low = middle + 1;
      else high = middle;
    }
    return low < this.#mended.length && this.#mended[low]! <= last.startOffset;
  }

  #hiddenUpTo(offset: number): Token[] {
    const from = this.#placed;
    while (this.#placed < this.#hidden.length && this.#hidden[this.#placed]!.startOffset < offset) this.#placed++;
    return this.#hidden.slice(from, this.#placed);
  }
}

/** Makes the parser of the language. */
export function createItemParser(services: LangiumCoreServices): ItemParser {
  const parser = new ItemParser(services);
  createParser(services.Grammar, parser, services.parser.Lexer.definition);
  parser.finalize();
  return parser;
}

/** Moves a node with all that is in it. Composite nodes have their places from their leaves. */
function move(whole: CompositeCstNode, by: number, lines: number): void {
  const open: CstNode[] = [whole];
  for (let next = open.pop(); next; next = open.pop()) {
    if (isCompositeCstNode(next)) {
      for (const child of next.content) open.push(child);
      continue;
    }
    const leaf = next as CstNode & { _offset: number };
    leaf._offset += by;
    leaf.range.start.line += lines;
    leaf.range.end.line += lines;
  }
}

