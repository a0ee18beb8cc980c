import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import type { Navigation } from '../history/types';
import type { SystemEvent } from './events';
import { answerTo, framesAddress, framesPlan, Thrower } from './frames.test-support';
import type { Outside } from './outside';
import type { Plan } from './plan';
import { fault, flipX } from './plan.test-support';
import { run } from './run';
import { System } from './system';

const onwards: Navigation = { stopAt: new Set(), breakpoints: new Set() };
const answers = Array.from({ length: 60 }, (_, number) => answerTo(number));

const flipped = flipX(10, 5, { kind: 'execute', address: framesAddress('work_on'), hit: 29 });
const killed = fault({ kind: 'die', how: 'stops' }, { kind: 'instruction', count: 250_000 }, { kind: 'component', component: 'core 1' });

function finished(plan: Plan): { system: System; thrower: Thrower; events: SystemEvent[] } {
  const thrower = new Thrower();
  const system = new System(plan, { outside: thrower });
  system.advance(Infinity);
  return { system, thrower, events: system.takeEvents() };
}

const hashes = ({ live }: Pick<System, 'live'>): string[] => live.map(({ computer }) => computer.snapshot().hash());

describe('the network of a replicated guest', () => {
  const alone = finished(framesPlan({ protection: { kind: 'none' } }));

  it('gives all replicas the same frames, and an unprotected guest those, too', () => {
    const { system, thrower, events } = finished(framesPlan());
    expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(thrower.caught).toEqual(answers);
    expect(Buffer.from(system.released).toString()).toBe(`${'.'.repeat(60)}\nframes: 60\n`);
    expect(events.filter(({ kind }) => kind === 'detection')).toEqual([]);
    expect(alone.thrower.caught).toEqual(answers);
    expect(hashes(system)).toEqual([...hashes(alone.system), ...hashes(alone.system)]);
    expect(system.costs().find(({ event }) => event === 'input')?.count).toBe(21);
  });

  it('wakes a guest that sleeps when something is due, to a millisecond', () => {
    const { asked } = alone.thrower;
    expect(asked).toEqual(asked.toSorted((a, b) => a - b));
    const steps = asked.slice(1).map((time, i) => time - (asked[i] ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(1000);
    // Twenty throws, each some time after the one before, and the last one.
    expect(asked.at(-1)).toBeGreaterThan(20 * 700);
    expect(asked.at(-1)).toBeLessThan(20 * 1800);
  });

  it.each([
    ['a flip that is rolled back', framesPlan({ faults: [flipped] }), ['rollback']],
    ['a core that dies, with a spare', framesPlan({ faults: [killed], spares: [5] }), ['failover']],
    ['a flip that is outvoted', framesPlan({ protection: { kind: 'tmr', cores: [0, 1, 2] }, faults: [flipped] }), ['vote']],
    ['rollbacks to a checkpoint far back', framesPlan({ protection: { checkpointEpochs: 0, compareStateEpochs: 1 }, faults: [flipped] }), ['rollback']],
  ])('sends each frame once, and the right one: %s', (_, plan, by) => {
    const { system, thrower, events } = finished(plan);
    expect(events.flatMap((event) => (event.kind === 'recovery' ? [event.by] : []))).toEqual(by);
    expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(thrower.caught).toEqual(answers);
    expect(thrower.asked).toEqual(thrower.asked.toSorted((a, b) => a - b));
    expect(hashes(system)[0]).toBe(hashes(alone.system)[0]);
    expect(system.releasedData('net')).toEqual(alone.system.releasedData('net'));
  });

  it('gets its first input where it would without an error that takes it back to the start', () => {
    // What is thrown is due as soon as the guest can have it.
    const finishedBy = (plan: Plan) => {
      const thrower = new Thrower(60, 0);
      const system = new System(plan, { outside: thrower });
      system.advance(Infinity);
      return { system, thrower, events: system.takeEvents() };
    };
    const right = finishedBy(framesPlan({ protection: { kind: 'none' } }));
    const dead = fault({ kind: 'die', how: 'stops' }, { kind: 'instruction', count: 1_000 }, { kind: 'component', component: 'core 1' });
    for (const [plan, by] of [
      [framesPlan({ protection: { compareStateEpochs: 1 }, faults: [flipX(2, 40, { kind: 'instruction', count: 1_000 })] }), 'rollback'],
      [framesPlan({ faults: [dead], spares: [5] }), 'failover'],
    ] as const) {
      const { system, thrower, events } = finishedBy(plan);
      expect(events.flatMap((event) => (event.kind === 'recovery' ? [[event.by, event.to]] : []))).toEqual([[by, 0]]);
      expect(thrower.asked[0]).toBe(right.thrower.asked[0]);
      expect(hashes(system)[0]).toBe(hashes(right.system)[0]);
      expect(system.releasedData('net')).toEqual(right.system.releasedData('net'));
    }
  });

  it('sends no wrong frame and none twice, wherever a bit flips', () => {
    const end = alone.system.count;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31 }), fc.integer({ min: 0, max: 63 }), fc.integer({ min: 1, max: end - 1 }), fc.constantFrom('A', 'B'), (index, bit, count, replica) => {
        const { system, thrower } = finished(framesPlan({ faults: [flipX(index, bit, { kind: 'instruction', count }, { kind: 'replica', replica })] }));
        expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
        expect(thrower.caught).toEqual(answers);
        expect(system.releasedData('net')).toEqual(alone.system.releasedData('net'));
      }),
      { numRuns: 15 },
    );
  });

  it('is the same however the run is sliced', () => {
    const plan = framesPlan({ faults: [flipped] });
    const whole = finished(plan);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 12 }), (slices) => {
        const thrower = new Thrower();
        const system = new System(plan, { outside: thrower });
        const events: SystemEvent[] = [];
        for (let i = 0; !system.ended; i++) {
          system.advance(system.moment + (slices[i % slices.length] ?? 1), { stopAsleep: i % 2 === 0 });
          for (const event of system.takeEvents()) events.push(event);
        }
        const kept = (all: readonly SystemEvent[]): SystemEvent[] => all.filter(({ kind }) => kind !== 'release');
        expect(kept(events)).toEqual(kept(whole.events));
        expect(hashes(system)).toEqual(hashes(whole.system));
        expect(thrower.caught).toEqual(answers);
        expect(system.cycles).toBe(whole.system.cycles);
      }),
      { numRuns: 8 },
    );
  });

  it('is nothing that a time traveller repeats', async () => {
    const thrower = new Thrower();
    const session = Session.create(framesPlan({ faults: [flipped] }), { outside: thrower });
    await session.travel(200_000);
    const [early, told] = [session.stateHash(), thrower.caught.length];
    expect(told).toBeGreaterThan(3);
    await session.travel(60_000);
    await session.travel(200_000);
    expect([session.stateHash(), thrower.caught.length]).toEqual([early, told]);
    await session.travel(100);
    expect((await session.forward(onwards)).why).toBe('end');
    const [end, last] = [session.moment, session.stateHash()];
    await session.travel(200_000);
    expect(session.stateHash()).toBe(early);
    await session.travel(end);
    expect(session.stateHash()).toBe(last);
    expect(thrower.caught).toEqual(answers);
    expect(session.events.filter(({ kind }) => kind === 'divergence')).toMatchObject([{ replica: 'B' }]);
  });

  it('has a reference where the outside can be had afresh, and a healthy run to find what a fault did', async () => {
    const thrower = new Thrower();
    const report = await run(framesPlan({ protection: { kind: 'none' }, faults: [{ ...flipped, target: { kind: 'replica', replica: 'A' } }] }), { outside: thrower });
    expect(report.divergences).toMatchObject([{ replica: 'A', function: 'work_on' }]);
    expect(report.released).toMatchObject({ corrupt: true, network: { frames: 60, corrupt: true } });
    const sound = await run(framesPlan({ faults: [flipped] }), { outside: new Thrower() });
    expect(sound.released).toMatchObject({ corrupt: false, network: { frames: 60, corrupt: false } });
    expect(sound.cycles.overhead).toBeGreaterThan(0);
  });

  it('says nothing of corruption and overhead where no run can be repeated', async () => {
    const thrower = new Thrower();
    const once: Outside = {
      receive: (frame) => thrower.receive(frame),
      take: (now, room) => thrower.take(now, room),
      get isQuiet() {
        return thrower.isQuiet;
      },
    };
    const report = await run(framesPlan(), { outside: once });
    expect(report.guest).toMatchObject({ exit: 0, ended: 'exit' });
    expect(report.released).toMatchObject({ ofBytes: null, corrupt: null, network: { frames: 60, corrupt: null } });
    expect(report.cycles).toMatchObject({ unprotected: null, overhead: null });
  });

  it('ends a guest that waits for frames where nobody is', () => {
    const system = new System(framesPlan());
    system.advance(Infinity);
    expect(system.ended).toMatchObject({ how: 'hung', why: 'the guest waits for an interrupt that cannot come' });
  });
});
