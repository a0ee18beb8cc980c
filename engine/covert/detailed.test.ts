import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Session } from '../history/session';
import { fillPool, pool } from '../machine/threads/thread.test-support';
import type { FaultPlan, Plan, ProtectionPlan } from './plan';
import { addressOf, fault, flipX, planFor, type Example } from './plan.test-support';
import { runReference } from './reference';
import { expectNothingWrong, runToEnd } from './run.test-support';
import { System, type SystemOptions } from './system';

beforeAll(() => fillPool(2));
afterAll(() => pool().close());

/** A plan on a chip with `detailed` timing, and second-level caches so small that they matter. */
function detailedPlan(example: Example, changes: Parameters<typeof planFor>[1] = {}, l2BankBytes = 4096): Plan {
  const plan = planFor(example, changes);
  return { ...plan, chip: { ...plan.chip, l2BankBytes, spares: [6, 7], timing: 'detailed', memoryTiming: { l1iBytes: 1024, l1iWays: 2, l1dBytes: 2048, l1dWays: 2 } } };
}

/** All that can be told of a run, its caches with it. */
function story(plan: Plan, slices: readonly number[], options: SystemOptions = {}): Record<string, unknown> {
  const system = new System(plan, options);
  try {
    const events = system.takeEvents();
    for (let i = 0; !system.ended; i++) {
      system.advance(system.moment + (slices[i % slices.length] ?? 1));
      for (const event of system.takeEvents()) events.push(event);
    }
    const { moment, count, ended, cycles } = system;
    const replicas = system.replicas.map(({ name, core, computer }) => ({ name, core, cycles: computer.cycles, hash: computer.snapshot().hash(), caches: computer.caches?.save() }));
    return { events, moment, count, ended, cycles, replicas, costs: system.costs() };
  } finally {
    system.close();
  }
}

it('caches change how long a guest takes, and nothing else', async () => {
  for (const example of ['checksum', 'sort'] as const) {
    const plan = detailedPlan(example);
    const [fast, detailed] = [runToEnd({ ...plan, chip: { ...plan.chip, timing: 'fast' } }), runToEnd(plan)];
    expect(detailed.system.live.map(({ computer }) => computer.snapshot().hash())).toEqual(fast.system.live.map(({ computer }) => computer.snapshot().hash()));
    expect(detailed.system.cycles).toBeGreaterThan(fast.system.cycles);
    await expectNothingWrong(plan, detailed.system);
    for (const { computer } of detailed.system.live) {
      const account = computer.caches?.account();
      // What is not there is looked for on the next level, and nothing else is.
      expect(account?.l2.accesses).toBe((account?.l1i.misses ?? 0) + (account?.l1d.misses ?? 0));
      expect(account?.l1d.misses).toBeGreaterThan(100);
    }
  }
});

it('a domain with fewer banks is a smaller cache: the guest alone has all of them, and misses less', async () => {
  const plan = detailedPlan('sort', {}, 8192);
  const reference = await runReference(plan);
  const alone = runToEnd({ ...plan, protection: { ...plan.protection, kind: 'none', cores: [0] } }).system;
  expect(alone.cycles).toBe(reference?.cycles);
  const misses = (system: System): number => system.live[0]?.computer.caches?.account().l2.misses ?? 0;
  const two = runToEnd(plan).system;
  const apart = runToEnd({ ...plan, protection: { ...plan.protection, isolation: 'none' } }).system;
  expect(misses(two)).toBeGreaterThan(1.5 * misses(alone));
  // Without isolation each has all banks: the other replica's lines are left out.
  expect(misses(apart)).toBe(misses(alone));
});

const flip = fc.record({ register: fc.integer({ min: 1, max: 31 }), bit: fc.nat(63), at: fc.integer({ min: 0, max: 1_500_000 }), by: fc.constantFrom('instruction' as const, 'cycle' as const), sticks: fc.boolean() }).map(({ register, bit, at, by, sticks }): FaultPlan => {
  const struck = flipX(register, bit, { kind: by, count: at });
  return sticks ? { ...struck, effect: { kind: 'stick', place: { kind: 'x', index: register }, bits: [bit], value: 1 } } : struck;
});
const death = fc.record({ component: fc.constantFrom('core 0', 'core 1', 'l2 bank 0', 'l2 bank 3', 'memory controller 1', 'link 1 -> 2'), at: fc.integer({ min: 0, max: 1_500_000 }) }).map(({ component, at }) => fault({ kind: 'die', how: 'stops' }, { kind: 'instruction', count: at }, { kind: 'component', component }));

const plans = fc
  .record({
    example: fc.constantFrom<Example>('checksum', 'sort', 'ticker'),
    protection: fc.record<Partial<ProtectionPlan>>({
      kind: fc.constantFrom('dmr' as const, 'tmr' as const),
      epochInstructions: fc.integer({ min: 3_000, max: 60_000 }),
      checkpointEpochs: fc.integer({ min: 1, max: 9 }),
      compareStateEpochs: fc.integer({ min: 0, max: 9 }),
      isolation: fc.constantFrom('full' as const, 'none' as const, 'caches' as const),
      uncoordinated: fc.constantFrom([], ['time' as const]),
    }),
    faults: fc.array(fc.oneof(flip, flip, death), { maxLength: 3 }),
  })
  .map(({ example, protection, faults }) => detailedPlan(example, { protection: { ...protection, cores: [0, 1, 2] }, faults, maxInstructions: 1_500_000 }));

it('a run is the same however it is cut, and whoever executes it: cycles and caches, too', { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(plans, fc.array(fc.integer({ min: 500, max: 200_000 }), { minLength: 1, maxLength: 5 }), (plan, slices) => {
      const whole = story(plan, [1e9]);
      expect(story(plan, slices)).toEqual(whole);
      expect(story(plan, slices, { threads: plan.protection.kind === 'tmr' ? 3 : 2, threadsFrom: 0 })).toEqual(whole);
    }),
    { numRuns: 8 },
  );
});

it('a state of a system has its caches, so that what follows takes as long as it did', { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(plans, fc.integer({ min: 1_000, max: 700_000 }), (plan, at) => {
      const first = new System(plan);
      first.advance(at);
      const state = first.save();
      first.advance(at + 300_000);
      const [cycles, caches] = [first.cycles, first.live.map(({ computer }) => computer.caches?.save())];
      const other = new System(plan);
      other.advance(Math.floor(at / 2));
      for (const system of [first, other]) {
        system.load(state);
        system.advance(at + 300_000);
        expect(system.cycles).toBe(cycles);
        expect(system.live.map(({ computer }) => computer.caches?.save())).toEqual(caches);
      }
    }),
    { numRuns: 15 },
  );
});

it('after a rollback the caches are empty, and fill again', () => {
  const plan = detailedPlan('checksum', { faults: [flipX(2, 40, { kind: 'instruction', count: 500_000 })] });
  const { system, events } = runToEnd(plan);
  const recovery = events.find(({ kind }) => kind === 'recovery');
  expect(recovery).toBeDefined();
  const again = new System(plan);
  again.advance((recovery?.moment ?? 0) - 1);
  const valid = (): number => again.live.reduce((sum, { computer }) => sum + [...new Uint32Array(computer.caches?.save().parts[2]?.tags.buffer ?? new ArrayBuffer(0))].filter((tag) => (tag & 1) !== 0).length, 0);
  expect(valid()).toBeGreaterThan(50);
  again.advance(recovery?.moment ?? 0);
  expect(valid()).toBe(0);
  again.advance((recovery?.moment ?? 0) + 10_000);
  expect(valid()).toBeGreaterThan(20);
  expect(system.ended).toMatchObject({ how: 'exit' });
});

it('a debugger that goes back and forth sees the same clock and the same caches', async () => {
  const session = Session.create(detailedPlan('checksum', { faults: [flipX(2, 40, { kind: 'instruction', count: 500_000 })] }));
  try {
    await session.travel(300_000);
    const before = [session.cycles, session.memory()];
    await session.travel(900_000);
    const later = [session.cycles, session.memory()];
    for (const [moment, expected] of [[300_000, before], [900_000, later], [300_000, before]] as const) {
      await session.travel(moment);
      expect([session.cycles, session.memory()]).toEqual(expected);
    }
    expect(later[0]).toBeGreaterThan(Number(before[0]));
  } finally {
    session.close();
  }
});

it.each(['core 1', 'l2 bank 2', 'link 1 -> 2'])('a state between the death of %s and what comes of it can be gone back to', (component) => {
  const plan = detailedPlan('checksum', { faults: [fault({ kind: 'die', how: 'stops' }, { kind: 'instruction', count: 333_333 }, { kind: 'component', component })] });
  const straight = story(plan, [1e9]);
  const system = new System(plan);
  system.advance(335_000);
  const state = system.save();
  system.advance(600_000);
  system.takeEvents();
  system.load(state);
  while (!system.ended) system.advance(system.moment + 100_000);
  const { moment, count, ended, cycles } = system;
  expect({ moment, count, ended, cycles }).toEqual({ moment: straight['moment'], count: straight['count'], ended: straight['ended'], cycles: straight['cycles'] });
});

it('what strikes within a load makes that load the first different result', async () => {
  let seen = 0;
  for (let i = 0; i < 40; i++) {
    const line: FaultPlan = fault({ kind: 'flip', place: { kind: 'line', cache: 'l1d', address: addressOf('checksum', 'table') + BigInt(((i * 37) % 256) * 8) }, bits: [3] }, { kind: 'instruction', count: 150_000 + i * 3701 });
    const small = detailedPlan('checksum', { faults: [line], maxInstructions: 900_000 });
    const plan = { ...small, chip: { ...small.chip, l2BankBytes: 2048, memoryTiming: { l1iBytes: 256, l1iWays: 2, l1dBytes: 256, l1dWays: 2 } } };
    const session = Session.create(plan);
    await session.forward({ stopAt: new Set(), breakpoints: new Set() });
    const struck = session.events.find(({ kind }) => kind === 'fault');
    if (!struck) continue;
    const system = new System(plan);
    system.advance(struck.moment);
    const [a, b] = system.live;
    if (Array.from({ length: 31 }, (_, x) => x + 1).every((x) => a?.computer.getX(x) === b?.computer.getX(x))) continue;
    seen++;
    expect(session.events.find(({ kind }) => kind === 'divergence')?.moment).toBeLessThanOrEqual(struck.moment);
  }
  expect(seen).toBeGreaterThan(0);
});

it('the run without faults is one of the core that the guest would have for itself', async () => {
  const plan = detailedPlan('sort', { protection: { kind: 'none', cores: [0] } });
  const cycles = await Promise.all([0, 3].map(async (core) => (await runReference({ ...plan, protection: { ...plan.protection, cores: [core] } }))?.cycles));
  expect(cycles).toEqual([0, 3].map((core) => runToEnd({ ...plan, protection: { ...plan.protection, cores: [core] } }).system.cycles));
});
