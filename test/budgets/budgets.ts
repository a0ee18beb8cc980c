/** Many trials, one after another, until something differs. */
import { disassemble } from '../../engine/isa/disassemble';
import type { StopReason } from '../../engine/machine/types';
import { budgetGuest, places, ramBase } from './guest';
import { shorten } from './shorten';
import { Bench, attempt, trialOf, type Outcome, type Trial, type Way } from './trial';

export interface Totals {
  guests: number;
  /** Runs by a random budget whose final states' hashes were compared with what single steps give. */
  cases: number;
  /** Instructions by single steps, and those of all other machines that translated code has retired. */
  retired: number;
  translated: number;
  exceptions: number;
  interrupts: number;
  stops: Partial<Record<StopReason, number>>;
  privileges: [user: number, supervisor: number, machine: number];
}

export interface BudgetOptions {
  seed: number;
  /** How many to compare at least, unless something differs. */
  cases: number;
  ways: readonly Way[];
  onProgress?: (totals: Totals) => void;
}

export const noTotals = (): Totals => ({ guests: 0, cases: 0, retired: 0, translated: 0, exceptions: 0, interrupts: 0, stops: {}, privileges: [0, 0, 0] });

export function sum(some: Totals, more: Totals): Totals {
  const totals: Totals = { ...some, stops: { ...some.stops }, privileges: [...some.privileges] };
  add(totals, more);
  totals.guests += more.guests - 1;
  return totals;
}

/** One guest in so many runs for long, so that its code becomes hot. */
const longEvery = 50;
/** So many guests run on the same machines, one after another: what they leave behind must not show. */
const together = 40;

const isLong = (seed: number): boolean => seed % longEvery === longEvery - 1;

/** Returns what there was, and what differed, for people: first words with the seed, then the trial. */
export function budgets({ seed: first, cases, ways, onProgress }: BudgetOptions): { totals: Totals; difference: string | undefined } {
  const totals = noTotals();
  let bench = new Bench();
  for (let seed = first; totals.cases < cases; seed++) {
    if (totals.guests % together === 0) bench = new Bench();
    const trial = trialOf(seed, isLong(seed));
    const outcome = attempt(bench, trial, ways, isLong(seed));
    if (outcome.difference !== undefined) return { totals, difference: explain(trial, outcome, ways, seed - (totals.guests % together)) };
    add(totals, outcome);
    onProgress?.(totals);
  }
  return { totals, difference: undefined };
}

function add(totals: Totals, { cases, retired, translated, exceptions, interrupts, stops, privileges }: Omit<Outcome, 'difference'>): void {
  totals.guests++;
  totals.cases += cases;
  totals.retired += retired;
  totals.translated += translated;
  totals.exceptions += exceptions;
  totals.interrupts += interrupts;
  privileges.forEach((count, i) => (totals.privileges[i as 0 | 1 | 2] += count));
  for (const [stop, count] of Object.entries(stops) as [StopReason, number][]) totals.stops[stop] = (totals.stops[stop] ?? 0) + count;
}

/** Says what differs, in the shortest trial that shows it. */
function explain(trial: Trial, { difference }: Outcome, ways: readonly Way[], earliest: number): string {
  const { seed } = trial;
  const again = (candidate: Trial): Outcome => attempt(new Bench(), candidate, ways, isLong(seed));
  if (again(trial).difference === undefined) {
    return `seed ${seed}: ${difference}\nIt differs only on machines that have run other guests before: start with --seed ${earliest}.`;
  }
  const short = shorten(trial, budgetGuest(seed).units, (candidate) => again(candidate).difference !== undefined);
  const actions = short.actions.map((action) => `  ${JSON.stringify(action, (_, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value))}`);
  return [`seed ${seed}: ${difference}`, 'Shortened:', again(short).difference, 'actions:', ...actions, 'code, without what can be left out:', ...listing(short)].join('\n');
}

function listing({ seed, omitted }: Trial): string[] {
  const guest = budgetGuest(seed, omitted);
  const code = guest.memory.find(({ at }) => at === places.code)?.bytes ?? new Uint8Array();
  const lines: string[] = [`  entry ${guest.entry.toString(16)}, ${guest.harts} harts`];
  guest.starts.forEach((start, unit) => {
    if (omitted.has(unit)) return;
    const end = guest.starts[unit + 1] ?? places.code + code.length;
    for (let at = start; at < end; ) {
      const { text, length } = disassemble(code.subarray(at - places.code, at - places.code + 4), BigInt(ramBase + at));
      lines.push(`  ${(ramBase + at).toString(16)} ${text}`);
      at += length;
    }
  });
  return lines;
}
