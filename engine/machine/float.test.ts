import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../isa/encode.test-support';
import { formats, instructions, type Instruction } from '../isa/instructions';
import { Machine } from './machine';

const code = 0x8000_0000n;
const data = 0x8000_1000n;
const handler = 0x8000_2000n;
const csr = { fflags: 1, frm: 2, fcsr: 3, mstatus: 0x300, mtvec: 0x305, mepc: 0x341, mcause: 0x342 };
const FS = 0x6000n;
const SD = 1n << 63n;
const illegal = 2n;

const floating = instructions.filter(({ extension }) => extension === 'F' || extension === 'D');
function row(mnemonic: string): Instruction {
  const found = instructions.find((candidate) => candidate.mnemonic === mnemonic);
  if (found === undefined) throw new Error(`no instruction "${mnemonic}"`);
  return found;
}

let machine: Machine;
beforeEach(() => {
  machine = Machine.create({ ramBytes: 1 << 16 });
  machine.setCsr(csr.mtvec, handler);
  // csrrs x0, mscratch, x0: what retires when a trap was taken.
  write(handler, encode(row('csrrs'), { imm: 0x340 }));
  switchTo(1n);
});

function write(address: bigint, raw: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(raw);
  machine.writeMemory(address, bytes);
}

/** mstatus.FS: 0 off, 1 initial, 2 clean, 3 dirty. */
function switchTo(fs: bigint): void {
  machine.setCsr(csr.mstatus, fs << 13n);
}

const status = (): bigint => (machine.getCsr(csr.mstatus) ?? 0n) & (FS | SD);

/** Runs one instruction from the start of the code. @returns the cause if it trapped */
function execute(raw: number): bigint | undefined {
  write(code, raw);
  machine.pc = code;
  machine.setX(10, data);
  const before = machine.traps().exceptions;
  machine.run(machine.retired + 1);
  if (machine.traps().exceptions === before) {
    expect(machine.pc).toBe(code + 4n);
    return undefined;
  }
  expect(machine.pc).toBe(handler + 4n);
  expect(machine.getCsr(csr.mepc)).toBe(code);
  return machine.getCsr(csr.mcause);
}

describe('floating point and mstatus.FS', () => {
  it.each(floating)('$mnemonic is illegal while it is off, and changes nothing', (instruction) => {
    switchTo(0n);
    for (let index = 0; index < 32; index++) machine.setF(index, 0x3ff0000000000000n);
    machine.setX(9, 77n);
    const before = machine.snapshot();
    expect(execute(encode(instruction, { rd: 9, rs1: 10, rs2: 11, rs3: 12 }))).toBe(illegal);
    expect(machine.getX(9)).toBe(77n);
    expect(machine.getF(9)).toBe(0x3ff0000000000000n);
    expect(status()).toBe(0n);
    const places = machine.snapshot().difference(before).map(({ place }) => place);
    expect(places.filter((place) => /^f|^memory\[0x80001/.test(place))).toEqual([]);
  });

  it.each(['fflags', 'frm', 'fcsr'] as const)('reading %s is illegal while it is off', (name) => {
    switchTo(0n);
    expect(execute(encode(row('csrrs'), { rd: 9, imm: csr[name] }))).toBe(illegal);
  });

  it.each(floating.filter(({ writes, stores }) => writes === 'f' && !stores))('$mnemonic makes it dirty', (instruction) => {
    expect(execute(encode(instruction, { rd: 9, rs1: 10, rs2: 11, rs3: 12 }))).toBeUndefined();
    expect(status()).toBe(FS | SD);
  });

  it.each(['fflags', 'frm', 'fcsr'] as const)('writing %s makes it dirty', (name) => {
    expect(execute(encode(row('csrrwi'), { rs1: 1, imm: csr[name] }))).toBeUndefined();
    expect(status()).toBe(FS | SD);
  });

  it('raising an exception makes it dirty, though only an integer register is written', () => {
    machine.setF(1, 0x7ff0000000000001n);
    expect(execute(encode(row('feq.d'), { rd: 9, rs1: 1, rs2: 1 }))).toBeUndefined();
    expect(machine.getCsr(csr.fflags)).toBe(0x10n);
    expect(status()).toBe(FS | SD);
  });

  it.each(['fsw', 'fsd'])('%s leaves it alone', (mnemonic) => {
    expect(execute(encode(row(mnemonic), { rs1: 10, rs2: 1 }))).toBeUndefined();
    expect(status()).toBe(1n << 13n);
  });
});

describe('rounding modes', () => {
  const rounding = floating.filter(({ format }) => formats[format].rm);

  it.each(rounding)('$mnemonic with a reserved static mode is illegal', (instruction) => {
    for (const rm of [5, 6]) expect(execute(encode(instruction, { rd: 9, rs1: 10, rs2: 11, rs3: 12, rm })), `rm ${rm}`).toBe(illegal);
  });

  it.each(rounding)('$mnemonic is illegal if its mode is dynamic and frm is reserved', (instruction) => {
    for (const frm of [5n, 6n, 7n]) {
      machine.setCsr(csr.frm, frm);
      expect(execute(encode(instruction, { rd: 9, rs1: 10, rs2: 11, rs3: 12, rm: 7 })), `frm ${frm}`).toBe(illegal);
      expect(execute(encode(instruction, { rd: 9, rs1: 10, rs2: 11, rs3: 12, rm: 1 })), `frm ${frm}, static`).toBeUndefined();
    }
  });

  it('keeps frm and fflags apart in fcsr', () => {
    machine.setCsr(csr.fcsr, 0xffffn);
    expect([machine.getCsr(csr.fcsr), machine.getCsr(csr.frm), machine.getCsr(csr.fflags)]).toEqual([0xffn, 7n, 0x1fn]);
    machine.setCsr(csr.frm, 2n);
    expect(machine.getCsr(csr.fcsr)).toBe(0x5fn);
    machine.setCsr(csr.fflags, 0n);
    expect(machine.getCsr(csr.fcsr)).toBe(0x40n);
  });
});

describe('underflow', () => {
  // (1 + x)(1 - x) times the smallest normal number: rounded as a subnormal it is that number, rounded
  // to full precision it is below. Inexact is set before, which is when the host may compute instead.
  it.each([
    ['fmul.s', 0xffffffff008006can, 0xffffffff3f7ff26cn, 0xffffffff00800000n],
    ['fmul.d', 0x0010000002666666n, 0x3feffffffb333334n, 0x0010000000000000n],
  ] as const)('%s raises it for a tiny result that rounds to the smallest normal number', (mnemonic, a, b, product) => {
    machine.setF(1, a);
    machine.setF(2, b);
    machine.setCsr(csr.fflags, 1n);
    expect(execute(encode(row(mnemonic), { rd: 3, rs1: 1, rs2: 2 }))).toBeUndefined();
    expect(machine.getF(3)).toBe(product);
    expect(machine.getCsr(csr.fflags)).toBe(3n);
  });
});

describe('registers', () => {
  it.each(floating.filter(({ writes }) => writes === 'x'))('$mnemonic to x0 leaves it zero and still raises', (instruction) => {
    // A signaling NaN of either format.
    machine.setF(1, instruction.mnemonic.includes('.s') ? 0xffffffff7f800001n : 0x7ff0000000000001n);
    expect(execute(encode(instruction, { rd: 0, rs1: 1, rs2: 1 }))).toBeUndefined();
    expect(machine.getX(0)).toBe(0n);
    const raises = /^(feq|flt|fle|fcvt)/.test(instruction.mnemonic);
    expect(machine.getCsr(csr.fflags)).toBe(raises ? 0x10n : 0n);
    expect(execute(encode(row('add'), { rd: 9, rs1: 0, rs2: 0 }))).toBeUndefined();
    expect(machine.getX(9)).toBe(0n);
  });

  it('boxes a single that is loaded, and stores the lower half of a register whatever is above', () => {
    machine.writeMemory(data, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    execute(encode(row('flw'), { rd: 1, rs1: 10 }));
    expect(machine.getF(1)).toBe(0xffffffff04030201n);
    execute(encode(row('fld'), { rd: 1, rs1: 10 }));
    expect(machine.getF(1)).toBe(0x0807060504030201n);
    execute(encode(row('fsw'), { rs1: 10, rs2: 1, imm: 4 }));
    expect([...(machine.readMemory(data, 8) ?? [])]).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
    execute(encode(row('fsd'), { rs1: 10, rs2: 1 }));
    expect([...(machine.readMemory(data, 8) ?? [])]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('has a zeroth floating-point register like the others', () => {
    machine.setX(9, 42n);
    execute(encode(row('fmv.d.x'), { rd: 0, rs1: 9 }));
    expect(machine.getF(0)).toBe(42n);
  });

  it('moves the raw lower half of an unboxed register', () => {
    machine.setF(1, 0x1234567887654321n);
    execute(encode(row('fmv.x.w'), { rd: 9, rs1: 1 }));
    expect(machine.getX(9)).toBe(0xffffffff87654321n);
  });
});
