import type { AstNode } from 'langium';
import type { Span as PlanSpan } from '../../engine/covert/plan';
import { nearestNames } from '../../engine/symbols/nearest';
import type { Context } from './context';
import { part, rename, type Span } from './diagnostic';
import type * as ast from './generated/ast';
import { guesses } from './mends';
import { countUnits, decodeDecimal, decodeInteger, frequencyUnits, sizeUnits, timeUnits } from './values';

interface Bounds {
  least?: number;
  most?: number;
  /** What the number counts, for messages: `a core`. */
  what?: string;
}

/** A whole number that a property holds; undefined, and reported, where it is none or out of bounds. */
export function integer<N extends AstNode>(context: Context, node: N, property: keyof N & string, bounds: Bounds = {}): number | undefined {
  return boundedInteger(context, String(node[property] ?? ''), part(node, property), bounds);
}

export function boundedInteger(
  context: Context,
  text: string,
  place: Span | undefined,
  { least = 0, most = Number.MAX_SAFE_INTEGER, what = 'this number' }: Bounds,
): number | undefined {
  const { value } = decodeInteger(text);
  // A malformed number is reported with the syntax.
  if (value === undefined) return undefined;
  if (value >= BigInt(least) && value <= BigInt(most)) return Number(value);
  const upTo = most === Number.MAX_SAFE_INTEGER ? `at least ${least} and below 2^53` : `from ${least} to ${most}`;
  const bound = value < BigInt(least) ? least : most === Number.MAX_SAFE_INTEGER ? undefined : most;
  context.reporter.error('COV106', place, `${what} is ${upTo}, not ${text}`, guesses(rename(place, bound?.toString())));
  return undefined;
}

/** An unsigned number of up to 64 bits: an address or a register's value. */
export function wide<N extends AstNode>(context: Context, node: N, property: keyof N & string): bigint | undefined {
  const { value } = decodeInteger(String(node[property] ?? ''));
  if (value === undefined || value < 1n << 64n) return value;
  context.reporter.error('COV106', part(node, property), 'this number has more than 64 bits');
  return undefined;
}

function number(amount: ast.Amount): number | undefined {
  return amount.number === undefined ? undefined : decodeDecimal(amount.number).value;
}

/** What other languages call the units. */
const slips: ReadonlyMap<string, string> = new Map([
  ...['K', 'KB', 'kB', 'kb', 'k'].map((unit) => [unit, 'KiB'] as const),
  ...['M', 'MB', 'mb', 'm'].map((unit) => [unit, 'MiB'] as const),
  ...['G', 'GB', 'gb', 'g'].map((unit) => [unit, 'GiB'] as const),
  ['sec', 's'],
  ['seconds', 's'],
  ['msec', 'ms'],
  ['usec', 'us'],
  ['\u00b5s', 'us'],
  ['\u03bcs', 'us'],
  ['nsec', 'ns'],
]);

function badUnit(context: Context, amount: ast.Amount, what: string, units: string[]): undefined {
  const place = part(amount, 'unit');
  const slip = slips.get(amount.unit);
  const nearest = slip !== undefined && units.includes(slip) ? slip : nearestNames(amount.unit, units, 1)[0];
  const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
  context.reporter.error('COV105', place, `\`${amount.unit}\` is no unit of ${what}: ${units.join(', ')}${hint}`, rename(place, nearest));
  return undefined;
}

function inUnits(context: Context, amount: ast.Amount, units: ReadonlyMap<string, number>, what: string): number | undefined {
  const factor = units.get(amount.unit);
  if (factor === undefined) return badUnit(context, amount, what, [...units.keys()]);
  const count = number(amount);
  return count === undefined ? undefined : count * factor;
}

/** Bytes. */
export function size(context: Context, amount: ast.Amount): number | undefined {
  return whole(context, amount, inUnits(context, amount, sizeUnits, 'size'), 'bytes');
}

/** Hertz. */
export function frequency(context: Context, amount: ast.Amount): number | undefined {
  return inUnits(context, amount, frequencyUnits, 'frequency');
}

/** A number of instructions, or of epochs. */
export function count(context: Context, amount: ast.Amount, unit: 'instructions' | 'epochs'): number | undefined {
  if (countUnits.get(amount.unit) !== unit) {
    const place = part(amount, 'unit');
    context.reporter.error('COV105', place, `this is counted in \`${unit}\`, not in \`${amount.unit}\``, guesses(rename(place, unit)));
    return undefined;
  }
  return whole(context, amount, number(amount), unit);
}

/** A time, or a count of instructions, cycles or epochs. */
export function span(context: Context, amount: ast.Amount): PlanSpan | undefined {
  const seconds = timeUnits.get(amount.unit);
  const value = number(amount);
  if (seconds !== undefined) return value === undefined ? undefined : { unit: 'seconds', value: value * seconds };
  const unit = countUnits.get(amount.unit);
  if (unit === undefined) return badUnit(context, amount, 'duration', [...timeUnits.keys(), 'instructions', 'cycles', 'epochs']);
  const exact = whole(context, amount, value, unit);
  return exact === undefined ? undefined : { unit, value: exact };
}

function whole(context: Context, amount: ast.Amount, value: number | undefined, what: string): number | undefined {
  if (value === undefined || Number.isSafeInteger(value)) return value;
  const problem = Number.isInteger(value) ? 'too many' : 'no whole number of';
  context.reporter.error('COV106', part(amount, 'number'), `${amount.number} ${amount.unit} is ${problem} ${what}`);
  return undefined;
}

/** Reports a period of zero. */
export function positive(context: Context, amount: ast.Amount, value: number | undefined, what: string): number | undefined {
  if (value === undefined || value > 0) return value;
  const isCount = countUnits.has(amount.unit) || timeUnits.has(amount.unit);
  context.reporter.error('COV306', amount.$cstNode, `${what} must be ${isCount ? 'longer' : 'more'} than zero`, isCount ? guesses(rename(part(amount, 'number'), '1')) : []);
  return undefined;
}

/** A fraction: 0.2 for 20 %. */
export function fraction(percentage: ast.Percentage): number | undefined {
  const value = percentage.number === undefined ? undefined : decodeDecimal(percentage.number).value;
  return value === undefined ? undefined : value / 100;
}

/** One of a closed set of words; anything else is reported with the nearest one offered. */
export function oneOf<W extends string>(
  context: Context,
  place: Span | undefined,
  word: string,
  words: readonly W[],
  what: string,
): W | undefined {
  const found = words.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  const nearest = nearestNames(word, words, 1)[0];
  // Of a single word everybody knows that it is meant.
  const hint = nearest === undefined || words.length === 1 ? '' : `; did you mean \`${nearest}\`?`;
  const list = words.map((one) => `\`${one}\``);
  const all = list.length > 1 ? `${list.slice(0, -1).join(', ')} or ${list.at(-1)}` : String(list[0]);
  context.reporter.error('COV210', place, `\`${word}\` is no ${what}: ${all}${hint}`, rename(place, nearest));
  return undefined;
}

/** Parses and yet cannot be run: the rest of the language is on its way. */
export function notAvailable(context: Context, place: Span | undefined, what: string): undefined {
  context.reporter.error('COV107', place, `not available yet: ${what}`);
  return undefined;
}
