/** Machine code for guests of random instructions: encodings come from the instruction table. */
import { instructionNamed } from '../../engine/isa/decode';
import { formats } from '../../engine/isa/instructions';
import type { ImmediateLayout } from '../../engine/isa/layout';

/** What a row of either table says of an encoding. */
export interface Row {
  match: number;
  mask: number;
  immediate: ImmediateLayout | null;
}

/** Puts an immediate where the layout has it. */
export function place(layout: ImmediateLayout, value: number): number {
  let raw = 0;
  for (const { source, width, target } of layout.pieces) {
    raw |= ((value >> target) & (2 ** width - 1)) << source;
  }
  return raw;
}

/** One of the table's rows with given fields; whatever else is free in it stays zero. */
export function encode(mnemonic: string, fields: { rd?: number; rs1?: number; rs2?: number; immediate?: number } = {}): number {
  const row = instructionNamed(mnemonic);
  const { immediate: layout } = formats[row.format];
  const { rd = 0, rs1 = 0, rs2 = 0, immediate = 0 } = fields;
  return (row.match | (rd << 7) | (rs1 << 15) | (rs2 << 20) | (layout ? place(layout, immediate) : 0)) >>> 0;
}

/** Instructions that leave a constant in a register: lui and addi, then shifts and additions as many as it needs. */
export function loadImmediate(rd: number, value: bigint): number[] {
  const signed = BigInt.asIntN(64, value);
  const low = Number(BigInt.asIntN(12, signed));
  const rest = (signed - BigInt(low)) >> 12n;
  const add = (rs1: number): number[] => [encode('addi', { rd, rs1, immediate: low })];
  if (rest === 0n) return add(0);
  if (signed >= -(1n << 31n) && signed < 1n << 31n) {
    const upper = encode('lui', { rd, immediate: Number(BigInt.asIntN(32, rest << 12n)) });
    // addiw, because lui and addi of values just below 2^31 leave the 32 bits on their way.
    return low === 0 ? [upper] : [upper, encode('addiw', { rd, rs1: rd, immediate: low })];
  }
  const shifted = [...loadImmediate(rd, rest), encode('slli', { rd, rs1: rd, immediate: 12 })];
  return low === 0 ? shifted : [...shifted, ...add(rd)];
}

/** CSR numbers: The RISC-V Instruction Set Manual, volume II, tables 2.2 to 2.6. */
export const csr = {
  fflags: 0x001, frm: 0x002, fcsr: 0x003,
  sstatus: 0x100, sie: 0x104, stvec: 0x105, scounteren: 0x106, senvcfg: 0x10a,
  sscratch: 0x140, sepc: 0x141, scause: 0x142, stval: 0x143, sip: 0x144, satp: 0x180,
  mstatus: 0x300, misa: 0x301, medeleg: 0x302, mideleg: 0x303, mie: 0x304, mtvec: 0x305, mcounteren: 0x306, menvcfg: 0x30a,
  mscratch: 0x340, mepc: 0x341, mcause: 0x342, mtval: 0x343, mip: 0x344,
  pmpcfg0: 0x3a0, pmpcfg2: 0x3a2, pmpaddr0: 0x3b0,
} as const;

/** Bytes of an instruction. */
export const lengthOf = (raw: number): number => ((raw & 3) === 3 ? 4 : 2);

/** Code and data under construction, from `origin` up. */
export class Code {
  readonly #bytes: number[] = [];

  constructor(readonly origin: number) {}

  get address(): number {
    return this.origin + this.#bytes.length;
  }

  put(...instructions: number[]): void {
    for (const raw of instructions) this.#write(this.#bytes.length, raw, lengthOf(raw));
  }

  putDouble(value: bigint): void {
    for (let i = 0n; i < 64n; i += 8n) this.#bytes.push(Number((value >> i) & 0xffn));
  }

  align(bytes: number): void {
    while (this.#bytes.length % bytes !== 0) this.#bytes.push(0);
  }

  /** Room for instructions that are not known yet; returns its address. */
  hole(bytes: number): number {
    const at = this.address;
    for (let i = 0; i < bytes; i++) this.#bytes.push(0);
    return at;
  }

  fill(at: number, instructions: number[]): void {
    for (const raw of instructions) {
      this.#write(at - this.origin, raw, lengthOf(raw));
      at += lengthOf(raw);
    }
  }

  /** auipc and addi, 8 bytes. */
  fillAddress(at: number, rd: number, address: number): void {
    const distance = address - at;
    const low = (distance << 20) >> 20;
    this.fill(at, [encode('auipc', { rd, immediate: distance - low }), encode('addi', { rd, rs1: rd, immediate: low })]);
  }

  loadAddress(rd: number, address: number): void {
    this.fillAddress(this.hole(8), rd, address);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #write(at: number, raw: number, length: number): void {
    for (let i = 0; i < length; i++) this.#bytes[at + i] = (raw >>> (8 * i)) & 0xff;
  }
}
