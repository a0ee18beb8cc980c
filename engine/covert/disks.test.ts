import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import type { Navigation } from '../history/types';
import { diskContent, diskPlan, Sink, type DiskChanges, type DiskGuest } from './disks.test-support';
import type { SystemEvent } from './events';
import { answersIn, InputLog } from './input-log';
import type { FaultTarget, ProtectionPlan } from './plan';
import { fault, flipX } from './plan.test-support';
import { run } from './run';
import { ofKind } from './run.test-support';
import { System } from './system';

const onwards: Navigation = { stopAt: new Set(), breakpoints: new Set() };
const guests: DiskGuest[] = [{}, { writesThrough: true }, { polls: true }, { writesThrough: true, polls: true }];

function finished(changes: DiskChanges = {}, refuses?: (number: number) => string | undefined): { system: System; sink: Sink; events: SystemEvent[] } {
  const sink = new Sink(changes.guest, refuses);
  const system = new System(diskPlan(changes), { disks: sink });
  system.advance(Infinity);
  return { system, sink, events: system.takeEvents() };
}

const hashes = ({ live }: Pick<System, 'live'>): string[] => live.map(({ computer }) => computer.snapshot().hash());
const printed = ({ released }: Pick<System, 'released'>): string => Buffer.from(released).toString();
const recoveries = (events: readonly SystemEvent[]): string[] => ofKind(events, 'recovery').map(({ by }) => by);

const alone = finished({ protection: { kind: 'none' } });
const end = alone.system.count;
const flipped = flipX(8, 5, { kind: 'instruction', count: 400_000 });
const component = (name: string): FaultTarget => ({ kind: 'component', component: name });
const killed = fault({ kind: 'die', how: 'stops' }, { kind: 'instruction', count: 400_000 }, component('core 1'));
const hung = fault({ kind: 'die', how: 'hangs' }, { kind: 'instruction', count: 400_000 }, component('core 1'));
const stuck = fault({ kind: 'stick', place: { kind: 'alu' }, bits: [3], value: 1 }, { kind: 'instruction', count: 400_000 }, { kind: 'core', core: 1 });
const three: Partial<ProtectionPlan> = { kind: 'tmr', cores: [0, 1, 2] };

describe('the disk that a guest writes to', () => {
  it('is changed by the guest', () => {
    expect(alone.system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(printed(alone.system)).toMatch(/^\.{10}\nsum: [0-9a-f]{8}\n$/);
    expect(alone.sink.done.filter((each) => each === '0: flush')).toHaveLength(10);
    expect(alone.sink.done).toHaveLength(40);
    expect(Buffer.compare(alone.sink.content, diskContent())).not.toBe(0);
  });

  it.each(guests)('holds in the end what it holds without replication: %o', (guest) => {
    const one = finished({ guest, protection: { kind: 'none' } });
    for (const protection of [{}, three]) {
      const { system, sink, events } = finished({ guest, protection });
      expect(ofKind(events, 'detection')).toEqual([]);
      expect(sink.all).toEqual(one.sink.all);
      expect(new Set(hashes(system))).toEqual(new Set(hashes(one.system)));
      expect(printed(system)).toBe(printed(one.system));
    }
    // Flushed after every write, or after three.
    const flushes = one.sink.done.filter((each) => each === '0: flush').length;
    expect(flushes).toBe(guest.writesThrough ? 30 : 10);
  });

  it.each<[string, DiskChanges, string[]]>([
    ['a flip that is rolled back', { faults: [flipped] }, ['rollback']],
    ['a flip that is outvoted', { faults: [flipped], protection: three }, ['vote']],
    ['rollbacks to a checkpoint far back', { faults: [flipped], protection: { checkpointEpochs: 0, compareStateEpochs: 1 } }, ['rollback']],
    ['a core that dies, with a spare', { faults: [killed], spares: [5] }, ['failover']],
    ['a core that dies, with none', { faults: [killed] }, ['failover']],
    ['a core that dies of three', { faults: [killed], protection: three, spares: [5] }, ['failover']],
    ['a core that hangs', { faults: [hung], spares: [5] }, ['failover']],
  ])('gets each write once, and the right one: %s', (_, changes, by) => {
    const { system, sink, events } = finished(changes);
    expect(recoveries(events)).toEqual(by);
    expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(sink.all).toEqual(alone.sink.all);
    expect(hashes(system)[0]).toBe(hashes(alone.system)[0]);
    expect(system.releasedData('disk')).toEqual(alone.system.releasedData('disk'));
  });

  it('gets each write once while it is found out whose error it is', () => {
    const { system, sink, events } = finished({ faults: [stuck], spares: [5] });
    expect(ofKind(events, 'diagnosis').length).toBeGreaterThan(0);
    expect(ofKind(events, 'retirement')).toMatchObject([{ component: 'core 1' }]);
    expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(sink.all).toEqual(alone.sink.all);
  });

  it('gets each write once while the protection is switched, and a fault strikes in each part', () => {
    const at = (count: number): { kind: 'instruction'; count: number } => ({ kind: 'instruction', count });
    const switches = [
      { kind: 'dmr' as const, cores: [0, 1], trigger: at(200_000) },
      { kind: 'tmr' as const, cores: [0, 1, 2], trigger: at(500_000) },
      { kind: 'dmr' as const, cores: [1, 2], trigger: at(800_000) },
      { kind: 'none' as const, cores: [2], trigger: at(1_100_000) },
    ];
    const faults = [300_000, 600_000, 900_000].map((count) => flipX(8, 5, at(count)));
    const { system, sink, events } = finished({ protection: { kind: 'none', cores: [0] }, switches, faults });
    expect(ofKind(events, 'switch').map(({ to }) => to)).toEqual(['dmr', 'tmr', 'dmr', 'none']);
    expect(recoveries(events)).toEqual(['rollback', 'vote', 'rollback']);
    expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(sink.all).toEqual(alone.sink.all);
  });

  it('is wrong after an unprotected error, which is what protection is for', async () => {
    const faults = [{ ...flipped, target: { kind: 'replica', replica: 'A' } as const }];
    const { sink } = finished({ protection: { kind: 'none' }, faults });
    expect(Buffer.compare(sink.content, alone.sink.content)).not.toBe(0);
    const report = await run(diskPlan({ protection: { kind: 'none' }, faults }), { disks: new Sink() });
    expect(report.released).toMatchObject({ corrupt: true, disk: { writes: 30, corrupt: true } });
    expect(report.divergences).toMatchObject([{ replica: 'A', function: 'main' }]);
  });

  it('gets no wrong write and none twice, wherever bits flip, in whatever guest', () => {
    const right = new Map(guests.map((guest) => [guest, finished({ guest, protection: { kind: 'none' } })]));
    fc.assert(
      fc.property(
        fc.constantFrom(...guests),
        fc.array(fc.record({ index: fc.integer({ min: 1, max: 31 }), bit: fc.integer({ min: 0, max: 63 }), count: fc.integer({ min: 1, max: end - 1 }), replica: fc.constantFrom('A' as const, 'B' as const) }), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        fc.option(fc.integer({ min: 1, max: end - 1 })),
        (guest, flips, votes, death) => {
          const faults = flips.map(({ index, bit, count, replica }) => ({ ...flipX(index, bit, { kind: 'instruction', count }, { kind: 'replica', replica }), optional: true }));
          if (death !== null) faults.push(fault({ kind: 'die', how: 'stops' }, { kind: 'instruction', count: death }, component('core 1')));
          const { system, sink } = finished({ guest, faults, spares: [5, 6], ...(votes && { protection: three }) });
          const one = right.get(guest);
          // Two errors in two replicas at once are more than one protects from: then it is stopped, and what has left is right so far.
          if (system.ended?.kind === 'end' && system.ended.how === 'stopped') {
            expect(one?.sink.done.slice(0, sink.done.length)).toEqual(sink.done);
            return;
          }
          expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
          expect(sink.all).toEqual(one?.sink.all);
          expect(printed(system)).toBe(one && printed(one.system));
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each(guests.slice(1, 3))('is the same however the run is sliced and its states are loaded: %o', (guest) => {
    const changes = { guest, faults: [flipped] };
    const whole = finished(changes);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1_000, max: 40_000 }), { minLength: 1, maxLength: 12 }), (slices) => {
        const sink = new Sink(guest);
        const options = { disks: sink, inputs: new InputLog() };
        let system = new System(diskPlan(changes), options);
        const events: SystemEvent[] = [];
        for (let i = 0; !system.ended; i++) {
          system.advance(system.moment + (slices[i % slices.length] ?? 1));
          for (const event of system.takeEvents()) events.push(event);
          system.load(system.save());
          if (i % 16 !== 7) continue;
          // Anywhere, also between a flush and its answer.
          const state = system.save();
          const releases = system;
          system = new System(diskPlan(changes), options);
          system.takeEvents();
          system.load(state);
          expect(releases.moment).toBe(system.moment);
        }
        expect(hashes(system)).toEqual(hashes(whole.system));
        expect(sink.all).toEqual(whole.sink.all);
        expect(system.cycles).toBe(whole.system.cycles);
        const kept = (all: readonly SystemEvent[]): SystemEvent[] => all.filter(({ kind }) => kind !== 'release');
        expect(kept(events)).toEqual(kept(whole.events));
      }),
      { numRuns: 6 },
    );
  });

  it('is nothing that a time traveller writes to again', async () => {
    const sink = new Sink();
    const session = Session.create(diskPlan({ faults: [flipped] }), { disks: sink });
    await session.travel(600_000);
    const [early, told] = [session.stateHash(), sink.done.length];
    expect(told).toBeGreaterThan(10);
    await session.travel(100_000);
    await session.travel(600_000);
    expect([session.stateHash(), sink.done.length]).toEqual([early, told]);
    await session.travel(100);
    expect((await session.forward(onwards)).why).toBe('end');
    expect(sink.all).toEqual(alone.sink.all);
    await session.travel(600_000);
    expect(session.stateHash()).toBe(early);
    expect(session.events.filter(({ kind }) => kind === 'divergence')).toMatchObject([{ replica: 'B' }]);
  });

  it('is left alone where nobody has it, and all is as if it were written', async () => {
    const session = Session.create(diskPlan({ faults: [flipped] }));
    expect((await session.forward(onwards)).why).toBe('end');
    expect(session.stateHash()).toBe(hashes(alone.system)[0]);
  });
});

describe('a disk that refuses what is written to it', () => {
  const full = (from: number, to = Infinity) => (number: number) => (number >= from && number < to ? 'there is no room left' : undefined);

  it.each([
    [{}, '...EEEEEEE'],
    [{ writesThrough: true }, 'eeeeeeeeeeeeeee'],
    [{ polls: true }, '...EEEEEEE'],
  ])('tells the guest by the flush that follows, and all replicas the same: %o', (guest, said) => {
    const from = 'writesThrough' in guest ? 30 : 13;
    const one = finished({ guest, protection: { kind: 'none' } }, full(from));
    const { system, sink, events } = finished({ guest }, full(from));
    expect(printed(one.system).split('\n')[0]).toBe(said);
    expect(printed(system)).toBe(printed(one.system));
    expect(ofKind(events, 'detection')).toEqual([]);
    expect(hashes(system)).toEqual([...hashes(one.system), ...hashes(one.system)]);
    expect(sink.all).toEqual(one.sink.all);
  });

  it('tells it of a write once, and lets it go on', () => {
    const { system, sink } = finished({}, full(5, 6));
    expect(printed(system).split('\n')[0]).toBe('.E........');
    expect(sink.done.filter((each) => each.includes('refused'))).toHaveLength(1);
  });

  it('tells it the same again after a rollback, and what it was told then to who replays it', async () => {
    const inputs = new InputLog();
    const sink = new Sink({}, full(13, 18));
    const faults = [flipX(8, 5, { kind: 'instruction', count: 530_000 }), flipX(8, 5, { kind: 'instruction', count: 700_000 })];
    const plan = diskPlan({ faults, protection: { checkpointEpochs: 60, compareStateEpochs: 0 } });
    const report = await run(plan, { disks: sink, inputs });
    expect(report.guest.output.split('\n')[0]).toBe('...EE.....');
    expect(report.recoveries).toHaveLength(2);
    // The run without faults was refused the same, so nothing is wrong.
    expect(report.released).toMatchObject({ corrupt: false, disk: { writes: 30, corrupt: false, refused: { flushes: 2, why: 'there is no room left' } } });
    expect(sink.all).toEqual(finished({}, full(13, 18)).sink.all);
    expect(answersIn(inputs.inputs).map(({ refused }) => refused !== undefined)).toEqual([...'...EE.....'].map((each) => each === 'E'));
    const again = await run(plan, { inputs: InputLog.of(inputs.inputs) });
    expect(again).toEqual(report);
  });
});
