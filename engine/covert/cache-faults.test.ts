import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fillPool, pool } from '../machine/threads/thread.test-support';
import type { FaultEffect, FaultPlan, FaultTarget, LinePlace, Plan, ReplicaName, Trigger } from './plan';
import { addressOf, fault, planFor, type Example } from './plan.test-support';
import { run } from './run';
import { expectNothingWrong, ofKind, runToEnd } from './run.test-support';
import { System, type SystemOptions } from './system';

beforeAll(() => fillPool(2));
afterAll(() => pool().close());

/** A chip with `detailed` timing and small caches: 8 KiB of L2 a bank. */
function cachedPlan(faults: FaultPlan[], protection: Partial<Plan['protection']> = {}, example: Example = 'checksum'): Plan {
  const plan = planFor(example, { faults, protection: { cores: [0, 1, 2], ...protection } });
  return { ...plan, chip: { ...plan.chip, l2BankBytes: 2048, spares: [6, 7], timing: 'detailed', memoryTiming: { l1iBytes: 512, l1iWays: 2, l1dBytes: 1024, l1dWays: 2 } } };
}

const atCount = (count: number): Trigger => ({ kind: 'instruction', count });
const inB: FaultTarget = { kind: 'replica', replica: 'B' };
const line = (cache: LinePlace['cache'], address: bigint): LinePlace => ({ kind: 'line', cache, address });
const flip = (place: LinePlace, bit: number, trigger: Trigger, target: FaultTarget = inB): FaultPlan => fault({ kind: 'flip', place, bits: [bit] }, trigger, target);
const message = (how: 'drop' | 'duplicate' | 'corrupt', from: number, to: number, trigger: Trigger): FaultPlan =>
  fault({ kind: 'message', how, from, to }, trigger, { kind: 'component', component: `link ${Math.min(from, to)} -> ${Math.max(from, to)}` });

const block = addressOf('checksum', 'block');
const table = addressOf('checksum', 'table');
const code = addressOf('checksum', 'crc32_update');

it('a flipped bit of L1D is what this core loads, and nobody else', async () => {
  // The table of the checksum is read all the time.
  const plan = cachedPlan([flip(line('l1d', table + 4n), 3, atCount(700_000))]);
  const report = await run(plan);
  expect(report.faults).toMatchObject([{ fired: true, replica: 'B', change: expect.stringMatching(/^l1d line 0x[0-9a-f]+ byte \d+: .* \(bit 3\)$/) as string }]);
  expect(report.released.corrupt).toBe(false);
  expect(report.divergences.map(({ replica }) => replica)).toEqual(['B']);
  expect(report.detections).toHaveLength(1);
  expect(report.recoveries).toMatchObject([{ by: 'rollback' }]);
});

it('a clean line that is evicted before anybody reads it takes its flipped bit with it; memory never had it', () => {
  // Of the code's line, which loads see only because it was asked for as data: a byte that no load reads.
  const plan = cachedPlan([flip(line('l1d', table + 4n), 3, atCount(700_000))], { compareStateEpochs: 0, checkpointEpochs: 0, compareOutput: false });
  const system = new System(plan);
  system.advance(700_000);
  const [, b] = system.live;
  const seen = (): number | undefined => b?.computer.readMemory(table + 4n, 1)?.[0];
  const right = system.live[0]?.computer.readMemory(table + 4n, 1)?.[0];
  expect(seen()).toBe((right ?? 0) ^ 8);
  // Nothing is written to the table any more, so its lines are clean.
  for (let moment = 700_500; seen() !== right && moment < 760_000; moment += 500) system.advance(moment);
  expect(seen()).toBe(right);
});

it('a flipped bit of L1I is executed, and memory stays right', async () => {
  const plan = cachedPlan([flip(line('l1i', code + 16n), 2, { kind: 'execute', address: code, hit: 5 })]);
  const system = new System(plan);
  const events = system.takeEvents();
  while (!system.ended && !events.some(({ kind }) => kind === 'fault')) {
    system.advance(system.moment + 1_000);
    for (const event of system.takeEvents()) events.push(event);
  }
  const [a, b] = system.live.map(({ computer }) => computer.readMemory(code, 64));
  expect(a).toEqual(b);
  const report = await run(plan);
  expect(report.divergences).toMatchObject([{ replica: 'B', function: 'crc32_update' }]);
  expect(report.detections).toHaveLength(1);
  expect(report.released.corrupt).toBe(false);
});

it('a flipped bit of an L2 bank is met by the next fill from it, and is one of one replica also where they share the bank', async () => {
  const bankOf = (address: bigint, banks: number): string => `l2 bank ${Number((address / 64n) % BigInt(banks))}`;
  // Alone, the guest has all eight banks.
  const place = line('l2', table + 4n);
  const shared = cachedPlan([flip(place, 3, atCount(700_000), { kind: 'component', component: bankOf(table, 8) })], { isolation: 'none' });
  const report = await run(shared);
  expect(report.faults).toMatchObject([{ fired: true, replica: 'A' }]);
  expect(report.divergences.map(({ replica }) => replica)).toEqual(['A']);
  expect(report.released.corrupt).toBe(false);
  // Of a domain, it is the one that has the line there.
  const { system } = runToEnd(cachedPlan([]));
  const ofB = system.placement.domains[1]?.banks ?? [];
  const home = ofB[Number((table / 64n) % BigInt(ofB.length))] ?? -1;
  const apart = await run(cachedPlan([flip(place, 3, atCount(700_000), { kind: 'component', component: `l2 bank ${home}` })]));
  expect(apart.faults).toMatchObject([{ fired: true, replica: 'B' }]);
  expect(apart.released.corrupt).toBe(false);
});

it('a flip waits for its line; one that never comes has never struck, and the report says so', async () => {
  const never = flip(line('l1d', 0x8080_0000n), 3, atCount(10));
  const early = flip(line('l1d', block + 8n), 3, atCount(0));
  const report = await run(cachedPlan([{ ...never, optional: true }, early]));
  expect(report.faults).toMatchObject([{ fired: false }, { fired: true }]);
  expect(report.faults[1]?.instruction).toBeGreaterThan(100);
});

it('what waits for a lost request or answer waits for ever: the watchdog notices, and a rollback brings it back', async () => {
  for (const [from, to] of [[1, 2], [2, 1]] as const) {
    const plan = cachedPlan([message('drop', from, to, atCount(300_000))]);
    const { system, events } = runToEnd(plan);
    await expectNothingWrong(plan, system);
    const [struck] = ofKind(events, 'fault');
    expect(struck?.change).toMatch(/is lost/);
    expect(struck?.replica).toBe('B');
    if (struck?.change.includes('waits for ever')) {
      expect(ofKind(events, 'detection')).toMatchObject([{ by: 'watchdog' }]);
      expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'rollback' }]);
    }
  }
});

it('a guest alone whose core waits for ever has hung', async () => {
  const report = await run(cachedPlan([message('drop', 0, 1, atCount(300_000))], { kind: 'none', cores: [0] }));
  expect(report.guest).toMatchObject({ ended: 'hung', exit: null });
  expect(report.faults[0]?.change).toMatch(/lost, and the core waits for ever/);
});

it('a lost write-back leaves what memory had, which the comparison finds', async () => {
  // A write-back crosses this link next, and no request before it.
  const plan = cachedPlan([message('drop', 1, 2, atCount(1_065_007))], {}, 'sort');
  const { system, events } = runToEnd(plan);
  const [struck] = ofKind(events, 'fault');
  expect(struck?.change).toMatch(/^message on link 1 -> 2: memory's write-back of line 0x[0-9a-f]+ is lost$/);
  const at = BigInt(/line (0x[0-9a-f]+)/.exec(struck?.change ?? '')?.[1] ?? 0);
  const again = new System(plan);
  again.advance(struck?.moment ?? 0);
  const [a, b] = again.live.map(({ computer }) => computer.readMemory(at, 64));
  expect(a).not.toEqual(b);
  expect(ofKind(events, 'detection')).toHaveLength(1);
  expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'rollback' }]);
  await expectNothingWrong(plan, system);
});

it('a doubled message changes nothing', async () => {
  const plan = cachedPlan([message('duplicate', 1, 2, atCount(1)), message('duplicate', 2, 1, atCount(300_000))]);
  const { system, events } = runToEnd(plan);
  expect(ofKind(events, 'fault').map(({ change }) => /comes twice, and nothing changes/.test(change))).toEqual([true, true]);
  expect(ofKind(events, 'detection')).toEqual([]);
  await expectNothingWrong(plan, system);
});

it('a message goes one way over a link, and each link is of one domain under full isolation', () => {
  const replicaOf = (from: number, to: number): ReplicaName | undefined => ofKind(runToEnd(cachedPlan([message('duplicate', from, to, atCount(1))])).events, 'fault')[0]?.replica;
  // The ring is cut between nodes 0 and 1, and between 4 and 5.
  expect([replicaOf(1, 2), replicaOf(2, 1), replicaOf(7, 6), replicaOf(6, 7), replicaOf(0, 1), replicaOf(5, 4)]).toEqual(['B', 'B', 'A', 'A', undefined, undefined]);
  expect(ofKind(runToEnd(cachedPlan([fault({ kind: 'message', how: 'duplicate', from: 0, to: 7 }, atCount(1), { kind: 'component', component: 'link 7 -> 0' })])).events, 'fault')[0]?.replica).toBe('A');
});

const trigger = fc.oneof(
  fc.record({ kind: fc.constant('instruction' as const), count: fc.integer({ min: 0, max: 900_000 }) }),
  fc.record({ kind: fc.constant('cycle' as const), count: fc.integer({ min: 0, max: 1_000_000 }) }),
  fc.record({ kind: fc.constant('output' as const), number: fc.integer({ min: 1, max: 60 }) }),
);
const address = fc.oneof(fc.nat(1023).map((byte) => table + BigInt(byte)), fc.nat(2047).map((byte) => block + BigInt(byte)), fc.nat(1191).map((byte) => 0x8000_0000n + BigInt(byte)));
const target = fc.constantFrom<FaultTarget>(inB, { kind: 'replica', replica: 'A' }, { kind: 'core', core: 1 });
const struck = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('l1d' as const, 'l1i' as const), address, fc.nat(7), trigger, target).map(([cache, at, bit, when, of]) => flip(line(cache, at), bit, when, of)) },
  { weight: 2, arbitrary: fc.tuple(address, fc.nat(7), trigger, fc.nat(7)).map(([at, bit, when, bank]) => flip(line('l2', at), bit, when, { kind: 'component', component: `l2 bank ${bank}` })) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom<FaultEffect & { kind: 'message' }>(...(['drop', 'duplicate', 'corrupt'] as const).flatMap((how) => [1, 2, 7].map((from) => ({ kind: 'message' as const, how, from, to: (from + 1) % 8 })))), trigger).map(([effect, when]) => fault(effect, when, { kind: 'component', component: `link ${effect.from} -> ${effect.to}` })) },
  { weight: 1, arbitrary: trigger.map((when) => fault({ kind: 'die', how: 'stops' }, when, { kind: 'component', component: 'l2 bank 2' })) },
);
const plans = fc
  .record({
    kind: fc.constantFrom('dmr' as const, 'dmr' as const, 'tmr' as const, 'none' as const),
    epochInstructions: fc.integer({ min: 3_000, max: 40_000 }),
    checkpointEpochs: fc.integer({ min: 1, max: 9 }),
    compareStateEpochs: fc.integer({ min: 0, max: 9 }),
    isolation: fc.constantFrom('full' as const, 'full' as const, 'none' as const),
    faults: fc.array(struck, { minLength: 1, maxLength: 4 }),
  })
  .map(({ faults, ...protection }): Plan => ({ ...cachedPlan(faults.map((each) => (protection.kind === 'none' && each.target.kind === 'replica' ? { ...each, target: { kind: 'replica', replica: 'A' } } : each)), protection), maxInstructions: 1_000_000 }));

function story(plan: Plan, slices: readonly number[], options: SystemOptions = {}): Record<string, unknown> {
  const system = new System(plan, options);
  try {
    const events = system.takeEvents();
    for (let i = 0; !system.ended; i++) {
      // There and back, now and then: a debugger's way.
      if (i % 3 === 1) {
        const state = system.save();
        system.advance(system.moment + 7_777);
        system.takeEvents();
        system.load(state);
      }
      system.advance(system.moment + (slices[i % slices.length] ?? 1));
      for (const event of system.takeEvents()) events.push(event);
    }
    const replicas = system.live.map(({ name, core, computer }) => ({ name, core, cycles: computer.cycles, hash: computer.snapshot().hash(), caches: computer.caches?.save() }));
    return { events, moment: system.moment, ended: system.ended, replicas, costs: system.costs(), released: Buffer.from(system.released).toString(), fired: plan.faults.map((_, i) => system.hasFired(i)) };
  } finally {
    system.close();
  }
}

it('whatever strikes caches and messages, a run is the same however it is cut, travelled through, and executed', { timeout: 600_000 }, () => {
  let fired = 0;
  fc.assert(
    fc.property(plans, fc.array(fc.integer({ min: 2_000, max: 200_000 }), { minLength: 1, maxLength: 4 }), (plan, slices) => {
      const whole = story(plan, [1e9]);
      fired += (whole.fired as boolean[]).filter(Boolean).length;
      expect(story(plan, slices)).toEqual(whole);
      if (plan.protection.kind !== 'none') expect(story(plan, slices, { threads: plan.protection.kind === 'tmr' ? 3 : 2, threadsFrom: 0 })).toEqual(whole);
    }),
    { numRuns: 12 },
  );
  expect(fired).toBeGreaterThan(5);
});
