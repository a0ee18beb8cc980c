import { AstUtils, type AstNode, type CstNode, type LangiumDocument } from 'langium';
import type { SourceRange } from '../../engine/covert/plan';
import { Reporter, type Span } from './diagnostic';
import { guesses, remove } from './mends';
import { isSlip, writtenBefore } from './slip-reading';

interface Place {
  startOffset: number;
}

/** A document while it is analysed: where its findings go, and which parts of it were read whole. */
export class Context {
  readonly reporter: Reporter;
  /** Those that have been handed out. */
  readonly ranges: SourceRange[] = [];
  /** Offsets at which the parser was stuck, and of the last thing it had read before; ascending. */
  readonly #stuck: Float64Array;

  constructor(
    readonly document: LangiumDocument,
    stuck = stuckOffsets(document),
  ) {
    this.reporter = new Reporter(document.uri.fsPath, document.textDocument);
    this.#stuck = stuck;
  }

  /** One for a part of the document, whose findings are to be known by themselves. */
  apart(): Context {
    return new Context(this.document, this.#stuck);
  }

  /**
   * False where the parser was stuck inside of the node, so that parts of it may
   * be missing although their types say that they are there.
   */
  intact(node: AstNode): boolean {
    return this.intactSpan(node.$cstNode);
  }

  intactSpan(whole: Span | undefined): boolean {
    if (!whole) return false;
    let low = 0;
    for (let high = this.#stuck.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#stuck[middle]! < whole.offset) low = middle + 1;
      else high = middle;
    }
    return low === this.#stuck.length || this.#stuck[low]! >= whole.end;
  }

  /** Where a node stands. The range is kept in mind, so that it can be moved with the node. */
  range(node: AstNode): SourceRange {
    const range = this.reporter.range(node.$cstNode);
    this.ranges.push(range);
    return range;
  }
}

function stuckOffsets({ parseResult }: LangiumDocument): Float64Array {
  const stuck = parseResult.parserErrors.flatMap((error) => {
    if (isSlip(error)) return [];
    const previous = (error as { previousToken?: Place }).previousToken;
    return [error.token, ...error.resyncedTokens, ...(previous ? [previous] : [])].map((token) => writtenBefore(token)?.startOffset ?? Number.NaN);
  });
  return Float64Array.from(stuck.filter((offset) => !Number.isNaN(offset))).sort();
}

/** The text of a node without comments, white space folded. */
export function foldedText(node: AstNode | undefined): string {
  const words: string[] = [];
  let end = -1;
  let text = '';
  const open: CstNode[] = node?.$cstNode ? [node.$cstNode] : [];
  for (let next = open.pop(); next; next = open.pop()) {
    if ('content' in next) for (const child of (next.content as CstNode[]).toReversed()) open.push(child);
    else if (!next.hidden) {
      if (end >= 0 && next.offset > end) text += ' ';
      text += next.text;
      end = next.end;
    }
  }
  if (text) words.push(text);
  return words.join(' ');
}

/** Settings may come in any order, each at most once: reports the others and gives the first of each type. */
export function eachOnce<T extends AstNode>(settings: readonly T[], context: Context, repeatable: ReadonlySet<string> = new Set()): T[] {
  const first = new Map<string, T>();
  const others: T[] = [];
  for (const setting of settings) {
    if (repeatable.has(setting.$type)) {
      others.push(setting);
      continue;
    }
    const earlier = first.get(setting.$type);
    if (!earlier) {
      first.set(setting.$type, setting);
      continue;
    }
    const whole = setting.$cstNode;
    const word = /^\w+/.exec(whole?.text ?? '')?.[0] ?? '';
    const place = whole && { offset: whole.offset, end: whole.offset + word.length };
    const line = (earlier.$cstNode?.range.start.line ?? 0) + 1;
    context.reporter.error('COV205', place, `\`${word}\` is already set in line ${line}`, guesses(remove(whole, 'Remove it')), earlier.$cstNode);
  }
  return [...first.values(), ...others].filter((setting) => context.intact(setting));
}

export function documentOf(node: AstNode): LangiumDocument {
  return AstUtils.getDocument(node);
}
