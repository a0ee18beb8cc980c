import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SystemEvent } from './events';
import type { Plan } from './plan';
import { addressOf, fault, flipX, planFor } from './plan.test-support';
import { runReference } from './reference';
import { System } from './system';

/** Runs to the end in slices that `next` gives. */
function runToEnd(plan: Plan, next: () => number = () => 1e9): { system: System; events: SystemEvent[] } {
  const system = new System(plan);
  const events = system.takeEvents();
  while (!system.ended) {
    system.advance(system.moment + next());
    for (const event of system.takeEvents()) events.push(event);
  }
  return { system, events };
}

function kinds(events: readonly SystemEvent[]): string[] {
  return events.filter(({ kind }) => kind !== 'release' && kind !== 'checkpoint').map(({ kind }) => kind);
}

async function expectFaultFreeOutput(plan: Plan, system: System): Promise<void> {
  const reference = await runReference(plan);
  expect(Buffer.from(system.released).toString()).toBe(Buffer.from(reference?.console ?? []).toString());
  expect(system.ended).toMatchObject({ kind: 'end', how: 'exit', exitCode: reference?.exit });
}

describe('a replicated guest without faults', () => {
  it.each(['checksum', 'sort', 'ticker'] as const)('%s says the same under dmr as alone', async (example) => {
    const plan = planFor(example);
    const { system, events } = runToEnd(plan);
    expect(kinds(events)).toEqual(['end']);
    await expectFaultFreeOutput(plan, system);
    expect(system.released.length).toBeGreaterThan(20);
  });

  it('releases each byte once, and checkpoints are validated', () => {
    const { system, events } = runToEnd(planFor('checksum'));
    const bytes = events.flatMap((event) => (event.kind === 'release' ? event.bytes : []));
    expect(bytes).toEqual([...system.released]);
    const checkpoints = events.filter((event) => event.kind === 'checkpoint');
    expect(checkpoints.length).toBeGreaterThan(3);
    expect(checkpoints.every((event) => event.validated)).toBe(true);
  });
});

describe('detection and recovery', () => {
  const early = { kind: 'instruction', count: 250_000 } as const;

  it('rolls back after a wrong table entry and releases what a fault-free guest says', async () => {
    const address = addressOf('checksum', 'table') + 4n * 77n;
    const plan = planFor('checksum', {
      protection: { compareStateEpochs: 0, checkpointEpochs: 1000 },
      faults: [fault({ kind: 'flip', place: { kind: 'memory', address, bytes: 4 }, bits: [9] }, early)],
    });
    const { system, events } = runToEnd(plan);
    expect(kinds(events)).toEqual(['fault', 'detection', 'recovery', 'end']);
    expect(events.find(({ kind }) => kind === 'detection')).toMatchObject({ by: 'output' });
    await expectFaultFreeOutput(plan, system);
  });

  it('notices a difference that has not reached the output by comparing states', async () => {
    const plan = planFor('checksum', { faults: [flipX(27, 3, early)] });
    const { system, events } = runToEnd(plan);
    expect(events.find(({ kind }) => kind === 'detection')).toMatchObject({ by: 'state', latency: 30_000 });
    await expectFaultFreeOutput(plan, system);
  });

  it('notices a trap that one replica took', async () => {
    // Without a trap vector the replica never gets as far as saying something wrong.
    const plan = planFor('checksum', {
      faults: [
        fault({ kind: 'set', place: { kind: 'csr', number: 0x305 }, value: 0n }, early),
        fault({ kind: 'set', place: { kind: 'pc' }, value: 0x4000_0000n }, early),
      ],
    });
    const { system, events } = runToEnd(plan);
    expect(events.find(({ kind }) => kind === 'detection')).toMatchObject({ by: 'trap' });
    await expectFaultFreeOutput(plan, system);
  });

  it('notices by watchdog that a replica sleeps for ever', async () => {
    // Without the timer's enable bit nothing wakes the replica from its next wfi.
    const plan = planFor('ticker', {
      protection: { compareStateEpochs: 0 },
      faults: [
        fault(
          { kind: 'set', place: { kind: 'csr', number: 0x304 }, value: 0n },
          { kind: 'execute', address: addressOf('ticker', 'sleep_until_tick'), hit: 1 },
        ),
      ],
    });
    const { system, events } = runToEnd(plan);
    expect(events.find(({ kind }) => kind === 'detection')).toMatchObject({ by: 'watchdog' });
    expect(kinds(events)).toContain('recovery');
    await expectFaultFreeOutput(plan, system);
  });

  it('counts the latency from the fault that mattered, not from a later one that changed nothing', () => {
    const faults = [flipX(27, 3, early), flipX(0, 3, { kind: 'instruction', count: 279_999 })];
    const { events } = runToEnd(planFor('checksum', { faults }));
    expect(events.find(({ kind }) => kind === 'detection')).toMatchObject({ by: 'state', latency: 30_000 });
  });

  it('does not count a fault on a place that cannot be written as fired', () => {
    const place = { kind: 'csr', number: 0x344 } as const;
    const { system, events } = runToEnd(planFor('checksum', { faults: [fault({ kind: 'flip', place, bits: [1] }, early)] }));
    expect(kinds(events)).toEqual(['end']);
    expect(system.hasFired(0)).toBe(false);
  });

  it('recovers whichever replica was struck', async () => {
    const target = { kind: 'core', core: 0 } as const;
    const { system, events } = runToEnd(planFor('sort', { faults: [flipX(2, 40, early, target)] }));
    expect(events.find(({ kind }) => kind === 'fault')).toMatchObject({ replica: 'A', core: 0 });
    expect(kinds(events)).toContain('recovery');
    await expectFaultFreeOutput(planFor('sort'), system);
  });

  it('stops the guest when an error comes back more often than retry allows', () => {
    const address = addressOf('checksum', 'table') + 4n * 77n;
    // Cycles do not go back in a rollback, so each attempt meets a new fault.
    const faults = [400_000, 2_000_000, 4_000_000, 6_000_000, 8_000_000].map((count) =>
      fault({ kind: 'set', place: { kind: 'memory', address, bytes: 4 }, value: 0x1234n }, { kind: 'cycle', count }),
    );
    const protection = { checkpointEpochs: 100_000, compareStateEpochs: 0, retry: 1 };
    const { system, events } = runToEnd(planFor('checksum', { faults, protection }));
    expect(kinds(events).filter((kind) => kind === 'recovery')).toHaveLength(1);
    expect(system.ended).toMatchObject({ how: 'stopped', exitCode: null });
  });

  it('unprotected, the same fault corrupts the output', async () => {
    const address = addressOf('checksum', 'table') + 4n * 77n;
    const plan = planFor('checksum', {
      protection: { kind: 'none', cores: [0] },
      faults: [
        fault({ kind: 'flip', place: { kind: 'memory', address, bytes: 4 }, bits: [9] }, early, {
          kind: 'replica',
          replica: 'A',
        }),
      ],
    });
    const { system, events } = runToEnd(plan);
    expect(kinds(events)).toEqual(['fault', 'end']);
    const reference = await runReference(plan);
    expect(Buffer.from(system.released).equals(Buffer.from(reference?.console ?? []))).toBe(false);
  });
});

describe('coordination of inputs', () => {
  it('keeps the replicas equal although their cores have different clocks', () => {
    const { events } = runToEnd(planFor('ticker'));
    expect(kinds(events)).toEqual(['end']);
  });

  it.each([['time' as const], ['cycle' as const]])('left out for %s, they diverge', (input) => {
    const { events } = runToEnd(planFor('ticker', { protection: { uncoordinated: [input] } }));
    expect(kinds(events)[0]).toBe('detection');
  });
});

describe('determinism', () => {
  it('does not depend on how a run is sliced', () => {
    const plan = planFor('checksum', { faults: [flipX(10, 5, { kind: 'instruction', count: 123_456 })], seed: 3 });
    const whole = runToEnd(plan);
    const hash = whole.system.replicas.map((replica) => replica.computer.snapshot().hash());
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        let turn = 0;
        const sliced = runToEnd(plan, () => sizes[turn++ % sizes.length] as number + 5_000);
        expect(sliced.events).toEqual(whole.events);
        expect(sliced.system.cycles).toBe(whole.system.cycles);
        expect(sliced.system.replicas.map((replica) => replica.computer.snapshot().hash())).toEqual(hash);
      }),
      { numRuns: 8 },
    );
  });

  describe('at the boundaries at which an interrupt is due', () => {
    const alone = { protection: { kind: 'none' as const, cores: [0] } };
    const target = { kind: 'replica', replica: 'A' } as const;
    // Where the unprotected ticker is interrupted: the counts, and how often pc had come by until then.
    const computer = new System(planFor('ticker', alone)).replicas[0]?.computer;
    const due: { count: number; pc: bigint; visits: number; cycles: number }[] = [];
    const visits = new Map<bigint, number>();
    for (let stop = 'limit'; computer && (stop === 'limit' || stop === 'output'); ) {
      const { pc, retired, interrupts, cycles } = computer;
      visits.set(pc, (visits.get(pc) ?? 0) + 1);
      stop = computer.run(retired + 1);
      if (computer.interrupts > interrupts) due.push({ count: retired, pc, visits: visits.get(pc) ?? 0, cycles });
    }

    it.each(['execute', 'cycle'] as const)('%s triggers strike at the same count wherever a run is cut', (kind) => {
      expect(due.length).toBeGreaterThan(3);
      for (const { count, pc, visits: hits, cycles } of due) {
        const trigger = kind === 'execute' ? ({ kind, address: pc, hit: hits + 1 } as const) : ({ kind, count: cycles } as const);
        const place = kind === 'execute' ? ({ kind: 'x', index: 0 } as const) : ({ kind: 'pc' } as const);
        const plan = planFor('ticker', { ...alone, faults: [fault({ kind: 'flip', place, bits: [3] }, trigger, target)] });
        const whole = runToEnd(plan);
        const cut = runToEnd(plan, () => count);
        expect(cut.events).toEqual(whole.events);
        expect(cut.system.replicas[0]?.computer.snapshot().hash()).toBe(whole.system.replicas[0]?.computer.snapshot().hash());
      }
    });
  });

  it('a saved state goes on as the original does', () => {
    const plan = planFor('ticker', {
      protection: { uncoordinated: ['time'] },
      faults: [flipX(10, 5, { kind: 'cycle', count: 300_000 })],
    });
    const original = new System(plan);
    original.advance(200_000);
    const state = original.save();
    const copy = new System(plan);
    copy.load(state);
    original.takeEvents();
    original.advance(900_000);
    copy.advance(400_000);
    copy.advance(900_000);
    expect(copy.takeEvents()).toEqual(original.takeEvents());
    expect(copy.cycles).toBe(original.cycles);
  });
});
