import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diskPlan, Sink } from './disks.test-support';
import type { SystemEvent } from './events';
import type { FaultPlan, Plan, ProtectionPlan, Trigger } from './plan';
import { fault, flipX, planFor } from './plan.test-support';
import { run } from './run';
import { expectNothingWrong, ofKind, runToEnd } from './run.test-support';
import { System } from './system';

const at = (count: number): Trigger => ({ kind: 'instruction', count });
const lie = (trigger: Trigger): FaultPlan => fault({ kind: 'flip', place: { kind: 'comparer' }, bits: [0] }, trigger, { kind: 'replica', replica: 'A' });
/** What the guest is about to print is in s0, or will be. */
const inA = (count: number): FaultPlan => ({ ...flipX(8, 5, at(count), { kind: 'replica', replica: 'A' }) });
const three: Partial<ProtectionPlan> = { kind: 'tmr', cores: [0, 1, 2] };
const outputsOnly: Partial<ProtectionPlan> = { compareStateEpochs: 0, checkpointEpochs: 1_000_000 };

const changes = (events: readonly SystemEvent[]): string[] => ofKind(events, 'fault').map(({ change }) => change);

describe('a comparer that errs', () => {
  it.each<[string, Partial<ProtectionPlan>, string]>([
    ['two replicas', {}, 'comparer: equal -> unequal, of the states'],
    ['three', three, 'comparer: equal -> unequal, of the states'],
    ['outputs alone', outputsOnly, 'comparer: equal -> unequal, of output 1'],
  ])('makes the VMM go back for nothing where they agree: %s', async (_, protection, change) => {
    const plan = planFor('sort', { faults: [lie(at(10_000))], protection });
    const { system, events } = runToEnd(plan);
    expect(changes(events)).toEqual([change]);
    expect(ofKind(events, 'detection')).toMatchObject([{ latency: 0, what: expect.stringContaining('the comparer says that the replicas differ') as unknown }]);
    expect(ofKind(events, 'recovery').map(({ by }) => by)).toEqual(['rollback']);
    await expectNothingWrong(plan, system);
    const report = await run(plan);
    expect(report).toMatchObject({ faults: [{ fired: true, change }], divergences: [], released: { corrupt: false } });
    expect(report.escapes).toBeUndefined();
  });

  const writes = (faults: FaultPlan[], protection: Partial<ProtectionPlan> = {}): Plan => diskPlan({ faults, protection: { ...outputsOnly, ...protection } });
  const right = new Sink();
  new System(writes([]), { disks: right }).advance(Infinity);

  it('lets a wrong output through together with another fault, which the report shows', async () => {
    // It has to be struck behind the outputs that still are right.
    const sink = new Sink();
    const report = await run(writes([inA(400_000), lie(at(400_001))]), { disks: sink });
    expect(report.escapes).toMatchObject([{ by: 'the comparer itself', what: expect.stringMatching(/^output \d+: A 1536 bytes to sector \d+ of disk 0, B 1536 bytes/) as unknown }]);
    expect(report.faults[1]?.change).toMatch(/^comparer: unequal -> equal, of output \d+$/);
    expect(sink.all.done).not.toEqual(right.all.done);
    // The right ones come after it, and are what cannot be said any more.
    expect(report).toMatchObject({ released: { corrupt: expect.any(Boolean) as unknown }, guest: { ended: 'stopped' } });
    expect(report.detections[0]?.by).toBe('output');
  });

  it('lets through what only the second replica has wrong, and finds it out later', async () => {
    const sink = new Sink();
    const plan = writes([{ ...inA(400_000), target: { kind: 'replica', replica: 'B' } }, lie(at(400_001))]);
    const report = await run(plan, { disks: sink });
    expect(report.escapes).toHaveLength(1);
    expect(report.recoveries.map(({ by }) => by)).toEqual(['rollback']);
    expect(report).toMatchObject({ released: { corrupt: false }, guest: { ended: 'exit', exit: 0 } });
    expect(sink.all).toEqual(right.all);
  });

  it('makes a corrupt state one to go back to, for all of them', () => {
    // Memory that the guest does not use.
    const place = { kind: 'memory', address: 0x80ff_0000n, bytes: 8 } as const;
    const differs = fault({ kind: 'flip', place, bits: [3] }, at(10_500), { kind: 'replica', replica: 'A' });
    const plan = planFor('sort', { faults: [differs, lie(at(10_600))], protection: { checkpointEpochs: 1, compareStateEpochs: 1 } });
    const { system, events } = runToEnd(plan);
    expect(changes(events)[1]).toBe('comparer: unequal -> equal, of the states');
    expect(ofKind(events, 'fault')[1]?.escape).toBe('state of A and B differs in memory[0x80ff0000]');
    // It is found at the next comparison, and all go back to what the first one had. Then they agree.
    expect(ofKind(events, 'detection').map(({ by }) => by)).toEqual(['state']);
    expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'rollback', to: 20_000 }]);
    expect(system.live.map(({ computer }) => computer.readMemory(place.address, 1)?.[0])).toEqual([8, 8]);
    expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
  });

  it('waits through a rollback, and is the same however the run is sliced and loaded', () => {
    const faults = [{ ...inA(398_000), target: { kind: 'replica', replica: 'B' } as const }, lie(at(390_000)), lie(at(700_000)), inA(699_000)];
    const plan = (): Plan => diskPlan({ faults, protection: { checkpointEpochs: 20, compareStateEpochs: 10 } });
    const whole = new System(plan());
    whole.advance(Infinity);
    const kept = (all: readonly SystemEvent[]): SystemEvent[] => all.filter(({ kind }) => kind !== 'release');
    const story = kept(whole.takeEvents());
    expect(ofKind(story, 'fault').length).toBe(4);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1_000, max: 60_000 }), { minLength: 1, maxLength: 8 }), (slices) => {
        const system = new System(plan());
        const events = system.takeEvents();
        for (let i = 0; !system.ended; i++) {
          system.advance(system.moment + (slices[i % slices.length] ?? 1));
          for (const event of system.takeEvents()) events.push(event);
          system.load(system.save());
        }
        expect(kept(events)).toEqual(story);
        expect(system.live.map(({ computer }) => computer.snapshot().hash())).toEqual(whole.live.map(({ computer }) => computer.snapshot().hash()));
      }),
      { numRuns: 8 },
    );
  });

  it('has nothing to err about where there is one replica', async () => {
    const report = await run(planFor('sort', { faults: [lie(at(10_000))], protection: { kind: 'none', cores: [0] } }));
    expect(report).toMatchObject({ passed: false, faults: [{ fired: false }] });
  });
});
