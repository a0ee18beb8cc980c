import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import type { SystemEvent } from './events';
import { inputsPlan } from './inputs.test-support';
import type { FaultPlan, Plan, ReplicaName, SwitchPlan } from './plan';
import { fault, flipX, planFor } from './plan.test-support';
import { runReference } from './reference';
import type { DivergenceReport } from './report';
import { run } from './run';
import { expectNothingWrong, ofKind, runToEnd, seats } from './run.test-support';
import { System } from './system';

const at = (count: number) => ({ kind: 'instruction', count }) as const;

function planOf(start: Plan['protection']['kind'], switches: SwitchPlan[], faults: FaultPlan[] = [], spares: number[] = []): Plan {
  const cores = { none: [0], dmr: [0, 1], tmr: [0, 1, 2] }[start];
  const plan = planFor('checksum', { protection: { kind: start, cores }, faults });
  return { ...plan, switches, chip: { ...plan.chip, spares } };
}

describe('a guest that runs', () => {
  it('is cloned to be protected from then on, and an error after that is recovered from', async () => {
    const switches: SwitchPlan[] = [{ kind: 'dmr', cores: [0, 3], trigger: at(305_000) }];
    const plan = planOf('none', switches, [flipX(27, 3, at(450_000))]);
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'switch')).toMatchObject([{ to: 'dmr', instruction: 310_000, cores: [0, 3] }]);
    expect(ofKind(events, 'clone')).toMatchObject([{ replica: 'B', core: 3, to: 'dmr' }]);
    expect(ofKind(events, 'detection')).toMatchObject([{ by: 'state' }]);
    expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'rollback' }]);
    expect(seats(system)).toEqual(['A0', 'B3']);
    await expectNothingWrong(plan, system);
  });

  it('never goes back to before it was protected, and what was wrong then is cloned with it', async () => {
    const early = flipX(10, 17, at(250_007), { kind: 'replica', replica: 'A' });
    const plan = planOf('none', [{ kind: 'dmr', cores: [0, 1], trigger: at(305_000) }], [early, flipX(27, 3, at(311_000))]);
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'recovery')).toMatchObject([{ to: 310_000 }]);
    const reference = await runReference(plan);
    expect(Buffer.from(system.released).equals(Buffer.from(reference?.console ?? []))).toBe(false);
  });

  it('goes through all protections, on whatever cores, and comes out the same', async () => {
    const switches: SwitchPlan[] = [
      { kind: 'tmr', cores: [0, 3, 6], trigger: at(100_000) },
      { kind: 'none', cores: [3], trigger: { kind: 'output', number: 2 } },
      { kind: 'dmr', cores: [5, 1], trigger: { kind: 'epoch', number: 60 } },
      { kind: 'dmr', cores: [1, 2], trigger: at(800_000) },
      { kind: 'none', cores: [7], trigger: { kind: 'console', text: '7: ' } },
      { kind: 'tmr', cores: [7, 0, 4], trigger: { kind: 'cycle', count: 1 } },
    ];
    const plan = planOf('dmr', switches);
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'switch').map(({ to }) => to)).toEqual(switches.map(({ kind }) => kind));
    expect(ofKind(events, 'detection')).toEqual([]);
    expect(seats(system).map((seat) => Number(seat.slice(1))).sort()).toEqual([0, 4, 7]);
    await expectNothingWrong(plan, system);
    const hash = system.live.map(({ computer }) => computer.snapshot().hash());
    expect(new Set(hash).size).toBe(1);
    const sliced = runToEnd(plan, 3_333);
    expect(sliced.events).toEqual(events);
    expect(sliced.system.cycles).toBe(system.cycles);
  });

  it('pays for the VMM while it is protected, and not otherwise', () => {
    const unprotected = runToEnd(planOf('none', [])).system;
    const late = runToEnd(planOf('none', [{ kind: 'dmr', cores: [0, 1], trigger: at(1_000_000) }])).system;
    const whole = runToEnd(planOf('dmr', [])).system;
    expect(unprotected.costs()).toEqual([]);
    const rendezvous = (system: System): number => system.costs().find(({ event }) => event === 'rendezvous')?.count ?? 0;
    expect(rendezvous(late)).toBeGreaterThan(0);
    expect(rendezvous(whole) - rendezvous(late)).toBe(100);
  });

  it('and is cloned onto a core that is broken goes back to what it was before that', async () => {
    for (const cores of [[0, 1], [1, 2], [1, 0]]) {
      const broken: FaultPlan = fault({ kind: 'stick', place: { kind: 'x', index: 11 }, bits: [17], value: 1 }, at(100_000), { kind: 'core', core: 1 });
      const plan = planOf('none', [{ kind: 'dmr', cores, trigger: at(305_000) }], [broken], [6, 7]);
      const { system, events } = runToEnd(plan);
      expect(ofKind(events, 'detection').length).toBeGreaterThan(0);
      await expectNothingWrong(plan, system);
      const sliced = runToEnd(plan, 3_333);
      expect(sliced.events).toEqual(events);
    }
  });

  it('with memory that the clone does not hold is found out at once, whether anybody saves states or not', () => {
    const broken: FaultPlan = fault({ kind: 'stick', place: { kind: 'memory', address: 0x8000_1810n, bytes: 1 }, bits: [0, 1, 2, 3, 4, 5, 6, 7], value: 1 }, at(100_000), { kind: 'core', core: 1 });
    const plan = planOf('none', [{ kind: 'dmr', cores: [0, 1], trigger: at(305_000) }], [broken]);
    const { system, events } = runToEnd(plan);
    expect(ofKind(events, 'detection')[0]).toMatchObject({ by: 'state', instruction: 310_000 });
    const saving = new System(plan);
    const seen = saving.takeEvents();
    while (!saving.ended) {
      saving.advance(saving.moment + 10_000);
      seen.push(...saving.takeEvents());
      saving.load(saving.save());
    }
    expect(seen).toEqual(events);
    expect(saving.ended).toEqual(system.ended);
  });

  it('after a fault that changed nothing that is compared can be let go again', async () => {
    const session = Session.create(planOf('dmr', [{ kind: 'none', cores: [0], trigger: at(305_000) }], [flipX(13, 3, at(304_000))]));
    expect(await session.forward({ stopAt: new Set(), breakpoints: new Set() })).toMatchObject({ why: 'end' });
    session.close();
  });

  it('that is to be protected on a dead core is on a spare, and without one it stays as it is', async () => {
    const dead = fault({ kind: 'die', how: 'stops' }, at(100_000), { kind: 'component', component: 'core 1' });
    for (const spares of [[6], []]) {
      const plan = planOf('none', [{ kind: 'dmr', cores: [0, 1], trigger: at(305_000) }], [dead], spares);
      const { system, events } = runToEnd(plan);
      expect(ofKind(events, 'switch')).toMatchObject([{ to: spares.length > 0 ? 'dmr' : 'none' }]);
      expect(system.protectionWanted).toBe('dmr');
      expect(seats(system)).toEqual(spares.length > 0 ? ['A0', 'B6'] : ['A0']);
      await expectNothingWrong(plan, system);
    }
  });
});

it('goes none, dmr, loses a core, gets a spare, and a debugger travels through all of it', async () => {
  const dead = fault({ kind: 'die', how: 'stops' }, at(600_123), { kind: 'component', component: 'core 1' });
  const plan = planOf('none', [{ kind: 'dmr', cores: [0, 1], trigger: at(305_000) }], [dead], [6]);
  const session = Session.create(plan);
  const navigation = { stopAt: new Set<SystemEvent['kind']>(), breakpoints: new Set<bigint>() };
  expect(await session.forward(navigation)).toMatchObject({ why: 'end' });
  const who = (): string => session.replicas.map(({ name, core }) => `${name}${core}`).join();
  const hash = session.stateHash();
  expect(who()).toBe('A0,B6');
  await session.travel(600_000);
  expect(who()).toBe('A0,B1');
  await session.travel(300_000);
  expect(who()).toBe('A0');
  await session.forward(navigation);
  expect([who(), session.stateHash()]).toEqual(['A0,B6', hash]);
  session.close();
});

describe('where a guest that is one replica for a while diverged', () => {
  const struck = (at: number, replica: ReplicaName = 'A'): FaultPlan => flipX(10, 17, { kind: 'instruction', count: at }, { kind: 'replica', replica });
  const found = async (plan: Plan): Promise<Pick<DivergenceReport, 'instruction' | 'pc' | 'differs'>[]> =>
    (await run(plan)).divergences.map(({ instruction, pc, differs }) => ({ instruction, pc, differs: differs.map(({ A, B, ...other }) => ({ ...other, struck: A ?? B })) as never }));

  it.each([
    ['before it is protected', 'none', [{ kind: 'dmr', cores: [0, 1], trigger: at(305_000) }], [struck(250_007)]],
    ['when it is protected no more', 'dmr', [{ kind: 'none', cores: [0], trigger: at(305_000) }], [struck(450_007)]],
    ['when the other replica of two has gone on', 'dmr', [{ kind: 'none', cores: [1], trigger: at(305_000) }], [struck(450_007, 'B')]],
    ['when it had been rolled back before that', 'dmr', [{ kind: 'none', cores: [0], trigger: at(305_000) }], [flipX(27, 3, at(150_000)), struck(450_007)]],
    ['when it had been struck before and had not diverged', 'none', [{ kind: 'dmr', cores: [0, 1], trigger: at(605_000) }], [flipX(28, 3, at(150_000), { kind: 'replica', replica: 'A' }), struck(450_007)]],
  ] as [string, 'none' | 'dmr', SwitchPlan[], FaultPlan[]][])('is found by the run without faults: %s', async (_, kind, switches, faults) => {
    const last = faults.at(-1);
    if (!last || last.trigger.kind !== 'instruction') throw new Error('a fault at a count');
    const [alone] = await found(planOf('none', [], [struck(last.trigger.count)]));
    if (!alone) throw new Error('it diverges');
    // What was struck before may differ, too.
    expect((await found(planOf(kind, switches, faults))).at(-1)).toEqual({ ...alone, differs: expect.arrayContaining(alone.differs) as never });
  });

  it('is not guessed at where clocks are the cores\' own', async () => {
    const plan = planOf('none', [{ kind: 'dmr', cores: [0, 1], trigger: at(305_000) }], [struck(250_007)]);
    expect(await found({ ...plan, protection: { ...plan.protection, uncoordinated: ['cycle'] } })).toEqual([]);
  });

  it('and replicas that an ablation tears apart once there are two are found then', async () => {
    const { guest } = inputsPlan({ steps: 64 | 256 });
    const plan = { ...planOf('none', [{ kind: 'dmr', cores: [0, 1], trigger: at(1) }]), guest };
    const report = await run({ ...plan, protection: { ...plan.protection, epochInstructions: 2_000, uncoordinated: ['reservations'] } });
    expect(report.divergences[0]).toMatchObject({ function: 'add_up' });
  });
});

it('a switch that is never made fails the scenario, and says which one it was', async () => {
  const switches: SwitchPlan[] = [{ kind: 'dmr', cores: [0, 3], trigger: at(305_000) }, { kind: 'none', cores: [0], trigger: { kind: 'console', text: 'never said' } }];
  const missed = await run({ ...planOf('none', switches), expectations: [] });
  expect(missed).toMatchObject({ passed: false, switches: [{ to: 'dmr' }], missedSwitches: [{ to: 'none', cores: [0] }] });
  expect(await run({ ...planOf('none', switches.slice(0, 1)), expectations: [] })).toMatchObject({ passed: true });
});
