import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planFor } from '../covert/plan.test-support';
import { observationOf } from './observation-lengths';

test('each place where states are compared, where there are few', () => {
  const plan = planFor('checksum', { protection: { epochInstructions: 100_000, checkpointEpochs: 16, compareStateEpochs: 4 } });
  expect(observationOf(plan)).toEqual({ step: 400_000, stretches: [1, 2, 3, 4] });
});

test('no more steps and lengths than there is room for, whatever the protection', () => {
  // Periods below 2^53 instructions, as far as numbers are exact.
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e9 }), fc.nat(1e9), fc.integer({ min: 1, max: 2e10 }), (epochInstructions, checkpointEpochs, compareStateEpochs, maxInstructions) => {
    const plan = planFor('checksum', { protection: { epochInstructions, checkpointEpochs, compareStateEpochs }, maxInstructions });
    const { step, stretches } = observationOf(plan);
    expect(maxInstructions / step).toBeLessThanOrEqual(200_000);
    expect(step % epochInstructions).toBe(0);
    expect(stretches.length).toBeLessThanOrEqual(16);
    // They ascend from one step to a whole checkpoint period.
    expect(stretches.every((length, i) => Number.isInteger(length) && length > (stretches[i - 1] ?? 0))).toBe(true);
    expect((stretches.at(-1) ?? 0) * step).toBeGreaterThanOrEqual(checkpointEpochs * epochInstructions);
  }));
});
