import { describe, expect, it } from 'vitest';
import { asm, kernelImage, ramBase } from './guest.test-support';
import { Machine } from './machine';

// The built-in SBI with several harts. Every hart runs the same code: a call, then a loop.

const [ecall, loop] = [0x73, 0x6f];
const code = ramBase + 0x200000n + 64n;
const [ipi, fence, hsm, time] = [0x735049, 0x52464e43, 0x48534d, 0x54494d45];
const [start, stop, status, suspend] = [0, 1, 2, 3];
const [sip, sie, stimecmp, mstatus, satp] = [0x144, 0x104, 0x14d, 0x300, 0x180];
const all = 2n ** 64n - 1n;
const quantum = 5_000;

function boot(harts = 3): Machine {
  const machine = Machine.create({ ramBytes: 4 * 2 ** 20, harts });
  machine.loadKernel(kernelImage([ecall, loop]));
  machine.run(1);
  return machine;
}

function prepare(machine: Machine, hart: number, extension: number, number: number, ...values: bigint[]): void {
  machine.setX(17, BigInt(extension), hart);
  machine.setX(16, BigInt(number), hart);
  values.forEach((value, i) => machine.setX(10 + i, value, hart));
}

/** Lets hart 0, whose turn it is, call, and answers a0 and a1. */
function call(machine: Machine, extension: number, number: number, ...values: bigint[]): bigint[] {
  prepare(machine, 0, extension, number, ...values);
  machine.pc = code;
  machine.run(machine.retired + 1);
  return [BigInt.asIntN(64, machine.getX(10, 0)), machine.getX(11, 0)];
}

/** Runs to a moment at which it is hart 0's turn again, and all others have had one. */
function goRound(machine: Machine): void {
  machine.run(machine.retired + 2 * quantum);
  while (machine.hart !== 0) machine.run(machine.retired + 100);
}

/** A machine whose hart 1 has made a call as its first deed. */
function started(extension: number, number: number, ...values: bigint[]): Machine {
  const machine = boot();
  call(machine, hsm, start, 1n, code, 77n);
  prepare(machine, 1, extension, number, ...values);
  goRound(machine);
  return machine;
}

describe('the built-in firmware of several harts', () => {
  it('starts the kernel on hart 0 alone', () => {
    const machine = boot();
    expect([0n, 1n, 2n].map((hart) => call(machine, hsm, status, hart))).toEqual([[0n, 0n], [0n, 1n], [0n, 1n]]);
    expect(machine.run(100_000)).toBe('limit');
    expect([machine.hart, machine.getCsr(0xb02)]).toEqual([0, 100_000n]);
  });

  it('starts another where it is told to, as the kernel expects it', () => {
    const machine = boot();
    expect(call(machine, hsm, start, 2n, code + 4n, 0x1234n)).toEqual([0n, 0n]);
    expect([machine.getPc(2), machine.getX(10, 2), machine.getX(11, 2), machine.getCsr(satp, 2)]).toEqual([code + 4n, 2n, 0x1234n, 0n]);
    expect((machine.getCsr(mstatus, 2) ?? 0n) & 2n).toBe(0n);
    expect(call(machine, hsm, status, 2n)).toEqual([0n, 0n]);
    machine.run(2 * quantum);
    expect(machine.getCsr(0xb02, 2)).toBe(BigInt(quantum));
  });

  it.each<[string, bigint[], bigint]>([
    ['that runs', [0n, code, 0n], -6n],
    ['that is not there', [3n, code, 0n], -3n],
    ['that is far from there', [all, code, 0n], -3n],
    ['outside of RAM', [1n, 0x1000n, 0n], -5n],
  ])('does not start a hart %s', (_, values, error) => {
    expect(call(boot(), hsm, start, ...values)[0]).toBe(error);
  });

  it('stops a hart, which may be started again', () => {
    const machine = started(hsm, stop);
    expect(call(machine, hsm, status, 1n)).toEqual([0n, 1n]);
    expect(machine.getCsr(0xb02, 1)).toBe(1n);
    expect(call(machine, hsm, start, 1n, code + 4n, 5n)).toEqual([0n, 0n]);
    goRound(machine);
    expect(machine.getCsr(0xb02, 1)).toBe(BigInt(quantum) + 1n);
  });

  it('starts a hart anew without what it knew of its old page tables', () => {
    const machine = Machine.create({ ramBytes: 4 * 2 ** 20, harts: 2 });
    const put = (at: bigint, value: bigint): boolean => machine.writeMemory(at, new Uint8Array(BigUint64Array.of(value).buffer));
    machine.loadKernel(kernelImage([ecall, loop, asm.csrrw(0, satp, 11), asm.lw(5, 6, 0), ecall, asm.lw(7, 6, 0), loop]));
    // Sv39: RAM's first 2 MiB are its second ones, and those are themselves.
    const entry = (page: bigint, flags: bigint): bigint => ((page >> 12n) << 10n) | flags;
    put(ramBase + 0x100010n, entry(ramBase + 0x101000n, 1n));
    put(ramBase + 0x101000n, entry(ramBase + 0x200000n, 0xcfn));
    put(ramBase + 0x101008n, entry(ramBase + 0x200000n, 0xcfn));
    put(ramBase + 64n, 0x1234n);
    machine.run(1);
    machine.setX(6, ramBase + 64n, 1);
    prepare(machine, 1, hsm, stop);
    call(machine, hsm, start, 1n, code + 8n, (8n << 60n) | ((ramBase + 0x100000n) >> 12n));
    goRound(machine);
    expect(call(machine, hsm, status, 1n)).toEqual([0n, 1n]);
    expect(machine.getX(5, 1)).toBe(BigInt(ecall));
    expect(call(machine, hsm, start, 1n, code + 20n, 0n)).toEqual([0n, 0n]);
    goRound(machine);
    expect(machine.getX(7, 1)).toBe(0x1234n);
  });

  it('is idle when all harts have stopped', () => {
    const machine = boot();
    prepare(machine, 0, hsm, stop);
    machine.pc = code;
    expect([machine.run(1000), machine.run(1000), machine.retired]).toEqual(['idle', 'idle', 2]);
  });

  it('suspends a hart until an interrupt is pending, and it returns', () => {
    const machine = started(hsm, suspend, 0n);
    expect(call(machine, hsm, status, 1n)).toEqual([0n, 4n]);
    call(machine, ipi, 0, 2n, 0n);
    goRound(machine);
    // It has not enabled that interrupt.
    expect(call(machine, hsm, status, 1n)).toEqual([0n, 4n]);
    machine.setCsr(0x304, 2n, 1);
    goRound(machine);
    expect(call(machine, hsm, status, 1n)).toEqual([0n, 0n]);
    expect([machine.getPc(1), machine.getX(10, 1)]).toEqual([code + 4n, 0n]);
  });

  it('suspends a hart that resumes elsewhere', () => {
    const machine = started(hsm, suspend, 0x80000000n, code + 4n, 0x99n);
    expect(call(machine, hsm, status, 1n)).toEqual([0n, 4n]);
    machine.setCsr(0x304, 2n, 1);
    call(machine, ipi, 0, 2n, 0n);
    goRound(machine);
    expect([machine.getPc(1), machine.getX(10, 1), machine.getX(11, 1)]).toEqual([code + 4n, 1n, 0x99n]);
  });

  it.each<[string, bigint[], bigint]>([
    ['a kind that is reserved', [1n], -3n],
    ['an address outside of RAM', [0x80000000n, 0n], -5n],
  ])('does not suspend a hart with %s', (_, values, error) => {
    expect(call(boot(), hsm, suspend, ...values)[0]).toBe(error);
  });

  it.each<[string, bigint[], number[]]>([
    ['a mask', [0b101n, 0n], [0, 2]],
    ['a mask from hart 1 on', [0b11n, 1n], [1, 2]],
    ['all', [0n, all], [0, 1, 2]],
    ['nobody', [0n, 0n], []],
  ])('interrupts the harts of %s', (_, values, expected) => {
    const machine = boot();
    expect(call(machine, ipi, 0, ...values)).toEqual([0n, 0n]);
    expect([0, 1, 2].filter((hart) => ((machine.getCsr(sip, hart) ?? 0n) & 2n) !== 0n)).toEqual(expected);
  });

  it.each<[string, bigint[], bigint]>([
    ['some', [0b110n, 0n], 0n],
    ['all', [0n, all], 0n],
    ['one that is not there', [0b1000n, 0n], -3n],
    ['one that is not there, counted from another', [0b10n, 2n], -3n],
    ['a base that is not there', [1n, 3n], -3n],
  ])('fences and interrupts the harts of a mask with %s', (_, values, error) => {
    expect([0, 1, 2].map((number) => call(boot(), fence, number, ...values)[0])).toEqual([error, error, error]);
    expect(call(boot(), ipi, 0, ...values)[0]).toBe(error);
  });

  it('takes the mask of a legacy call from memory', () => {
    const machine = boot();
    machine.writeMemory(ramBase, Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0));
    call(machine, 4, 0, ramBase);
    expect([0, 1, 2].map((hart) => machine.getCsr(sip, hart))).toEqual([0n, 2n, 2n]);
    const wrong = boot();
    call(wrong, 4, 0, 8n);
    expect([0, 1, 2].map((hart) => wrong.getCsr(sip, hart))).toEqual([0n, 0n, 0n]);
    expect(wrong.traps().exceptions).toBe(0);
  });

  it('sets the timer of the hart that calls', () => {
    const machine = started(time, 0, 123n);
    expect([machine.getCsr(stimecmp, 1), machine.getCsr(stimecmp, 0)]).toEqual([123n, all]);
    expect(machine.getCsr(sie, 1)).toBe(0n);
  });
});
