import { costsWith, defaultCosts, type CostChanges, type CostTable } from '../chip/cost-table';
import type { ProtectionKind } from '../covert/plan';
import { normalizedPerformance, publishedPoints } from './bressoud-schneider';
import { chargedAnew, totalOf } from './charged-anew';
import { compare, type Comparison } from './comparison';
import { eventTable, type EventCost } from './event-table';
import { latencies, type Latencies } from './latency';
import type { MeasuredRates } from './measured-rates';
import { predict, type ModelSetting, type Prediction } from './overhead';
import type { Profile } from './profile';
import { variations, type Variation } from './sensitivity';

/** COVERT's promise: protection costs less than this share of a guest's own cycles. */
export const promise = 0.2;

/** One guest: what it does, what the model makes of that, and what was measured. */
export interface Row {
  name: string;
  /** In words, for a program that the reader may not know. */
  what?: string;
  kind: ProtectionKind;
  setting: ModelSetting;
  /** Of the chip's cores. */
  hertz: number;
  profile: Profile;
  /** Of the chip, or of whoever asked. */
  costs: CostTable;
  prediction: Prediction;
  latencies: Latencies;
  /** Absent where the run had no end that could be compared: `why` says so. */
  comparison?: Comparison;
  why?: string;
}

export interface Survey {
  costs: CostTable;
  events: EventCost[];
  rows: Row[];
  /** Of the protected rows, each guest and setting once. Empty where there are none. */
  variations: Variation[];
  bressoudSchneider: { epochInstructions: number; published: number; model: number }[];
}

/** What is to be known of rows beyond themselves. */
export function surveyOf(rows: Row[]): Survey {
  const costs = rows[0]?.costs ?? defaultCosts;
  const subjects = new Map<string, Row>();
  for (const row of rows.filter(({ kind }) => kind !== 'none')) {
    const key = JSON.stringify([{ ...row.profile, name: '' }, row.setting, row.costs]);
    if (!subjects.has(key)) subjects.set(key, row);
  }
  return {
    costs: { ...costs },
    events: eventTable(costs),
    rows,
    variations: variations([...subjects.values()]),
    bressoudSchneider: publishedPoints.map(({ epochInstructions, performance }) => ({
      epochInstructions, published: performance, model: normalizedPerformance(epochInstructions),
    })),
  };
}

/** A guest that is unprotected costs nothing beyond itself: its prediction has no terms. */
export function rowOf(profile: Profile, kind: ProtectionKind, setting: ModelSetting, hertz: number, costs: Readonly<CostTable> = defaultCosts): Row {
  const prediction = kind === 'none' ? { terms: [], cycles: 0, overhead: 0 } : predict(profile, costs, setting);
  return { name: profile.name, kind, setting, hertz, profile, costs: { ...costs }, prediction, latencies: latencies(profile, costs, setting) };
}

/** The programs of a file of rates, each with what it cost in replicas; at other costs than the default, charged anew with those. */
export function measuredRows({ programs, hertz, protection: { kind, ...setting } }: MeasuredRates, changes: CostChanges = {}): Row[] {
  const costs = costsWith(changes);
  return programs.map(({ group: _, what, replicated, ...profile }) => {
    const row = rowOf(profile, kind, setting, hertz, costs);
    const events = chargedAnew(replicated.events, defaultCosts, costs);
    const more = totalOf(events) - totalOf(replicated.events);
    const cycles = { guestCycles: profile.cycles, protectedCycles: replicated.cycles + more };
    return { ...row, what, comparison: compare(row.prediction, events, cycles) };
  });
}
