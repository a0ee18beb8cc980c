import type { AstNode } from 'langium';
import type { SourceRange } from '../../engine/covert/plan';
import type { Context } from './context';
import type { Diagnostic, Findings, Span } from './diagnostic';
import { reportLiterals } from './syntax-errors';

/** What is known of an item, and what of all outside of the item that it was made of. */
interface Kept<R> {
  readonly inputs: readonly unknown[];
  readonly result: R;
  /** The places that the result has. */
  readonly ranges: readonly SourceRange[];
  findings: Findings;
  offset: number;
  line: number;
}

/**
 * Analyses of items, each kept as long as its node lives, which the parser leaves in
 * place where an edit has not touched it. What comes of an item depends on its text,
 * which the node stands for, and on what is `outside`, which is compared by identity.
 */
export class KeptAnalyses<R> {
  readonly #kept = new WeakMap<AstNode, Kept<R>>();

  /** The result for an item, with its findings added to those of the document. */
  of(item: AstNode, context: Context, outside: readonly unknown[], analyse: (own: Context) => R): R {
    // A mistake beside an item may be one of its first or last word.
    const inputs = [...outside, context.intact(item)];
    const whole = item.$cstNode;
    const line = whole?.range.start.line ?? 0;
    const offset = whole?.offset ?? 0;
    let kept = this.#kept.get(item);
    if (!kept || !isSame(kept.inputs, inputs) || (kept.line !== line && kept.findings.diagnostics.some(namesLine))) {
      const own = context.apart();
      if (whole) reportLiterals(whole, own.reporter);
      const result = analyse(own);
      kept = { inputs, result, ranges: own.ranges, findings: own.reporter.findings, offset, line };
      this.#kept.set(item, kept);
    }
    move(kept, offset, line);
    context.reporter.take(kept.findings);
    return kept.result;
  }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

/** A message such as `already set in line 5` is true only where it was made. */
function namesLine({ message, fixes }: Diagnostic): boolean {
  return [message, ...fixes.map(({ title }) => title)].some((text) => /\bline \d/.test(text));
}

function move<R>(kept: Kept<R>, offset: number, line: number): void {
  const by = offset - kept.offset;
  const lines = line - kept.line;
  if (by === 0 && lines === 0) return;
  const spanOf = (span: Span): Span => ({ offset: span.offset + by, end: span.end + by });
  const rangeOf = (range: SourceRange): SourceRange => ({ ...range, line: range.line + lines, endLine: range.endLine + lines });
  const diagnostics = kept.findings.diagnostics.map((one) => ({
    ...one,
    span: spanOf(one.span),
    range: rangeOf(one.range),
    ...(one.earlier && { earlier: { span: spanOf(one.earlier.span), range: rangeOf(one.earlier.range) } }),
    fixes: one.fixes.map((fix) => ({ ...fix, span: spanOf(fix.span), range: rangeOf(fix.range) })),
  }));
  // The result has them somewhere inside.
  for (const range of kept.ranges) Object.assign(range, rangeOf(range));
  kept.findings = { ...kept.findings, diagnostics };
  kept.offset = offset;
  kept.line = line;
}

/** The former value where the new one says the same: plain data all through, anything else by identity. */
export function sameOrNew<T>(former: T | undefined, value: T): T {
  return former !== undefined && isEqual(former, value) ? former : value;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isPlain(a) || !isPlain(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && isEqual(a[name], b[name]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype;
}
