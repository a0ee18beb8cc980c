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
}

/** Something that is wrong with a scenario file. */
export interface Diagnostic {
  /** Stable: `COV201`. docs/language.md lists all. */
  code: DiagnosticCode;
  severity: 'error' | 'warning';
  /** One sentence: what is wrong and what would be right. */
  message: string;
  /** Absolute path. */
  file: string;
  /** No wider than what is wrong; the end is exclusive. */
  range: SourceRange;
  /** The same place as `range`, for editors. */
  span: Span;
  fixes: Fix[];
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

/** Collects what is wrong with one file. */
export class Reporter {
  readonly diagnostics: Diagnostic[] = [];
  readonly #seen = new Set<string>();

  constructor(
    readonly file: string,
    private readonly document: Positions,
  ) {}

  error(code: DiagnosticCode, place: Span | undefined, message: string, fixes: Fix[] = []): void {
    this.#add('error', code, place, message, fixes);
  }

  warning(code: DiagnosticCode, place: Span | undefined, message: string, fixes: Fix[] = []): void {
    this.#add('warning', code, place, message, fixes);
  }

  range(span: Span | undefined): SourceRange {
    return sourceRange(this.file, this.document, span ?? { offset: 0, end: 0 });
  }

  #add(severity: 'error' | 'warning', code: DiagnosticCode, place: Span | undefined, message: string, fixes: Fix[]): void {
    const span = place ? { offset: place.offset, end: place.end } : { offset: 0, end: 0 };
    const key = `${code} ${span.offset} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.diagnostics.push({ code, severity, message, file: this.file, range: this.range(span), span, fixes });
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
