import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fillPool, pool } from '../machine/threads/thread.test-support';
import { ThreadLost } from '../machine/threads/replica-thread';
import { tiers } from '../machine/tier';
import type { UnitName } from '../machine/types';
import { beside } from './beside.test-support';
import { answerTo, framesPlan, Thrower } from './frames.test-support';
import { inputClasses, type FaultEffect, type FaultPlan, type InputClass, type Place, type Plan, type StuckPlace, type Trigger } from './plan';
import { diskPlan, Sink } from './disks.test-support';
import { addressOf, fault, flipX, planFor, type Example } from './plan.test-support';
import { run } from './run';
import { System, type SystemOptions } from './system';

beforeAll(() => fillPool(1));
afterAll(() => pool().close());

const smpPath = resolve(import.meta.dirname, '../../test/oracles/smp/smp.elf');
const smpImage = new Uint8Array(readFileSync(smpPath));

const threaded = { threads: 2, threadsFrom: 0 } as const;

/** All that can be told of a run, in slices of a random length. */
function story(plan: Plan, options: SystemOptions, slice: number): unknown {
  const system = new System(plan, options);
  try {
    const hashes: string[] = [];
    const threads = new Set<number>();
    const events = system.takeEvents();
    for (let slices = 0; !system.ended; slices++) {
      system.advance(system.moment + slice);
      threads.add(system.threads);
      for (const event of system.takeEvents()) events.push(event);
      if (slices % 8 === 0) for (const { computer } of system.replicas) hashes.push(computer.snapshot().hash());
    }
    for (const { computer } of system.replicas) hashes.push(computer.snapshot().hash());
    expect([...threads]).toEqual([options.threads ?? 1]);
    const { moment, count, epoch, ended, cycles } = system;
    const fired = plan.faults.map((_, i) => system.hasFired(i));
    return { events, hashes, moment, count, epoch, ended, cycles, fired, costs: system.costs(), released: Buffer.from(system.released).toString() };
  } finally {
    system.close();
  }
}

const end = 900_000;

function places(example: Example): fc.Arbitrary<Place> {
  return fc.oneof(
    fc.record({ kind: fc.constant('x' as const), index: fc.integer({ min: 1, max: 31 }) }),
    fc.record({ kind: fc.constant('f' as const), index: fc.nat(31) }),
    fc.constant<Place>({ kind: 'pc' }),
    fc.record({ kind: fc.constant('csr' as const), number: fc.constantFrom(0x300, 0x304, 0x305, 0x341, 0x342, 0x180) }),
    fc.record({ kind: fc.constant('memory' as const), address: fc.nat(0x4000).map((at) => addressOf(example, '_start') + BigInt(at) * 8n), bytes: fc.constantFrom(1 as const, 4 as const, 8 as const) }),
  );
}

function faults(example: Example): fc.Arbitrary<FaultPlan> {
  const place = places(example);
  const struck = fc.oneof({ weight: 2, arbitrary: place }, { weight: 1, arbitrary: fc.record({ kind: fc.constant('unit' as const), unit: fc.constantFrom<UnitName>('alu', 'load', 'store', 'store address', 'branch', 'fetch') }) });
  const stuck = fc.oneof<fc.Arbitrary<StuckPlace>[]>(fc.constant({ kind: 'alu' }), place, fc.record({ kind: fc.constant('unit' as const), unit: fc.constantFrom('load' as const, 'store' as const, 'store address' as const, 'branch' as const, 'fetch' as const) }));
  const effect: fc.Arbitrary<FaultEffect> = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), place: struck, bits: fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 3 }) }),
    fc.record({ kind: fc.constant('set' as const), place: struck, value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ kind: fc.constant('flip-random' as const), places: fc.array(struck, { minLength: 1, maxLength: 4 }), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('stick' as const), place: stuck, bits: fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 3 }), value: fc.constantFrom(0 as const, 1 as const) }),
  );
  const trigger: fc.Arbitrary<Trigger> = fc.oneof(
    fc.record({ kind: fc.constant('instruction' as const), count: fc.integer({ min: 0, max: end }) }),
    fc.record({ kind: fc.constant('cycle' as const), count: fc.integer({ min: 0, max: end }) }),
    fc.record({ kind: fc.constant('execute' as const), address: fc.nat(0x200).map((at) => addressOf(example, 'main') + BigInt(at) * 2n), hit: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('access' as const), access: fc.constantFrom('read' as const, 'write' as const), address: fc.nat(0x400).map((at) => addressOf(example, '_start') + BigInt(at) * 32n), hit: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('value' as const), register: fc.record({ kind: fc.constant('x' as const), index: fc.integer({ min: 1, max: 31 }) }), value: fc.nat(40).map(BigInt) }),
    fc.record({ kind: fc.constant('epoch' as const), number: fc.nat(40) }),
    fc.record({ kind: fc.constant('checkpoint' as const), number: fc.nat(10) }),
    fc.record({ kind: fc.constant('output' as const), number: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constant('console' as const), text: fc.constantFrom('a', 'e', 's', '0') }),
  );
  const target = fc.oneof(
    fc.record({ kind: fc.constant('replica' as const), replica: fc.constantFrom('A' as const, 'B' as const) }),
    fc.record({ kind: fc.constant('core' as const), core: fc.nat(1) }),
  );
  const unit = fc.constantFrom('instructions' as const, 'cycles' as const);
  const period = fc.integer({ min: 2_000, max: 200_000 });
  const rhythm = fc.option(fc.record({ unit, period, on: fc.integer({ min: 1, max: 1999 }) }), { nil: undefined });
  return fc.tuple(effect, trigger, target, rhythm).map(([e, t, g, r]): FaultPlan => {
    if (!r) return fault(e, t, g);
    return { ...fault(e, t, g), rhythm: e.kind === 'stick' ? { kind: 'duty', ...r } : { kind: 'every', unit: r.unit, period: r.period, until: { unit: 'cycles', count: end } } };
  });
}

const plans: fc.Arbitrary<Plan> = fc.constantFrom<Example>('checksum', 'sort', 'ticker').chain((example) =>
  fc
    .record({
      faults: fc.array(faults(example), { maxLength: 4 }),
      epochInstructions: fc.integer({ min: 500, max: 60_000 }),
      checkpointEpochs: fc.nat(8),
      compareOutput: fc.boolean(),
      compareStateEpochs: fc.nat(6),
      retry: fc.nat(2),
      uncoordinated: fc.oneof(fc.constant<InputClass[]>([]), fc.subarray([...inputClasses])),
      smp: fc.boolean(),
      seed: fc.nat(1000),
    })
    .map(({ faults: chosen, smp, seed, ...protection }) => {
      const plan = planFor(example, { protection, faults: chosen, seed, maxInstructions: 1_500_000 });
      return smp ? { ...plan, guest: { name: 'smp', path: smpPath, image: smpImage, ramBytes: 16 * 2 ** 20, harts: 2 } } : plan;
    }),
);

it('whatever strikes, a run on two threads is the run on one', { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(plans, fc.integer({ min: 1000, max: 200_000 }), fc.constantFrom(...tiers), (plan, slice, tier) => {
      expect(story(plan, { ...threaded, tier }, slice)).toEqual(story(plan, { tier: 'interpreter' }, slice));
    }),
    { numRuns: 25 },
  );
});

it('so is its report', async () => {
  const plan = planFor('checksum', { faults: [fault({ kind: 'flip', place: { kind: 'x', index: 10 }, bits: [3] }, { kind: 'instruction', count: 250_000 })] });
  expect(await run(plan, threaded)).toEqual(await run(plan));
});

it('breakpoints stop it at the same places', () => {
  const plan = planFor('sort');
  const breakpoints = new Set([addressOf('sort', 'main')]);
  const stops = (options: SystemOptions): unknown => {
    const system = new System(plan, options);
    const before = system.advance(1000);
    const all = [before, system.advance(1e9, { breakpoints }), system.moment, system.advance(1e9, { breakpoints, resume: true }), system.moment];
    system.close();
    return all;
  };
  expect(stops(threaded)).toEqual(stops({}));
});

it('a thread that dies ends the run in one line, and the next one is not its heir', async () => {
  const plan = planFor('checksum');
  const system = new System(plan, threaded);
  system.advance(100_000);
  expect(system.threads).toBe(2);
  pool().stopAll();
  expect(() => {
    for (;;) system.advance(system.moment + 1);
  }).toThrow(ThreadLost);
  expect(() => system.advance(system.moment + 1_000_000)).toThrow(ThreadLost);
  system.close();
  await fillPool(1);
  expect(story(plan, threaded, 100_000)).toEqual(story(plan, {}, 100_000));
});

it('gives replicas on threads of their own the same frames', { timeout: 60_000 }, () => {
  const plan = framesPlan({ faults: [fault({ kind: 'flip', place: { kind: 'x', index: 10 }, bits: [3] }, { kind: 'instruction', count: 200_000 })] });
  for (const tier of tiers) {
    const [apart, together] = [{}, threaded].map((options) => {
      const outside = new Thrower();
      return { story: story(plan, { tier, outside, ...options }, 60_000), caught: outside.caught };
    });
    expect(together).toEqual(apart);
    expect(apart?.caught).toEqual(Array.from({ length: 60 }, (_, number) => answerTo(number)));
  }
});

it('guests on one chip are the same with threads for the replicas of each', { timeout: 60_000 }, async () => {
  await fillPool(2);
  const dies = fault({ kind: 'die', how: 'stops' }, { kind: 'instruction', count: 400_000 }, { kind: 'component', component: 'core 5' });
  const plan = beside([{ faults: [dies] }, { example: 'sort', protection: { cores: [4, 5] } }], [7]);
  const [apart, together] = [{}, threaded].map((options) => {
    const system = new System(plan, options);
    const all = [system, ...system.neighbours];
    const most = all.map(() => 1);
    while (!system.ended) {
      system.advance(system.moment + 50_000);
      all.forEach(({ threads }, i) => (most[i] = Math.max(most[i] ?? 1, threads)));
    }
    for (const each of all) while (!each.ended) each.advance(each.moment + 50_000);
    system.close();
    expect(most).toEqual('threads' in options ? [2, 2] : [1, 1]);
    return all.map((each) => ({ events: each.takeEvents().sort((a, b) => a.moment - b.moment), ended: each.ended, cycles: each.cycles, hashes: each.replicas.map(({ computer }) => computer.snapshot().hash()) }));
  });
  expect(together).toEqual(apart);
});

it('writes what replicas on threads of their own write to their disk once, and gives them the same answers', { timeout: 60_000 }, () => {
  const faults = [flipX(8, 5, { kind: 'instruction', count: 400_000 }), fault({ kind: 'flip', place: { kind: 'comparer' }, bits: [0] }, { kind: 'instruction', count: 800_000 }, { kind: 'replica', replica: 'A' })];
  const refuses = (number: number): string | undefined => (number >= 20 && number < 25 ? 'there is no room left' : undefined);
  const plan = diskPlan({ faults });
  for (const tier of tiers) {
    const [apart, together] = [{}, threaded].map((options) => {
      const disks = new Sink({}, refuses);
      return { story: story(plan, { tier, disks, ...options }, 60_000), written: disks.all };
    });
    expect(together).toEqual(apart);
    expect(apart?.written.done.filter((each) => each.endsWith('refused'))).toHaveLength(5);
  }
});
