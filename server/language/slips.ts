import type { LexerResult } from 'langium';
import { mostMistakes } from './recovery';
import type { Lexed, Token } from './relexing';
import { blockSlip, itemSlip, nameSlip } from './slip-items';
import { noToken, Reading, withErrors, type Kinds, type LexingError, type Mend, type Slip, type SlipError, type SlipRule } from './slip-reading';
import { statementSlips } from './slip-statements';
import { targetSlips } from './slip-targets';
import { valueSlips } from './slip-values';

export interface Mended {
  readonly tokens: readonly Token[];
  /** Those that are not part of a slip. */
  readonly errors: readonly LexingError[];
  readonly slips: readonly SlipError[];
  /** Where something was mended, ascending. */
  readonly places: readonly number[];
}

const rules: ReadonlyMap<string, readonly SlipRule[]> = (() => {
  const all = new Map<string, SlipRule[]>();
  for (const [kind, rule] of [...statementSlips, ...targetSlips, ...valueSlips]) all.set(kind, [...(all.get(kind) ?? []), rule]);
  return all;
})();

/** Reads typical slips as what was meant, so that each is one error and what is around it keeps its sense. */
export function mended(lexed: Pick<Lexed, 'text' | 'tokens' | 'errors'>, kinds: Kinds, lex: (part: string) => Pick<LexerResult, 'tokens' | 'errors'>): Mended {
  const { text } = lexed;
  const reading = new Reading(text, withErrors(lexed.tokens, lexed.errors, text), kinds, lex);
  const slips: SlipError[] = [];
  const places: number[] = [];
  while (reading.token()) {
    const mend = slips.length < mostMistakes ? mendOf(reading) : undefined;
    if (!mend) {
      reading.take([reading.token()!]);
      reading.at++;
      continue;
    }
    const token = reading.token()!;
    places.push(mend.take === 0 ? (reading.before()?.startOffset ?? 0) : token.startOffset);
    if (mend.slip) slips.push(slipError(mend.slip, token));
    reading.take(mend.put);
    reading.at += mend.take;
  }
  if (places.length === 0) return { tokens: lexed.tokens, errors: lexed.errors, slips, places };
  const isToken = ({ tokenType }: Token): boolean => tokenType.name !== noToken;
  return { tokens: reading.put.filter(isToken), errors: reading.put.flatMap((token) => (isToken(token) ? [] : errorOf(token))), slips, places };
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

function slipError(slip: Slip, token: Token): SlipError {
  return { name: 'Slip', message: slip.message, token, resyncedTokens: [], context: { ruleStack: [], ruleOccurrenceStack: [] }, slip };
}

function errorOf({ image, startOffset, startLine, startColumn }: Token): LexingError {
  return { offset: startOffset, length: image.length, line: startLine, column: startColumn, message: image };
}
