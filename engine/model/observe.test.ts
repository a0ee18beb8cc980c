import { describe, expect, test } from 'vitest';
import { planFor, type Example } from '../covert/plan.test-support';
import { runReference } from '../covert/reference';
import { System } from '../covert/system';
import { compare } from './comparison';
import { observationOf } from './observation-lengths';
import { observe, profileOf } from './observe';
import { rowOf } from './survey';
import { study } from './study';

const examples: readonly Example[] = ['checksum', 'sort', 'ticker'];

describe('a run that is looked at', () => {
  test.each(examples)('%s does what it does unobserved', async (example) => {
    const plan = planFor(example);
    const [observation, reference] = [await observe(plan, observationOf(plan)), await runReference(plan)];
    if (!observation || !reference) throw new Error('nobody aborted it');
    expect(observation.whole).toBe(true);
    const profile = profileOf(observation, example);
    expect(profile).toMatchObject({ instructions: reference.instructions, cycles: reference.cycles, outputBytes: reference.console.length + 1 });
    expect(profile.interrupts > 0).toBe(example === 'ticker');
  });

  test('nobody protects it while it runs, and nobody else is on its chip', async () => {
    const plan = planFor('checksum');
    const observation = await observe(plan, observationOf(plan));
    const { guest, protection, faults, expectations, maxInstructions } = planFor('sort');
    const neighbour = { guest, protection: { ...protection, cores: [4, 5] }, faults, expectations, maxInstructions };
    const busy = { ...plan, switches: [{ kind: 'dmr' as const, cores: [0, 1], trigger: { kind: 'instruction' as const, count: 200_000 } }], neighbours: [neighbour] };
    expect(await observe(busy, observationOf(busy))).toEqual(observation);
  });

  test('parts add up to the whole', async () => {
    const plan = planFor('checksum');
    const observation = await observe(plan, observationOf(plan));
    if (!observation) throw new Error('nobody aborted it');
    const whole = profileOf(observation, 'whole');
    const parts = [profileOf(observation, 'first', 0, 1_000_000), profileOf(observation, 'second', 1_000_000)];
    for (const key of ['instructions', 'cycles', 'outputs', 'outputBytes', 'clockReads'] as const) {
      expect(parts.reduce((sum, part) => sum + part[key], 0)).toBe(whole[key]);
    }
  });

  test('a part between two steps is none', async () => {
    const plan = planFor('checksum');
    const observation = await observe(plan, observationOf(plan));
    expect(() => observation && profileOf(observation, 'nothing', 100, 200)).toThrow(RangeError);
  });

  test('ends when it is aborted', async () => {
    const plan = planFor('checksum');
    expect(await observe(plan, { ...observationOf(plan), signal: AbortSignal.abort() })).toBeUndefined();
  });
});

describe('a prediction beside what was measured', () => {
  // All these events are counted in both runs, so the model has them exactly; checkpoints and comparisons come in whole numbers.
  test.each(examples)('%s: as many outputs, inputs, interrupts and clock reads', async (example) => {
    const plan = planFor(example);
    const { comparison } = await study(plan);
    for (const { event, predicted, measured } of comparison?.events ?? []) {
      if (['output', 'input', 'interrupt', 'clock read'].includes(event)) expect(predicted).toEqual(measured);
    }
    expect(comparison?.events.some(({ event }) => event === 'output')).toBe(true);
  });

  test('of a long run without faults is nearly that', async () => {
    const plan = planFor('checksum');
    const { comparison } = await study(plan);
    expect(Math.abs(comparison?.difference ?? 1)).toBeLessThan(0.005);
    expect(comparison?.measured).toBeGreaterThan(0.05);
  });

  test('differences of events add up to that of the whole', async () => {
    const plan = planFor('sort');
    const { comparison } = await study(plan);
    const sum = comparison?.events.reduce((total, { difference }) => total + difference, 0) ?? NaN;
    expect(sum).toBeCloseTo(comparison?.difference ?? NaN, 5);
  });

  test('cycles that nobody was charged for are said', () => {
    const { prediction } = rowOf({ name: '', instructions: 1e6, cycles: 1e6, clockReads: 0, interrupts: 0, outputs: 0, outputBytes: 0, inputs: 0, inputBytes: 0, dirtyPages: [] }, 'none', { epochInstructions: 1, checkpointEpochs: 1, compareStateEpochs: 1 }, 2e9);
    expect(compare(prediction, [], { guestCycles: 1e6, protectedCycles: 1.2e6 }).events).toMatchObject([{ event: 'other work of the guest', measured: { cycles: 2e5 } }]);
  });

  test('where the run is cut off there is none, with a reason', async () => {
    const plan = planFor('checksum', { maxInstructions: 100_000 });
    const { comparison, why, prediction } = await study(plan);
    expect(comparison).toBeUndefined();
    expect(why).toBe('alone the guest does not come to its end');
    expect(prediction.overhead).toBeGreaterThan(0);
  });
});

test('observing does not depend on how long a step is', async () => {
  const plan = planFor('ticker');
  const system = new System({ ...plan, protection: { ...plan.protection, kind: 'none' } });
  while (!system.ended) system.advance(system.moment + 1e9);
  for (const step of [10_000, 70_000]) {
    const observation = await observe(plan, { step, stretches: [1] });
    expect(observation?.steps.at(-1)).toMatchObject({ instructions: system.count, cycles: system.cycles });
  }
});
