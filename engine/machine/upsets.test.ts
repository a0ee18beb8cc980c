import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInstruction, type DecodedInstruction } from '../isa/decode';
import { isAlu } from '../isa/instructions';
import { readElf } from '../symbols/elf';
import { asm, machineWith, ramBase } from './guest.test-support';
import { Machine } from './machine';
import { tiers, type Tier } from './tier';
import type { StruckUnit, UnitName, UnitUpset } from './types';

const all = 0xffff_ffff_ffff_ffffn;
const units: readonly UnitName[] = ['alu', 'load', 'store', 'store address', 'branch', 'fetch'];
const image = readElf(new Uint8Array(readFileSync(resolve(import.meta.dirname, '../../examples/sort/sort.elf'))));

function guest(tier: Tier): Machine {
  const machine = Machine.create({ ramBytes: 1 << 20, tier });
  machine.load(image);
  return machine;
}

const flip = (unit: UnitName, bits: bigint): UnitUpset => ({ unit, keep: all, flip: bits });

function word(machine: Machine, address: bigint): number {
  return Buffer.from(machine.readMemory(address, 4) ?? []).readUInt32LE();
}

function rewrite(machine: Machine, address: bigint, bytes: number, bits: bigint): void {
  const old = machine.readMemory(address, bytes);
  if (old) machine.writeMemory(address, old.map((byte, i) => byte ^ Number((bits >> BigInt(8 * i)) & 0xffn)));
}

/** Executes the one instruction at pc as if its unit had failed, by changing what stands around it. */
function imitate(machine: Machine, unit: UnitName, bits: bigint, { pc, retired }: StruckUnit, code: DecodedInstruction): void {
  const { flags, rd, rs1, imm } = code;
  const step = (): unknown => machine.run(retired + 1);
  const address = BigInt.asUintN(64, machine.getX(rs1) + BigInt(imm));
  switch (unit) {
    case 'alu':
    case 'load':
      step();
      if (flags.writes === 'f') machine.setF(rd, machine.getF(rd) ^ bits);
      else machine.setX(rd, machine.getX(rd) ^ bits);
      return;
    case 'store':
      step();
      rewrite(machine, address, flags.accessBytes, bits);
      return;
    case 'store address': {
      const right = machine.getX(rs1);
      machine.setX(rs1, right + ((address ^ bits) - address));
      step();
      machine.setX(rs1, right);
      return;
    }
    case 'branch': {
      const [next, target] = [pc + BigInt(code.length), pc + BigInt(imm)];
      step();
      machine.pc = machine.pc === next ? target : next;
      return;
    }
    case 'fetch': {
      rewrite(machine, pc, code.length, bits);
      step();
      rewrite(machine, pc, code.length, bits);
    }
  }
}

const isOf: Readonly<Record<UnitName, (code: DecodedInstruction) => boolean>> = {
  alu: ({ flags }) => isAlu(flags),
  load: ({ flags }) => flags.loads && flags.extension !== 'A',
  store: ({ flags }) => flags.stores && flags.extension !== 'A',
  'store address': ({ flags }) => flags.stores && flags.extension !== 'A',
  branch: ({ flags }) => flags.control === 'branch',
  fetch: () => true,
};

describe.each(tiers)('tier %s', (tier) => {
  it('an upset is what a change of registers, memory or pc around the next such instruction comes to', { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...units), fc.nat(60_000), fc.nat(63), (unit, at, bit) => {
        const [struck, other] = [guest(tier), guest(tier)];
        struck.run(at);
        const bits = unit === 'branch' ? 1n : unit === 'fetch' ? 1n << BigInt(bit % 32) : unit === 'store address' ? 1n << BigInt(bit % 12) : 1n << BigInt(bit);
        struck.setUpsets([flip(unit, bits)]);
        if (struck.run(1e6) !== 'upset') return;
        const [met, ...others] = struck.takeStruck();
        if (!met) throw new Error('nothing was struck');
        expect([met.unit, others]).toEqual([unit, []]);
        // It is the first of its kind.
        const mind = guest(tier);
        mind.run(at);
        for (;;) {
          const code = decodeInstruction(word(mind, mind.pc));
          if (code && isOf[unit](code)) break;
          mind.run(mind.retired + 1);
        }
        expect([met.retired, met.pc]).toEqual([mind.retired, mind.pc]);
        other.run(met.retired);
        const code = decodeInstruction(word(other, other.pc));
        // An rs1 that is a store's rs2, too, cannot be changed for one of the two.
        if (!code || (unit === 'store address' && (code.rs1 === code.rs2 || code.rs1 === 0))) return;
        imitate(other, unit, bits & met.bits, met, code);
        // Where it has trapped, that is the handler's first instruction.
        struck.run(met.retired + 1);
        expect(struck.snapshot().difference(other.snapshot())).toEqual([]);
        // And that was all: it goes on as the other does.
        for (const machine of [struck, other]) machine.run(met.retired + 50);
        expect(struck.snapshot().difference(other.snapshot())).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('strikes once, and is not lost where the run is cut', () => {
    const [whole, sliced] = [guest(tier), guest(tier)];
    for (const machine of [whole, sliced]) {
      machine.run(5000);
      machine.setUpsets([flip('branch', 1n)]);
    }
    whole.run(9000);
    const struck = whole.takeStruck();
    whole.run(9000);
    while (sliced.retired < 9000) sliced.run(Math.min(9000, sliced.retired + 3));
    expect(sliced.takeStruck()).toEqual(struck);
    expect(struck).toHaveLength(1);
    expect(whole.takeStruck()).toEqual([]);
    expect(sliced.snapshot().hash()).toBe(whole.snapshot().hash());
  });
});

it('a store that goes where nothing is, is an access fault there', () => {
  const machine = machineWith([asm.auipc(6, 1), asm.sw(5, 6, 0), asm.jal(0, 0)]);
  machine.setUpsets([flip('store address', 1n << 40n)]);
  expect(machine.run(10)).toBe('upset');
  expect(machine.takeStruck()).toMatchObject([{ unit: 'store address', before: ramBase + 0x1000n, retired: 1, pc: ramBase + 4n }]);
  expect([machine.getCsr(0x342), machine.getCsr(0x343), machine.traps().exceptions]).toEqual([7n, ramBase + 0x1000n + (1n << 40n), 1]);
});

it('a store that traps has stored nothing wrong: the next one does', () => {
  // Outside of RAM; then the handler's store.
  const machine = machineWith([asm.sw(5, 0, 0), asm.sw(5, 6, 0), asm.jal(0, 0)]);
  machine.setCsr(0x305, ramBase + 4n);
  machine.setX(6, ramBase + 0x1000n);
  machine.setUpsets([flip('store', 0x80n)]);
  expect(machine.run(10)).toBe('upset');
  expect(machine.takeStruck()).toMatchObject([{ before: 0n, bits: 0xffff_ffffn, pc: ramBase + 4n }]);
  expect(word(machine, ramBase + 0x1000n)).toBe(0x80);
});

it('an instruction that is fetched wrong may be illegal, longer or shorter, and memory stays right', () => {
  // c.li a0, 1; then an addi a1, a1, 1, whose low half is the upper one of the first where that becomes a longer one.
  const words = [0x4505, asm.addi(11, 11, 1), asm.jal(0, 0)];
  const longer = machineWith(words);
  longer.setUpsets([flip('fetch', 2n)]);
  longer.run(1);
  const read = decodeInstruction(((asm.addi(11, 11, 1) & 0xffff) << 16) | 0x4507);
  expect(longer.takeStruck()).toMatchObject([{ unit: 'fetch', before: 0x4505n, bits: 0xffffn }]);
  expect(longer.traps().exceptions).toBe(read ? 0 : 1);
  expect(word(longer, ramBase) & 0xffff).toBe(0x4505);

  const illegal = machineWith([asm.addi(11, 11, 1), asm.jal(0, 0)]);
  illegal.setUpsets([{ unit: 'fetch', keep: 0n, flip: 0xffff_ffffn }]);
  expect(illegal.run(5)).toBe('upset');
  expect([illegal.getCsr(0x342), illegal.getCsr(0x343), illegal.retired]).toEqual([2n, 0xffff_ffffn, 0]);
  expect(word(illegal, ramBase)).toBe(asm.addi(11, 11, 1));
});

it('atomic instructions are neither loads nor stores', () => {
  const machine = machineWith([asm.lrW(5, 6), asm.scW(7, 5, 6), asm.lw(8, 6, 0), asm.sw(8, 6, 4), asm.jal(0, 0)]);
  machine.setX(6, ramBase + 0x1000n);
  machine.setUpsets([flip('load', 1n), flip('store', 2n)]);
  machine.run(10);
  expect(machine.takeStruck()).toMatchObject([{ unit: 'load', retired: 2 }]);
  machine.run(10);
  expect(machine.takeStruck()).toMatchObject([{ unit: 'store', before: 1n, retired: 3 }]);
  expect(word(machine, ramBase + 0x1004n)).toBe(3);
});

it('stops where a register has the value that is waited for, and only there', () => {
  const machine = machineWith([asm.addi(5, 5, 1), asm.jal(0, -4)]);
  machine.setAwaited([{ register: { kind: 'x', index: 5 }, value: 7n }, { register: { kind: 'csr', number: 0x340 }, value: 9n }]);
  expect([machine.run(1000), machine.retired, machine.getX(5)]).toEqual(['awaited', 13, 7n]);
  machine.setAwaited([]);
  expect(machine.run(1000)).toBe('limit');
});

it('says which watched places were touched', () => {
  const machine = machineWith([asm.sw(5, 6, 0), asm.lw(7, 6, 4), asm.jal(0, 0)]);
  machine.setX(6, ramBase + 0x1000n);
  machine.setWatches([{ address: 0n, bytes: 1, on: 'read' }, { address: ramBase + 0x1003n, bytes: 1, on: 'read' }, { address: ramBase + 0x1003n, bytes: 1, on: 'write' }, { address: ramBase + 0x1004n, bytes: 1, on: 'read' }]);
  expect([machine.run(10), machine.takeTouched(), machine.takeTouched()]).toEqual(['watch', [2], []]);
  expect([machine.run(10), machine.takeTouched(), machine.retired]).toEqual(['watch', [3], 2]);
});

describe.each(tiers)('a value that is waited for, tier %s', (tier) => {
  it('stops at the boundaries at which single steps find it, by whatever writes it', () => {
    const random = fc.record({ register: fc.integer({ min: 1, max: 31 }), from: fc.nat(20_000), sample: fc.nat(3_000), sizes: fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 4 }), again: fc.boolean() });
    let stops = 0;
    fc.assert(
      fc.property(random, ({ register, from, sample, sizes, again }) => {
        const [ours, theirs] = [guest(tier), guest('interpreter')];
        // Hot before, or not.
        if (again) ours.run(from);
        else for (const end = from; ours.retired < end; ) ours.run(Math.min(end, ours.retired + 1));
        theirs.run(from + sample);
        const value = theirs.getX(register);
        const end = from + 6_000;
        const reference: number[] = [];
        const single = guest('interpreter');
        single.run(from);
        while (single.retired < end) {
          single.run(single.retired + 1);
          if (single.getX(register) === value) reference.push(single.retired);
        }
        ours.setAwaited([{ register: { kind: 'x', index: register }, value }]);
        const found: number[] = [];
        for (let turn = 0; ours.retired < end; turn++) {
          if (ours.run(Math.min(end, ours.retired + (sizes[turn % sizes.length] ?? 1))) === 'awaited') found.push(ours.retired);
        }
        // At a limit it may stop for that.
        const limits = new Set(reference);
        expect(found.every((at) => limits.has(at))).toBe(true);
        expect(reference.filter((at) => !found.includes(at))).toEqual([]);
        expect(ours.snapshot().equals(single.snapshot())).toBe(true);
        expect(ours.cycles).toBe(single.cycles);
        stops += found.length;
      }),
      { numRuns: 40 },
    );
    expect(stops).toBeGreaterThan(100);
  });

  it('is left behind: what waits no more costs nothing', () => {
    const machine = Machine.create({ ramBytes: 64 * 1024, tier });
    const data = new Uint8Array(Uint32Array.of(asm.addi(5, 5, 1), asm.jal(0, -4)).buffer);
    machine.load({ entry: ramBase, segments: [{ address: ramBase, data, memoryBytes: data.length }] });
    machine.setAwaited([{ register: { kind: 'x', index: 5 }, value: 5_000n }]);
    expect([machine.run(1e6), machine.getX(5)]).toEqual(['awaited', 5_000n]);
    machine.setAwaited([]);
    expect([machine.run(100_000), machine.getX(5)]).toEqual(['limit', 50_000n]);
    if (tier === 'translator') expect(machine.translated.retired).toBeGreaterThan(80_000);
  });
});
