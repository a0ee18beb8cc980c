import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import { encode } from '../isa/encode.test-support';
import { instructionNamed } from '../isa/decode';
import { kernelImage } from '../machine/guest.test-support';
import { tiers } from '../machine/tier';
import type { UnitName } from '../machine/types';
import { imageOfBytes } from '../machine/virtio/disk-image';
import { reg } from '../machine/virtio/driver.test-support';
import type { SystemEvent } from './events';
import type { FaultPlan, PassingPlace, Plan, Trigger } from './plan';
import { addressOf, fault, flipX, planFor } from './plan.test-support';
import { run } from './run';
import { runInSlices } from './run.test-support';
import { System } from './system';

const units: readonly UnitName[] = ['alu', 'load', 'store', 'store address', 'branch', 'fetch'];
const flip = (place: PassingPlace, bits: number[], trigger: Trigger, replica: 'A' | 'B' = 'B'): FaultPlan =>
  fault({ kind: 'flip', place, bits }, trigger, { kind: 'replica', replica });
const unit = (name: UnitName): PassingPlace => ({ kind: 'unit', unit: name });

/** All that can be told of a run. */
function story(plan: Plan, slices: readonly number[]): Record<string, unknown> {
  const { system, events } = runInSlices(plan, slices);
  const { moment, count, ended, cycles } = system;
  return { events, moment, count, ended, cycles, hashes: system.replicas.map(({ computer }) => computer.snapshot().hash()) };
}

const strikesOf = (events: readonly SystemEvent[]): Extract<SystemEvent, { kind: 'fault' }>[] => events.filter((event) => event.kind === 'fault');
const clean = runInSlices(planFor('checksum'));

describe.each(tiers)('tier %s', (tier) => {
  it.each(units)('a %s that is struck is detected, and never comes back', (name) => {
    const { system, events } = runInSlices(planFor('checksum', { faults: [flip(unit(name), [0], { kind: 'instruction', count: 250_000 })] }), [1e9], { tier });
    const struck = strikesOf(events);
    expect(struck).toHaveLength(1);
    expect(struck[0]).toMatchObject({ replica: 'B', core: 1 });
    expect(struck[0]?.change.startsWith(`${name}: 0x`)).toBe(true);
    expect(struck[0]?.instruction).toBeGreaterThanOrEqual(250_000);
    expect(struck[0]?.instruction).toBeLessThan(300_000);
    expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(Buffer.from(system.released).equals(Buffer.from(clean.system.released))).toBe(true);
  });
});

it('at an address strikes that instruction, where it is of the class', () => {
  const address = addressOf('checksum', 'crc32_update');
  const trigger: Trigger = { kind: 'execute', address, hit: 3 };
  const [struck] = strikesOf(runInSlices(planFor('checksum', { faults: [flip(unit('fetch'), [31], trigger)] })).events);
  const [plain] = strikesOf(runInSlices(planFor('checksum', { faults: [flipX(0, 1, trigger)] })).events);
  // A flip says where the guest stands before it goes on, this one where it stands behind.
  expect(struck).toMatchObject({ pc: address, instruction: (plain?.instruction ?? 0) + 1 });
});

it('the struck instruction is where the replicas diverge', async () => {
  for (const name of units) {
    const report = await run(planFor('checksum', { faults: [flip(unit(name), [name === 'branch' ? 0 : name === 'fetch' ? 8 : 3], { kind: 'instruction', count: 250_000 })] }));
    const [struck] = report.faults;
    if (!struck?.fired) throw new Error('it did not strike');
    expect(report.divergences[0]).toMatchObject({ pc: struck.pc, instruction: struck.instruction });
  }
});

it('bits of several places at once are drawn from the seed, and each strikes when its place is used', () => {
  const places = [...units.map(unit), { kind: 'x', index: 10 } as const];
  const faults = [fault({ kind: 'flip-random', places, count: 250 }, { kind: 'instruction', count: 250_000 })];
  const { system, events } = runInSlices(planFor('checksum', { faults }));
  expect(new Set(strikesOf(events).map(({ change }) => change.split(':')[0]))).toEqual(new Set([...units, 'a0']));
  expect(system.ended).toMatchObject({ how: 'exit', exitCode: 0 });
});

it('one whose instruction never comes is not said to have struck', () => {
  // Nothing is typed at this guest.
  const { system, events } = runInSlices(planFor('checksum', { faults: [flip({ kind: 'input', number: 1 }, [0], { kind: 'instruction', count: 0 })] }));
  expect([strikesOf(events), system.hasFired(0)]).toEqual([[], false]);
});

it('a debugger stops behind it, also where it goes on from just before, and finds it again', async () => {
  const at = 250_000;
  const session = Session.create(planFor('checksum', { faults: [flip(unit('fetch'), [8], { kind: 'instruction', count: at })] }));
  const hashes = (): string[] => session.replicas.map(({ computer }) => computer.snapshot().hash());
  await session.travel(at);
  expect(new Set(hashes()).size).toBe(1);
  expect(await session.forward({ stopAt: new Set(['fault']), breakpoints: new Set() })).toMatchObject({ why: 'event', event: { kind: 'fault', moment: at + 1 } });
  expect(session.moment).toBe(at + 1);
  const struck = hashes();
  expect(new Set(struck).size).toBe(2);
  for (const moment of [at, 10, at + 50_000, at + 1]) await session.travel(moment);
  expect(hashes()).toEqual(struck);
  expect(session.events.filter(({ kind }) => kind === 'fault')).toHaveLength(1);
});

describe('triggers', () => {
  const block = addressOf('checksum', 'block');
  const table = addressOf('checksum', 'table');

  it('an access strikes just after the n-th instruction that makes it', () => {
    const strike = (access: 'read' | 'write', address: bigint, hit: number): number =>
      strikesOf(runInSlices(planFor('checksum', { faults: [flipX(0, 1, { kind: 'access', access, address, hit })] })).events)[0]?.instruction ?? -1;
    const machine = new System(planFor('checksum')).replicas[0]?.computer;
    if (!machine) throw new Error('no replica');
    machine.setWatches([{ address: table + 4n, bytes: 1, on: 'write' }]);
    expect(machine.run(1e9)).toBe('watch');
    expect(strike('write', table + 4n, 1)).toBe(machine.retired);
    machine.setWatches([{ address: block, bytes: 1, on: 'read' }]);
    for (let hit = 1; hit <= 3; hit++) expect(machine.run(1e9)).toBe('watch');
    expect(strike('read', block, 3)).toBe(machine.retired);
  });

  it('a value strikes where the register first has it', () => {
    const system = new System(planFor('checksum'));
    system.advance(123_456);
    const value = system.replicas[1]?.computer.getX(10) ?? 0n;
    const [struck] = strikesOf(runInSlices(planFor('checksum', { faults: [flipX(0, 1, { kind: 'value', register: { kind: 'x', index: 10 }, value })] })).events);
    const computer = new System(planFor('checksum')).replicas[1]?.computer;
    while (computer && computer.getX(10) !== value) computer.run(computer.retired + 1);
    expect(struck?.instruction).toBe(computer?.retired);
  });
});

const of = (name: string, operands: Parameters<typeof encode>[1]): number => encode(instructionNamed(name), operands);

function planOf(code: readonly number[], faults: FaultPlan[], guest: Partial<Plan['guest']>, disks: NonNullable<Plan['guest']['disks']> = []): Plan {
  const plan = planFor('checksum', { maxInstructions: 200_000, faults });
  const linux = { initialDisk: new Uint8Array(), bootArguments: '', systemMap: new Uint8Array() };
  return { ...plan, guest: { ...plan.guest, ...guest, image: kernelImage(code), linux, disks } };
}

/** A guest that prints a dot, and then each byte that is typed. */
function echo(faults: FaultPlan[]): Plan {
  const code = [
    of('lui', { rd: 10, imm: 0x10000000 }),
    of('addi', { rd: 11, imm: 1 }),
    of('sb', { rs1: 10, rs2: 11, imm: 1 }),
    of('addi', { rd: 11, imm: 46 }),
    of('sb', { rs1: 10, rs2: 11, imm: 0 }),
    of('lbu', { rd: 11, rs1: 10, imm: 5 }),
    of('andi', { rd: 11, rs1: 11, imm: 1 }),
    of('beq', { rs1: 11, imm: -8 }),
    of('lbu', { rd: 12, rs1: 10, imm: 0 }),
    of('sb', { rs1: 10, rs2: 12, imm: 0 }),
    of('jal', { imm: -20 }),
  ];
  return planOf(code, faults, { typing: [{ awaited: '.', text: 'abc' }, { awaited: 'c', text: 'def' }] });
}

/** A guest that reads a sector of its disk, and prints how that begins. */
function reader(faults: FaultPlan[]): Plan {
  const [registers, queue, data, value, console] = [5, 8, 9, 6, 10];
  const set = (offset: number, imm: number): number[] => [of('addi', { rd: value, imm }), of('sw', { rs1: registers, rs2: value, imm: offset })];
  const point = (offset: number, place: number): number[] => [of('addi', { rd: value, rs1: queue, imm: place }), of('sw', { rs1: registers, rs2: value, imm: offset })];
  const put = (name: string, place: number, imm: number, rs1 = 0): number[] => [of('addi', { rd: value, rs1, imm }), of(name, { rs1: queue, rs2: value, imm: place })];
  const code = [
    of('auipc', { rd: queue, imm: 0x10000 }),
    of('auipc', { rd: data, imm: 0x11000 }),
    of('lui', { rd: registers, imm: 0x10001000 }),
    // VIRTIO 1.2, section 3.1.1; then descriptors of a header, the data and the status, which is the one that is available.
    ...[[reg.status, 3], [reg.driverFeaturesSel, 1], [reg.driverFeatures, 1], [reg.status, 11], [reg.queueNum, 8]].flatMap(([offset = 0, bits = 0]) => set(offset, bits)),
    ...[[reg.queueDesc, 0], [reg.queueDriver, 0x400], [reg.queueDevice, 0x500]].flatMap(([offset = 0, place = 0]) => point(offset, place)),
    ...[[reg.queueReady, 1], [reg.status, 15]].flatMap(([offset = 0, bits = 0]) => set(offset, bits)),
    ...put('sd', 0, 0x600, queue), ...put('sw', 8, 16), ...put('sh', 12, 1), ...put('sh', 14, 1),
    ...put('sd', 16, 0, data), ...put('sw', 24, 512), ...put('sh', 28, 3), ...put('sh', 30, 2),
    ...put('sd', 32, 0x700, queue), ...put('sw', 40, 1), ...put('sh', 44, 2),
    ...put('sh', 0x402, 1),
    of('sw', { rs1: registers, imm: reg.queueNotify }),
    of('lui', { rd: console, imm: 0x10000000 }),
    ...Array.from({ length: 6 }, (_, i) => [of('lbu', { rd: value, rs1: data, imm: i }), of('sb', { rs1: console, rs2: value })]).flat(),
    of('jal', { imm: 0 }),
  ];
  return planOf(code, faults, {}, [{ image: imageOfBytes(Buffer.from('sector'.padEnd(512))) }]);
}

describe('what a disk transfers', () => {
  it('is wrong for one replica, once', () => {
    const { system, events } = runInSlices(reader([flip({ kind: 'dma' }, [8, 11], { kind: 'instruction', count: 0 })]));
    expect(Buffer.from(system.released).toString()).toBe('sector');
    expect(strikesOf(events)).toMatchObject([{ change: 'dma: bits 8, 11 flipped' }]);
    expect(events.filter(({ kind }) => kind === 'detection' || kind === 'recovery').map(({ kind }) => kind)).toEqual(['detection', 'recovery']);
    const alone = runInSlices({ ...reader([flip({ kind: 'dma' }, [8, 11], { kind: 'instruction', count: 0 }, 'A')]), protection: planFor('checksum', { protection: { kind: 'none', cores: [0] } }).protection });
    expect(Buffer.from(alone.system.released).toString()).toBe('slctor');
  });
});

it('however a run is cut, devices are struck where they are', () => {
  const typed = [2, 4].map((number) => flip({ kind: 'input', number }, [3], { kind: 'input', number: 1 }, 'A'));
  for (const plan of [reader([flip({ kind: 'dma' }, [8], { kind: 'instruction', count: 20 })]), echo(typed)]) {
    const short = { ...plan, maxInstructions: 30_000 };
    const whole = story(short, [1e9]);
    for (const slices of [[1], [997], [9_999, 3]]) expect(story(short, slices)).toEqual(whole);
  }
});

describe('what is typed', () => {
  it('a replica is handed another byte once: it says so, and after the rollback all is right', () => {
    const { system, events } = runInSlices(echo([flip({ kind: 'input', number: 5 }, [1], { kind: 'instruction', count: 0 })]));
    expect(Buffer.from(system.released).toString()).toBe('.abcdef');
    expect(strikesOf(events)).toMatchObject([{ change: 'input 5: 0x65 -> 0x67 (bit 1)' }]);
    expect(events.filter(({ kind }) => kind === 'detection' || kind === 'recovery').map(({ kind }) => kind)).toEqual(['detection', 'recovery']);
  });

  it('a trigger strikes where the replica has been handed it', () => {
    const { events } = runInSlices(echo([flipX(0, 1, { kind: 'input', number: 1 }), flipX(0, 1, { kind: 'input', number: 4 })]));
    const [first, second] = strikesOf(events);
    expect(first?.instruction).toBe(10_000);
    expect(second?.instruction).toBeGreaterThan(10_000);
  });
});

it('a run is the same in one go as by slices of whatever length', { timeout: 600_000 }, () => {
  const triggers = fc.oneof<fc.Arbitrary<Trigger>[]>(
    fc.record({ kind: fc.constant('instruction' as const), count: fc.nat(600_000) }),
    fc.record({ kind: fc.constant('cycle' as const), count: fc.nat(900_000) }),
    fc.record({ kind: fc.constant('access' as const), access: fc.constantFrom('read' as const, 'write' as const), address: fc.nat(15).map((n) => addressOf('checksum', 'table') + BigInt(n)), hit: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ kind: fc.constant('value' as const), register: fc.constant({ kind: 'x' as const, index: 10 }), value: fc.nat(300).map(BigInt) }),
  );
  const faults = fc.array(fc.record({ name: fc.constantFrom(...units), bit: fc.nat(63), trigger: triggers, replica: fc.constantFrom('A' as const, 'B' as const) }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(faults, fc.array(fc.integer({ min: 500, max: 200_000 }), { minLength: 1, maxLength: 5 }), (list, slices) => {
      const plan = planFor('checksum', {
        maxInstructions: 700_000,
        faults: list.map(({ name, bit, trigger, replica }) => flip(unit(name), [name === 'branch' ? 0 : bit % 32], trigger, replica)),
      });
      expect(story(plan, slices)).toEqual(story(plan, [1e9]));
    }),
    { numRuns: 30 },
  );
});
