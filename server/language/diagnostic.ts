import { GrammarUtils, type AstNode, type CstNode } from 'langium';
import type { SourceRange } from '../../engine/covert/plan';
import type { DiagnosticCode } from './diagnostic-codes';

/** A span of a document, in characters from its start. */
export interface Span {
  offset: number;
  end: number;
}

/** A likely mend: what to write in the place of a span. */
export interface Fix {
  /** `Change to "octo"`, as an editor's menu shows it. */
  title: string;
  span: Span;
  text: string;
  /** It takes away what somebody has written, which nobody should do unasked. */
  careful?: true;
  /** It makes another experiment of what is written: done for one place, never for all of a file. */
  isGuess?: true;
}

export type Fixes = Fix[] | (() => Fix[]);

/** Something that is wrong with a scenario file. */
export interface Diagnostic {
  /** Stable: `COV201`. docs/language.md lists all. */
  code: DiagnosticCode;
  severity: 'error' | 'warning';
  /** One line: what is wrong and what would be right. */
  message: string;
  /** Absolute path. */
  file: string;
  /** No wider than what is wrong; the end is exclusive. */
  range: SourceRange;
  /** The same place as `range`, for editors. */
  span: Span;
  fixes: PlacedFix[];
  /** The place in the same file that the message speaks of: what stood there before. */
  earlier?: { range: SourceRange; span: Span };
}

/** A mend of a diagnostic: where it is made is known in lines and columns, too. */
export interface PlacedFix extends Fix {
  /** The same place as `span`. */
  range: SourceRange;
}

/** What a document needs to tell for positions to be made of offsets. */
export interface Positions {
  positionAt(offset: number): { line: number; character: number };
}

export function sourceRange(file: string, document: Positions, span: Span): SourceRange {
  const start = document.positionAt(span.offset);
  const end = document.positionAt(span.end);
  return {
    file,
    line: start.line + 1,
    column: start.character + 1,
    endLine: end.line + 1,
    endColumn: end.character + 1,
  };
}

/** More of one file help nobody, and neither do longer messages, which quote what is wrong. */
const mostDiagnostics = 1000;
const longestMessage = 500;

/** What a reporter has found. */
export interface Findings {
  /** The first thousand that were found. */
  readonly diagnostics: readonly Diagnostic[];
  readonly errors: number;
  readonly unlisted: number;
}

/** Collects what is wrong with one file. */
export class Reporter {
  /** The first thousand. */
  readonly diagnostics: Diagnostic[] = [];
  /** How many errors there are, whether they are listed or not. */
  errors = 0;
  /** How many diagnostics are not listed. */
  #unlisted = 0;
  readonly #seen = new Set<string>();
  /** Where something is written that cannot be: what else is wrong with it shows when it is mended. */
  readonly #unreadable = new Set<number>();

  constructor(
    readonly file: string,
    private readonly document: Positions,
  ) {}

  /** Fixes that take long to find are functions: they are asked for where the diagnostic is listed. `earlier`: what the message speaks of. */
  error(code: DiagnosticCode, place: Span | undefined, message: string, fixes: Fixes = [], earlier?: Span): void {
    this.#add('error', code, place, message, fixes, earlier);
  }

  warning(code: DiagnosticCode, place: Span | undefined, message: string, fixes: Fixes = [], earlier?: Span): void {
    this.#add('warning', code, place, message, fixes, earlier);
  }

  range(span: Span | undefined): SourceRange {
    return sourceRange(this.file, this.document, span ?? { offset: 0, end: 0 });
  }

  /** True if there are errors within a span; also where there are too many to know. */
  hasErrorsWithin(whole: Span | undefined): boolean {
    if (this.#isFull) return true;
    return whole !== undefined && this.diagnostics.some(({ severity, span }) => severity === 'error' && span.offset >= whole.offset && span.offset < whole.end);
  }

  /** Adds what is known of a part of the document, found by a reporter of its own. */
  take({ diagnostics, errors, unlisted }: Findings): void {
    const room = Math.max(0, mostDiagnostics - this.diagnostics.length);
    this.diagnostics.push(...diagnostics.slice(0, room));
    this.errors += errors;
    this.#unlisted += unlisted + Math.max(0, diagnostics.length - room);
  }

  get findings(): Findings {
    return { diagnostics: this.diagnostics, errors: this.errors, unlisted: this.#unlisted };
  }

  /** What is listed, in the order of the text; the last one says how many more there are. */
  sorted(): Diagnostic[] {
    const sorted = this.diagnostics.toSorted((a, b) => a.span.offset - b.span.offset || a.span.end - b.span.end);
    const last = sorted.at(-1);
    if (!last || this.#unlisted === 0) return sorted;
    const more = this.#unlisted === 1 ? '1 more of this file is' : `${this.#unlisted} more of this file are`;
    return sorted.with(-1, { ...last, message: `${last.message} (${more} not listed)` });
  }

  get #isFull(): boolean {
    return this.diagnostics.length >= mostDiagnostics;
  }

  #add(severity: 'error' | 'warning', code: DiagnosticCode, place: Span | undefined, message: string, fixes: Fixes, other: Span | undefined): void {
    const span = place ? { offset: place.offset, end: place.end } : { offset: 0, end: 0 };
    const key = `${code} ${span.offset} ${message}`;
    if (this.#seen.has(key) || this.#unreadable.has(span.offset)) return;
    if (code === 'COV100') this.#unreadable.add(span.offset);
    if (severity === 'error') this.errors++;
    this.#seen.add(key);
    if (this.#isFull) {
      this.#unlisted++;
      return;
    }
    // What it quotes may have several lines.
    const line = message.replace(/\s*[\r\n]\s*/g, ' ');
    const text = line.length > longestMessage ? `${line.slice(0, longestMessage)}…` : line;
    const mends = typeof fixes === 'function' ? fixes() : fixes;
    const earlier = other && { span: { offset: other.offset, end: other.end }, range: this.range(other) };
    this.diagnostics.push({ code, severity, message: text, file: this.file, range: this.range(span), span, fixes: mends.map((fix) => ({ ...fix, range: this.range(fix.span) })), ...(earlier && { earlier }) });
  }
}

/** The text of one property of a node, or of the whole node where there is none. */
export function part<N extends AstNode>(node: N, property: keyof N & string, index?: number): CstNode | undefined {
  return GrammarUtils.findNodeForProperty(node.$cstNode, property, index) ?? node.$cstNode;
}

/** The first word of a node: what is wrong with a statement as such. */
export function head(node: AstNode): Span | undefined {
  const whole = node.$cstNode;
  if (!whole) return undefined;
  const [word = ''] = /^\S*/.exec(whole.text) ?? [];
  return { offset: whole.offset, end: whole.offset + Math.max(1, word.length) };
}

/** A span inside a text that a node covers. */
export function within(whole: Span | undefined, offset: number | undefined, length: number | undefined): Span | undefined {
  if (!whole || offset === undefined) return whole;
  return { offset: whole.offset + offset, end: Math.min(whole.end, whole.offset + offset + (length ?? 1)) };
}

/** Replaces what stands at a place by the nearest name: `did you mean`. */
export function rename(place: Span | undefined, suggestion: string | undefined): Fix[] {
  if (!place || suggestion === undefined) return [];
  return [{ title: `Change to \`${suggestion}\``, span: { offset: place.offset, end: place.end }, text: suggestion }];
}
