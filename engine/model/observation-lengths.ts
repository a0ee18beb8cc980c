import type { ProtectionPlan } from '../covert/plan';
import type { ObserveOptions } from './observe';
import { greatestCommonDivisor } from './overhead';

/** Lengths that are observed at most: between them the model has a rule. */
const mostLengths = 16;

/**
 * How to look at a guest so that the model knows what it dirties at each place of a checkpoint period where the states are
 * compared, and at its end.
 */
export function observationOf({ epochInstructions, checkpointEpochs, compareStateEpochs }: ProtectionPlan): Pick<ObserveOptions, 'step' | 'stretches'> {
  const epochs = greatestCommonDivisor(checkpointEpochs, compareStateEpochs);
  const places = checkpointEpochs / epochs;
  const lengths = Array.from({ length: Math.min(mostLengths, places) }, (_, i) => Math.ceil(((i + 1) * places) / Math.min(mostLengths, places)));
  return { step: epochs * epochInstructions, stretches: lengths };
}
