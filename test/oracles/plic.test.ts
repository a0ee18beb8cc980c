import { expect, test } from 'vitest';
import { asm } from '../../engine/machine/guest.test-support';
import { makeElf } from './elf-writer';
import { needsQemu72, runQemuImage } from './qemu';
import { runMachine } from './run-machine';

const [value, uart, plic, claims] = [5, 6, 7, 8];

/**
 * Makes the UART interrupt with priority 3, and claims in machine mode (context 0) under each threshold. Whether MEIP
 * stands, what the claim gives and what a second one gives become bytes of output.
 */
function guest(thresholds: readonly number[]): Uint8Array {
  const print = (register: number): number => asm.sb(register, uart, 0);
  const set = (imm: number, at: number): number[] => [asm.addi(value, 0, imm), asm.sw(value, plic, at)];
  const code = [asm.lui(uart, 0x10000), asm.lui(plic, 0xc000), ...set(3, 40), asm.lui(plic, 0xc002), ...set(0x400, 0), asm.lui(plic, 0xc200)];
  // "The transmitter is empty" interrupts as it is enabled.
  code.push(asm.addi(value, 0, 2), asm.sb(value, uart, 1));
  for (const threshold of thresholds) {
    code.push(...set(threshold, 0), asm.csrrs(value, 0x344, 0), shiftRight(value, 8), asm.lw(claims, plic, 4), asm.lw(9, plic, 4));
    code.push(print(value), print(claims), print(9), asm.sw(claims, plic, 4));
  }
  code.push(asm.lui(value, 5), asm.addi(value, value, 0x555), asm.lui(plic, 0x100), asm.sw(value, plic, 0));
  return makeElf(0x8000_0000n, new Uint8Array(Uint32Array.from(code).buffer));
}

/** `srli register, register, by`. */
const shiftRight = (register: number, by: number): number => ((by << 20) | (register << 15) | (5 << 12) | (register << 7) | 0x13) >>> 0;

/** MEIP as it is printed, and the UART's source. */
const [meip, source] = [8, 10];

test('a claim gives what is pending, whatever the threshold, which only keeps it from interrupting', () => {
  expect([...runMachine(guest([0, 2, 3, 7, 0])).output]).toEqual([
    ...[meip, source, 0],
    ...[meip, source, 0],
    ...[0, source, 0],
    ...[0, source, 0],
    ...[meip, source, 0],
  ]);
});

test.skipIf(needsQemu72 !== '')(`qemu agrees, but for claims of what the threshold masks${needsQemu72}`, async () => {
  const below = guest([0, 2, 1, 0]);
  expect([...(await runQemuImage(below)).output]).toEqual([...runMachine(below).output]);
  expect([...(await runQemuImage(guest([3, 7]))).output]).toEqual([0, 0, 0, 0, 0, 0]);
});
