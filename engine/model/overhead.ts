import type { CostTable } from '../chip/cost-table';
import { eventCosts } from '../chip/event-costs';
import type { CostEvent } from '../covert/accounting';
import type { ProtectionPlan } from '../covert/plan';
import { breakDown, type Breakdown, type Charge } from './breakdown';
import { dirtyPagesIn, type Profile } from './profile';

/** The part of a protection that costs depend on. */
export interface ModelSetting extends Pick<ProtectionPlan, 'epochInstructions' | 'checkpointEpochs' | 'compareStateEpochs'> {
  /** Cycles that replicas wait for the slower one, as a fraction of the guest's own. Default 0: the cores of the `fast` timing level are equal. */
  skew?: number;
}

export type Prediction = Breakdown<CostEvent>;

/**
 * What replication costs a guest, from its event rates alone. With f the clock, CPI = cycles / instructions, EL the
 * epoch and T the checkpoint period:
 *
 *     O = c_epoch / (EL CPI) + [ r_env (c_exit + c_sync) + r_int (2 c_exit + c_inject) + r_in (c_exit + c_inject) + B_in c_copy
 *         + r_out (c_exit + c_rendezvous) + B_out c_compare + (c_suspend + D(T) (c_protect + c_page) + S c_fingerprint) / T ] / f + skew
 *
 * S, the bytes fingerprinted in a period, is what the emulated VMM does beyond checkpoints: {@link comparedPages}.
 * Rates go on for ever: a checkpoint that a run is too short for counts as the part of it that the run is long.
 * `checkpointEpochs` or `compareStateEpochs` 0: never. Throws a RangeError for an empty profile.
 */
export function predict(profile: Profile, costs: Readonly<CostTable>, setting: ModelSetting): Prediction {
  return breakDown(chargesOf(profile, costs, setting), profile.cycles);
}

function chargesOf(profile: Profile, costs: Readonly<CostTable>, setting: ModelSetting): Charge<CostEvent>[] {
  const { epochInstructions, checkpointEpochs, compareStateEpochs, skew = 0 } = setting;
  const { clockReads, interrupts, outputs, outputBytes, inputs, inputBytes } = profile;
  const each = eventCosts(costs);
  const epochs = profile.instructions / epochInstructions;
  const checkpoints = checkpointEpochs > 0 ? epochs / checkpointEpochs : 0;
  const checkpointPages = dirtyPagesIn(profile.dirtyPages, epochInstructions * checkpointEpochs);
  const comparisons = compareStateEpochs > 0 ? epochs / compareStateEpochs : 0;
  return [
    { event: 'rendezvous', of: 'epochs', count: epochs, each: each.rendezvous },
    { event: 'clock read', of: 'reads', count: clockReads, each: each.clockRead },
    { event: 'interrupt', of: 'interrupts', count: interrupts, each: each.interrupt },
    { event: 'output', of: 'outputs', count: outputs, each: each.output },
    { event: 'output', of: 'bytes', count: outputBytes, each: each.outputByte },
    { event: 'input', of: 'inputs', count: inputs, each: each.input },
    { event: 'input', of: 'bytes', count: inputBytes, each: each.inputByte },
    { event: 'checkpoint', of: 'suspensions', count: checkpoints, each: each.checkpoint },
    { event: 'checkpoint', of: 'pages', count: checkpoints * checkpointPages, each: each.checkpointPage },
    // By themselves they cost nothing: replicas meet there anyway.
    { event: 'state comparison', of: 'comparisons', count: comparisons, each: 0 },
    { event: 'state comparison', of: 'pages', count: epochs * comparedPages(profile, setting), each: each.comparisonPage },
    { event: 'skew', of: 'waits', count: profile.cycles * skew, each: 1 },
  ];
}

/** Where there are more places in a period than these, so many of them stand for all. */
const mostPlaces = 1024;

/**
 * Pages fingerprinted in an epoch, on average. A comparison looks at what has changed since the last checkpoint, so how much it is depends on
 * how long ago that was: with periods of c and k epochs all multiples of their greatest common divisor up to k, equally often.
 */
export function comparedPages({ dirtyPages, instructions }: Profile, setting: ModelSetting): number {
  const { epochInstructions, checkpointEpochs, compareStateEpochs } = setting;
  if (compareStateEpochs <= 0) return 0;
  // Without checkpoints it is compared with the start.
  if (checkpointEpochs <= 0) return dirtyPagesIn(dirtyPages, instructions / 2) / compareStateEpochs;
  const places = Math.min(mostPlaces, checkpointEpochs / greatestCommonDivisor(compareStateEpochs, checkpointEpochs));
  const offsets = Array.from({ length: places }, (_, i) => ((i + 1) * checkpointEpochs) / places);
  const sum = offsets.reduce((pages, epochs) => pages + dirtyPagesIn(dirtyPages, epochs * epochInstructions), 0);
  return sum / offsets.length / compareStateEpochs;
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
