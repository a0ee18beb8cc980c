import type { CostTable } from '../chip/cost-table';
import { eventCosts } from '../chip/event-costs';
import type { ModelSetting } from './overhead';
import { dirtyPagesIn, type Profile } from './profile';

/** What a guest waits for, in core cycles on average. */
export interface Latencies {
  /** From the arrival of an interrupt to its delivery at the next rendezvous: EL CPI / 2. */
  interrupt: number;
  /** From an error to its detection where nothing but a comparison of states shows it: half of their period. Infinity where states are never compared. */
  detection: number;
  /** What one recovery takes: going back, running half a checkpoint period again, and what ran on until the detection. */
  recovery: number;
}

/**
 * Waiting times, of formulas of their own: they are no part of the overhead of a
 * run in which nothing goes wrong. Going back costs a suspension and a copy of each page that was changed since the checkpoint.
 * Errors that show in outputs are found sooner, so `detection` is an upper bound of the mean.
 */
export function latencies(profile: Profile, costs: Readonly<CostTable>, setting: ModelSetting): Latencies {
  const { epochInstructions, checkpointEpochs, compareStateEpochs } = setting;
  const each = eventCosts(costs);
  const cyclesPerInstruction = profile.cycles / profile.instructions;
  const halfOf = (epochs: number): number => (epochs > 0 ? (epochs * epochInstructions * cyclesPerInstruction) / 2 : Infinity);
  const detection = halfOf(compareStateEpochs);
  const pages = dirtyPagesIn(profile.dirtyPages, (epochInstructions * checkpointEpochs) / 2);
  return {
    interrupt: halfOf(1),
    detection,
    recovery: each.recovery + pages * each.recoveryPage + halfOf(checkpointEpochs) + detection,
  };
}
