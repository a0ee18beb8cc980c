import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInstruction } from '../isa/decode';
import { encode, randomImmediate } from '../isa/encode.test-support';
import { instructions, isAlu } from '../isa/instructions';
import { randomX } from '../isa/operands.test-support';
import { Random } from '../isa/random.test-support';
import { asm, kernelImage, ramBase, runSliced } from './guest.test-support';
import { Machine } from './machine';
import { tiers, type Tier } from './tier';
import type { StuckBits } from './types';

const x = (index: number, bits: bigint, value: 0 | 1): StuckBits => ({ place: { kind: 'x', index }, bits, value });
const alu = (bits: bigint, value: 0 | 1): StuckBits => ({ place: { kind: 'alu' }, bits, value });
const memory = (offset: number, bytes: 1 | 2 | 4 | 8, bits: bigint, value: 0 | 1): StuckBits => ({ place: { kind: 'memory', address: ramBase + BigInt(offset), bytes }, bits, value });

function machineOf(words: readonly number[], tier: Tier, harts = 1): Machine {
  const machine = Machine.create({ ramBytes: 64 * 1024, tier, harts });
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  machine.load({ entry: ramBase, segments: [{ address: ramBase, data: bytes, memoryBytes: bytes.length }] });
  return machine;
}

const loop = asm.jal(0, 0);
const word = (machine: Machine, offset: number): bigint => new DataView(machine.readMemory(ramBase + BigInt(offset), 8)?.buffer ?? new ArrayBuffer(8)).getBigUint64(0, true);

const alus = instructions.filter(isAlu);

it('the arithmetic-logic unit makes the results of computational integer instructions, and of no others', () => {
  const names = alus.map(({ mnemonic }) => mnemonic);
  expect(names).toHaveLength(85);
  for (const one of ['lui', 'auipc', 'addi', 'slt', 'sraw', 'mulhsu', 'remuw', 'sh3add.uw', 'clz', 'bexti', 'czero.nez']) expect(names).toContain(one);
  for (const one of ['jal', 'jalr', 'beq', 'ld', 'sd', 'fence', 'amoadd.d', 'csrrw', 'fcvt.l.d', 'fmv.x.d']) expect(names).not.toContain(one);
});

describe.each(tiers)('tier %s', (tier) => {
  it('a register’s bits are forced at once, and after whatever writes it', () => {
    // addi, lw, jal, csrrs, lr.w, sc.w, and an add that leaves it as it is.
    const data = ramBase + 0x1000n;
    const writers = [asm.addi(5, 0, 0), asm.lw(5, 6, 0), asm.jal(5, 4), asm.csrrs(5, 0x340, 0), asm.lrW(5, 6), asm.scW(5, 0, 6), asm.auipc(5, 0)];
    const machine = machineOf([...writers, loop], tier);
    machine.setX(6, data);
    machine.setX(5, 0xffn);
    machine.setStuckBits([x(5, 0x10n, 1), x(5, 0x0fn, 0)]);
    expect(machine.getX(5)).toBe(0xf0n);
    for (let n = 1; n <= writers.length; n++) {
      expect(machine.run(n)).toBe('limit');
      expect([n, machine.getX(5) & 0x1fn]).toEqual([n, 0x10n]);
    }
    machine.setX(5, 0n);
    expect(machine.getX(5)).toBe(0x10n);
  });

  it('a floating-point register’s bits, too, and x0 has none', () => {
    // fmv.d.x f5, x6; fld f5, 0(x7)
    const machine = machineOf([(0xf2000053 | (6 << 15) | (5 << 7)) >>> 0, (0x3007 | (7 << 15) | (5 << 7)) >>> 0, asm.addi(0, 0, 5), loop], tier);
    machine.setCsr(0x300, 0x6000n);
    machine.setX(6, 0x4000_0000_0000_0001n);
    machine.setX(7, ramBase + 0x1000n);
    machine.setStuckBits([{ place: { kind: 'f', index: 5 }, bits: 3n, value: 0 }, { place: { kind: 'f', index: 5 }, bits: 1n << 63n, value: 1 }, x(0, 1n, 1)]);
    expect(machine.getF(5)).toBe(1n << 63n);
    machine.run(1);
    expect(machine.getF(5)).toBe(0xc000_0000_0000_0000n);
    machine.run(3);
    expect(machine.getF(5)).toBe(1n << 63n);
    expect(machine.getX(0)).toBe(0n);
  });

  it('an answer of the firmware has them', () => {
    const machine = Machine.create({ ramBytes: 4 * 2 ** 20, tier });
    // sbi_get_spec_version: a0 is 0 and a1 the version, 2.0.
    machine.loadKernel(kernelImage([asm.addi(17, 0, 16), asm.addi(16, 0, 0), asm.ecall, loop]));
    machine.setStuckBits([x(10, 1n << 40n, 1), x(11, 1n << 25n, 0), x(11, 1n, 1)]);
    machine.run(10);
    expect([machine.getX(10), machine.getX(11)]).toEqual([1n << 40n, 1n]);
  });

  it('of memory, stores, loads and fetches see them, and only where they are', () => {
    const data = ramBase + 0x1000n;
    const machine = machineOf([asm.sw(5, 6, 4), asm.sb(5, 6, 4), asm.sw(5, 6, 8), asm.lw(7, 6, 4), asm.ld(8, 6, 4), asm.addi(9, 0, 1), loop], tier);
    machine.setX(5, 0xff0fn);
    machine.setX(6, data);
    machine.setStuckBits([memory(0x1004, 2, 0x8001n, 0), memory(0x1004, 1, 0x40n, 1), memory(20, 4, 1n << 20n, 0)]);
    // The addi's immediate is 0.
    machine.run(6);
    expect(word(machine, 0x1004)).toBe(0xff0f_0000_7f4en);
    expect([machine.getX(7), machine.getX(8), machine.getX(9)]).toEqual([0x7f4en, 0xff0f_0000_7f4en, 0n]);
    // The device's and the host's writes, too.
    machine.writeMemory(data + 4n, new Uint8Array(8));
    expect(word(machine, 0x1004)).toBe(0x40n);
  });

  it('a doubleword across two pages', () => {
    // sd x5, -3(x6)
    const machine = machineOf([((0x7f << 25) | (5 << 20) | (6 << 15) | (3 << 12) | (29 << 7) | 0x23) >>> 0, loop], tier);
    machine.setX(6, ramBase + 0x2000n);
    machine.setX(5, 0xffff_ffff_ffff_ffffn);
    machine.setStuckBits([memory(0x1ffd, 8, 0x8000_0001_8000_0001n, 0)]);
    machine.run(1);
    expect(word(machine, 0x1ffd)).toBe(0x7fff_fffe_7fff_fffen);
  });

  it('a page-table entry’s, whatever a walk writes', () => {
    // To supervisor mode, with a gigabyte mapped by one entry whose D never gets set.
    const machine = machineOf([asm.mret, asm.sw(5, 6, 0), asm.sw(5, 6, 4), asm.ld(7, 8, 16), loop], tier);
    for (const [number, value] of [[0x3b0, 0x3f_ffff_ffff_ffffn], [0x3a0, 0x1fn], [0x30a, 1n << 61n], [0x300, 1n << 11n], [0x341, ramBase + 4n], [0x180, (8n << 60n) | 0x80003n]] as const) machine.setCsr(number, value);
    const entry = (0x80000n << 10n) | 0xfn;
    machine.writeMemory(ramBase + 0x3010n, new Uint8Array(BigUint64Array.of(entry).buffer));
    machine.setX(5, 0x77n);
    machine.setX(6, ramBase + 0x1000n);
    machine.setX(8, ramBase + 0x3000n);
    machine.setStuckBits([memory(0x3010, 8, 0x80n, 0)]);
    machine.run(6);
    expect([word(machine, 0x1000), machine.getX(7), machine.traps().exceptions]).toEqual([0x77_0000_0077n, entry | 0x40n, 0]);
  });

  it('are no part of the state: a restore leaves them, a clone has none, and what they have done stays when they go', () => {
    const machine = machineOf([asm.addi(5, 5, 1), asm.jal(0, -4)], tier);
    const before = machine.snapshot();
    machine.setStuckBits([x(5, 4n, 1), memory(0x3000, 8, 5n, 1)]);
    machine.restore(before);
    expect([machine.getX(5), word(machine, 0x3000)]).toEqual([4n, 5n]);
    expect(machine.snapshot().difference(before).map(({ place }) => place)).toEqual(['t0', 'memory[0x80003000]']);
    const twin = machine.clone();
    twin.run(21);
    expect(twin.getX(5)).toBe(11n + 4n);
    machine.run(21);
    expect(machine.getX(5)).toBe(23n);
    machine.run(23);
    expect(machine.getX(5)).toBe(28n);
    machine.setStuckBits([]);
    expect([machine.getX(5), word(machine, 0x3000)]).toEqual([28n, 5n]);
    machine.writeMemory(ramBase + 0x3000n, new Uint8Array(8));
    machine.run(33);
    expect([machine.getX(5), word(machine, 0x3000)]).toEqual([33n, 0n]);
    machine.restore(before);
    expect(machine.snapshot().equals(before)).toBe(true);
  });

  it('are there again after a reboot', () => {
    const machine = machineOf([asm.lui(5, 0x100), asm.lui(6, 7), asm.addi(6, 6, 0x777), asm.sw(6, 5, 0), loop], tier);
    machine.setStuckBits([x(9, 1n, 1), memory(0x1000, 8, 2n, 1)]);
    machine.setX(8, 5n);
    expect(machine.run(100)).toBe('reboot');
    expect([machine.getX(8), machine.getX(9), word(machine, 0x1000)]).toEqual([0n, 1n, 2n]);
  });

  it('are those of every hart, since they take turns on the core', () => {
    const machine = machineOf([asm.addi(5, 5, 1), asm.jal(0, -4)], tier, 3);
    machine.setStuckBits([x(5, 1n << 32n, 1), x(5, 1n, 0)]);
    machine.run(40_000);
    for (let hart = 0; hart < 3; hart++) expect([hart, machine.getX(5, hart)]).toEqual([hart, 1n << 32n]);
  });

  it('a jump whose address is computed with a stuck bit goes where that says', () => {
    // auipc x6, 0; jalr x1, 16(x6), to where 16 bytes on is another one with bit 3 set.
    const jalr = ((16 << 20) | (6 << 15) | (1 << 7) | 0x67) >>> 0;
    const machine = machineOf([asm.auipc(6, 0), jalr, loop, loop, loop, loop, asm.addi(7, 0, 1), asm.jal(0, -28)], tier);
    machine.setStuckBits([alu(8n, 1)]);
    for (let n = 0; n < 5; n++) machine.run(machine.retired + 100);
    expect(machine.getX(7)).toBe(9n);
    expect(machine.getX(6)).toBe(ramBase + 8n);
  });

  it('random code of the unit is what single steps of a machine without them are, with the host forcing every result', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }), (seed, sizes) => {
        const own = new Random(seed);
        const words = Array.from({ length: 30 }, () => {
          const row = alus[own.below(alus.length)] as (typeof alus)[number];
          const register = (): number => own.below(16);
          return encode(row, { rd: register(), rs1: register(), rs2: register(), imm: randomImmediate(row, own) });
        });
        const code = [...words, asm.jal(0, -4 * words.length)];
        const faults = [
          alu(1n << BigInt(own.below(64)), own.below(2) as 0 | 1),
          ...(own.below(2) === 0 ? [x(1 + own.below(15), randomX(own) & 0xffff_ffff_0000_ffffn, own.below(2) as 0 | 1)] : []),
        ];
        const [ours, theirs] = [machineOf(code, tier), machineOf(code, 'interpreter')];
        for (let i = 1; i < 16; i++) for (const machine of [ours, theirs]) machine.setX(i, BigInt(i) * 0x0123_4567_89ab_cdefn);
        ours.setStuckBits(faults);
        force(theirs, faults, undefined);
        const limit = 400;
        while (theirs.retired < limit) {
          const raw = new DataView(theirs.readMemory(theirs.pc, 4)?.buffer ?? new ArrayBuffer(4)).getUint32(0, true);
          theirs.run(theirs.retired + 1);
          force(theirs, faults, raw);
        }
        runSliced(ours, limit, sizes);
        expect(ours.snapshot().difference(theirs.snapshot())).toEqual([]);
        expect(ours.cycles).toBe(theirs.cycles);
      }),
      { numRuns: 60 },
    );
  });
});

/** What the hardware would have done to the instruction's result. */
function force(machine: Machine, faults: readonly StuckBits[], raw: number | undefined): void {
  const decoded = raw === undefined ? undefined : decodeInstruction(raw);
  for (const { place, bits, value } of faults) {
    const index = place.kind === 'x' ? place.index : place.kind === 'alu' && decoded && alus.some(({ mnemonic }) => mnemonic === decoded.mnemonic) ? decoded.rd : 0;
    const old = machine.getX(index);
    machine.setX(index, value === 1 ? old | bits : old & ~bits);
  }
}

it('a machine without any keeps its translations while another gets some', () => {
  const code = [asm.addi(5, 5, 1), asm.jal(0, -4)];
  const [faulty, sound] = [machineOf(code, 'translator'), machineOf(code, 'translator')];
  for (const machine of [faulty, sound]) machine.run(1000);
  const { functions } = sound.translated;
  faulty.setStuckBits([x(5, 1n, 1)]);
  for (const machine of [faulty, sound]) machine.run(2000);
  expect(sound.translated).toMatchObject({ functions, retired: 2000 });
  expect(sound.getX(5)).toBe(1000n);
  // With the bit inline: nothing of it is left to the interpreter.
  expect(faulty.translated.retired).toBe(2000);
});

it('memory with stuck bits does not make code be forgotten', () => {
  const machine = machineOf([asm.sw(5, 6, 0), asm.addi(5, 5, 1), asm.jal(0, -8)], 'translator');
  machine.setX(6, ramBase + 0x2000n);
  machine.run(1000);
  const { functions } = machine.translated;
  machine.setStuckBits([memory(0x3000, 8, 1n, 1)]);
  machine.run(100_000);
  expect(machine.translated.functions).toBe(functions);
  expect(machine.translated.retired).toBeGreaterThan(99_990);
});

it('so many doublewords of memory and no more', () => {
  const machine = machineOf([loop], 'interpreter');
  const many = Array.from({ length: 257 }, (_, i) => memory(0x1000 + 8 * i, 8, 1n, 1));
  machine.setStuckBits(many.slice(1));
  expect(() => machine.setStuckBits(many)).toThrow(RangeError);
  expect([word(machine, 0x1000), word(machine, 0x1008)]).toEqual([0n, 1n]);
});
