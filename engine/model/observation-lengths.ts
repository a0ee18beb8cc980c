import type { Plan } from '../covert/plan';
import type { ObserveOptions } from './observe';
import { greatestCommonDivisor } from './overhead';

/** Lengths that are observed at most: between them the model has a rule. */
const mostLengths = 16;
/** Steps at most, each of which is kept. */
const mostSteps = 200_000;

/**
 * How to look at a guest so that the model knows what it dirties at each place of a checkpoint period where the states are
 * compared, and at its end; as nearly as can be said in steps of which there are not too many.
 */
export function observationOf({ protection, maxInstructions }: Pick<Plan, 'protection' | 'maxInstructions'>): Pick<ObserveOptions, 'step' | 'stretches'> {
  const { epochInstructions, checkpointEpochs, compareStateEpochs } = protection;
  const between = greatestCommonDivisor(checkpointEpochs, compareStateEpochs) * epochInstructions;
  const step = between * Math.ceil(maxInstructions / mostSteps / between);
  const places = (checkpointEpochs * epochInstructions) / between;
  const shown = Math.min(mostLengths, places);
  const lengths = Array.from({ length: shown }, (_, i) => Math.ceil((Math.ceil(((i + 1) * places) / shown) * between) / step));
  // One length alone would not say how pages grow with it.
  return { step, stretches: [...new Set(lengths.length > 1 && lengths.at(-1) !== 1 ? lengths : [1, 2])] };
}
