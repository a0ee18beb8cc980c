import { describe, expect, it } from 'vitest';
import { asm, machineWith, ramBase } from './guest.test-support';
import { Machine } from './machine';

const [mhartid, minstret, mie] = [0xf14, 0xb02, 0x304];
const quantum = 5_000;
const loop = asm.jal(0, 0);

describe('a machine of several harts', () => {
  it.each([0, 5, 1.5, -1, NaN])('has one to four of them, not %d', (harts) => {
    expect(() => Machine.create({ ramBytes: 4096, harts })).toThrow(RangeError);
  });

  it('starts all of them at the entry, each with its number', () => {
    const machine = machineWith([loop], 4096, 4);
    expect(machine.harts).toBe(4);
    for (let hart = 0; hart < 4; hart++) {
      expect([machine.getPc(hart), machine.getX(10, hart), machine.getCsr(mhartid, hart)]).toEqual([ramBase, BigInt(hart), BigInt(hart)]);
    }
    expect(machine.hart).toBe(0);
  });

  it('gives turns in order, and a rest shows who goes on', () => {
    const machine = machineWith([asm.addi(5, 5, 1), asm.jal(0, -4)], 4096, 3);
    const seen: number[] = [];
    for (let turn = 1; turn <= 7; turn++) {
      machine.run(turn * quantum - 1);
      const before = machine.hart;
      machine.run(turn * quantum);
      seen.push(before, machine.hart);
    }
    expect(seen).toEqual([0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0, 0, 1]);
    expect([0, 1, 2].map((hart) => machine.getX(5, hart))).toEqual([7_500n, 5_000n, 5_000n]);
    expect([0, 1, 2].map((hart) => machine.getCsr(minstret, hart))).toEqual([15_000n, 10_000n, 10_000n]);
  });

  it('has registers that can be looked at and changed whoever has the turn', () => {
    const machine = machineWith([loop], 4096, 2);
    const before = machine.snapshot();
    machine.setX(7, 0x1234n, 1);
    machine.setF(3, 0x77n, 1);
    machine.setCsr(0x340, 0xabcn, 1);
    machine.setCsr(minstret, 99n, 1);
    expect(machine.hart).toBe(0);
    expect([machine.getX(7), machine.getX(7, 1), machine.getF(3, 1), machine.getCsr(0x340, 1), machine.getCsr(0x340)]).toEqual([0n, 0x1234n, 0x77n, 0xabcn, 0n]);
    expect(machine.snapshot().difference(before).map(({ place }) => place)).toEqual(['hart1.t2', 'hart1.ft3', 'hart1.mscratch', 'hart1.instret offset']);
    machine.run(quantum);
    expect([machine.hart, machine.getX(7), machine.getCsr(0x340), machine.getCsr(minstret)]).toEqual([1, 0x1234n, 0xabcn, 99n]);
  });

  it('names the same places, whoever has the turn', () => {
    const machine = machineWith([loop], 4096, 2);
    machine.run(quantum - 1);
    const before = machine.snapshot();
    machine.run(quantum);
    const places = machine.snapshot().difference(before).map(({ place, a, b }) => [place, a - b]);
    expect(places).toEqual([
      ['hart0.instret offset', 1n],
      ['instret', 1n],
      ['current hart', 1n],
      ['end of turn', 5_000n],
    ]);
  });

  it('passes the turn on when a hart waits, and is idle when all do', () => {
    // Hart 0 works, the others wait.
    const machine = machineWith([0x00051463 /* bnez a0, 8 */, loop, asm.wfi, asm.jal(0, -4)], 4096, 4);
    expect(machine.run(50_000)).toBe('limit');
    expect(machine.getCsr(minstret, 0)).toBe(49_994n);
    expect([1, 2, 3].map((hart) => machine.getPc(hart))).toEqual(Array(3).fill(ramBase + 12n));
    const waiting = machineWith([asm.wfi, loop], 4096, 4);
    expect([waiting.run(1000), waiting.retired, waiting.run(1000), waiting.retired]).toEqual(['idle', 4, 'idle', 4]);
  });

  it('lets time jump to the nearest timer of a hart that waits for it', () => {
    const machine = machineWith([asm.wfi, loop], 4096, 3);
    for (const hart of [0, 1, 2]) machine.setCsr(mie, 1n << 7n, hart);
    const words = [900n, 300n, 600n];
    const other = machineWith([
      // mtimecmp of this hart = x5; wfi; then go round.
      0x00613023 /* sd t1, 0(sp) */, asm.wfi, loop,
    ], 4096, 3);
    words.forEach((due, hart) => {
      other.setX(2, 0x2004000n + 8n * BigInt(hart), hart);
      other.setX(6, due, hart);
      other.setCsr(mie, 1n << 7n, hart);
    });
    expect(other.run(7)).toBe('limit');
    // Each has stored and waited; hart 1's timer was the first.
    expect([other.hart, other.getCsr(0xc01)]).toEqual([1, 300n]);
    expect(machine.run(100)).toBe('idle');
  });

  it('goes on while one hart takes traps without end, and is stalled when nobody can go on', () => {
    // Hart 1 jumps to nowhere and has no handler there either.
    const machine = machineWith([0x00050463 /* beqz a0, 8 */, 0x00000067 /* jr zero */, asm.addi(5, 5, 1), asm.jal(0, -4)], 4096, 2);
    expect(machine.run(100_000)).toBe('limit');
    expect(machine.getCsr(minstret, 0)).toBe(99_998n);
    const stuck = machineWith([0x00000067], 4096, 2);
    expect([stuck.run(1000), stuck.retired, stuck.run(1000), stuck.retired]).toEqual(['stalled', 2, 'stalled', 2]);
    // From outside it can be helped.
    stuck.pc = ramBase;
    expect(stuck.run(3)).toBe('limit');
  });

  it('ends a reservation with the turn', () => {
    const machine = machineWith([asm.lrW(5, 2), ...Array<number>(3).fill(asm.addi(0, 0, 0)), asm.scW(6, 0, 2), loop], 4096, 2);
    for (const hart of [0, 1]) machine.setX(2, ramBase + 0x800n, hart);
    machine.run(5);
    expect(machine.getX(6)).toBe(0n);
    const cut = machineWith([...Array<number>(4_997).fill(asm.addi(0, 0, 0)), asm.lrW(5, 2), ...Array<number>(3).fill(asm.addi(0, 0, 0)), asm.scW(6, 0, 2), loop], 1 << 16, 2);
    for (const hart of [0, 1]) cut.setX(2, ramBase + 0xf800n, hart);
    cut.run(2 * quantum + 5);
    expect([cut.hart, cut.getX(6)]).toEqual([0, 1n]);
  });

  it('stops at a breakpoint of any hart', () => {
    const machine = machineWith([0x00051463 /* bnez a0, 8 */, loop, asm.addi(5, 5, 1), loop], 4096, 2);
    machine.setBreakpoints([ramBase + 8n]);
    expect([machine.run(1e6), machine.hart, machine.retired]).toEqual(['breakpoint', 1, 5_001]);
  });

  it('restores who has the turn, and refuses the state of another number of harts', () => {
    const machine = machineWith([asm.addi(5, 5, 1), asm.jal(0, -4)], 4096, 2);
    machine.run(7_345);
    const middle = machine.snapshot();
    machine.run(31_000);
    const end = machine.snapshot().hash();
    machine.restore(middle);
    expect([machine.hart, machine.retired]).toEqual([1, 7_345]);
    machine.run(31_000);
    expect(machine.snapshot().hash()).toBe(end);
    expect(machine.clone().snapshot().hash()).toBe(end);
    expect(() => machineWith([loop], 4096, 1).restore(middle)).toThrow(RangeError);
  });
});
