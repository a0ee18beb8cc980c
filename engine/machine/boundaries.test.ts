import { describe, expect, it } from 'vitest';
import { costs } from '../isa/instructions';
import { asm, machineWith, ramBase } from './guest.test-support';
import type { Machine } from './machine';

const handler = ramBase + 0x100n;
const csr = { mstatus: 0x300, mie: 0x304, mtvec: 0x305, mepc: 0x341, mcause: 0x342, mtval: 0x343, mcycle: 0xb00, minstret: 0xb02 };
const loop = asm.jal(0, 0);

/** With a handler that does nothing, over and over. */
function guarded(words: number[]): Machine {
  const machine = machineWith(words);
  machine.setCsr(csr.mtvec, handler);
  machine.writeMemory(handler, Uint8Array.of(0x6f, 0, 0, 0));
  return machine;
}

describe('addresses', () => {
  it('a misaligned read of a device traps and has no side effect', () => {
    // Enables the transmitter interrupt, whose identification a read would take away.
    const machine = guarded([asm.addi(1, 0, 2), asm.sb(1, 5, 1), asm.lw(1, 5, 2), loop]);
    machine.setX(5, 0x10000000n);
    machine.run(2);
    const before = machine.snapshot();
    machine.run(3);
    expect(machine.getCsr(csr.mcause)).toBe(4n);
    expect(machine.getCsr(csr.mtval)).toBe(0x10000002n);
    expect(before.difference(machine.snapshot()).map(({ place }) => place)).not.toContain('uart registers');
  });

  it.each([
    ['read', asm.lw(1, 5, 0), 4n],
    ['write', asm.sw(1, 5, 0), 6n],
  ])('so does a %s that crosses a page of a device', (_, word, cause) => {
    const machine = guarded([word, loop]);
    machine.setX(5, 0x2000ffen);
    machine.run(1);
    expect([machine.getCsr(csr.mcause), machine.getCsr(csr.mtval)]).toEqual([cause, 0x2000ffen]);
  });

  it('all 64 bits count, after the same low ones have been used', () => {
    const machine = guarded([asm.ld(1, 5, 0), asm.ld(2, 6, 0), loop]);
    machine.setX(5, ramBase + 0x1000n);
    machine.setX(6, ramBase + 0x1000n + (1n << 32n));
    machine.run(10);
    expect(machine.traps()).toMatchObject({ exceptions: 1, cause: 5, pc: ramBase + 4n });
  });

  it('all 64 bits count in a jump', () => {
    const machine = guarded([((8 << 20) | (5 << 15) | 0x67) >>> 0, loop, loop]);
    machine.setX(5, ramBase + (1n << 32n));
    machine.run(10);
    expect(machine.getCsr(csr.mcause)).toBe(1n);
    expect(machine.getCsr(csr.mtval)).toBe(ramBase + (1n << 32n) + 8n);
  });

  it('a load that faults leaves the floating-point state clean', () => {
    // fld f1, 0(x5)
    const machine = guarded([((5 << 15) | (3 << 12) | (1 << 7) | 0x07) >>> 0, loop]);
    machine.setCsr(csr.mstatus, 0x2000n);
    machine.run(1);
    expect(machine.getCsr(csr.mcause)).toBe(5n);
    expect((machine.getCsr(csr.mstatus) ?? 0n) & 0x6000n).toBe(0x2000n);
  });
});

describe('a watch', () => {
  it.each(['read', 'write'] as const)('sees a %s that begins on the page before', (on) => {
    const machine = machineWith([on === 'read' ? asm.ld(1, 5, 0) : asm.sw(1, 5, 2), loop]);
    machine.setX(5, ramBase + 0x1ffcn);
    machine.setWatches([{ address: ramBase + 0x2000n, bytes: 2, on }]);
    expect([machine.run(10), machine.retired]).toEqual(['watch', 1]);
  });

  it('that met the end of the guest is not reported later', () => {
    const machine = machineWith([asm.sw(1, 5, 0), loop]);
    machine.load({ entry: ramBase, segments: [] }, { tohost: ramBase + 0x1000n });
    machine.setX(1, 1n);
    machine.setX(5, ramBase + 0x1000n);
    const start = machine.snapshot();
    machine.setWatches([{ address: ramBase + 0x1000n, bytes: 8, on: 'write' }]);
    expect(machine.run(10)).toBe('exit');
    machine.setWatches([]);
    machine.restore(start);
    machine.setX(1, 2n);
    expect(machine.run(10)).toBe('limit');
  });
});

it('an interrupt before the instruction to step over stops at a breakpoint on its handler', () => {
  const machine = guarded([asm.sw(1, 5, 0), asm.addi(2, 2, 1), loop]);
  machine.setX(1, 1n);
  machine.setX(5, 0x2000000n);
  machine.setCsr(csr.mie, 8n);
  machine.setCsr(csr.mstatus, 8n);
  machine.setBreakpoints([ramBase + 4n, handler]);
  machine.run(1);
  expect(machine.pc).toBe(ramBase + 4n);
  expect([machine.run(100, { stepOver: true }), machine.pc, machine.retired]).toEqual(['breakpoint', handler, 1]);
});

it('tohost ends the guest also if its page was written before', () => {
  const machine = machineWith([asm.sw(1, 5, 0), asm.jal(0, -4)]);
  machine.setX(5, ramBase + 0x1000n);
  machine.run(10);
  machine.load({ entry: ramBase, segments: [] }, { tohost: ramBase + 0x1000n });
  machine.setX(1, (9n << 1n) | 1n);
  expect([machine.run(100), machine.exitCode]).toEqual(['exit', 9]);
});

describe('limits', () => {
  it('may be infinite, negative or between two counts', () => {
    expect(machineWith([asm.wfi]).run(Infinity)).toBe('idle');
    const machine = machineWith([loop]);
    expect([machine.run(-1), machine.retired]).toEqual(['limit', 0]);
    expect([machine.run(2.5), machine.retired]).toEqual(['limit', 3]);
    expect(machine.run(Infinity, { cycleLimit: machine.cycles + 0.5 })).toBe('limit');
    expect(machine.retired).toBe(4);
  });
});

describe('clocks', () => {
  const sane = { time: 'core', cycle: 'core', perTick: 10, corePhase: 0, corePpm: 0 } as const;

  it.each([{ perTick: 0 }, { perTick: 1.5 }, { corePhase: -1 }, { corePpm: 100_001 }, { corePpm: NaN }])('%j is none', (odd) => {
    expect(() => machineWith([loop]).setTimeSource({ ...sane, ...odd })).toThrow(RangeError);
  });

  it('advance by at most 32 cycles an instruction, on which cycle limits and timers lean', () => {
    expect(Math.max(...Object.values(costs)) * 1.1).toBeLessThan(32);
  });

  // mtime = a value, mtimecmp = another, with 50 instructions behind them and one tick every three.
  it.each([
    { mtime: 0n, due: 40n, at: 168 },
    { mtime: 5n, due: 0xffff_ffff_ffff_fff0n, at: undefined },
    { mtime: 0xffff_ffff_ffff_fff0n, due: 0xffff_ffff_ffff_fffan, at: 78 },
    { mtime: 0x7fff_ffff_ffff_ffffn, due: 0x8000_0000_0000_0009n, at: 78 },
  ])('may be set by a guest: $mtime, with a timer at $due', ({ mtime, due, at }) => {
    const sd = (rs2: number, rs1: number): number => ((rs2 << 20) | (rs1 << 15) | (3 << 12) | 0x23) >>> 0;
    const timed = (source: 'instructions' | 'core'): Machine => {
      const machine = guarded([...Array<number>(48).fill(asm.addi(0, 0, 0)), sd(6, 7), sd(8, 9), loop]);
      machine.setTimeSource({ time: source, cycle: source, perTick: 3, corePhase: 0, corePpm: 0 });
      [mtime, 0x200_bff8n, due, 0x200_4000n].forEach((value, i) => machine.setX(6 + i, value));
      machine.setCsr(csr.mie, 1n << 7n);
      machine.setCsr(csr.mstatus, 1n << 3n);
      return machine;
    };
    for (const source of ['instructions', 'core'] as const) {
      const [whole, cut] = [timed(source), timed(source)];
      let taken: number | undefined;
      while (cut.retired < 400) {
        cut.run(cut.retired + 1);
        if (cut.interrupts > 0) taken ??= cut.retired - 1;
      }
      expect(whole.run(400)).toBe('limit');
      expect(whole.snapshot().hash()).toBe(cut.snapshot().hash());
      if (source === 'instructions') expect(taken).toBe(at);
      else expect(taken === undefined).toBe(at === undefined);
    }
  });
});

describe('raw bits in CSRs', () => {
  it('cannot make the pc odd', () => {
    const machine = guarded([asm.addi(1, 1, 1), asm.lui(2, 0x12345), asm.mret, loop]);
    machine.run(2);
    machine.setCsr(csr.mepc, ramBase + 1n);
    machine.run(3);
    expect(machine.pc).toBe(ramBase);
  });

  it('cannot make a privilege that there is not: it is user mode', () => {
    const machine = guarded([asm.mret, asm.ecall, loop]);
    machine.setCsr(csr.mstatus, 2n << 11n);
    machine.setCsr(csr.mepc, ramBase + 4n);
    machine.setCsr(0x3b0, 0x3f_ffff_ffff_ffffn);
    machine.setCsr(0x3a0, 0x1fn);
    machine.run(2);
    expect([machine.getCsr(csr.mcause), machine.getCsr(csr.mepc), ((machine.getCsr(csr.mstatus) ?? 0n) >> 11n) & 3n]).toEqual([8n, ramBase + 4n, 0n]);
  });

  it('set counters, which go on from there, and leave the retired count alone', () => {
    const machine = machineWith([asm.addi(1, 1, 1), asm.jal(0, -4)]);
    machine.run(5);
    for (const counter of [csr.mcycle, csr.minstret]) {
      expect(machine.setCsr(counter, 12_345n)).toBe(true);
      expect(machine.getCsr(counter)).toBe(12_345n);
    }
    machine.run(7);
    expect([machine.getCsr(csr.mcycle), machine.getCsr(csr.minstret), machine.retired]).toEqual([12_347n, 12_347n, 7]);
  });
});
