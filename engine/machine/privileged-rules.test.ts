import { beforeEach, describe, expect, it } from 'vitest';
import { asm, machineWith, ramBase } from './guest.test-support';
import type { Machine } from './machine';

// Rules of The RISC-V Instruction Set Manual, volume II, and of the PLIC, that no common program leans on.

const csr = {
  senvcfg: 0x10a, scounteren: 0x106, stvec: 0x105, mstatus: 0x300, mideleg: 0x303, mie: 0x304, mtvec: 0x305, mcounteren: 0x306,
  menvcfg: 0x30a, mepc: 0x341, mcause: 0x342, mtval: 0x343, mip: 0x344, scause: 0x142, cycle: 0xc00, pmpcfg0: 0x3a0, pmpaddr0: 0x3b0,
};
const sret = 0x10200073;
const loop = asm.jal(0, 0);
const handler = ramBase + 0x800n;
const code = ramBase + 0x100n;
const data = ramBase + 0x2000n;
const mprv = 1n << 17n;
const plic = 0xc000000n;
const cbo = (kind: number, rs1: number): number => ((kind << 20) | (rs1 << 15) | (2 << 12) | 0x0f) >>> 0;
const [inval, flush, zero] = [0, 2, 4];

let machine: Machine;
const get = (number: number): bigint => machine.getCsr(number) ?? -1n;
const bytesOf = (words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

beforeEach(() => {
  machine = machineWith([asm.mret], 64 * 4096);
  machine.writeMemory(handler, bytesOf([loop]));
  machine.setCsr(csr.mtvec, handler);
  machine.setCsr(csr.pmpaddr0, (1n << 54n) - 1n);
  machine.setCsr(csr.pmpcfg0, 0x1fn);
});

/** Runs words in machine mode. */
function run(words: readonly number[]): void {
  machine.writeMemory(code, bytesOf([...words, loop]));
  machine.pc = code;
  machine.run(machine.retired + words.length);
}

/** Goes to user (0) or supervisor (1) mode and tries words there; a call ends them. What the last trap was. */
function tryAs(privilege: bigint, words: readonly number[]): bigint {
  machine.writeMemory(code, bytesOf([...words, asm.ecall]));
  machine.setCsr(csr.mepc, code);
  machine.setCsr(csr.mstatus, privilege << 11n);
  machine.pc = ramBase;
  machine.run(machine.retired + 1 + words.length + 1);
  return get(csr.mcause);
}
const called = (privilege: bigint): bigint => 8n + privilege;

/** Lets a machine-mode register write happen as a guest's would. */
function write(number: number, value: bigint): void {
  machine.setX(31, value);
  run([asm.csrrw(0, number, 31)]);
}

describe('returns', () => {
  it.each([0n, 1n])('of machine mode to mode %i switch MPRV off', (privilege) => {
    machine.setCsr(csr.mepc, code);
    machine.setCsr(csr.mstatus, mprv | (privilege << 11n));
    machine.pc = ramBase;
    machine.run(1);
    expect(get(csr.mstatus) & mprv).toBe(0n);
  });

  it('of machine mode to itself leave MPRV', () => {
    machine.setCsr(csr.mepc, code);
    machine.setCsr(csr.mstatus, mprv | (3n << 11n));
    machine.pc = ramBase;
    machine.run(1);
    expect(get(csr.mstatus) & mprv).toBe(mprv);
  });

  it('of supervisor mode switch MPRV off', () => {
    machine.setCsr(csr.mstatus, mprv | (3n << 11n));
    run([sret]);
    expect(get(csr.mstatus) & mprv).toBe(0n);
  });
});

it('a software interrupt of the supervisor comes before its timer', () => {
  machine.setCsr(csr.mideleg, 0x222n);
  machine.setCsr(csr.mie, 0x22n);
  machine.setCsr(csr.stvec, handler);
  write(csr.mip, 0x22n);
  machine.setCsr(csr.mepc, code);
  machine.setCsr(csr.mstatus, (1n << 11n) | (1n << 5n));
  tryAs(0n, [asm.addi(1, 0, 1)]);
  expect(get(csr.scause)).toBe((1n << 63n) | 1n);
});

it('user mode needs both counter enables', () => {
  const counter = asm.csrrs(5, csr.cycle, 0);
  for (const [machineBit, supervisorBit, user, supervisor] of [[1n, 0n, 2n, 9n], [0n, 1n, 2n, 2n], [1n, 1n, 8n, 9n]] as const) {
    machine.setCsr(csr.mcounteren, machineBit);
    machine.setCsr(csr.scounteren, supervisorBit);
    expect([tryAs(0n, [counter]), tryAs(1n, [counter])]).toEqual([user, supervisor]);
  }
});

it('the supervisor’s timer needs Sstc and the time, for the supervisor alone', () => {
  const timer = asm.csrrs(5, 0x14d, 0);
  for (const [enabled, time, cause] of [[1n << 63n, 2n, called(1n)], [1n << 63n, 0n, 2n], [0n, 2n, 2n]] as const) {
    machine.setCsr(csr.menvcfg, enabled);
    machine.setCsr(csr.mcounteren, time);
    expect(tryAs(1n, [timer])).toBe(cause);
  }
});

describe('cache-block operations', () => {
  it.each([
    ['inval', inval, 0x30n],
    ['flush', flush, 0x40n],
    ['zero', zero, 0x80n],
  ])('%s is enabled for the supervisor by one register, for user mode by both', (_, kind, field) => {
    machine.setX(6, data);
    for (const [ofMachine, ofSupervisor] of [[0n, field], [field, 0n], [field, field]] as const) {
      machine.setCsr(csr.menvcfg, ofMachine);
      machine.setCsr(csr.senvcfg, ofSupervisor);
      expect(tryAs(1n, [cbo(kind, 6)])).toBe(ofMachine === 0n ? 2n : called(1n));
      expect(tryAs(0n, [cbo(kind, 6)])).toBe(ofMachine === 0n || ofSupervisor === 0n ? 2n : called(0n));
    }
  });

  it('fault with the address that they were given', () => {
    machine.setX(6, 0x1234n);
    run([cbo(zero, 6)]);
    expect([get(csr.mcause), get(csr.mtval)]).toEqual([7n, 0x1234n]);
  });
});

describe('the PMP', () => {
  it('takes no region for one that is writable and not readable', () => {
    write(csr.pmpcfg0, 0x1f02n);
    expect(get(csr.pmpcfg0) & 2n).toBe(0n);
  });

  it('refuses an access that has only a part of a region, in machine mode too', () => {
    // Four bytes, for anything.
    machine.setCsr(csr.pmpaddr0, data >> 2n);
    machine.setCsr(csr.pmpaddr0 + 1, (1n << 54n) - 1n);
    machine.setCsr(csr.pmpcfg0, 0x1f17n);
    machine.setX(6, data);
    run([asm.lw(5, 6, 0)]);
    expect(get(csr.mcause)).toBe(0n);
    run([asm.ld(5, 6, 0)]);
    expect([get(csr.mcause), get(csr.mtval)]).toEqual([5n, data]);
  });

  it('holds from the instruction behind the write on', () => {
    machine.setCsr(csr.pmpaddr0 + 1, (data >> 2n) | 0x1ffn);
    machine.setX(6, data);
    // Locked, of no use; but the first region still comes first, until it is off.
    machine.setX(7, 0x9800n);
    run([asm.lw(5, 6, 0), asm.csrrw(0, csr.pmpcfg0, 7), asm.lw(5, 6, 0)]);
    expect([get(csr.mcause), get(csr.mtval), get(csr.mepc)]).toEqual([5n, data, code + 8n]);
  });
});

describe('devices', () => {
  it('are stored to whole and aligned', () => {
    machine.setX(6, 0x2004000n);
    run([asm.sw(0, 6, 2)]);
    expect([get(csr.mcause), get(csr.mtval)]).toEqual([6n, 0x2004002n]);
  });

  it('take no half of a store to RAM', () => {
    machine.setX(6, ramBase + 64n * 4096n - 2n);
    machine.setX(5, 0x1234_5678n);
    run([asm.sw(5, 6, 0)]);
    expect(get(csr.mcause)).toBe(7n);
    expect(machine.readMemory(ramBase + 64n * 4096n - 2n, 2)).toEqual(new Uint8Array(2));
  });

  it('have a time that goes on from what was written', () => {
    machine.setX(6, 0x200bff8n);
    machine.setX(5, 5_000_000n);
    const sd = (rs2: number, rs1: number): number => ((rs2 << 20) | (rs1 << 15) | (3 << 12) | 0x23) >>> 0;
    machine.run(1000);
    run([sd(5, 6), asm.ld(7, 6, 0)]);
    expect(machine.getX(7)).toBe(5_000_000n);
    machine.setX(5, 7n);
    run([sd(5, 6), asm.ld(7, 6, 0)]);
    expect(machine.getX(7)).toBe(7n);
  });

  it('interrupt in the order of their numbers where priorities are equal, and only who may be sent one completes it', () => {
    // The UART is source 10, the clock 11; both are raised.
    const set = (address: bigint, value: bigint): void => {
      machine.setX(6, address);
      machine.setX(5, value);
      run([asm.sw(5, 6, 0)]);
    };
    const read = (address: bigint): bigint => {
      machine.setX(6, address);
      run([asm.lw(7, 6, 0)]);
      return machine.getX(7);
    };
    const [claim, otherClaim, enable] = [plic + 0x200004n, plic + 0x201004n, plic + 0x2000n];
    for (const source of [10n, 11n]) set(plic + source * 4n, 1n);
    set(enable, 0xc00n);
    set(0x101010n, 1n);
    set(0x10100cn, 0n);
    set(0x101008n, 0n);
    machine.setX(6, 0x10000000n);
    machine.setX(5, 1n);
    run([asm.sb(5, 6, 1)]);
    machine.receive(Uint8Array.of(65));
    expect([read(claim), read(claim), read(claim)]).toEqual([10n, 11n, 0n]);
    // The supervisor's context may not be sent it: its completion is none.
    set(otherClaim, 10n);
    expect(read(claim)).toBe(0n);
    set(claim, 10n);
    expect(read(claim)).toBe(10n);
  });
});
