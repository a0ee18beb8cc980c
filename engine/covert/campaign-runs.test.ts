import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlternativePlan, CampaignPlan, Injections } from './campaign-plan';
import { campaignRanges } from './campaign-ranges';
import { CampaignError, CampaignRuns, faultSpace, type InstructionRange } from './campaign-runs';
import { addressOf, planFor } from './plan.test-support';
import type { FaultEffect, Trigger } from './plan';
import { runReference } from './reference';

const anywhere: AlternativePlan = {
  text: 'under test',
  effect: { kind: 'flip-random', places: [{ kind: 'x', index: 5 }, { kind: 'memory', address: 0x8000_1000n, bytes: 1 }], count: 1 },
  target: { kind: 'replica', replica: 'B' },
  trigger: { kind: 'any' },
  weight: 1,
};

function campaign(alternatives: AlternativePlan[], injections: Injections = { kind: 'drawn', count: 1000, seed: 42 }): CampaignPlan {
  return { base: planFor('checksum'), alternatives, injections };
}

const range = fc.record({ first: fc.nat(1e9), count: fc.integer({ min: 1, max: 2 ** 50 }) });
const places = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('x' as const), index: fc.integer({ min: 1, max: 31 }) }),
    fc.record({ kind: fc.constant('f' as const), index: fc.nat(31) }),
    fc.record({ kind: fc.constant('memory' as const), address: fc.bigInt(0x8000_0000n, 0x8000_ffffn), bytes: fc.constantFrom(1 as const, 2 as const, 8 as const) }),
  ),
  { minLength: 1, maxLength: 6 },
);
const alternative = fc.record({ places, count: fc.integer({ min: 1, max: 4 }), weight: fc.integer({ min: 1, max: 9 }) }).map(
  ({ places, count, weight }): AlternativePlan => ({ ...anywhere, effect: { kind: 'flip-random', places, count }, weight }),
);
const drawn = fc.record({ parts: fc.array(fc.record({ alternative, range }), { minLength: 1, maxLength: 4 }), seed: fc.nat(), count: fc.integer({ min: 2, max: 200 }) });

function runsOf({ parts, seed, count }: { parts: { alternative: AlternativePlan; range: InstructionRange }[]; seed: number; count: number }): CampaignRuns {
  return new CampaignRuns(campaign(parts.map((part) => part.alternative), { kind: 'drawn', count, seed }), parts.map((part) => part.range));
}

describe('faults that are drawn', () => {
  test('are the same each time, in any order, and however many runs there are', () => {
    fc.assert(
      fc.property(drawn, fc.nat(1000), (given, more) => {
        const [once, again] = [runsOf(given), runsOf({ ...given, count: given.count + more })];
        const numbers = Array.from({ length: given.count }, (_, i) => i + 1);
        const forwards = numbers.map((number) => once.run(number).plan.faults);
        const backwards = numbers.toReversed().map((number) => again.run(number).plan.faults).toReversed();
        expect(backwards).toEqual(forwards);
      }),
      { numRuns: 40 },
    );
  });

  test('are within the bounds, and strike as many bits of the places as are asked for', () => {
    fc.assert(
      fc.property(drawn, (given) => {
        const runs = runsOf(given);
        for (let number = 1; number <= given.count; number++) {
          const { alternative: index, plan } = runs.run(number);
          const { alternative, range: { first, count } } = given.parts[index]!;
          if (alternative.effect.kind !== 'flip-random') throw new Error('another effect');
          const places: unknown[] = alternative.effect.places;
          let bits = 0;
          for (const { effect, trigger } of plan.faults) {
            if (effect.kind !== 'flip' || trigger.kind !== 'instruction') throw new Error('another fault');
            expect(trigger.count).toBeGreaterThanOrEqual(first);
            expect(trigger.count).toBeLessThan(first + count);
            expect(places).toContain(effect.place);
            expect(new Set(effect.bits).size).toBe(effect.bits.length);
            bits += effect.bits.length;
          }
          expect(bits).toBe(alternative.effect.count);
        }
      }),
      { numRuns: 40 },
    );
  });

  /** Pearson's statistic of counts against shares that add up to 1. */
  const chiSquare = (counts: number[], shares: number[]): number => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.reduce((sum, count, i) => sum + (count - total * shares[i]!) ** 2 / (total * shares[i]!), 0);
  };
  const tally = (values: number[], size: number): number[] => values.reduce((counts, value) => counts.with(value, counts[value]! + 1), Array<number>(size).fill(0));

  test('are drawn by weight, and uniformly over instructions and bits', () => {
    const weights = [1, 2, 5, 12];
    const runs = new CampaignRuns(campaign(weights.map((weight) => ({ ...anywhere, weight })), { kind: 'drawn', count: 10_000, seed: 7 }), weights.map(() => ({ first: 0, count: 1000 })));
    const all = Array.from({ length: runs.size }, (_, i) => runs.run(i + 1));
    const instructions = all.map(({ plan }) => (plan.faults[0]?.trigger as Extract<Trigger, { kind: 'instruction' }>).count);
    const bits = all.map(({ plan }) => {
      const effect = plan.faults[0]?.effect as Extract<FaultEffect, { kind: 'flip' }>;
      return effect.bits[0]! + (effect.place.kind === 'memory' ? 64 : 0);
    });
    // Exceeded by chance once in a thousand seeds: 3, 9 and 71 degrees of freedom.
    expect(chiSquare(tally(all.map(({ alternative }) => alternative), 4), weights.map((weight) => weight / 20))).toBeLessThan(16.3);
    expect(chiSquare(tally(instructions.map((count) => Math.floor(count / 100)), 10), Array<number>(10).fill(0.1))).toBeLessThan(27.9);
    expect(chiSquare(tally(bits, 72), Array<number>(72).fill(1 / 72))).toBeLessThan(112.3);
    // What tells whether the test could fail at all.
    expect(chiSquare(tally(all.map(({ alternative }) => alternative), 4), [0.25, 0.25, 0.25, 0.25])).toBeGreaterThan(1000);
  });

  test('a message that is corrupt has another bit in each run; all else runs with the seed of the campaign', () => {
    const corrupt: AlternativePlan = { ...anywhere, effect: { kind: 'message', how: 'corrupt', from: 0, to: 1 }, target: { kind: 'component', component: 'link 0 -> 1' } };
    const seeds = (alternative: AlternativePlan): Set<number> => {
      const runs = new CampaignRuns(campaign([alternative]), [{ first: 0, count: 10 }]);
      return new Set([1, 2, 3, 4, 5].map((number) => runs.run(number).plan.seed));
    };
    expect(seeds(corrupt).size).toBe(5);
    expect(seeds(anywhere)).toEqual(new Set([1]));
  });

  test('there is no run but those with a number', () => {
    const runs = new CampaignRuns(campaign([anywhere]), [{ first: 0, count: 10 }]);
    for (const number of [0, -1, 1.5, 1001]) expect(() => runs.run(number)).toThrow(RangeError);
  });
});

describe('every fault', () => {
  test('comes once, in the order of alternatives, instructions and bits', () => {
    const small = fc.record({ width: fc.constantFrom(1 as const, 2 as const), count: fc.integer({ min: 1, max: 3 }), range: fc.record({ first: fc.nat(100), count: fc.integer({ min: 1, max: 3 }) }) });
    fc.assert(
      fc.property(fc.array(small, { minLength: 1, maxLength: 3 }), (parts) => {
        const alternatives = parts.map(({ width, count }): AlternativePlan => ({ ...anywhere, effect: { kind: 'flip-random', places: [{ kind: 'memory', address: 0n, bytes: width }], count } }));
        const plan = campaign(alternatives, { kind: 'every' });
        const ranges = parts.map((part) => part.range);
        const runs = new CampaignRuns(plan, ranges);
        expect(BigInt(runs.size)).toBe(faultSpace(plan, ranges));
        const keys = Array.from({ length: runs.size }, (_, i) => {
          const run = runs.run(i + 1);
          const { effect, trigger } = run.plan.faults[0]!;
          if (effect.kind !== 'flip' || trigger.kind !== 'instruction') throw new Error('another fault');
          return [run.alternative, trigger.count, ...effect.bits];
        });
        const sorted = keys.toSorted((a, b) => a.map((value, i) => value - (b[i] ?? 0)).find((difference) => difference !== 0) ?? 0);
        expect(keys).toEqual(sorted);
        expect(new Set(keys.map((key) => key.join())).size).toBe(runs.size);
      }),
      { numRuns: 60 },
    );
  });

  test('of a space that is too large to be listed, the last one is found at once', () => {
    const runs = new CampaignRuns(campaign([{ ...anywhere, trigger: { kind: 'any' } }], { kind: 'every' }), [{ first: 10, count: 2 ** 40 }]);
    expect(runs.size).toBe(72 * 2 ** 40);
    expect(runs.run(runs.size).plan.faults[0]).toMatchObject({ effect: { bits: [7] }, trigger: { count: 2 ** 40 + 9 } });
  });

  test('one that cannot be numbered is refused', () => {
    const thousands: AlternativePlan = { ...anywhere, effect: { kind: 'flip-random', places: Array.from({ length: 30_000 }, () => ({ kind: 'x', index: 1 })), count: 900_000 } };
    // At once, though nobody could write down how many there are.
    expect(faultSpace({ alternatives: [thousands] }, [{ first: 0, count: 1 }])).toBeGreaterThan(2n ** 53n);
    const half: AlternativePlan = { ...anywhere, effect: { kind: 'flip-random', places: [{ kind: 'x', index: 1 }], count: 32 } };
    expect(() => new CampaignRuns(campaign([half], { kind: 'every' }), [{ first: 0, count: 10 }])).toThrow(CampaignError);
  });
});

describe('what instructions are drawn from', () => {
  const between = (lower: Trigger, upper: Trigger): CampaignPlan =>
    campaign([{ ...anywhere, trigger: { kind: 'any', between: { lower: { trigger: lower, text: 'lower' }, upper: { trigger: upper, text: 'upper' } } } }]);

  test('without bounds it is the whole run without faults', async () => {
    const plan = campaign([anywhere, { ...anywhere, trigger: { kind: 'epoch', number: 3 } }]);
    const reference = await runReference(plan.base);
    expect(await campaignRanges(plan)).toEqual([{ first: 0, count: reference?.instructions }, undefined]);
  });

  test('counts take no run', async () => {
    let looked = 0;
    const plan = between({ kind: 'instruction', count: 5 }, { kind: 'instruction', count: 2 ** 52 });
    expect(await campaignRanges(plan, { onProgress: () => looked++ })).toEqual([{ first: 5, count: 2 ** 52 - 4 }]);
    expect(looked).toBe(0);
  });

  test('other bounds are where the guest comes to them without faults, as a fault at the same trigger does', async () => {
    const crc32 = addressOf('checksum', 'crc32_update');
    const [epochs, calls, printed] = await Promise.all([
      campaignRanges(between({ kind: 'epoch', number: 2 }, { kind: 'checkpoint', number: 1 })),
      campaignRanges(between({ kind: 'execute', address: crc32, hit: 1 }, { kind: 'execute', address: crc32, hit: 2 })),
      campaignRanges(between({ kind: 'cycle', count: 1000 }, { kind: 'output', number: 1 })),
    ]);
    // planFor: epochs of 10,000, and a checkpoint after each fourth.
    expect(epochs).toEqual([{ first: 20_000, count: 20_001 }]);
    expect(calls?.[0]?.count).toBeGreaterThan(1000);
    expect(printed?.[0]?.first).toBeGreaterThan(100);
    const reference = await runReference(planFor('checksum'));
    for (const each of [calls?.[0], printed?.[0]]) expect(each!.first + each!.count).toBeLessThan(reference!.instructions);
  });

  test('a bound that never comes, and bounds in the wrong order, are said', async () => {
    await expect(campaignRanges(between({ kind: 'console', text: 'no such text' }, { kind: 'epoch', number: 1 }))).rejects.toThrow('never comes to the bound `lower`');
    await expect(campaignRanges(between({ kind: 'epoch', number: 3 }, { kind: 'cycle', count: 10 }))).rejects.toThrow('in the wrong order');
  });

  test('gives up when it is told to', async () => {
    const whole = campaign([anywhere]);
    // No run of this length is known from before.
    const plan = { ...whole, base: { ...whole.base, maxInstructions: 12_345 } };
    expect(await campaignRanges(plan, { signal: AbortSignal.abort() })).toBeUndefined();
    expect(await campaignRanges(plan)).toEqual([{ first: 0, count: 12_345 }]);
  });
});
