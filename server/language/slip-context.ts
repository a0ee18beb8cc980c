import type { Fix, Span } from './diagnostic';
import { CovertGrammar } from './generated/grammar';
import type { Token } from './relexing';
import type { Mend, Reading, Slip } from './slip-reading';
import { effectWords } from './syntax-errors';

/** How far one part of a statement may be from another, in tokens. */
export const reach = 16;

/** Words that end a list of places. */
const behindPlaces: ReadonlySet<string> = new Set(['in', 'on', 'at', 'when', 'from', 'fault']);

/** A mend with what is said of it. */
export function mend(take: number, put: readonly Token[], span: Span, message: string, fixes: Fix[], code: Slip['code'] = 'COV101'): Mend {
  return { take, put, slip: { code, span, message, fixes } };
}

let effects: ReadonlySet<string> | undefined;

/** True of the words with which effects begin. */
export function isEffect(word: string): boolean {
  effects ??= effectWords(CovertGrammar());
  return effects.has(word);
}

/** True if a word stands before in the same statement, as far as that can be seen; an alternative begins with its effect. */
export function isBehind(reading: Reading, word: string): boolean {
  for (let back = 1; back <= reach; back++) {
    const kind = reading.kindBefore(back);
    if (kind === word) return true;
    if (kind === '' || kind === '{' || kind === '}' || kind === 'fault' || isEffect(kind)) return false;
  }
  return false;
}

/** True behind an effect whose trigger does not stand before. */
export function isInEffect(reading: Reading): boolean {
  let isSaid = false;
  for (let back = 1; back <= reach; back++) {
    const kind = reading.kindBefore(back);
    // What sticks has an `at` of its own.
    if (isEffect(kind)) return !isSaid || kind === 'stick';
    if (kind === '' || kind === '{' || kind === '}' || kind === 'fault' || kind === 'when' || kind === 'from') return false;
    isSaid ||= kind === 'at';
  }
  return false;
}

/** True behind `random bits of`, and behind a comma in the list of places there. */
export function isDrawnFrom(reading: Reading): boolean {
  if (reading.kindBefore() !== 'of' && reading.kindBefore() !== ',') return false;
  for (let back = 1; back <= reach; back++) {
    const kind = reading.kindBefore(back);
    if (kind === 'of') return /^bits?$/.test(reading.kindBefore(back + 1)) && reading.kindBefore(back + 2) === 'random';
    if (kind === '' || kind === '{' || kind === '}' || behindPlaces.has(kind) || isEffect(kind)) return false;
  }
  return false;
}
