import { describe, expect, it } from 'vitest';
import { asm, machineWith, ramBase } from './guest.test-support';
import type { Machine } from './machine';

const data = ramBase + 0x1000n;
const csr = { fflags: 0x001, mstatus: 0x300, mtvec: 0x305, mscratch: 0x340, mepc: 0x341 };

/** Digests of two machines with the same code, of which `prepare` changes the second. */
function digests(words: number[], steps: number, prepare: (second: Machine) => void): [bigint, bigint] {
  const machines = [machineWith(words), machineWith(words)] as const;
  for (const machine of machines) {
    machine.setX(5, data);
    machine.setCsr(csr.mstatus, 0x6000n);
    machine.setCsr(csr.mtvec, ramBase + 0x100n);
    machine.setCsr(csr.mepc, ramBase + 4n);
  }
  prepare(machines[1]);
  for (const machine of machines) {
    machine.run(steps, { collectEffects: true });
    expect(machine.retired).toBe(steps);
  }
  return [machines[0].effects(), machines[1].effects()];
}

const loop = asm.jal(0, 0);
// fadd.s f1, f2, f3 with the mode round-to-nearest
const faddS = (3 << 20) | (2 << 15) | (1 << 7) | 0x53;
const amoorW = (rd: number, rs2: number, rs1: number): number =>
  ((0b01000 << 27) | (rs2 << 20) | (rs1 << 15) | (2 << 12) | (rd << 7) | 0x2f) >>> 0;
const one = 0xffffffff3f800000n;
const tiny = 0xffffffff00800000n;

describe('what an instruction does not touch is not its effect', () => {
  it.each<[string, number[], (second: Machine) => void]>([
    ['a register', [asm.addi(1, 1, 1), loop], (m) => m.setX(9, 5n)],
    ['memory', [asm.addi(1, 1, 1), loop], (m) => m.writeMemory(data, Uint8Array.of(1))],
    ['an exception flag', [asm.addi(1, 1, 1), loop], (m) => m.setCsr(csr.fflags, 1n)],
    ['the address of a load that gives the same value', [asm.lw(1, 5, 0), loop], (m) => m.setX(5, data + 4n)],
    ['a value that a failing store conditional would have stored', [asm.scW(1, 2, 5), loop], (m) => m.setX(2, 9n)],
    ['what an atomic OR sets anyway', [asm.addi(2, 0, 1), asm.addi(0, 0, 0), amoorW(0, 2, 5), loop], (m) => m.writeMemory(data, Uint8Array.of(1))],
  ])('%s', (_, words, prepare) => {
    const [first, second] = digests(words, words.length - 1, prepare);
    expect(second).toBe(first);
  });

  it('raised flags count whatever has been raised before', () => {
    const [a, b] = [machineWith([faddS, loop]), machineWith([faddS, loop])];
    for (const machine of [a, b]) {
      machine.setCsr(csr.mstatus, 0x6000n);
      machine.setF(2, one);
      machine.setF(3, tiny);
    }
    b.setCsr(csr.fflags, 0x11n);
    for (const machine of [a, b]) machine.run(1, { collectEffects: true });
    expect(a.effects()).toBe(b.effects());
    expect([a.getCsr(csr.fflags), b.getCsr(csr.fflags)]).toEqual([1n, 0x11n]);
  });
});

describe('what an instruction does differently is', () => {
  it.each<[string, number[], (second: Machine) => void]>([
    ['a register written', [asm.addi(1, 2, 0), loop], (m) => m.setX(2, 1n)],
    ['a value stored', [asm.sw(1, 5, 0), loop], (m) => m.setX(1, 1n)],
    ['the address of a store', [asm.sw(1, 5, 0), loop], (m) => m.setX(5, data + 4n)],
    ['a CSR set, though its old value goes nowhere', [asm.addi(1, 0, 2), asm.csrrs(0, csr.mscratch, 1), loop], (m) => m.setCsr(csr.mscratch, 4n)],
    ['the place of a reservation', [asm.lrW(1, 5), loop], (m) => m.setX(5, data + 8n)],
    ['what an atomic leaves in memory', [asm.addi(2, 0, 1), amoorW(0, 2, 5), loop], (m) => m.writeMemory(data, Uint8Array.of(2))],
    ['the state that mret leads to', [asm.mret, loop], (m) => m.setCsr(csr.mstatus, 0x6080n)],
  ])('%s', (_, words, prepare) => {
    const [first, second] = digests(words, words.length - 1, prepare);
    expect(second).not.toBe(first);
  });

  it('the cause of a trap', () => {
    const run = (word: number): bigint => {
      const machine = machineWith([word, loop]);
      machine.setCsr(csr.mtvec, ramBase + 4n);
      machine.run(1, { collectEffects: true });
      return machine.effects();
    };
    expect(run(asm.ecall)).not.toBe(run(asm.ebreak));
  });

  it('an interrupt', () => {
    const [quiet, interrupted] = [false, true].map((raise) => {
      // The handler is where the guest goes on anyway, so that only the interrupt itself tells.
      const machine = machineWith([asm.sw(1, 5, 0), asm.addi(2, 2, 1), loop]);
      machine.setX(5, 0x2000000n);
      machine.setX(1, 1n);
      machine.setCsr(csr.mtvec, ramBase + 4n);
      machine.setCsr(0x304, 8n);
      machine.setCsr(csr.mstatus, raise ? 8n : 0n);
      machine.run(2, { collectEffects: true });
      expect([machine.pc, machine.interrupts]).toEqual([ramBase + 8n, raise ? 1 : 0]);
      return machine.effects();
    });
    expect(interrupted).not.toBe(quiet);
  });
});

it.each([
  ['stalls at an atomic', asm.scW(0, 0, 0), 'stalled'],
  ['sleeps', asm.wfi, 'idle'],
] as const)('a guest that %s does nothing more, however often it is asked', (_, word, stop) => {
  const machine = machineWith([word, loop]);
  machine.setCsr(csr.mtvec, ramBase);
  expect(machine.run(10, { collectEffects: true })).toBe(stop);
  const effects = machine.effects();
  expect(machine.run(10, { collectEffects: true })).toBe(stop);
  expect(machine.effects()).toBe(effects);
});
