import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import { tiers } from '../machine/tier';
import type { SystemEvent } from './events';
import type { FaultPlan, FaultTarget, Lifetime, Plan, StuckPlace, Trigger } from './plan';
import { addressOf, fault, planFor, type Example } from './plan.test-support';
import { runReference } from './reference';
import { System, type SystemOptions } from './system';

const early = { kind: 'instruction', count: 250_000 } as const;
const table = { kind: 'memory', address: addressOf('checksum', 'table') + 4n * 77n, bytes: 4 } as const;

function stick(place: StuckPlace, bits: number[], value: 0 | 1, trigger: Trigger = early, lifetime?: Lifetime, target?: FaultTarget): FaultPlan {
  return { ...fault({ kind: 'stick', place, bits, value }, trigger, target), ...(lifetime ? { lifetime } : {}) };
}

function runToEnd(plan: Plan, options: SystemOptions = {}, next: () => number = () => 1e9): { system: System; events: SystemEvent[] } {
  const system = new System(plan, options);
  const events = system.takeEvents();
  while (!system.ended) {
    system.advance(system.moment + next());
    for (const event of system.takeEvents()) events.push(event);
  }
  return { system, events };
}

const kinds = (events: readonly SystemEvent[]): string[] => events.filter(({ kind }) => kind !== 'release' && kind !== 'checkpoint').map(({ kind }) => kind);

async function expectNothingWrong(plan: Plan, system: System): Promise<void> {
  const right = Buffer.from((await runReference(plan))?.console ?? []);
  const { released } = system;
  expect(right.subarray(0, released.length).equals(Buffer.from(released))).toBe(true);
}

describe.each(tiers)('tier %s', (tier) => {
  it.each<[string, StuckPlace, number]>([
    ['the arithmetic-logic unit', { kind: 'alu' }, 5],
    ['a register', { kind: 'x', index: 10 }, 17],
    ['memory', table, 9],
  ])('%s: it is there again after each rollback, and at last the guest is stopped', async (_, place, bit) => {
    for (const replica of ['A', 'B'] as const) {
      const plan = planFor('checksum', { faults: [stick(place, [bit], 1, early, undefined, { kind: 'replica', replica })] });
      const { system, events } = runToEnd(plan, { tier });
      expect(kinds(events)).toEqual(['fault', 'detection', 'recovery', 'detection', 'recovery', 'detection', 'end']);
      expect(system.ended).toMatchObject({ how: 'stopped', exitCode: null });
      await expectNothingWrong(plan, system);
    }
  });
});

it('one that ends lets the guest go on, and ends after as many instructions, also those that are run again', async () => {
  const length = 100_000;
  const plan = planFor('checksum', { protection: { retry: 9 }, faults: [stick({ kind: 'alu' }, [5], 1, early, { unit: 'instructions', length })] });
  const { system, events } = runToEnd(plan);
  const struck = events.find(({ kind }) => kind === 'fault')?.moment ?? 0;
  expect(kinds(events).slice(0, 3)).toEqual(['fault', 'detection', 'recovery']);
  expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
  const detections = events.filter(({ kind }) => kind === 'detection');
  expect(detections.length).toBeGreaterThan(0);
  // What it has done may be noticed later.
  expect(detections.every(({ moment }) => moment <= struck + length + 4 * 10_000)).toBe(true);
  await expectNothingWrong(plan, system);
});

it('ends at the first boundary at which its core has spent the cycles', () => {
  const lifetime = { unit: 'cycles', length: 5_000 } as const;
  const plan = planFor('checksum', { protection: { kind: 'none', cores: [0] }, faults: [stick({ kind: 'x', index: 31 }, [40], 1, { kind: 'cycle', count: 2_000 }, lifetime, { kind: 'core', core: 0 })] });
  const system = new System(plan);
  const computer = system.replicas[0]?.computer;
  let last = 0;
  while (computer && computer.cycles < 9_000) {
    system.advance(system.moment + 1);
    computer.setX(31, 0n);
    if (computer.getX(31) !== 0n) last = computer.cycles;
  }
  expect(last).toBeGreaterThan(7_000 - 40);
  expect(last).toBeLessThan(7_000 + 40);
  expect(system.hasFired(0)).toBe(true);
});

it('counts the latency of what is noticed after a rollback from there', () => {
  const { events } = runToEnd(planFor('checksum', { faults: [stick({ kind: 'x', index: 27 }, [3], 1)] }));
  const latencies = events.flatMap((event) => (event.kind === 'detection' ? [event.latency] : []));
  expect(latencies).toEqual([30_000, 40_000, 40_000]);
});

it('says what is stuck, and does not count as struck where there is no such memory', () => {
  const places: StuckPlace[] = [{ kind: 'alu' }, { kind: 'x', index: 0 }, { kind: 'memory', address: 0x8000_0000n, bytes: 1 }, { kind: 'memory', address: 0x10n, bytes: 8 }];
  const plan = planFor('checksum', { faults: places.map((place) => stick(place, [2, 5], 0, { kind: 'instruction', count: 0 })) });
  const system = new System(plan);
  expect(system.takeEvents().flatMap((event) => (event.kind === 'fault' ? [event.change] : []))).toEqual([
    'alu: bits 2, 5 stuck at 0',
    'zero: 0x0, unchanged so far, bits 2, 5 stuck at 0',
    expect.stringMatching(/^memory\[0x80000000\]\.b: 0x[0-9a-f]+(, unchanged so far| -> 0x[0-9a-f]+), bits 2, 5 stuck at 0$/),
  ]);
  expect(plan.faults.map((_, i) => system.hasFired(i))).toEqual([true, true, true, false]);
});

const stuckPlans = fc.constantFrom<Example>('checksum', 'sort', 'ticker').chain((example) => {
  const place = fc.oneof<fc.Arbitrary<StuckPlace>[]>(
    fc.constant({ kind: 'alu' }),
    fc.record({ kind: fc.constant('x' as const), index: fc.integer({ min: 1, max: 31 }) }),
    fc.record({ kind: fc.constant('memory' as const), address: fc.nat(0x4000).map((at) => addressOf(example, '_start') + BigInt(at) * 8n), bytes: fc.constant(8 as const) }),
    fc.record({ kind: fc.constant('unit' as const), unit: fc.constantFrom('load' as const, 'store' as const, 'store address' as const, 'branch' as const, 'fetch' as const) }),
    fc.constantFrom({ kind: 'pc' } as const, { kind: 'csr', number: 0x305 } as const, { kind: 'csr', number: 0x300 } as const, { kind: 'csr', number: 0xb02 } as const),
  );
  const unit = fc.constantFrom('instructions' as const, 'cycles' as const);
  const rhythm = fc.option(fc.record({ kind: fc.constant('duty' as const), unit, period: fc.integer({ min: 3_000, max: 300_000 }), on: fc.integer({ min: 1, max: 2_999 }) }), { nil: undefined });
  const lifetime = fc.option(fc.record({ unit: fc.constantFrom('instructions' as const, 'cycles' as const), length: fc.integer({ min: 1, max: 300_000 }) }), { nil: undefined });
  const trigger = fc.record({ kind: fc.constantFrom('instruction' as const, 'cycle' as const), count: fc.nat(500_000) });
  const target = fc.record({ kind: fc.constant('core' as const), core: fc.nat(1) });
  const faults = fc.array(fc.tuple(place, fc.nat(63), fc.constantFrom(0 as const, 1 as const), trigger, lifetime, rhythm, target).map(([p, bit, value, t, l, r, g]) => (r ? { ...stick(p, [bit], value, t, undefined, g), rhythm: r } : stick(p, [bit], value, t, l, g))), { minLength: 1, maxLength: 3 });
  return faults.map((some) => planFor(example, { faults: some, maxInstructions: 700_000 }));
});

it('a run is the same however it is cut, in each tier, and from a saved state on', () => {
  fc.assert(
    fc.property(stuckPlans, fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 5 }), (plan, sizes) => {
      const whole = runToEnd(plan, { tier: 'interpreter' });
      const story = (system: System): unknown => [system.ended, system.moment, system.cycles, ...system.replicas.map(({ computer }) => computer.snapshot().hash())];
      for (const tier of tiers) {
        let turn = 0;
        const cut = runToEnd(plan, { tier }, () => 3_000 + (sizes[turn++ % sizes.length] ?? 1));
        expect(cut.events).toEqual(whole.events);
        expect(story(cut.system)).toEqual(story(whole.system));
      }
      const half = new System(plan);
      half.advance(Math.floor(whole.system.moment / 2));
      const state = half.save();
      for (const goesOn of [half, new System(plan)]) {
        // There and back, as a debugger travels.
        goesOn.advance(goesOn.moment + 150_000);
        goesOn.load(state);
        while (!goesOn.ended) goesOn.advance(goesOn.moment + 1e9);
        expect(story(goesOn)).toEqual(story(whole.system));
      }
    }),
    { numRuns: 12 },
  );
});

it('going back to before it struck takes it away, going on brings it back', async () => {
  const plan = planFor('checksum', { faults: [stick({ kind: 'alu' }, [5], 1)] });
  const session = Session.create(plan);
  expect((await session.forward({ stopAt: new Set(), breakpoints: new Set() })).why).toBe('end');
  const end = session.moment;
  const [event] = session.events.filter(({ kind }) => kind === 'fault');
  const recovery = session.events.find(({ kind }) => kind === 'recovery')?.moment ?? 0;
  const states = async (moment: number): Promise<string[]> => {
    await session.travel(moment);
    return session.replicas.map(({ computer }) => computer.snapshot().hash());
  };
  const moments = [0, 249_999, 250_000, 250_100, recovery, recovery + 5_000, end];
  const first = new Map<number, string[]>();
  for (const moment of moments) first.set(moment, await states(moment));
  for (const moment of [...moments].reverse()) expect(await states(moment)).toEqual(first.get(moment));
  const equal = moments.map((moment) => new Set(first.get(moment)).size === 1);
  // A result with the bit comes soon after it has struck, and soon after a rollback.
  expect(equal).toEqual([true, true, true, false, true, false, false]);
  expect(event?.moment).toBe(250_000);
  // Each way into the error is found, not only the first.
  expect(session.events.filter(({ kind }) => kind === 'divergence').length).toBe(session.events.filter(({ kind }) => kind === 'detection').length);
});
