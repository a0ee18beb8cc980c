import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import type { SystemEvent } from './events';
import type { FaultPlan, Plan, ProtectionPlan, ReplicaName } from './plan';
import { addressOf, fault, flipX, planFor } from './plan.test-support';
import { runReference } from './reference';
import { expectNothingWrong, ofKind, runToEnd } from './run.test-support';

const voting = { kind: 'tmr', cores: [0, 1, 2] } as const satisfies Partial<ProtectionPlan>;
const names: readonly ReplicaName[] = ['A', 'B', 'C'];
const inReplica = (replica: ReplicaName) => ({ kind: 'replica', replica }) as const;

function planOf(faults: FaultPlan[], protection: Partial<ProtectionPlan> = {}, example: 'checksum' | 'ticker' | 'sort' = 'checksum'): Plan {
  return planFor(example, { protection: { ...voting, ...protection }, faults });
}

describe.each(names)('an error of replica %s alone', (name) => {
  it('in its output is outvoted, and it goes on as a copy of the others', async () => {
    const plan = planOf([flipX(10, 17, { kind: 'execute', address: addressOf('checksum', 'crc32_update') + 0x2an, hit: 60_000 }, inReplica(name))], { compareStateEpochs: 0 });
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'detection')).toMatchObject([{ by: 'vote', what: expect.stringMatching(new RegExp(`^output \\d+: .*; ${name} is outvoted$`)) as unknown }]);
    expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'vote', replayed: 0 }]);
    expect(ofKind(events, 'recovery')[0]?.to).toBe(ofKind(events, 'detection')[0]?.instruction);
    await expectNothingWrong(plan, system);
    const hashes = system.replicas.map(({ computer }) => computer.snapshot().hash());
    expect(new Set(hashes).size).toBe(1);
  });

  it('in its state is outvoted where states are compared', async () => {
    const plan = planOf([flipX(27, 3, { kind: 'instruction', count: 250_000 }, inReplica(name))]);
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'detection')).toMatchObject([{ by: 'vote', instruction: 280_000, latency: 30_000 }]);
    expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'vote', to: 280_000 }]);
    await expectNothingWrong(plan, system);
  });

  it('that is noticed by a trap, or since it never comes, is outvoted, too', async () => {
    const straying = planOf([flipX(2, 40, { kind: 'instruction', count: 250_000 }, inReplica(name))], { compareStateEpochs: 0 }, 'sort');
    const asleep = planOf([fault({ kind: 'set', place: { kind: 'csr', number: 0x304 }, value: 0n }, { kind: 'execute', address: addressOf('ticker', 'sleep_until_tick'), hit: 1 }, inReplica(name))], { compareStateEpochs: 0 }, 'ticker');
    for (const [plan, by] of [[straying, 'trap'], [asleep, 'watchdog']] as const) {
      const { system, events } = runToEnd(plan);
      expect(ofKind(events, 'detection').map((event) => event.by)).toEqual([by]);
      expect(ofKind(events, 'recovery').map((event) => event.by)).toEqual(['vote']);
      await expectNothingWrong(plan, system);
    }
  });

  it('that comes back costs it its place; the others go on as two, and recover as two do', async () => {
    const stuck: FaultPlan = { ...fault({ kind: 'stick', place: { kind: 'x', index: 10 }, bits: [17], value: 1 }, { kind: 'instruction', count: 250_000 }), target: { kind: 'core', core: names.indexOf(name) } };
    const other = names.find((each) => each !== name) ?? 'A';
    const plan = planOf([stuck, flipX(27, 3, { kind: 'instruction', count: 1_500_000 }, inReplica(other))]);
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'degradation')).toMatchObject([{ replica: name, to: 'dmr', why: 'it was outvoted 3 times in a row' }]);
    expect(system.protectionNow).toBe('dmr');
    expect(system.live.map((replica) => replica.name)).toEqual(names.filter((each) => each !== name));
    const lost = ofKind(events, 'degradation')[0]?.moment ?? 0;
    const recoveries = ofKind(events, 'recovery');
    expect(recoveries.filter(({ moment }) => moment <= lost).map(({ by }) => by)).toEqual(expect.arrayContaining(['vote']));
    expect(recoveries.filter(({ by, moment }) => by !== (moment <= lost ? 'vote' : 'rollback'))).toEqual([]);
    expect(recoveries.filter(({ moment }) => moment > lost)).toHaveLength(1);
    await expectNothingWrong(plan, system);
  });
});

it('three that all differ have no majority, and go back', async () => {
  const at = { kind: 'instruction', count: 250_000 } as const;
  const plan = planOf([flipX(27, 3, at, inReplica('A')), flipX(27, 4, at, inReplica('B'))]);
  const { system, events } = runToEnd(plan);
  expect(ofKind(events, 'detection')).toMatchObject([{ by: 'state' }]);
  expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'rollback' }]);
  await expectNothingWrong(plan, system);
});

it('two with the same error outvote the third, which is right: nobody can see that', async () => {
  const at = { kind: 'execute', address: addressOf('checksum', 'crc32_update') + 0x2an, hit: 60_000 } as const;
  const plan = planOf([flipX(10, 17, at, inReplica('B')), flipX(10, 17, at, inReplica('C'))]);
  const { system, events } = runToEnd(plan);
  expect(ofKind(events, 'detection')).toMatchObject([{ by: 'vote', what: expect.stringContaining('; A is outvoted') as unknown }]);
  const reference = await runReference(plan);
  expect(Buffer.from(system.released).equals(Buffer.from(reference?.console ?? []))).toBe(false);
});

it('who was given up is so from then on, and not before, wherever a debugger travels', async () => {
  const stuck: FaultPlan = { ...fault({ kind: 'stick', place: { kind: 'x', index: 10 }, bits: [17], value: 1 }, { kind: 'instruction', count: 250_000 }), target: { kind: 'core', core: 0 } };
  const session = Session.create(planOf([stuck]));
  const navigation = { stopAt: new Set<SystemEvent['kind']>(), breakpoints: new Set<bigint>() };
  expect(await session.forward(navigation)).toMatchObject({ why: 'end' });
  const lost = session.events.find(({ kind }) => kind === 'degradation')?.moment ?? 0;
  expect(lost).toBeGreaterThan(250_000);
  expect(session.compared?.map(({ name }) => name)).toEqual(['B', 'C']);
  expect(session.replicas.map(({ isLost }) => isLost)).toEqual([true, false, false]);
  const hash = session.stateHash();
  await session.travel(lost - 1);
  expect(session.replicas.map(({ isLost }) => isLost)).toEqual([false, false, false]);
  expect(session.compared?.map(({ name }) => name)).toEqual(['A', 'B']);
  expect(session.difference().length).toBeGreaterThan(0);
  await session.travel(lost);
  expect(session.compared?.map(({ name }) => name)).toEqual(['B', 'C']);
  expect(session.difference()).toEqual([]);
  await session.forward(navigation);
  expect(session.stateHash()).toBe(hash);
  session.close();
});
