import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import { instructionNamed } from '../isa/decode';
import { encode } from '../isa/encode.test-support';
import { kernelImage } from '../machine/guest.test-support';
import { tiers } from '../machine/tier';
import type { SystemEvent } from './events';
import type { FaultPlan, FaultTarget, Plan, ProtectionPlan } from './plan';
import { fault, planFor } from './plan.test-support';
import { run } from './run';
import { ofKind, seats } from './run.test-support';
import { System, type SystemOptions } from './system';

const of = (name: string, operands: Parameters<typeof encode>[1]): number => encode(instructionNamed(name), operands);
const window = 0x4000_0000n;

/** Where the kernel's image is loaded, and in it: three levels of tables, then pages of data. */
const imageAt = 0x8020_0000n;
const [root, middle, last, data] = [0x1000, 0x2000, 0x3000, 0x4000];

/** In Sv39 it sums up what the page at 0x4000_0000 holds, 40,000 times, says a letter of the sum now and then, and fences at times. */
function image(): Uint8Array {
  const words = [
    of('lui', { rd: 5, imm: 0x80201000 | 0 }), of('slli', { rd: 5, rs1: 5, imm: 32 }), of('srli', { rd: 5, rs1: 5, imm: 44 }),
    of('addi', { rd: 6, imm: 8 }), of('slli', { rd: 6, rs1: 6, imm: 60 }), of('or', { rd: 5, rs1: 5, rs2: 6 }), of('csrrw', { rs1: 5, imm: 0x180 }),
    of('lui', { rd: 8, imm: 0x40000000 }), of('lui', { rd: 9, imm: 0xa000 }),
    // The loop.
    of('ld', { rd: 5, rs1: 8 }), of('add', { rd: 7, rs1: 7, rs2: 5 }), of('sd', { rs1: 8, rs2: 7, imm: 8 }),
    of('andi', { rd: 11, rs1: 9, imm: 0x7ff }), of('bne', { rs1: 11, imm: 32 }),
    of('srli', { rd: 10, rs1: 7, imm: 11 }), of('andi', { rd: 10, rs1: 10, imm: 15 }), of('addi', { rd: 10, rs1: 10, imm: 97 }), of('addi', { rd: 17, imm: 1 }), of('ecall', {}),
    of('sfence.vma', {}),
    of('addi', { rd: 0, imm: 0 }),
    of('addi', { rd: 9, rs1: 9, imm: -1 }), of('bne', { rs1: 9, imm: -52 }),
    of('addi', { rd: 17, imm: 8 }), of('ecall', {}),
  ];
  const code = kernelImage(words);
  const bytes = new Uint8Array(data + 8 * 4096);
  bytes.set(code);
  const view = new DataView(bytes.buffer);
  const entry = (at: number, to: bigint, flags: bigint): void => view.setBigUint64(at, ((to >> 12n) << 10n) | flags, true);
  entry(root + 16, 0x8000_0000n, 0xcfn);
  entry(root + 8, imageAt + BigInt(middle), 1n);
  entry(middle, imageAt + BigInt(last), 1n);
  for (let page = 0; page < 8; page++) {
    entry(last + 8 * page, imageAt + BigInt(data + 4096 * page), 0xc7n);
    view.setBigUint64(data + 4096 * page, BigInt(2 * page + 1), true);
  }
  return bytes;
}

const picture = image();

function planOf(faults: FaultPlan[], protection: Partial<ProtectionPlan> = {}, spares: number[] = []): Plan {
  const plan = planFor('checksum', { faults, protection, maxInstructions: 2_000_000 });
  const linux = { initialDisk: new Uint8Array(), bootArguments: '', systemMap: new Uint8Array(), disks: [] };
  return { ...plan, chip: { ...plan.chip, spares }, guest: { ...plan.guest, image: picture, linux } };
}

/** Where the loop begins, with a load. */
const loadAt = imageAt + 0x40n + 36n;
/** The page number's second bit, two pages on, with the 12,500th load: it is fenced off some 13,000 instructions later. */
const flip = (target?: FaultTarget): FaultPlan => fault({ kind: 'flip', place: { kind: 'tlb', address: window }, bits: [11] }, { kind: 'execute', address: loadAt, hit: 12_500 }, target);
const stick = (target: FaultTarget): FaultPlan => fault({ kind: 'stick', place: { kind: 'tlb', address: window }, bits: [11], value: 1 }, { kind: 'instruction', count: 100_000 }, target);

function runOn(plan: Plan, slices: readonly number[] = [1e9], options: SystemOptions = {}): { system: System; events: SystemEvent[] } {
  const system = new System(plan, options);
  const events = system.takeEvents();
  for (let i = 0; !system.ended; i++) {
    system.advance(system.moment + (slices[i % slices.length] ?? 1));
    for (const event of system.takeEvents()) events.push(event);
  }
  system.close();
  return { system, events };
}

const said = (system: System): string => Buffer.from(system.released).toString();
const right = said(runOn(planOf([])).system);
const story = ({ system, events }: { system: System; events: SystemEvent[] }): unknown => [events, system.ended, system.moment, system.cycles, system.costs(), ...system.replicas.map(({ computer }) => computer.snapshot().hash())];
const noticed = (events: readonly SystemEvent[]): string[] => events.filter(({ kind }) => ['fault', 'detection', 'recovery', 'end'].includes(kind)).map(({ kind }) => kind);

it('the guest says something', () => {
  expect(right).toMatch(/^[a-p]{20}$/);
  expect(new Set(right).size).toBeGreaterThan(1);
});

describe.each(tiers)('tier %s', (tier) => {
  it('a translation that is wrong in one replica is noticed, and a rollback leaves nothing of it', () => {
    const { system, events } = runOn(planOf([flip()]), [1e9], { tier });
    expect(noticed(events)).toEqual(['fault', 'detection', 'recovery', 'end']);
    expect(ofKind(events, 'fault')).toMatchObject([{ replica: 'B', pc: loadAt, change: `tlb entry 0x40000000: 0x200810c7 -> 0x200818c7 (bit 11)` }]);
    expect([system.ended?.kind === 'end' && system.ended.how, said(system)]).toEqual(['exit', right]);
    for (const { computer } of system.replicas) expect(computer.wrongTranslations).toEqual([]);
  });

  it('alone it is wrong until the next fence, and what has been summed up stays', () => {
    const { system, events } = runOn(planOf([flip({ kind: 'replica', replica: 'A' })], { kind: 'none', cores: [0] }), [1e9], { tier });
    expect(noticed(events)).toEqual(['fault', 'end']);
    expect(said(system)).not.toBe(right);
    expect(said(system).slice(0, 3)).toBe(right.slice(0, 3));
  });

  it('however the run is cut, and from a saved state on while the entry is there', () => {
    const plan = planOf([flip({ kind: 'replica', replica: 'A' })], { kind: 'none', cores: [0] });
    const first = runOn(plan, [1e9], { tier: 'interpreter' });
    const { events } = first;
    const whole = story(first);
    for (const slices of [[3_001], [9_999, 30_000]]) expect(story(runOn(plan, slices, { tier }))).toEqual(whole);
    const half = new System(plan, { tier });
    const struck = ofKind(events, 'fault')[0]?.moment ?? 0;
    half.advance(struck + 3_000);
    expect(half.replicas[0]?.computer.wrongTranslations).toHaveLength(1);
    const state = half.save();
    const other = new System(plan, { tier });
    other.advance(7_000);
    for (const system of [half, other]) {
      system.advance(system.moment + 150_000);
      system.load(state);
      while (!system.ended) system.advance(system.moment + 1e9);
      expect([system.ended, ...system.replicas.map(({ computer }) => computer.snapshot().hash())]).toEqual([(whole as unknown[])[1], ...(whole as unknown[]).slice(5)]);
    }
  });
});

it('is the same on two threads', () => {
  const plan = planOf([flip(), stick({ kind: 'replica', replica: 'A' })], { retry: 3 });
  expect(story(runOn(plan, [40_000], { threads: 2, threadsFrom: 0 }))).toEqual(story(runOn(plan, [40_000])));
});

it('a replica that is outvoted becomes a copy without it', () => {
  const { system, events } = runOn(planOf([flip()], { kind: 'tmr', cores: [0, 1, 2] }));
  expect(ofKind(events, 'recovery')).toMatchObject([{ by: 'vote' }]);
  expect([said(system), ofKind(events, 'detection').length]).toEqual([right, 1]);
});

it('a cell of the TLB that is stuck is the core’s: it comes back after each rollback, and a spare core has none', () => {
  const { system, events } = runOn(planOf([stick({ kind: 'core', core: 1 })], {}, [6, 7]));
  expect(ofKind(events, 'fault')).toMatchObject([{ change: 'tlb entry 0x40000000: bit 11 stuck at 1' }]);
  expect(ofKind(events, 'retirement').map(({ component }) => component)).toEqual(['core 1']);
  expect(said(system)).toBe(right);
  expect(seats(system)).not.toContain('B1');
});

it('the replicas diverge at the instruction that was struck', async () => {
  const report = await run(planOf([flip()]));
  const [struck] = report.faults;
  expect(struck?.fired).toBe(true);
  expect(report.divergences[0]).toMatchObject({ pc: struck?.pc, instruction: struck?.instruction });
});

it('a debugger that travels finds it where it was', async () => {
  const session = Session.create(planOf([flip()]));
  expect(await session.forward({ stopAt: new Set(), breakpoints: new Set() })).toMatchObject({ why: 'end' });
  const [struck] = session.events.filter(({ kind }) => kind === 'fault');
  const at = struck?.moment ?? 0;
  const wrong = async (moment: number): Promise<number[]> => {
    await session.travel(moment);
    return session.replicas.map(({ computer }) => computer.wrongTranslations.length);
  };
  const [recovery] = session.events.filter(({ kind }) => kind === 'recovery');
  for (let n = 0; n < 2; n++) {
    expect(await wrong(at)).toEqual([0, 1]);
    expect(await wrong(at - 1)).toEqual([0, 0]);
    expect(await wrong(at + 3_000)).toEqual([0, 1]);
    expect(await wrong(recovery?.moment ?? 0)).toEqual([0, 0]);
  }
});

it('one for a page that nobody uses never strikes', () => {
  const plan = planOf([fault({ kind: 'flip', place: { kind: 'tlb', address: window + 0x3000n }, bits: [11] }, { kind: 'instruction', count: 100_000 })]);
  const system = new System({ ...plan, maxInstructions: 150_000 });
  system.advance(1e9);
  expect([system.hasFired(0), ofKind(system.takeEvents(), 'fault')]).toEqual([false, []]);
});
