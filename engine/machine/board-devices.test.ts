import { describe, expect, it } from 'vitest';
import { asm, machineWith } from './guest.test-support';
import type { Machine } from './machine';

// The board's own devices, by their registers, as a driver sees them.

const loop = asm.jal(0, 0);
const lbu = (rd: number, rs1: number, imm: number): number => ((imm << 20) | (rs1 << 15) | (4 << 12) | (rd << 7) | 0x03) >>> 0;
const csrrsi = (rd: number, csr: number, imm: number): number => ((csr << 20) | (imm << 15) | (6 << 12) | (rd << 7) | 0x73) >>> 0;
const mip = 0x344;
const uart = asm.lui(5, 0x10000);

describe('mip', () => {
  it('keeps no interrupt of the PLIC when software sets another bit', () => {
    const machine = machineWith([
      uart, asm.addi(6, 0, 1), asm.sb(6, 5, 1), // receive interrupts on
      asm.lui(7, 0xc000), asm.sw(6, 7, 40), // priority of source 10
      asm.lui(7, 0xc002), asm.addi(8, 0, 0x400), asm.sw(8, 7, 0x80), // enabled for the supervisor
      csrrsi(9, mip, 2), // SSIP
      asm.lui(7, 0xc201), asm.lw(10, 7, 4), // claim
      loop,
    ]);
    machine.run(8);
    machine.receive(Uint8Array.of(65));
    machine.run(12);
    expect([machine.getX(9), machine.getX(10), machine.getCsr(mip)]).toEqual([0x200n, 10n, 2n]);
  });
});

describe('the UART', () => {
  it('sends to itself in loopback, its lines too, and nothing to the console', () => {
    const machine = machineWith([
      uart, asm.addi(6, 0, 0x1a), asm.sb(6, 5, 4), // loopback, out 2, request to send
      asm.addi(7, 0, 0x41), asm.sb(7, 5, 0),
      lbu(8, 5, 6), lbu(9, 5, 5), lbu(10, 5, 0),
      asm.sb(0, 5, 4), asm.sb(7, 5, 0),
      loop,
    ]);
    machine.run(8);
    expect([machine.getX(8), machine.getX(9), machine.getX(10)]).toEqual([0x90n, 0x61n, 0x41n]);
    expect(machine.takeOutputs()).toEqual([]);
    machine.run(11);
    expect(machine.takeOutputs()).toMatchObject([{ kind: 'console', value: 0x41 }]);
  });

  it('forgets what it has received when its FIFOs are switched on', () => {
    const machine = machineWith([uart, asm.addi(6, 0, 1), asm.sb(6, 5, 2), lbu(7, 5, 5), loop]);
    machine.receive(Uint8Array.of(65));
    machine.run(4);
    expect(machine.getX(7)).toBe(0x60n);
  });
});

describe('the alarm of the clock', () => {
  /** Sets it 1,000 instructions ahead and reads its status over and over; no interrupt is enabled. */
  const alarmed = (): Machine =>
    machineWith([
      asm.lui(5, 0x101), asm.lw(6, 5, 0), asm.lw(7, 5, 4), asm.addi(6, 6, 1000),
      asm.sw(7, 5, 12), asm.sw(6, 5, 8), asm.lw(8, 5, 24), asm.lw(9, 5, 24), asm.jal(0, -4),
    ]);

  it('rings at its time, whether an interrupt is enabled or not', () => {
    const machine = alarmed();
    machine.run(900);
    expect([machine.getX(8), machine.getX(9)]).toEqual([1n, 1n]);
    machine.run(1200);
    expect(machine.getX(9)).toBe(0n);
  });

  it('does not ring because somebody looks', () => {
    for (const count of [999, 1000, 1001, 1002, 1100, 2000]) {
      const [watched, alone] = [alarmed(), alarmed()];
      watched.run(count);
      alone.run(count);
      watched.getCsr(mip);
      watched.interruptDue();
      expect(watched.snapshot().hash(), `at ${count}`).toBe(alone.snapshot().hash());
    }
  });
});
