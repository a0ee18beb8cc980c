import { beforeEach, describe, expect, it } from 'vitest';
import { asm, machineWith, ramBase, runSliced } from './guest.test-support';
import type { Machine } from './machine';

const csr = {
  sstatus: 0x100, sie: 0x104, stvec: 0x105, sscratch: 0x140, sepc: 0x141, scause: 0x142, stval: 0x143, sip: 0x144, stimecmp: 0x14d, satp: 0x180,
  mstatus: 0x300, medeleg: 0x302, mideleg: 0x303, mie: 0x304, mtvec: 0x305, mcounteren: 0x306, menvcfg: 0x30a,
  mepc: 0x341, mcause: 0x342, mtval: 0x343, pmpcfg0: 0x3a0, pmpaddr0: 0x3b0,
};
const loop = asm.jal(0, 0);
const sret = 0x10200073;
const sfence = 0x12000073;
const machineHandler = ramBase + 0x800n;
const supervisorHandler = ramBase + 0x900n;
const code = ramBase + 0x100n;
const everything = (1n << 54n) - 1n;
const page = (number: number): bigint => ramBase + BigInt(number) * 4096n;
const sd = (rs2: number, rs1: number, imm: number): number =>
  ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (3 << 12) | ((imm & 31) << 7) | 0x23) >>> 0;

function bytesOf(words: readonly number[]): Uint8Array {
  return Uint8Array.from(words.flatMap((word) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff)));
}

let machine: Machine;
const get = (number: number): bigint => machine.getCsr(number) ?? -1n;

beforeEach(() => {
  machine = machineWith([asm.mret], 64 * 4096);
  machine.writeMemory(machineHandler, bytesOf([loop]));
  machine.writeMemory(supervisorHandler, bytesOf([loop]));
  machine.setCsr(csr.mtvec, machineHandler);
  machine.setCsr(csr.stvec, supervisorHandler);
  machine.setCsr(csr.pmpaddr0, everything);
  machine.setCsr(csr.pmpcfg0, 0x1fn);
});

/** Runs the words at `code` in user (0), supervisor (1) or machine (3) mode, until `count` of them have been tried. */
function runAs(privilege: bigint, words: readonly number[], count = words.length, mstatus = 0n): void {
  machine.writeMemory(code, bytesOf([...words, loop]));
  machine.setCsr(csr.mepc, code);
  machine.setCsr(csr.mstatus, mstatus | (privilege << 11n) | (1n << 7n));
  machine.pc = ramBase;
  machine.run(machine.retired + 1 + count);
}

const identity = (number: number, flags: bigint): bigint => ((page(number) >> 12n) << 10n) | flags;

/** Sv39 with tables in pages 16 to 18; virtual pages 0, 1, … as given, and RAM's gigabyte mapped to itself for the supervisor. */
function map(pages: readonly bigint[]): void {
  const put = (at: bigint, value: bigint): void => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    machine.writeMemory(at, bytes);
  };
  put(page(16), identity(17, 1n));
  put(page(16) + 16n, ((ramBase >> 12n) << 10n) | 0xcfn);
  put(page(17), identity(18, 1n));
  pages.forEach((entry, i) => put(page(18) + BigInt(i * 8), entry));
  machine.setCsr(csr.satp, (8n << 60n) | (page(16) >> 12n));
}

describe('traps', () => {
  it('go where they are delegated to, and sret comes back', () => {
    machine.setCsr(csr.medeleg, 1n << 8n);
    runAs(0n, [asm.ecall]);
    expect(machine.pc).toBe(supervisorHandler);
    expect([get(csr.scause), get(csr.sepc), get(csr.stval), get(csr.mcause)]).toEqual([8n, code, 0n, 0n]);
    expect(get(csr.sstatus) & 0x122n).toBe(0n);
    machine.writeMemory(supervisorHandler, bytesOf([sret]));
    machine.setCsr(csr.sepc, code + 4n);
    machine.run(machine.retired + 1);
    expect(machine.pc).toBe(code + 4n);
    runAs(0n, [sret]);
    expect(get(csr.mcause)).toBe(2n);
  });

  it('of machine mode are never delegated', () => {
    machine.setCsr(csr.medeleg, 0xb3ffn);
    runAs(3n, [asm.ebreak]);
    expect([machine.pc, get(csr.mcause), get(csr.scause)]).toEqual([machineHandler, 3n, 0n]);
  });

  it.each<[string, number, bigint]>([
    ['sret with TSR', sret, 1n << 22n],
    ['sfence.vma with TVM', sfence, 1n << 20n],
    ['satp with TVM', asm.csrrs(1, csr.satp, 0), 1n << 20n],
    ['wfi with TW', asm.wfi, 1n << 21n],
    ['a machine CSR', asm.csrrs(1, csr.mepc, 0), 0n],
    ['stimecmp without STCE', asm.csrrs(1, csr.stimecmp, 0), 0n],
    ['time without mcounteren.TM', asm.csrrs(1, 0xc01, 0), 0n],
  ])('%s is illegal for the supervisor', (_, word, mstatus) => {
    runAs(1n, [word], 1, mstatus);
    expect([get(csr.mcause), get(csr.mepc), get(csr.mtval)]).toEqual([2n, code, BigInt(word)]);
  });

  it('sstatus and sie show the parts of mstatus and mie that are the supervisor’s', () => {
    machine.setCsr(csr.mideleg, 0x222n);
    machine.setX(5, 2n ** 64n - 1n);
    runAs(1n, [asm.csrrw(0, csr.sie, 5), asm.csrrw(0, csr.sstatus, 5), asm.csrrs(6, csr.sstatus, 0)]);
    expect(get(csr.mie)).toBe(0x222n);
    expect(machine.getX(6)).toBe((1n << 63n) | (2n << 32n) | 0xc6122n);
    expect(get(csr.mstatus) & (1n << 17n)).toBe(0n);
  });
});

describe('interrupts', () => {
  it('of stimecmp come when the time is there', () => {
    machine.setCsr(csr.menvcfg, 1n << 63n);
    machine.setCsr(csr.mideleg, 0x222n);
    machine.setCsr(csr.mie, 0x20n);
    machine.setCsr(csr.stimecmp, 3n);
    runAs(1n, [asm.addi(1, 1, 1), asm.jal(0, -4)], 600, 1n << 1n);
    expect([get(csr.scause), machine.pc]).toEqual([(1n << 63n) | 5n, supervisorHandler]);
    // A tick is 100 instructions; the first is the mret, and half of the others count.
    expect([machine.getX(1), get(csr.sepc)]).toEqual([150n, code + 4n]);
    expect(machine.retired).toBe(601);
  });

  it('of the UART are claimed from the PLIC, and come again only after their completion', () => {
    machine.setCsr(csr.mideleg, 0x222n);
    machine.setCsr(csr.mie, 0x200n);
    machine.setX(5, 0xc000000n);
    machine.setX(6, 0xc002000n);
    machine.setX(7, 0xc201000n);
    machine.setX(8, 0x10000000n);
    const words = [
      asm.addi(1, 0, 1), asm.sw(1, 5, 40), // priority of source 10
      asm.addi(2, 0, 0x400), asm.sw(2, 6, 0x80), // enable it for the supervisor
      asm.sw(0, 7, 0), // threshold 0
      asm.sb(1, 8, 1), // receive interrupts on
      loop,
    ];
    runAs(1n, words, 10, 1n << 1n);
    expect(get(csr.scause)).toBe(0n);
    machine.receive(Uint8Array.of(65));
    machine.writeMemory(supervisorHandler, bytesOf([asm.lw(10, 7, 4), asm.lw(11, 7, 4), asm.csrrs(13, csr.sip, 0), asm.sw(10, 7, 4), asm.csrrs(14, csr.sip, 0), loop]));
    machine.run(machine.retired + 6);
    expect(get(csr.scause)).toBe((1n << 63n) | 9n);
    expect([machine.getX(10), machine.getX(11)]).toEqual([10n, 0n]);
    // Nobody has read the byte, so the line is still raised.
    expect([machine.getX(13) & 0x200n, machine.getX(14) & 0x200n]).toEqual([0n, 0x200n]);
  });
});

describe('pages', () => {
  const all = 0xcfn;

  it('an instruction may stand on two pages that are far apart', () => {
    map([identity(40, all), identity(30, all)]);
    const word = bytesOf([asm.addi(1, 0, 77)]);
    machine.writeMemory(page(41) - 2n, word.slice(0, 2));
    machine.writeMemory(page(30), Uint8Array.of(...word.slice(2), ...bytesOf([loop])));
    machine.setCsr(csr.mepc, 0xffen);
    machine.setCsr(csr.mstatus, 1n << 11n);
    machine.pc = ramBase;
    machine.run(machine.retired + 2);
    expect([machine.getX(1), machine.pc]).toEqual([77n, 0x1002n]);
  });

  it('the second half of an instruction faults at its own address', () => {
    map([identity(40, all)]);
    machine.writeMemory(page(41) - 2n, bytesOf([asm.addi(1, 0, 77)]).slice(0, 2));
    machine.setCsr(csr.mepc, 0xffen);
    machine.setCsr(csr.mstatus, 1n << 11n);
    machine.pc = ramBase;
    machine.run(machine.retired + 2);
    expect([get(csr.mcause), get(csr.mepc), get(csr.mtval)]).toEqual([12n, 0xffen, 0x1000n]);
  });

  it('page tables are read and written as the PMP lets the supervisor', () => {
    const tables = ((page(18) >> 2n) | 0x1ffn);
    const load = asm.ld(7, 5, 8);
    const store = sd(7, 5, 8);
    const tried = (permissions: bigint, entry: bigint, word: number): bigint[] => {
      map([entry]);
      machine.setCsr(csr.menvcfg, 1n << 61n);
      machine.setCsr(csr.pmpaddr0, tables);
      machine.setCsr(csr.pmpaddr0 + 1, everything);
      machine.setCsr(csr.pmpcfg0, 0x1f00n | 0x18n | permissions);
      machine.setX(5, 0n);
      // A call, if it comes to that, leads back to machine mode.
      runAs(1n, [word, asm.ecall]);
      return [get(csr.mcause), get(csr.mtval)];
    };
    const fresh = all & ~0xc0n;
    expect([tried(0n, identity(40, all), load), tried(0n, identity(40, all), store)]).toEqual([[5n, 8n], [7n, 8n]]);
    expect([tried(1n, identity(40, all), load), tried(1n, identity(40, all), store)]).toEqual([[9n, 0n], [9n, 0n]]);
    expect([tried(1n, identity(40, fresh), load), tried(1n, identity(40, fresh), store)]).toEqual([[5n, 8n], [7n, 8n]]);
    expect([tried(3n, identity(40, fresh), load), tried(3n, identity(40, fresh), store)]).toEqual([[9n, 0n], [9n, 0n]]);
  });

  it('a misaligned access goes to both of its pages', () => {
    map([identity(40, all), identity(30, all)]);
    machine.setX(5, 0x1000n);
    machine.setX(6, 0x1122334455667788n);
    runAs(1n, [sd(6, 5, -3), asm.ld(7, 5, -3)]);
    expect(machine.getX(7)).toBe(0x1122334455667788n);
    expect(machine.readMemory(page(41) - 3n, 3)).toEqual(Uint8Array.of(0x88, 0x77, 0x66));
    expect(machine.readMemory(page(30), 5)).toEqual(Uint8Array.of(0x55, 0x44, 0x33, 0x22, 0x11));
  });

  it('a misaligned store whose second page faults stores nothing', () => {
    map([identity(41, all), 0n]);
    machine.setX(5, 0x1000n);
    machine.setX(6, 0x1122334455667788n);
    runAs(1n, [sd(6, 5, -3)]);
    expect([get(csr.mcause), get(csr.mtval)]).toEqual([15n, 0x1000n]);
    expect(machine.readMemory(page(42) - 3n, 3)).toEqual(new Uint8Array(3));
  });

  it('the supervisor reaches user pages only while SUM is set', () => {
    map([identity(40, all | 0x10n)]);
    machine.setCsr(csr.medeleg, 0xb1ffn);
    machine.setX(5, 0n);
    machine.setX(8, 1n << 18n);
    const words = [asm.csrrs(0, csr.sstatus, 8), asm.ld(7, 5, 0), asm.csrrw(0, csr.sstatus, 0), asm.ld(7, 5, 0)];
    runAs(1n, words);
    expect([get(csr.scause), get(csr.stval), get(csr.sepc)]).toEqual([13n, 0n, code + 12n]);
  });
});

describe('physical memory protection', () => {
  const region = (index: number, address: bigint, configuration: bigint): void => {
    machine.setCsr(csr.pmpaddr0 + index, address);
    const own = get(csr.pmpcfg0);
    machine.setCsr(csr.pmpcfg0, (own & ~(0xffn << BigInt(8 * index))) | (configuration << BigInt(8 * index)));
  };

  it('of four bytes bars those and no others', () => {
    region(1, everything, 0x1fn);
    region(0, (page(40) + 8n) >> 2n, 0x10n);
    machine.setX(5, page(40));
    runAs(1n, [asm.lw(1, 5, 4), asm.lw(1, 5, 12), asm.lw(1, 5, 8)]);
    expect([get(csr.mcause), get(csr.mepc), get(csr.mtval)]).toEqual([5n, code + 8n, page(40) + 8n]);
    runAs(1n, [asm.ld(1, 5, 8)]);
    expect([get(csr.mcause), get(csr.mtval)]).toEqual([5n, page(40) + 8n]);
    runAs(3n, [asm.lw(1, 5, 8)]);
    expect(machine.pc).toBe(code + 4n);
  });

  it('of a range, locked, holds for machine mode and cannot be taken back', () => {
    region(0, page(40) >> 2n, 0n);
    region(1, page(41) >> 2n, 0x89n);
    region(2, everything, 0x1fn);
    machine.setX(5, page(40));
    machine.setX(6, 0n);
    runAs(3n, [asm.csrrw(0, csr.pmpcfg0, 6), asm.csrrw(0, csr.pmpaddr0, 6), asm.csrrw(0, csr.pmpaddr0 + 1, 6), asm.lw(1, 5, 0), asm.sw(1, 5, 4)]);
    expect([get(csr.mcause), get(csr.mtval)]).toEqual([7n, page(40) + 4n]);
    expect([get(csr.pmpcfg0), get(csr.pmpaddr0), get(csr.pmpaddr0 + 1)]).toEqual([0x8900n, page(40) >> 2n, page(41) >> 2n]);
  });

  it('without a region leaves user mode nothing', () => {
    machine.setCsr(csr.pmpcfg0, 0n);
    runAs(0n, [asm.addi(1, 0, 1)]);
    expect([get(csr.mcause), get(csr.mtval)]).toEqual([1n, code]);
  });
});

describe('however a run is cut', () => {
  it('a supervisor’s program ends in the same state', () => {
    map([identity(40, 0x0fn), identity(30, 0x0fn)]);
    machine.setCsr(csr.menvcfg, (1n << 63n) | (1n << 61n));
    machine.setCsr(csr.mideleg, 0x222n);
    machine.setCsr(csr.mie, 0x20n);
    machine.setCsr(csr.stimecmp, 5n);
    machine.writeMemory(supervisorHandler, bytesOf([asm.csrrw(0, csr.stimecmp, 9), asm.addi(3, 3, 1), sret]));
    machine.setX(9, 2n ** 63n);
    machine.setX(5, 0x1000n);
    const words = [sd(6, 5, -3), asm.ld(7, 5, -3), asm.addi(6, 6, 3), sd(6, 5, 64), asm.jal(0, -16)];
    machine.writeMemory(code, bytesOf(words));
    machine.setCsr(csr.mepc, code);
    machine.setCsr(csr.mstatus, (1n << 11n) | (1n << 1n));
    machine.setCsr(csr.mcounteren, 7n);
    machine.pc = ramBase;
    const start = machine.snapshot();
    machine.run(2000);
    expect(machine.getX(3)).toBe(1n);
    const whole = machine.snapshot().hash();
    for (const sizes of [[1], [7, 2, 31], [100, 1]]) {
      machine.restore(start);
      runSliced(machine, 2000, sizes);
      expect(machine.snapshot().hash()).toBe(whole);
    }
  });
});
