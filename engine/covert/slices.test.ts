import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Plan } from './plan';
import { flipX, planFor, type Example } from './plan.test-support';
import { System } from './system';

/** All that can be told of a run, advanced by these many instructions, over and over. */
function story(plan: Plan, slices: readonly number[]): Record<string, unknown> {
  const system = new System(plan);
  const events = system.takeEvents();
  for (let i = 0; !system.ended; i++) {
    system.advance(system.moment + (slices[i % slices.length] ?? 1));
    events.push(...system.takeEvents());
  }
  const { moment, count, epoch, ended, cycles } = system;
  const hashes = system.replicas.map(({ computer }) => computer.snapshot().hash());
  return { events, moment, count, epoch, ended, cycles, hashes, costs: system.costs() };
}

const plans = fc
  .record({
    example: fc.constantFrom<Example>('checksum', 'sort', 'ticker'),
    kind: fc.constantFrom('none' as const, 'dmr' as const, 'tmr' as const),
    epochInstructions: fc.integer({ min: 3_000, max: 60_000 }),
    checkpointEpochs: fc.integer({ min: 0, max: 9 }),
    compareStateEpochs: fc.integer({ min: 0, max: 9 }),
    maxInstructions: fc.constantFrom(700_000, 50_000_000),
    faults: fc.array(fc.record({ register: fc.integer({ min: 1, max: 31 }), bit: fc.nat(63), at: fc.integer({ min: 0, max: 2_000_000 }), by: fc.constantFrom('instruction' as const, 'cycle' as const, 'output' as const) }), { maxLength: 2 }),
  })
  .map(({ example, kind, faults, maxInstructions, ...protection }) =>
    planFor(example, {
      protection: { ...protection, kind, cores: [0, 1, 2] },
      maxInstructions,
      faults: faults.map(({ register, bit, at, by }) => flipX(register, bit, by === 'output' ? { kind: by, number: at % 100 } : { kind: by, count: at }, { kind: 'replica', replica: kind === 'none' ? 'A' : 'B' })),
    }),
  );

it('a run is the same in one go as by slices of whatever length, epochs that are run together included', { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(plans, fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 5 }), (plan, slices) => {
      // A slice of an epoch at most runs none of them together.
      const { epochInstructions } = plan.protection;
      const whole = story(plan, [1e9]);
      expect(story(plan, slices.map((slice) => Math.max(slice, 2_000)))).toEqual(whole);
      expect(story(plan, [epochInstructions - 1])).toEqual(whole);
    }),
    { numRuns: 60 },
  );
});
