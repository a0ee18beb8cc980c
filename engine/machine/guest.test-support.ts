import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readElf } from '../symbols/elf';
import { Machine } from './machine';
import type { StopReason } from './types';

const ramBase = 0x8000_0000n;

/** A machine with an example's committed ELF loaded. */
export function exampleMachine(name: 'checksum' | 'sort' | 'ticker'): Machine {
  const machine = Machine.create({ ramBytes: 16 * 1024 * 1024 });
  machine.load(readElf(new Uint8Array(readFileSync(resolve(import.meta.dirname, `../../examples/${name}/${name}.elf`)))));
  return machine;
}

/** A machine with instruction words (16 or 32 bits each, by their low bits) from the start of RAM. */
export function machineWith(words: readonly number[], ramBytes = 64 * 1024, harts = 1): Machine {
  const machine = Machine.create({ ramBytes, harts });
  const bytes = words.flatMap((word) => {
    const length = (word & 3) === 3 ? 4 : 2;
    return Array.from({ length }, (_, i) => (word >>> (8 * i)) & 0xff);
  });
  machine.load({ entry: ramBase, segments: [{ address: ramBase, data: Uint8Array.from(bytes), memoryBytes: bytes.length }] });
  return machine;
}

/** A flat image whose code is `words`, behind the header that a boot loader looks for. */
export function kernelImage(words: readonly number[], memoryBytes = 4096): Uint8Array {
  const bytes = new Uint8Array(64 + words.length * 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0400006f, true); // jal x0, 64
  view.setBigUint64(8, 0x200000n, true);
  view.setBigUint64(16, BigInt(memoryBytes), true);
  view.setUint32(56, 0x05435352, true);
  words.forEach((word, i) => view.setUint32(64 + i * 4, word, true));
  return bytes;
}

/** Runs to `limit` in steps of the given sizes, over and over. */
export function runSliced(machine: Machine, limit: number, sizes: readonly number[]): StopReason {
  for (let turn = 0; ; turn++) {
    const stop = machine.run(Math.min(limit, machine.retired + (sizes[turn % sizes.length] ?? 1)), { stepOver: true });
    if (stop !== 'limit' || machine.retired >= limit) return stop;
  }
}

/** Encodings that tests put together by hand: The RISC-V Instruction Set Manual, volume I, chapter 35. */
export const asm = {
  addi: (rd: number, rs1: number, imm: number) => (((imm & 0xfff) << 20) | (rs1 << 15) | (rd << 7) | 0x13) >>> 0,
  lui: (rd: number, imm20: number) => ((imm20 << 12) | (rd << 7) | 0x37) >>> 0,
  auipc: (rd: number, imm20: number) => ((imm20 << 12) | (rd << 7) | 0x17) >>> 0,
  sw: (rs2: number, rs1: number, imm: number) =>
    ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (2 << 12) | ((imm & 31) << 7) | 0x23) >>> 0,
  sb: (rs2: number, rs1: number, imm: number) =>
    ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | ((imm & 31) << 7) | 0x23) >>> 0,
  lw: (rd: number, rs1: number, imm: number) => (((imm & 0xfff) << 20) | (rs1 << 15) | (2 << 12) | (rd << 7) | 0x03) >>> 0,
  ld: (rd: number, rs1: number, imm: number) => (((imm & 0xfff) << 20) | (rs1 << 15) | (3 << 12) | (rd << 7) | 0x03) >>> 0,
  jal: (rd: number, offset: number) =>
    ((((offset >> 20) & 1) << 31) |
      (((offset >> 1) & 0x3ff) << 21) |
      (((offset >> 11) & 1) << 20) |
      (((offset >> 12) & 0xff) << 12) |
      (rd << 7) |
      0x6f) >>>
    0,
  csrrw: (rd: number, csr: number, rs1: number) => ((csr << 20) | (rs1 << 15) | (1 << 12) | (rd << 7) | 0x73) >>> 0,
  csrrs: (rd: number, csr: number, rs1: number) => ((csr << 20) | (rs1 << 15) | (2 << 12) | (rd << 7) | 0x73) >>> 0,
  ebreak: 0x00100073,
  ecall: 0x00000073,
  wfi: 0x10500073,
  mret: 0x30200073,
  fenceI: 0x0000100f,
  lrW: (rd: number, rs1: number) => ((2 << 27) | (rs1 << 15) | (2 << 12) | (rd << 7) | 0x2f) >>> 0,
  scW: (rd: number, rs2: number, rs1: number) => ((3 << 27) | (rs2 << 20) | (rs1 << 15) | (2 << 12) | (rd << 7) | 0x2f) >>> 0,
};

export { ramBase };
