import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInstruction } from '../isa/decode';
import { readElf } from '../symbols/elf';
import { asm, kernelImage, ramBase, runSliced } from './guest.test-support';
import { Machine } from './machine';
import { tiers, type Tier } from './tier';
import type { StopReason, StuckBits } from './types';

const image = readElf(new Uint8Array(readFileSync(resolve(import.meta.dirname, '../../examples/sort/sort.elf'))));

function guest(tier: Tier): Machine {
  const machine = Machine.create({ ramBytes: 1 << 20, tier });
  machine.load(image);
  return machine;
}

function machineOf(words: readonly number[], tier: Tier, harts = 1): Machine {
  const machine = Machine.create({ ramBytes: 64 * 1024, tier, harts });
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  machine.load({ entry: ramBase, segments: [{ address: ramBase, data: bytes, memoryBytes: bytes.length }] });
  return machine;
}

const unit = (name: 'load' | 'store' | 'store address' | 'branch' | 'fetch', bits: bigint, value: 0 | 1): StuckBits => ({ place: { kind: 'unit', unit: name }, bits, value });
const pc = (bits: bigint, value: 0 | 1): StuckBits => ({ place: { kind: 'pc' }, bits, value });
const csr = (number: number, bits: bigint, value: 0 | 1): StuckBits => ({ place: { kind: 'csr', number }, bits, value });
const loop = asm.jal(0, 0);
const forced = (old: bigint, { bits, value }: StuckBits): bigint => (value === 1 ? old | bits : old & ~bits);
const number = (bytes: Uint8Array | undefined): bigint => (bytes ?? new Uint8Array()).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const bytesOf = (value: bigint, count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

/** Executes the one instruction at pc as hardware with the fault would, by changing what stands around it. */
function imitate(machine: Machine, fault: StuckBits): StopReason {
  const { place } = fault;
  const { retired } = machine;
  const step = (): StopReason => machine.run(retired + 1);
  if (place.kind === 'pc') {
    const stop = step();
    machine.pc = forced(machine.pc, fault);
    return stop;
  }
  if (place.kind !== 'unit') throw new Error('no unit');
  const at = machine.pc;
  const word = number(machine.readMemory(at, 4));
  if (place.unit === 'fetch') {
    const isLong = (word & 3n) === 3n;
    const short = forced(word & 0xffffn, fault) & 0xffffn;
    const now = isLong || (short & 3n) === 3n ? forced(word, fault) & 0xffff_ffffn : short;
    const width = (now & 3n) === 3n ? 4 : 2;
    const before = machine.readMemory(at, width) ?? new Uint8Array();
    machine.writeMemory(at, bytesOf(now, width));
    const stop = step();
    machine.writeMemory(at, before);
    return stop;
  }
  const code = decodeInstruction(Number(word));
  if (!code) return step();
  const { flags, rd, rs1, imm } = code;
  const simple = flags.extension !== 'A';
  const address = BigInt.asUintN(64, machine.getX(rs1) + BigInt(imm));
  if (place.unit === 'load' && flags.loads && simple) {
    const stop = step();
    if (machine.retired > retired) {
      if (flags.writes === 'f') machine.setF(rd, forced(machine.getF(rd), fault));
      else machine.setX(rd, forced(machine.getX(rd), fault));
    }
    return stop;
  }
  if (place.unit === 'store' && flags.stores && simple) {
    const stop = step();
    const width = flags.accessBytes;
    const stored = machine.readMemory(address, width);
    if (machine.retired > retired && stored) machine.writeMemory(address, bytesOf(forced(number(stored), fault), width));
    return stop;
  }
  if (place.unit === 'store address' && flags.stores && simple) {
    const right = machine.getX(rs1);
    machine.setX(rs1, right + (forced(address, fault) - address));
    const stop = step();
    machine.setX(rs1, right);
    return stop;
  }
  if (place.unit === 'branch' && flags.control === 'branch') {
    const stop = step();
    machine.pc = at + BigInt(fault.value === 1 ? imm : code.length);
    return stop;
  }
  return step();
}

describe.each(tiers)('tier %s', (tier) => {
  it('what a unit comes to has the bits, in every instruction that uses it: as if each were changed by hand', () => {
    let differing = 0;
    fc.assert(
      fc.property(
        fc.constantFrom('load', 'store', 'store address', 'branch', 'fetch', 'pc'),
        fc.integer({ min: 0, max: 4_000 }),
        fc.nat(1),
        fc.nat(20),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }),
        (name, from, value, bit, sizes) => {
          const bits = 1n << BigInt(name === 'branch' ? 0 : name === 'fetch' ? bit : name === 'pc' ? 1 + (bit % 8) : bit);
          const fault = name === 'pc' ? pc(bits, value as 0 | 1) : unit(name, bits, value as 0 | 1);
          const [ours, theirs, sound] = [guest(tier), guest('interpreter'), guest('interpreter')];
          for (const machine of [ours, theirs, sound]) machine.run(from);
          ours.setStuckBits([fault]);
          if (name === 'pc') theirs.pc = forced(theirs.pc, fault);
          let stop: StopReason = 'limit';
          while (stop === 'limit' && theirs.retired < from + 400 && theirs.traps().exceptions === 0) stop = imitate(theirs, fault);
          // A trap retires nothing, and by hand it is not seen before what follows it.
          if (theirs.traps().exceptions > 0) return;
          runSliced(ours, theirs.retired, sizes);
          if (stop !== 'limit') expect(ours.run(theirs.retired + 1)).toBe(stop);
          expect(ours.snapshot().difference(theirs.snapshot())).toEqual([]);
          expect(ours.cycles).toBe(theirs.cycles);
          sound.run(theirs.retired);
          if (!sound.snapshot().equals(theirs.snapshot())) differing++;
        },
      ),
      { numRuns: 150 },
    );
    expect(differing).toBeGreaterThan(10);
  });

  it('several at once, with an upset before them: what is stuck has the last word', () => {
    // ld x5, 0(x6), twice.
    const machine = machineOf([asm.ld(5, 6, 0), asm.ld(7, 6, 0), loop], tier);
    machine.setX(6, ramBase + 0x1000n);
    machine.writeMemory(ramBase + 0x1000n, bytesOf(0xf0n, 8));
    machine.setStuckBits([unit('load', 0x11n, 1), { place: { kind: 'x', index: 7 }, bits: 0x10n, value: 0 }]);
    machine.setUpsets([{ unit: 'load', keep: ~0n & 0xffff_ffff_ffff_ffffn, flip: 0x101n }]);
    expect(machine.run(10)).toBe('upset');
    expect(machine.takeStruck()).toMatchObject([{ unit: 'load', before: 0xf0n, pc: ramBase }]);
    expect(machine.run(10)).toBe('limit');
    expect([machine.getX(5), machine.getX(7)]).toEqual([0x1f1n, 0xe1n]);
    machine.setStuckBits([]);
    machine.pc = ramBase;
    machine.run(12);
    expect([machine.getX(5), machine.getX(7)]).toEqual([0xf0n, 0xf0n]);
  });

  it('a handler that cannot be fetched stalls the machine, and does not hang the host', () => {
    // mtvec is 0x80000100; bit 40 of pc is 1.
    const machine = machineOf([asm.addi(5, 0, 1), loop], tier);
    machine.setCsr(0x305, ramBase + 0x100n);
    machine.setStuckBits([pc(1n << 40n, 1)]);
    expect(machine.pc).toBe(ramBase | (1n << 40n));
    expect(machine.run(100)).toBe('stalled');
    expect([machine.retired, machine.pc, machine.traps().exceptions]).toEqual([0, (ramBase + 0x100n) | (1n << 40n), 1]);
    const word = machineOf([asm.addi(5, 0, 1), loop], tier);
    word.setStuckBits([unit('fetch', 3n, 0), unit('fetch', 0xfffcn, 0)]);
    expect(word.run(100)).toBe('stalled');
  });

  it('pc’s are forced after a restore, a reboot, and in all harts', () => {
    const machine = machineOf([asm.addi(5, 5, 1), asm.jal(0, -4), asm.addi(6, 6, 1), asm.jal(0, -4)], tier, 2);
    const before = machine.snapshot();
    machine.setStuckBits([pc(8n, 1)]);
    expect([machine.getPc(0), machine.getPc(1)]).toEqual([ramBase + 8n, ramBase + 8n]);
    machine.run(20_000);
    expect([machine.getX(5, 0), machine.getX(5, 1)]).toEqual([0n, 0n]);
    expect(machine.getX(6, 0) > 1000n && machine.getX(6, 1) > 1000n).toBe(true);
    machine.restore(before);
    expect([machine.getPc(0), machine.getPc(1)]).toEqual([ramBase + 8n, ramBase + 8n]);
    machine.setStuckBits([]);
    machine.restore(before);
    machine.run(100);
    expect(machine.getX(6, 0)).toBe(0n);
  });

  describe('CSRs', () => {
    it('that keep bits of their own have them at once, whatever is written, and all that leans on them sees them', () => {
      // csrrw x5, mscratch, x6; csrrs x7, mscratch, x0; ecall to a handler that reads mcause and mepc.
      const machine = machineOf([asm.csrrw(5, 0x340, 6), asm.csrrs(7, 0x340, 0), asm.ecall, loop, asm.csrrs(8, 0x342, 0), asm.csrrs(9, 0x341, 0), loop], tier);
      machine.setX(6, 0xf0n);
      machine.setCsr(0x305, ramBase);
      machine.setStuckBits([csr(0x340, 0x81n, 1), csr(0x340, 0x10n, 0), csr(0x305, 0x10n, 1), csr(0x342, 3n, 0), csr(0x341, 0x100n, 1), csr(0x341, 1n, 1)]);
      expect(machine.getCsr(0x340)).toBe(0x81n);
      machine.run(2);
      expect([machine.getX(5), machine.getX(7)]).toEqual([0x81n, 0xe1n]);
      machine.run(6);
      // The handler is at the forced vector; the cause is 11 without its low bits; the pc has one that it had not, and never bit 0.
      expect([machine.getX(8), machine.getX(9)]).toEqual([8n, ramBase + 0x108n]);
      machine.setCsr(0x340, 0n);
      expect(machine.getCsr(0x340)).toBe(0x81n);
      const before = machine.snapshot();
      machine.setStuckBits([]);
      machine.setCsr(0x340, 0n);
      expect(machine.getCsr(0x340)).toBe(0n);
      machine.setStuckBits([csr(0x340, 2n, 1)]);
      machine.restore(before);
      expect(machine.getCsr(0x340)).toBe(0x83n);
    });

    it('a view’s are those of the register behind it', () => {
      const machine = machineOf([loop], tier);
      machine.setStuckBits([csr(0x100, 0x2n, 1), csr(0x104, 0x20n, 1), csr(0x003, 0x61n, 1)]);
      expect([machine.getCsr(0x300), machine.getCsr(0x304), machine.getCsr(0x001), machine.getCsr(0x002)].map((value) => (value ?? 0n) & 0xffn)).toEqual([2n, 0x20n, 1n, 3n]);
    });

    it('an interrupt that is never enabled does not come, and one that is enabled for ever does', () => {
      // csrrw mip, x8; csrrs x0, mstatus, x5 (MIE); then a count; the handler counts, too.
      const code = [asm.csrrw(0, 0x344, 8), asm.csrrs(0, 0x300, 5), asm.addi(6, 6, 1), asm.jal(0, -4), asm.addi(7, 7, 1), asm.mret];
      for (const value of [0, 1] as const) {
        const machine = machineOf(code, tier);
        machine.setX(5, value === 0 ? 8n : 0n);
        machine.setX(8, 2n);
        machine.setCsr(0x305, ramBase + 16n);
        machine.setStuckBits([csr(0x300, 8n, value), csr(0x304, 2n, 1)]);
        machine.run(100);
        // Pending for good: the handler is interrupted before each of its instructions.
        expect([value, machine.getX(6) > 10n, machine.getX(7) > 10n]).toEqual([value, value === 0, value === 1]);
      }
    });

    it('what floating point raises', () => {
      // fadd.d of inexact operands, then csrrs x5, fflags, x0.
      const fadd = (0x02007053 | (1 << 15) | (2 << 20) | (3 << 7)) >>> 0;
      const machine = machineOf([fadd, asm.csrrs(5, 0x001, 0), fadd, asm.csrrs(6, 0x001, 0), loop], tier);
      machine.setCsr(0x300, 0x6000n);
      machine.setF(1, 0x3ff0_0000_0000_0000n);
      machine.setF(2, 0x3c90_0000_0000_0001n);
      machine.setStuckBits([csr(0x001, 1n, 0), csr(0x001, 16n, 1)]);
      machine.run(4);
      expect([machine.getX(5), machine.getX(6)]).toEqual([16n, 16n]);
      machine.setStuckBits([]);
      machine.pc = ramBase;
      machine.run(6);
      expect(machine.getX(5)).toBe(17n);
    });

    it('that are worked out at each read, as they are read: counting goes on beneath', () => {
      const machine = machineOf([...Array.from({ length: 9 }, () => asm.addi(5, 5, 1)), asm.csrrs(6, 0xb02, 0), asm.csrrs(7, 0xf14, 0), loop], tier);
      machine.setStuckBits([csr(0xb02, 9n, 0), csr(0xb02, 0x100n, 1), csr(0xf14, 4n, 1)]);
      machine.run(11);
      expect([machine.getX(6), machine.getX(7)]).toEqual([0x100n, 4n]);
      machine.setStuckBits([]);
      expect([machine.getCsr(0xb02), machine.getCsr(0xf14)]).toEqual([11n, 0n]);
    });

    it('satp’s root: the walks go there, also in a supervisor that its firmware starts', () => {
      const machine = Machine.create({ ramBytes: 4 * 2 ** 20, tier });
      machine.loadKernel(kernelImage([asm.csrrs(5, 0x180, 0), asm.csrrw(0, 0x180, 6), asm.addi(7, 0, 1), loop]));
      machine.setX(6, (8n << 60n) | 0x80000n);
      machine.setStuckBits([csr(0x180, 0x1n, 1)]);
      machine.run(20);
      expect(machine.getCsr(0x180)).toBe((8n << 60n) | 0x80001n);
      expect(machine.getX(5)).toBe(1n);
      // Nothing is mapped there.
      expect(machine.traps().cause).toBe(12);
    });
  });

  it('are told from each other by nobody but the hardware: a machine without any is not the slower for it', () => {
    const machine = machineOf([asm.addi(5, 5, 1), asm.jal(0, -4)], tier);
    machine.setStuckBits([unit('load', 1n, 1)]);
    machine.run(1000);
    machine.setStuckBits([]);
    machine.run(400_000);
    expect(machine.getX(5)).toBe(200_000n);
    if (tier === 'translator') expect(machine.translated.retired).toBeGreaterThan(398_000);
  });
});
