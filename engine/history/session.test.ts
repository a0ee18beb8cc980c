import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInstruction } from '../isa/decode';
import type { Computer } from '../machine/types';
import { Machine } from '../machine/machine';
import { readElf } from '../symbols/elf';
import { addressOf, fault, flipX, imageOf, planFor, type Example } from '../covert/plan.test-support';
import type { Plan } from '../covert/plan';
import { Session } from './session';
import type { Navigation } from './types';

const nothing: Navigation = { stopAt: new Set(), breakpoints: new Set() };

function hashes(session: Session): string[] {
  return session.replicas.map((replica) => replica.computer.snapshot().hash());
}

async function finished(plan: Plan): Promise<Session> {
  const session = Session.create(plan);
  const rest = await session.forward(nothing);
  expect(rest.why).toBe('end');
  return session;
}

const wrongTable = fault(
  { kind: 'flip', place: { kind: 'memory', address: addressOf('checksum', 'table') + 308n, bytes: 4 }, bits: [9] },
  { kind: 'instruction', count: 250_000 },
);

describe('time travel', () => {
  const plan = planFor('checksum', { faults: [wrongTable] });

  it('finds every moment in the same state again, from either side', async () => {
    const session = await finished(plan);
    const end = session.moment;
    const at = new Map<number, string[]>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: end }), fc.integer({ min: 0, max: end }), async (one, other) => {
        for (const moment of [one, other, one]) {
          await session.travel(moment);
          expect(session.moment).toBe(moment);
          const before = at.get(moment);
          if (before) expect(hashes(session)).toEqual(before);
          else at.set(moment, hashes(session));
        }
      }),
      { numRuns: 15 },
    );
    const fresh = Session.create(plan);
    for (const moment of [...at.keys()].sort((a, b) => a - b)) {
      await fresh.travel(moment);
      expect(hashes(fresh)).toEqual(at.get(moment));
    }
  });

  it('tells the same events however one gets there', async () => {
    const straight = await finished(plan);
    const wandering = Session.create(plan);
    for (const moment of [300_000, 100, 700_000, 250_001, 249_999]) await wandering.travel(moment);
    await wandering.forward(nothing);
    expect(wandering.events).toEqual(straight.events);
  });

  it('goes back to the breakpoint that forward met last', async () => {
    const session = Session.create(planFor('checksum'));
    const breakpoints = new Set([addressOf('checksum', 'crc32_update')]);
    const met: number[] = [];
    for (let i = 0; i < 5; i++) {
      expect((await session.forward({ ...nothing, breakpoints })).why).toBe('breakpoint');
      met.push(session.moment);
    }
    await session.travel(session.moment + 10_000);
    for (const moment of met.reverse()) {
      expect(await session.backward({ ...nothing, breakpoints })).toMatchObject({ why: 'breakpoint', replica: 'A' });
      expect(session.moment).toBe(moment);
    }
    expect((await session.backward({ ...nothing, breakpoints })).why).toBe('start');
    expect(session.moment).toBe(0);
  });

  it('stops on a trap handler’s first instruction, both replicas alike', async () => {
    const handler = addressOf('ticker', 'trap_entry');
    const session = Session.create(planFor('ticker'));
    const breakpoints = new Set([handler]);
    let stops = 0;
    const met: number[] = [];
    for (; (await session.forward({ ...nothing, breakpoints })).why === 'breakpoint'; stops++) {
      expect(session.replicas.map(({ computer }) => computer.pc)).toEqual([handler, handler]);
      expect(session.difference()).toEqual([]);
      met.push(session.moment);
    }
    const ticks = Buffer.from(session.released).toString().match(/^tick \d/gm)?.length;
    for (const moment of met.reverse()) {
      expect((await session.backward({ ...nothing, breakpoints })).why).toBe('breakpoint');
      expect([session.moment, ...session.replicas.map(({ computer }) => computer.pc)]).toEqual([moment, handler, handler]);
    }
    expect(stops).toBe(ticks);
    expect(stops).toBeGreaterThan(3);
    expect(session.events.map(({ kind }) => kind)).not.toContain('detection');
  });

  it('records a fault that strikes where the history keeps a state', async () => {
    const boundary = 262_144;
    const machine = Machine.create({ ramBytes: 16 * 1024 * 1024 });
    machine.load(readElf(imageOf('checksum')));
    machine.run(boundary);
    const address = machine.pc;
    const again = Machine.create({ ramBytes: 16 * 1024 * 1024 });
    again.load(readElf(imageOf('checksum')));
    let hit = 0;
    for (; again.retired <= boundary; again.run(again.retired + 1)) if (again.pc === address) hit++;
    for (const stopAt of [new Set<'fault'>(), new Set(['fault'] as const)]) {
      const session = Session.create(planFor('checksum', { faults: [flipX(0, 1, { kind: 'execute', address, hit })] }));
      await session.forward({ ...nothing, stopAt });
      if (stopAt.size > 0) expect(session.moment).toBe(boundary);
      expect(session.events.filter(({ kind }) => kind === 'fault')).toMatchObject([{ moment: boundary, pc: address }]);
    }
  });

  it('says each time that there are too many breakpoints', async () => {
    const session = Session.create(planFor('ticker'));
    const breakpoints = new Set(Array.from({ length: 9000 }, (_, i) => 0x8000_0000n + BigInt(i * 2)));
    for (let i = 0; i < 2; i++) await expect(session.forward({ ...nothing, breakpoints })).rejects.toThrow(/at most/);
  });

  it('stops at events in both directions', async () => {
    const session = Session.create(plan);
    const stopAt = new Set(['fault', 'detection', 'recovery'] as const);
    const forwards: [string, number][] = [];
    for (;;) {
      const rest = await session.forward({ ...nothing, stopAt });
      if (rest.why !== 'event') break;
      forwards.push([rest.event.kind, session.moment]);
    }
    expect(forwards.map(([kind]) => kind)).toEqual(['fault', 'detection', 'recovery']);
    for (const [kind, moment] of forwards.reverse()) {
      expect(await session.backward({ ...nothing, stopAt })).toMatchObject({ why: 'event', event: { kind } });
      expect(session.moment).toBe(moment);
    }
  });

  it('shows the state in which the error was noticed and the one after the rollback', async () => {
    const session = await finished(plan);
    const detection = session.events.find(({ kind }) => kind === 'detection');
    await session.travel(detection?.moment ?? 0);
    expect(session.difference().length).toBeGreaterThan(0);
    await session.step(1);
    expect(session.difference()).toEqual([]);
  });
});

/** What an instruction did, judged from outside by decoding it: next pc, written register, stored bytes. */
function stepAndJudge(computer: Computer): string {
  const { pc } = computer;
  const raw = computer.readMemory(pc, 4) ?? new Uint8Array(4);
  const word = new DataView(raw.buffer, raw.byteOffset).getUint32(0, true);
  const decoded = decodeInstruction(word);
  if (!decoded) throw new Error(`no instruction at 0x${pc.toString(16)}`);
  const { rd, rs1, rs2, imm, flags } = decoded;
  const store = flags.stores ? { at: computer.getX(rs1) + BigInt(imm), data: computer.getX(rs2) } : undefined;
  computer.run(computer.retired + 1);
  return JSON.stringify([computer.pc, computer.getX(rd), store?.at, store?.data].map(String));
}

/** The retired count after which the results differ first, by single-stepping both from the start of the fault. */
function independentDivergence(example: Example, at: number, strike: (computer: Computer) => void): { instruction: number; pc: bigint } {
  const [healthy, faulty] = [0, 1].map(() => {
    const machine = Machine.create({ ramBytes: 16 * 1024 * 1024 });
    machine.load(readElf(imageOf(example)));
    machine.setTimeSource({ time: 'instructions', cycle: 'instructions', perTick: 200, corePhase: 0, corePpm: 0 });
    machine.run(at);
    return machine;
  }) as [Machine, Machine];
  strike(faulty);
  for (let n = 0; n < 3_000_000; n++) {
    const { pc } = faulty;
    if (stepAndJudge(faulty) !== stepAndJudge(healthy)) return { instruction: faulty.retired, pc };
  }
  throw new Error('no divergence');
}

describe('the first divergence', () => {
  it.each([
    ['a register that is used at once', 10, 1_000_003],
    ['the stack pointer', 2, 400_000],
    ['a saved register', 8, 700_001],
  ])('of %s stands where single-stepping finds it', async (_, register, count) => {
    const session = await finished(
      planFor('checksum', {
        protection: { compareStateEpochs: 0, checkpointEpochs: 1000 },
        faults: [flipX(register, 12, { kind: 'instruction', count })],
      }),
    );
    const found = session.events.find(({ kind }) => kind === 'divergence');
    const expected = independentDivergence('checksum', count, (computer) => {
      computer.setX(register, computer.getX(register) ^ (1n << 12n));
    });
    expect(found).toMatchObject({ ...expected, replica: 'B' });
  });

  it('of a memory cell that lay untouched for long is found too, also without a peer', async () => {
    const address = addressOf('checksum', 'table') + 308n;
    const expected = independentDivergence('checksum', 250_000, (computer) => {
      const [old] = computer.readMemory(address + 1n, 1) ?? [];
      computer.writeMemory(address + 1n, Uint8Array.of((old ?? 0) ^ 2));
    });
    for (const kind of ['dmr', 'none'] as const) {
      const target = { kind: 'replica', replica: kind === 'none' ? 'A' : 'B' } as const;
      const session = await finished(
        planFor('checksum', {
          protection: { kind, compareStateEpochs: 0, checkpointEpochs: 1000 },
          faults: [{ ...wrongTable, target }],
        }),
      );
      const found = session.events.filter(({ kind: event }) => event === 'divergence');
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ ...expected, replica: target.replica });
    }
  });

  it('of a fault that is overwritten unread does not exist', async () => {
    // x5 holds nothing that lives across the start of main.
    const session = await finished(
      planFor('checksum', { faults: [flipX(5, 12, { kind: 'execute', address: addressOf('checksum', 'main'), hit: 1 })] }),
    );
    expect(session.events.filter(({ kind }) => kind === 'fault')).toHaveLength(1);
    expect(session.events.filter(({ kind }) => kind === 'divergence')).toEqual([]);
  });
});
