import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import type { SystemEvent } from './events';
import type { FaultPlan, Plan, ProtectionPlan, Trigger } from './plan';
import { addressOf, fault, flipX, planFor, type Example } from './plan.test-support';
import { runReference } from './reference';
import { run } from './run';
import { expectNothingWrong, ofKind, runToEnd, seats } from './run.test-support';
import { System } from './system';

interface Setting {
  faults: FaultPlan[];
  protection?: Partial<ProtectionPlan>;
  spares?: number[];
  example?: Example;
}

function planOf({ faults, protection = {}, spares = [], example = 'checksum' }: Setting): Plan {
  const plan = planFor(example, { faults, protection });
  return { ...plan, chip: { ...plan.chip, spares } };
}

const at = (count: number): Trigger => ({ kind: 'instruction', count });
const dies = (component: string, trigger: Trigger, how: 'stops' | 'hangs' = 'stops'): FaultPlan => fault({ kind: 'die', how }, trigger, { kind: 'component', component });
const sticks = (core: number, bit = 17): FaultPlan => fault({ kind: 'stick', place: { kind: 'x', index: 10 }, bits: [bit], value: 1 }, at(250_000), { kind: 'core', core });

describe('a dead core', () => {
  it.each([
    ['stops', 'machine check'],
    ['hangs', 'watchdog'],
  ] as const)('that %s is noticed by %s, and its replica goes on elsewhere', async (how, by) => {
    for (const core of [0, 1]) {
      const plan = planOf({ faults: [dies(`core ${core}`, at(333_333), how)], spares: [6, 7] });
      const { system, events } = runToEnd(plan);
      expect(ofKind(events, 'detection')).toMatchObject([{ by, instruction: 340_000 }]);
      expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'failover', to: 320_000, replayed: 20_000 }]);
      expect(ofKind(events, 'retirement').map(({ component }) => component)).toEqual([`core ${core}`]);
      expect(ofKind(events, 'clone')).toMatchObject([{ replica: core === 0 ? 'A' : 'B', core: 6, to: 'dmr' }]);
      expect(seats(system)).toEqual(core === 0 ? ['A6', 'B1'] : ['A0', 'B6']);
      await expectNothingWrong(plan, system);
    }
  });

  it('without a spare leaves the other replica alone, from what both had agreed on', async () => {
    const plan = planOf({ faults: [dies('core 0', at(333_333))] });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'degradation')).toMatchObject([{ replica: 'A', to: 'none', why: 'core 0 is dead, and no other domain is whole' }]);
    expect(seats(system)).toEqual(['B1']);
    await expectNothingWrong(plan, system);
  });

  it('under a guest that is left alone and has no spare ends it, and nothing doubtful was said', async () => {
    const plan = planOf({ faults: [dies('core 0', at(333_333)), dies('core 1', at(900_000))] });
    const { system } = runToEnd(plan);
    expect(system.ended).toMatchObject({ how: 'stopped', why: 'no domain of the chip is whole without core 1' });
    const reference = await runReference(plan);
    const said = Buffer.from(system.released);
    expect(Buffer.from(reference?.console ?? []).subarray(0, said.length).equals(said)).toBe(true);
  });

  it('of three costs nothing but a copy: two agree where they are', async () => {
    for (const spares of [[6], []]) {
      const plan = planOf({ faults: [dies('core 1', at(333_333))], protection: { kind: 'tmr', cores: [0, 1, 2] }, spares });
      const { system, events } = runToEnd(plan);
      expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'failover', to: 340_000, replayed: 0 }]);
      expect(seats(system)).toEqual(spares.length > 0 ? ['A0', 'B6', 'C2'] : ['A0', 'C2']);
      expect(system.protectionNow).toBe(spares.length > 0 ? 'tmr' : 'dmr');
      await expectNothingWrong(plan, system);
    }
  });

  it('one after the other, as long as there are spares, and both at once', async () => {
    const cores = [1, 5, 6, 7];
    const plan = planOf({ faults: cores.map((core, i) => dies(`core ${core}`, at(200_000 + i * 200_001))), spares: [5, 6, 7] });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'clone').map(({ core }) => core)).toEqual([5, 6, 7]);
    expect(ofKind(events, 'degradation')).toMatchObject([{ replica: 'B', to: 'none' }]);
    await expectNothingWrong(plan, system);

    const both = planOf({ faults: [dies('core 0', at(333_333)), dies('core 1', at(333_400))], spares: [6, 7] });
    const run = runToEnd(both);
    expect(ofKind(run.events, 'recovery')).toMatchObject([{ by: 'failover', to: 320_000 }]);
    expect(seats(run.system)).toEqual(['A6', 'B7']);
    await expectNothingWrong(both, run.system);
  });

  it('that was a spare is not used when it is needed', async () => {
    for (const how of ['stops', 'hangs'] as const) {
      const plan = planOf({ faults: [dies('core 6', at(100_000), how), dies('core 1', at(333_333))], spares: [6, 7] });
      const { system, events } = runToEnd(plan);
      expect(system.hasFired(0)).toBe(true);
      expect(ofKind(events, 'clone')).toMatchObject([{ replica: 'B', core: 7 }]);
      expect(ofKind(events, 'retirement').map(({ component }) => component)).toEqual(how === 'stops' ? ['core 6', 'core 1'] : ['core 1']);
      await expectNothingWrong(plan, system);
    }
  });

  it('under an unprotected guest is the end of it', () => {
    const { system } = runToEnd(planOf({ faults: [dies('core 0', at(333_333))], protection: { kind: 'none', cores: [0] } }));
    expect(system.ended).toMatchObject({ how: 'hung', why: 'the guest ran on core 0, which is dead' });
  });
});

describe('an error that comes back', () => {
  it('and goes while a third replica looks for it leaves that one alone, if it is the one with an error: two outvote it', async () => {
    const plan = planOf({ faults: [{ ...sticks(1), lifetime: { unit: 'instructions', length: 95_000 } }, sticks(6)], spares: [6] });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'recovery').map(({ by }) => by)).toEqual(['rollback', 'rollback', 'rollback', 'vote']);
    expect(ofKind(events, 'diagnosis')).toMatchObject([{ replica: 'C', core: 6 }]);
    expect(ofKind(events, 'retirement').map(({ component }) => component)).toEqual(['core 6']);
    expect(seats(system)).toEqual(['A0', 'B1']);
    await expectNothingWrong(plan, system);
    const report = await run({ ...plan, expectations: [{ expectation: { kind: 'recovered', by: ['vote'] }, text: 'recovered by vote' }] });
    expect(report.expectations).toMatchObject([{ held: true }]);
  });

  it('is shown by a third replica to be one core\'s, and its replica goes on with the third one\'s', async () => {
    for (const core of [0, 1]) {
      const plan = planOf({ faults: [sticks(core)], spares: [6, 7] });
      const { system, events } = runToEnd(plan);
      expect(ofKind(events, 'diagnosis')).toMatchObject([{ replica: 'C', core: 6 }]);
      expect(ofKind(events, 'recovery').map(({ by }) => by)).toEqual(['rollback', 'rollback', 'rollback', 'failover']);
      expect(ofKind(events, 'retirement')).toMatchObject([{ component: `core ${core}`, why: `${core === 0 ? 'A' : 'B'} stood alone against two` }]);
      expect(seats(system)).toEqual(core === 0 ? ['A6', 'B1'] : ['A0', 'B6']);
      expect(system.replicas.map(({ name }) => name)).toEqual(['A', 'B']);
      await expectNothingWrong(plan, system);
    }
  });

  it('ends the guest where there is no spare to tell by', () => {
    const { system } = runToEnd(planOf({ faults: [sticks(1)] }));
    expect(system.ended).toMatchObject({ how: 'stopped', why: expect.stringContaining('it came back after 2 rollbacks') as unknown });
  });

  it('and goes with its replica to another core is its own: the third one takes its place', async () => {
    const follows: FaultPlan = { ...sticks(1), target: { kind: 'replica', replica: 'B' } };
    const plan = planOf({ faults: [follows], spares: [6, 7] });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'degradation')).toMatchObject([{ replica: 'B', to: 'dmr', why: 'it stood alone against two, and on another core again' }]);
    expect(seats(system)).toEqual(['A0', 'C7']);
    expect(system.protectionNow).toBe('dmr');
    await expectNothingWrong(plan, system);
  });

  it('in two cores, one after the other, with a spare for one, ends the guest: nobody can be trusted alone', async () => {
    for (const [bit, count] of [[0, 361_000], [1, 361_000], [0, 402_000], [3, 330_000]] as const) {
      const second: FaultPlan = { ...fault({ kind: 'stick', place: { kind: 'x', index: 11 }, bits: [bit], value: 1 }, at(count)), target: { kind: 'core', core: 0 } };
      const plan = planOf({ faults: [sticks(1), second], spares: [6], protection: { checkpointEpochs: 16 } });
      const { system } = runToEnd(plan);
      const said = Buffer.from(system.released);
      const reference = await runReference(plan);
      expect(Buffer.from(reference?.console ?? []).subarray(0, said.length).equals(said)).toBe(true);
    }
  });

  it('on the spare itself is the spare\'s', async () => {
    const plan = planOf({ faults: [sticks(6), flipX(27, 3, at(250_000))], spares: [6, 7], protection: { retry: 0 } });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'retirement').map(({ component }) => component)).toEqual(['core 6']);
    expect(seats(system)).toEqual(['A0', 'B1']);
    await expectNothingWrong(plan, system);
  });

  it('not, while a third replica waits for it, lets that one go again', async () => {
    const plan = planOf({ faults: [flipX(27, 3, at(250_000))], spares: [6], protection: { retry: 0 } });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'diagnosis').map(({ what }) => what)).toEqual(['runs along to see whose error it is', 'the error has not come back']);
    expect(ofKind(events, 'retirement')).toEqual([]);
    expect(seats(system)).toEqual(['A0', 'B1']);
    await expectNothingWrong(plan, system);
  });

  it('to one of three sends it to a spare', async () => {
    const plan = planOf({ faults: [sticks(1)], protection: { kind: 'tmr', cores: [0, 1, 2] }, spares: [5] });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'clone')).toMatchObject([{ replica: 'B', core: 5, to: 'tmr' }]);
    expect(ofKind(events, 'degradation')).toEqual([]);
    await expectNothingWrong(plan, system);
  });

  it('now and then, recovered from each time, is looked for all the same: so many in a window', async () => {
    // A bit that flips in each second checkpoint period, in B.
    const faults = [0, 1, 2, 3].map((i) => flipX(27, 3, at(250_000 + i * 80_000)));
    const count = (errors: number, instructions: number): number => ofKind(runToEnd(planOf({ faults, spares: [6], protection: { retireAfter: { errors, instructions } } })).events, 'diagnosis').length;
    expect(count(5, 1e9)).toBe(0);
    expect(count(3, 1e9)).toBeGreaterThan(0);
    expect(count(3, 100_000)).toBe(0);
  });
});

describe('a dead part of a domain', () => {
  it.each(['l2 bank 1', 'memory controller 0', 'link 0 -> 1'])('%s takes its replica with it, which goes on with what is left', async (component) => {
    const plan = planOf({ faults: [dies(component, at(333_333))], protection: { cores: [1, 5] }, spares: [6, 7] });
    const before = new System(plan);
    expect(before.placement.domains.map(({ core }) => core)).toEqual([1, 5]);
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'detection')).toMatchObject([{ by: 'machine check', what: `${component} has stopped under A` }]);
    expect(ofKind(events, 'retirement').map((event) => event.component)).toEqual([component]);
    expect(ofKind(events, 'clone')).toMatchObject([{ replica: 'A' }]);
    expect(system.protectionNow).toBe('dmr');
    await expectNothingWrong(plan, system);
  });

  it('that all share takes all of them: back to the checkpoint, but where memory was shared there is none', async () => {
    const shared = { isolation: 'none' } as const;
    const plan = planOf({ faults: [dies('l2 bank 1', at(333_333))], protection: shared });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'detection')).toMatchObject([{ by: 'machine check', what: 'l2 bank 1 has stopped under A, l2 bank 1 has stopped under B' }]);
    expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'failover', to: 320_000 }]);
    await expectNothingWrong(plan, system);

    const memory = runToEnd(planOf({ faults: [dies('memory controller 1', at(333_333))], protection: shared }));
    expect(memory.system.ended).toMatchObject({ how: 'stopped', why: 'every copy of the last checkpoint is gone with memory controller 1' });
  });
});

it('two components that die in one epoch, the second under a replica that is made anew behind it, are both noticed', async () => {
  const plan = planOf({ faults: [dies('core 0', at(333_333)), dies('l2 bank 0', at(333_400))], protection: { kind: 'tmr', cores: [0, 1, 2] }, spares: [6] });
  const { system, events } = runToEnd(plan);
  expect(ofKind(events, 'retirement').map(({ component }) => component)).toEqual(['core 0', 'l2 bank 0']);
  expect(system.hasFired(1)).toBe(true);
  await expectNothingWrong(plan, system);
});

it('a fault of an idle core that is over is not there for who comes to that core', async () => {
  const over: FaultPlan = { ...fault({ kind: 'stick', place: { kind: 'x', index: 11 }, bits: [17], value: 1 }, at(100_000), { kind: 'core', core: 6 }), lifetime: { unit: 'instructions', length: 1000 } };
  const plan = planOf({ faults: [over, dies('core 1', at(333_333))], spares: [6] });
  const { system, events } = runToEnd(plan);
  expect(ofKind(events, 'detection').map(({ by }) => by)).toEqual(['machine check']);
  expect(seats(system)).toEqual(['A0', 'B6']);
  await expectNothingWrong(plan, system);
});

it('a run with its past and one without are the same, whatever is stuck in which bank', async () => {
  for (const bank of [0, 1, 4, 6]) {
    const plan = planOf({ faults: [fault({ kind: 'stick', place: { kind: 'memory', address: 0x8000_2000n + BigInt(bank * 64), bytes: 1 }, bits: [4], value: 1 }, at(150_000), { kind: 'component', component: `l2 bank ${bank}` })], spares: [6, 7] });
    const [whole, short] = [await run(plan), await run(plan, { withoutDivergences: true })];
    expect({ ...short, divergences: [] }).toEqual({ ...whole, divergences: [] });
  }
});

it('who runs where is as it was, wherever a debugger travels', async () => {
  const plan = planOf({ faults: [sticks(1), dies('core 0', at(900_000))], spares: [6, 7] });
  const session = Session.create(plan);
  const navigation = { stopAt: new Set<SystemEvent['kind']>(), breakpoints: new Set<bigint>() };
  expect(await session.forward(navigation)).toMatchObject({ why: 'end' });
  const who = (): string => session.replicas.map(({ name, core, isLost }) => `${name}${core}${isLost ? ' lost' : ''}`).join();
  const hash = session.stateHash();
  expect(who()).toBe('A7,B6');
  const [joins] = session.events.filter(({ kind }) => kind === 'diagnosis');
  const [retires] = session.events.filter(({ kind }) => kind === 'retirement');
  await session.travel(retires?.moment ?? 0);
  expect(who()).toBe('A0,B6');
  await session.travel((retires?.moment ?? 0) - 1);
  expect(who()).toBe('A0,B1,C6');
  await session.travel((joins?.moment ?? 0) - 1);
  expect(who()).toBe('A0,B1');
  await session.forward(navigation);
  expect([who(), session.stateHash()]).toEqual(['A7,B6', hash]);
  session.close();
});

it('a fault of what replicas share strikes each of them at its own count of hits, also where they run on their own for long', async () => {
  const trigger: Trigger = { kind: 'execute', address: addressOf('checksum', 'crc32_update') + 0x2an, hit: 60_000 };
  const line = addressOf('checksum', 'block') + 128n;
  const home = Number((line / 64n) % 8n);
  const shared: FaultPlan = fault({ kind: 'stick', place: { kind: 'memory', address: line, bytes: 1 }, bits: [4], value: 0 }, trigger, { kind: 'component', component: `l2 bank ${home}` });
  const { system, events } = runToEnd(planOf({ faults: [shared], protection: { isolation: 'none' } }));
  expect(ofKind(events, 'fault').map(({ replica, instruction }) => [replica, instruction])).toEqual([['A', ofKind(events, 'fault')[0]?.instruction], ['B', ofKind(events, 'fault')[0]?.instruction]]);
  expect(ofKind(events, 'detection')).toEqual([]);
  expect(system.ended).toMatchObject({ how: 'exit' });
});
