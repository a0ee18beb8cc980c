import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import { tiers } from '../machine/tier';
import type { SystemEvent } from './events';
import { answerTo, framesPlan, Thrower } from './frames.test-support';
import type { FaultPlan, FaultTarget, Plan, ProtectionPlan, Rhythm } from './plan';
import { addressOf, fault, flipX, planFor } from './plan.test-support';
import { run } from './run';
import { expectNothingWrong, ofKind, runInSlices, runToEnd } from './run.test-support';
import { System } from './system';

const at = (count: number) => ({ kind: 'instruction', count }) as const;
const again = (one: FaultPlan, period: number, until?: number, unit: 'instructions' | 'cycles' = 'instructions'): FaultPlan =>
  ({ ...one, rhythm: { kind: 'every', unit, period, ...(until === undefined ? {} : { until: { unit, count: until } }) } });
const duty = (one: FaultPlan, period: number, on: number, unit: Rhythm['unit'] = 'instructions'): FaultPlan => ({ ...one, rhythm: { kind: 'duty', unit, period, on } });
const stick = (count: number, target?: FaultTarget, index = 10): FaultPlan => fault({ kind: 'stick', place: { kind: 'x', index }, bits: [17], value: 1 }, at(count), target);
const alone: Partial<ProtectionPlan> = { kind: 'none', cores: [0] };
const inA: FaultTarget = { kind: 'replica', replica: 'A' };
const strikes = (events: readonly SystemEvent[]) => ofKind(events, 'fault');

describe('a soft error that comes again', () => {
  it('strikes after each period, until the run is past its end', () => {
    // x0 has no bits: nothing comes of it, and nothing is run again.
    const { events } = runToEnd(planFor('checksum', { faults: [again(flipX(0, 3, at(100_003)), 5_000, 120_003)] }));
    expect(strikes(events).map(({ moment, instruction }) => [moment, instruction])).toEqual([100_003, 105_003, 110_003, 115_003, 120_003].map((count) => [count, count]));
  });

  it('in cycles of its core: at the first boundary at which they are over', () => {
    const plan = planFor('checksum', { protection: alone, faults: [again(flipX(0, 3, { kind: 'cycle', count: 50_000 }, inA), 10_000, 95_000, 'cycles')] });
    const system = new System(plan);
    const cycles: number[] = [];
    for (let seen = 0; cycles.length < 5 && system.moment < 120_000; ) {
      system.advance(system.moment + 1);
      const now = strikes(system.takeEvents()).length;
      if (now > 0) cycles.push(system.replicas[0]?.computer.cycles ?? 0);
      seen += now;
    }
    expect(cycles.map((count) => Math.floor(count / 1000))).toEqual([50, 60, 70, 80, 90]);
    expect(cycles.every((count) => count % 1000 < 40)).toBe(true);
  });

  it('a rollback takes nothing back of its time: it comes again while instructions are run again', async () => {
    const plan = planFor('checksum', { protection: { retry: 9 }, faults: [again(flipX(10, 17, at(250_000)), 31_007, 410_000)] });
    const { system, events } = runToEnd(plan);
    const moments = strikes(events).map(({ moment }) => moment);
    expect(moments).toEqual(moments.map((_, i) => 250_000 + 31_007 * i));
    expect(moments).toHaveLength(6);
    expect(ofKind(events, 'recovery').length).toBeGreaterThan(1);
    // Counts go back with the guest, moments do not.
    expect(strikes(events).some(({ moment, instruction }) => instruction < moment)).toBe(true);
    await expectNothingWrong(plan, system);
  });

  it('of what passes by, each waits for a value of its own, and one that still waits is not doubled', () => {
    const unit = (name: 'alu' | 'load', period: number): FaultPlan => again(fault({ kind: 'flip', place: { kind: 'unit', unit: name }, bits: [0] }, at(200_000), inA), period, 200_000 + 10 * period);
    const { events } = runToEnd(planFor('checksum', { protection: alone, maxInstructions: 300_000, faults: [unit('alu', 1_000)] }));
    expect(strikes(events)).toHaveLength(11);
    // Nothing is typed at this guest, however often it waits.
    const never = again(fault({ kind: 'flip', place: { kind: 'input', number: 1 }, bits: [0] }, at(1_000), inA), 1_000);
    const waiting = runToEnd(planFor('checksum', { protection: alone, maxInstructions: 100_000, faults: [never] }));
    expect([strikes(waiting.events), waiting.system.hasFired(0)]).toEqual([[], false]);
  });

  it('draws other bits each time', () => {
    const random = again(fault({ kind: 'flip-random', places: [{ kind: 'memory', address: 0x8000_8000n, bytes: 8 }], count: 1 }, at(100_000), inA), 1_000, 120_000);
    const { events } = runToEnd(planFor('checksum', { protection: alone, maxInstructions: 130_000, faults: [random] }));
    expect(strikes(events)).toHaveLength(21);
    expect(new Set(strikes(events).map(({ change }) => /\(bit (\d+)\)/.exec(change)?.[1])).size).toBeGreaterThan(10);
  });

  it('a report says how often, and of the first time what it did', async () => {
    const report = await run(planFor('checksum', { protection: alone, maxInstructions: 300_000, faults: [again(flipX(27, 3, at(100_000), inA), 50_000, 260_000), flipX(27, 4, at(100_000), inA)] }));
    expect(report.faults).toMatchObject([{ fired: true, times: 4, instruction: 100_000 }, { fired: true, instruction: 100_000 }]);
    expect(report.faults[1]).not.toHaveProperty('times');
  });

  it('that never strikes first never comes', () => {
    const { system, events } = runToEnd(planFor('checksum', { faults: [again(flipX(0, 3, at(40_000_000)), 100)] }));
    expect([strikes(events), system.hasFired(0)]).toEqual([[], false]);
  });
});

describe('bits that stick for a share of the time', () => {
  it('are there at the beginning of each period, and only then', () => {
    // Nothing writes x27 in so short a time but the test.
    const plan = planFor('checksum', { protection: alone, faults: [duty(stick(100_000, inA, 27), 1_000, 100)] });
    const system = new System(plan);
    const computer = system.replicas[0]?.computer;
    for (const [moment, stuck] of [[99_999, false], [100_000, true], [100_050, true], [100_099, true], [100_100, false], [100_999, false], [101_000, true], [101_099, true], [101_100, false], [150_050, true], [150_100, false]] as const) {
      system.advance(moment);
      computer?.setX(27, 0n);
      expect([moment, computer?.getX(27)]).toEqual([moment, stuck ? 1n << 17n : 0n]);
    }
    expect(strikes(system.takeEvents())).toHaveLength(1);
  });

  it('an intermittent error costs rollbacks, and where it is away long enough no more', async () => {
    const plan = planFor('checksum', { protection: { retry: 9 }, faults: [duty(stick(250_000, { kind: 'core', core: 1 }), 400_000, 3_000)] });
    const { system, events } = runToEnd(plan);
    const count = ofKind(events, 'detection').length;
    expect(count).toBeGreaterThan(1);
    expect(ofKind(events, 'recovery')).toHaveLength(count);
    expect(ofKind(events, 'detection').every(({ moment }) => (moment - 250_000) % 400_000 < 3_000 + 40_000)).toBe(true);
    await expectNothingWrong(plan, system);
  });

  it('of a bank, come and go for each replica that shares it', () => {
    const line = addressOf('checksum', 'block') + 128n;
    const bank: FaultTarget = { kind: 'component', component: `l2 bank ${Number((line / 64n) % 8n)}` };
    const cell = (lifetime: Partial<FaultPlan>): FaultPlan => ({ ...fault({ kind: 'stick', place: { kind: 'memory', address: line, bytes: 1 }, bits: [4], value: 1 }, at(100_000), bank), ...lifetime });
    for (const [fault, there] of [[cell({ rhythm: { kind: 'duty', unit: 'instructions', period: 20_000, on: 5_000 } }), [true, false, true, false]], [cell({ lifetime: { unit: 'instructions', length: 5_000 } }), [true, false, false, false]]] as const) {
      const system = new System(planFor('checksum', { protection: { isolation: 'none', compareStateEpochs: 0, compareOutput: false }, faults: [fault] }));
      const seen = [101_000, 109_000, 121_000, 129_000].map((moment) => {
        system.advance(moment);
        return system.replicas.map(({ computer }) => {
          computer.writeMemory(line, Uint8Array.of(0));
          return computer.readMemory(line, 1)?.[0] === 16;
        });
      });
      expect(seen).toEqual(there.map((stuck) => [stuck, stuck]));
      expect(ofKind(system.takeEvents(), 'fault').map(({ replica }) => replica).sort()).toEqual(['A', 'B']);
    }
  });

  it('a core on which nobody runs for a while is where it is in its period when somebody comes', () => {
    const idle = duty(stick(100_000, { kind: 'core', core: 6 }, 27), 50_000, 25_000);
    const plan = planFor('checksum', { protection: { retry: 9 }, faults: [idle, fault({ kind: 'die', how: 'stops' }, at(333_333), { kind: 'component', component: 'core 1' })] });
    const system = new System({ ...plan, chip: { ...plan.chip, spares: [6] } });
    const probe = (): bigint => {
      const replica = system.live.find(({ core }) => core === 6);
      replica?.computer.setX(27, 0n);
      return replica?.computer.getX(27) ?? -1n;
    };
    const seen = [402_000, 426_000, 452_000, 476_000].map((moment) => {
      system.advance(moment);
      return probe();
    });
    expect(seen).toEqual([1n << 17n, 0n, 1n << 17n, 0n]);
  });
});

describe('however it is run', () => {
  const plans: [string, Plan][] = [
    ['every', planFor('checksum', { protection: { retry: 9 }, faults: [again(flipX(10, 17, at(250_000)), 35_000, 500_000, 'cycles')] })],
    ['duty', planFor('checksum', { protection: { retry: 9 }, faults: [duty(stick(250_000, { kind: 'core', core: 1 }), 130_000, 2_000, 'cycles')] })],
    ['a unit with duty', planFor('checksum', { protection: { retry: 9 }, faults: [duty(fault({ kind: 'stick', place: { kind: 'unit', unit: 'load' }, bits: [3], value: 1 }, at(250_000)), 150_000, 1_000)] })],
  ];

  it.each(plans)('a run is the same: %s', (_, plan) => {
    const story = ({ system, events }: { system: System; events: SystemEvent[] }): unknown => [events, system.ended, system.moment, system.cycles, ...system.replicas.map(({ computer }) => computer.snapshot().hash())];
    const first = runInSlices(plan, [1e9], { tier: 'interpreter' });
    const whole = story(first);
    for (const tier of tiers) expect(story(runInSlices(plan, [7_001, 90_000], { tier }))).toEqual(whole);
    const threaded = runInSlices(plan, [60_000], { threads: 2, threadsFrom: 0 });
    threaded.system.close();
    expect(story(threaded)).toEqual(whole);
    const [half, other] = [new System(plan), new System(plan)];
    half.advance(300_000);
    const state = half.save();
    for (const system of [half, other]) {
      system.advance(system.moment + 150_000);
      system.load(state);
      const events = first.events.filter(({ moment }) => moment > 300_000);
      system.takeEvents();
      system.advance(1e9);
      expect(system.takeEvents().filter(({ moment }) => moment > 300_000)).toEqual(events);
      expect(story({ system, events: first.events })).toEqual(whole);
    }
  });

  it('whoever leaves its past behind comes to the same', async () => {
    for (const [, plan] of plans) {
      const [whole, short] = [await run(plan), await run(plan, { withoutDivergences: true })];
      expect({ ...short, divergences: [] }).toEqual({ ...whole, divergences: [] });
    }
  });

  it('a debugger stops at each time, and each way into an error is found', async () => {
    const session = Session.create(planFor('checksum', { protection: { retry: 9 }, faults: [again(flipX(10, 17, at(250_000)), 60_000, 400_000)] }));
    const stops: number[] = [];
    for (;;) {
      const stop = await session.forward({ stopAt: new Set(['fault']), breakpoints: new Set() });
      if (stop.why !== 'event') break;
      stops.push(session.moment);
    }
    expect(stops).toEqual([250_000, 310_000, 370_000]);
    expect(session.events.filter(({ kind }) => kind === 'divergence').length).toBe(session.events.filter(({ kind }) => kind === 'detection').length);
  });
});

describe('a frame that is handed over', () => {
  const flip = (bits: number[], replica: 'A' | 'B' = 'B'): FaultPlan => fault({ kind: 'flip', place: { kind: 'dma' }, bits }, at(100_000), { kind: 'replica', replica });

  it('is wrong for one replica, once', () => {
    const thrower = new Thrower();
    const { system, events } = runInSlices(framesPlan({ faults: [flip([8 * 40, 8 * 41 + 3])] }), [1e9], { outside: thrower });
    expect(strikes(events)).toMatchObject([{ replica: 'B', change: 'dma: bits 320, 331 flipped' }]);
    expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'rollback' }]);
    expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(thrower.caught).toEqual(Array.from({ length: 60 }, (_, number) => answerTo(number)));
  });

  it('without protection its answer is', () => {
    const thrower = new Thrower();
    const { events } = runInSlices(framesPlan({ protection: { kind: 'none' }, faults: [flip([8 * 40], 'A')] }), [1e9], { outside: thrower });
    expect(strikes(events)).toHaveLength(1);
    const wrong = thrower.caught.filter((frame, number) => !Buffer.from(frame).equals(Buffer.from(answerTo(number))));
    expect(wrong).toHaveLength(1);
  });

  it('is too short for some bits', () => {
    // They have 60 to 1,514 bytes.
    const { events } = runInSlices(framesPlan({ protection: { kind: 'none' }, faults: [again(flip([4095], 'A'), 5_000)] }), [1e9], { outside: new Thrower() });
    const changes = new Set(strikes(events).map(({ change }) => change));
    expect(changes).toEqual(new Set(['dma: bit 4095 flipped', 'dma: unchanged, since it was too short']));
  });

  it('at the same moment however the run is cut', () => {
    const story = (slices: number[]): unknown => {
      const { system, events } = runInSlices(framesPlan({ faults: [flip([8 * 40])] }), slices, { outside: new Thrower() });
      return [events, system.moment, ...system.replicas.map(({ computer }) => computer.snapshot().hash())];
    };
    const whole = story([1e9]);
    for (const slices of [[997], [12_345]]) expect(story(slices)).toEqual(whole);
  });
});
