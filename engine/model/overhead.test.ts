import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultCosts, type CostTable } from '../chip/cost-table';
import { cyclesOf } from './breakdown';
import { latencies } from './latency';
import { comparedPages, predict, type ModelSetting } from './overhead';
import { dirtyPagesIn, type Profile } from './profile';

const profiles: fc.Arbitrary<Profile> = fc
  .record({
    instructions: fc.integer({ min: 1_000_000, max: 1e10 }),
    cyclesPerInstruction: fc.double({ min: 0.5, max: 8, noNaN: true }),
    clockReads: fc.nat(1e6), interrupts: fc.nat(1e5), outputs: fc.nat(1e5), outputBytes: fc.nat(1e8), inputs: fc.nat(1e4), inputBytes: fc.nat(1e6),
    pages: fc.integer({ min: 1, max: 5000 }),
    growth: fc.array(fc.double({ min: 1, max: 2, noNaN: true }), { minLength: 1, maxLength: 6 }),
  })
  .map(({ cyclesPerInstruction, pages, growth, ...counts }) => ({
    name: 'any',
    ...counts,
    cycles: Math.ceil(counts.instructions * cyclesPerInstruction),
    // Each stretch is twice as long as the one before and has at most twice its pages.
    dirtyPages: growth.map((_, i) => ({ instructions: 100_000 * 2 ** i, pages: growth.slice(0, i).reduce((product, factor) => product * factor, pages) })),
  }));
const costTables: fc.Arbitrary<CostTable> = fc.record(
  Object.fromEntries(Object.keys(defaultCosts).map((name) => [name, fc.double({ min: 0, max: 1e5, noNaN: true })])) as Record<keyof CostTable, fc.Arbitrary<number>>,
);
const settings: fc.Arbitrary<ModelSetting> = fc.record({
  epochInstructions: fc.integer({ min: 1000, max: 1_000_000 }),
  checkpointEpochs: fc.nat(200),
  compareStateEpochs: fc.nat(50),
  skew: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('overhead from event rates', () => {
  test('is the sum of its parts', () => {
    fc.assert(fc.property(profiles, costTables, settings, (profile, costs, setting) => {
      const { terms, cycles, overhead } = predict(profile, costs, setting);
      expect(overhead).toBeCloseTo(cycles / profile.cycles, 9);
      const sum = terms.reduce((total, { share }) => total + share, 0);
      expect(Math.abs(sum - overhead)).toBeLessThanOrEqual(1e-9 * Math.max(1, overhead));
      for (const { count, each, cycles: part } of terms) expect(part).toBe(count * each);
    }));
  });

  test('is what the formula says', () => {
    fc.assert(fc.property(profiles, settings, (profile, setting) => {
      const { exit, rendezvous, sync, inject, compare, copy, protect, page, suspend, fingerprint } = defaultCosts;
      const { instructions, cycles, clockReads, interrupts, outputs, outputBytes, inputs, inputBytes, dirtyPages } = profile;
      const { epochInstructions, checkpointEpochs, skew = 0 } = setting;
      const hertz = 2e9;
      const rate = (events: number): number => events / (cycles / hertz);
      const cyclesPerInstruction = cycles / instructions;
      const period = (epochInstructions * checkpointEpochs * cyclesPerInstruction) / hertz;
      const dirty = dirtyPagesIn(dirtyPages, epochInstructions * checkpointEpochs);
      const perSecond =
        rate(clockReads) * (exit + sync) + rate(interrupts) * (2 * exit + inject) + rate(inputs) * (exit + inject) + rate(inputBytes) * copy +
        rate(outputs) * (exit + rendezvous) + rate(outputBytes) * compare + (period > 0 ? (suspend + dirty * (protect + page)) / period : 0) +
        (comparedPages(profile, setting) * 4096 * fingerprint) / ((epochInstructions * cyclesPerInstruction) / hertz);
      const expected = (exit + rendezvous) / (epochInstructions * cyclesPerInstruction) + perSecond / hertz + skew;
      const { overhead } = predict(profile, defaultCosts, setting);
      expect(Math.abs(overhead - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, expected));
    }));
  });

  test('grows with each cost, or stays', () => {
    fc.assert(fc.property(profiles, costTables, settings, fc.constantFrom(...Object.keys(defaultCosts) as (keyof CostTable)[]), (profile, costs, setting, name) => {
      const before = predict(profile, costs, setting).overhead;
      const after = predict(profile, { ...costs, [name]: costs[name] + 100 }, setting).overhead;
      expect(after).toBeGreaterThanOrEqual(before * (1 - 1e-12));
    }));
  });

  test('has half the rendezvous in epochs of twice the length, and as much of all that happens outside of them', () => {
    fc.assert(fc.property(profiles, settings, (profile, setting) => {
      const [once, twice] = [1, 2].map((factor) => predict(profile, defaultCosts, { ...setting, epochInstructions: setting.epochInstructions * factor }));
      if (!once || !twice) throw new Error('two settings, two predictions');
      expect(cyclesOf(twice, 'rendezvous')).toBeCloseTo(cyclesOf(once, 'rendezvous') / 2, 3);
      for (const event of ['clock read', 'interrupt', 'output', 'input', 'skew'] as const) expect(cyclesOf(twice, event)).toBe(cyclesOf(once, event));
    }));
  });

  test('has no checkpoints and no comparisons where there are none', () => {
    fc.assert(fc.property(profiles, settings, (profile, setting) => {
      const prediction = predict(profile, defaultCosts, { ...setting, checkpointEpochs: 0, compareStateEpochs: 0 });
      expect(cyclesOf(prediction, 'checkpoint')).toBe(0);
      expect(cyclesOf(prediction, 'state comparison')).toBe(0);
    }));
  });

  test('of nothing is refused', () => {
    const nothing: Profile = { name: '', instructions: 0, cycles: 0, clockReads: 0, interrupts: 0, outputs: 0, outputBytes: 0, inputs: 0, inputBytes: 0, dirtyPages: [] };
    expect(() => predict(nothing, defaultCosts, { epochInstructions: 1, checkpointEpochs: 1, compareStateEpochs: 1 })).toThrow(RangeError);
  });
});

describe('pages that are compared', () => {
  const dirtyPages = [1, 2, 3, 4].map((n) => ({ instructions: n * 4000, pages: 10 * n ** 2 }));
  const profile: Profile = { name: '', instructions: 1e6, cycles: 1e6, clockReads: 0, interrupts: 0, outputs: 0, outputBytes: 0, inputs: 0, inputBytes: 0, dirtyPages };

  test('are those since the last checkpoint, at each place of the period', () => {
    // After 4, 8, 12 and 16 epochs: 10, 40, 90 and 160 pages, in 16 epochs.
    expect(comparedPages(profile, { epochInstructions: 1000, checkpointEpochs: 16, compareStateEpochs: 4 })).toBeCloseTo(300 / 16, 9);
  });

  test('are counted in no time, whatever the periods', () => {
    expect(comparedPages(profile, { epochInstructions: 1000, checkpointEpochs: 1e9 + 7, compareStateEpochs: 1e9 + 9 })).toBeGreaterThan(0);
  });
});

describe('pages dirtied in a stretch', () => {
  test('are what was measured, at the lengths that were', () => {
    fc.assert(fc.property(profiles, ({ dirtyPages }) => {
      for (const { instructions, pages } of dirtyPages) expect(dirtyPagesIn(dirtyPages, instructions)).toBeCloseTo(pages, 6);
    }));
  });

  test('are no fewer in a longer one, and no more than in proportion', () => {
    const lengths = fc.integer({ min: 1000, max: 1e9 });
    fc.assert(fc.property(profiles, lengths, lengths, ({ dirtyPages }, a, b) => {
      const [short, long] = [Math.min(a, b), Math.max(a, b)];
      const [few, many] = [dirtyPagesIn(dirtyPages, short), dirtyPagesIn(dirtyPages, long)];
      expect(many).toBeGreaterThanOrEqual(few * (1 - 1e-9));
      expect(many).toBeLessThanOrEqual(((few * long) / short) * (1 + 1e-9));
    }));
  });

  test('where nothing is known: none', () => {
    expect(dirtyPagesIn([], 1000)).toBe(0);
  });
});

describe('latencies', () => {
  test('an interrupt waits for half an epoch', () => {
    fc.assert(fc.property(profiles, settings, (profile, setting) => {
      expect(latencies(profile, defaultCosts, setting).interrupt).toBeCloseTo((setting.epochInstructions * profile.cycles) / profile.instructions / 2, 3);
    }));
  });

  test('a recovery runs half a period again, and what ran on until the detection', () => {
    fc.assert(fc.property(profiles, settings.filter(({ checkpointEpochs, compareStateEpochs }) => checkpointEpochs > 0 && compareStateEpochs > 0), (profile, setting) => {
      const { recovery, detection } = latencies(profile, defaultCosts, setting);
      const half = (setting.epochInstructions * setting.checkpointEpochs * profile.cycles) / profile.instructions / 2;
      const pages = dirtyPagesIn(profile.dirtyPages, (setting.epochInstructions * setting.checkpointEpochs) / 2);
      const expected = defaultCosts.suspend + pages * defaultCosts.page + half + detection;
      expect(Math.abs(recovery - expected)).toBeLessThanOrEqual(1e-9 * expected);
    }));
  });
});
