import type { Span } from './diagnostic';
import { instead } from './mends';
import { mostMistakes } from './recovery';
import type { Lex, Lexed, Token } from './relexing';
import { blockSlip, itemSlip, nameSlip } from './slip-items';
import { markSlips } from './slip-marks';
import { Reading, type Kinds, type Mend, type Slip, type SlipError, type SlipRule } from './slip-reading';
import { noToken, type LexingError } from './slip-source';
import { statementSlips } from './slip-statements';
import { targetSlips } from './slip-targets';
import { valueSlips } from './slip-values';

export interface Mended {
  readonly tokens: readonly Token[];
  readonly hidden: readonly Token[];
  /** Those that are not part of a slip. */
  readonly errors: readonly LexingError[];
  readonly slips: readonly SlipError[];
  /** Where something was mended, ascending. */
  readonly places: readonly number[];
}

const rules: ReadonlyMap<string, readonly SlipRule[]> = (() => {
  const all = new Map<string, SlipRule[]>();
  for (const [kind, rule] of [...markSlips, ...statementSlips, ...targetSlips, ...valueSlips]) all.set(kind, [...(all.get(kind) ?? []), rule]);
  return all;
})();

/** Reads typical slips as what was meant, so that each is one error and what is around it keeps its sense. */
export function mended(lexed: Lexed, kinds: Kinds, lex: Lex): Mended {
  const { text } = lexed;
  const reading = new Reading(lexed, kinds, lex);
  const slips: SlipError[] = [];
  const places: number[] = [];
  let around: Mend | undefined;
  while (reading.token()) {
    const mend = slips.length < mostMistakes ? mendOf(reading) : undefined;
    const token = reading.token()!;
    if (!mend) {
      // A file that is edited cannot be read again from such a token on.
      if (reading.isAnew) places.push(token.startOffset);
      reading.takeOne(token);
      reading.skip(1);
    } else {
      places.push(mend.take === 0 ? (reading.before()?.startOffset ?? 0) : token.startOffset);
      if (mend.slip) {
        const whole = around && withParentheses(mend.slip, around, text);
        if (whole) slips.pop();
        slips.push(slipError(whole ?? mend.slip, token));
      }
      reading.take(mend.put);
      reading.skip(mend.take, mend.rest);
    }
    around = mend;
  }
  if (places.length === 0) return { tokens: lexed.tokens, hidden: lexed.hidden, errors: lexed.errors, slips, places };
  const isToken = ({ tokenType }: Token): boolean => tokenType.name !== noToken;
  return { tokens: reading.put.filter(isToken), hidden: reading.hidden, errors: reading.put.flatMap((token) => (isToken(token) ? [] : errorOf(token))), slips, places };
}

function mendOf(reading: Reading): Mend | undefined {
  const found = (reading.blocks.length === 0 ? itemSlip(reading) : blockSlip(reading)) ?? nameSlip(reading);
  if (found) return found;
  for (const rule of rules.get(reading.kind()) ?? []) {
    const mend = rule(reading);
    if (mend) return mend;
  }
  return undefined;
}

/** The slip together with the parentheses around it, where it is all that stands in them. */
function withParentheses(slip: Slip, { within, slip: around }: Mend, text: string): Slip | undefined {
  const isAll = within && around && slip.fixes.length > 0 && slip.fixes.every(({ span }) => isSame(span, within));
  if (!isAll) return undefined;
  return { ...slip, span: around.span, fixes: slip.fixes.map((fix) => ({ ...fix, ...instead(around.span, fix.text, text) })) };
}

function isSame(one: Span, other: Span): boolean {
  return one.offset === other.offset && one.end === other.end;
}

function slipError(slip: Slip, token: Token): SlipError {
  return { name: 'Slip', message: slip.message, token, resyncedTokens: [], context: { ruleStack: [], ruleOccurrenceStack: [] }, slip };
}

function errorOf({ image, startOffset, startLine, startColumn }: Token): LexingError {
  return { offset: startOffset, length: image.length, line: startLine, column: startColumn, message: image };
}
