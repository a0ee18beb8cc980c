import { describe, expect, it } from 'vitest';
import { asm, kernelImage, machineWith } from './guest.test-support';
import { uartPollerLooks } from '../core/layout';
import { Machine } from './machine';

// Guests that wait for what is typed by looking, with no interrupt of the UART's on.

const lbu = (rd: number, rs1: number, imm: number): number => ((imm << 20) | (rs1 << 15) | (4 << 12) | (rd << 7) | 0x03) >>> 0;
const andi = (rd: number, rs1: number, imm: number): number => ((imm << 20) | (rs1 << 15) | (7 << 12) | (rd << 7) | 0x13) >>> 0;
/** A branch backwards, by at most 32 bytes. */
const back = (kind: number, rs1: number, rs2: number, bytes: number): number =>
  ((0x7f << 25) | (rs2 << 20) | (rs1 << 15) | (kind << 12) | (((32 - bytes) & 0x1e) << 7) | (1 << 7) | 0x63) >>> 0;
const beq = 0;
const blt = 4;
const [a0, a1, a2, a6, a7, uart] = [10, 11, 12, 16, 17, 5];

/** Each sends back what it has received, for ever. */
const echoing = {
  'the line status register': () =>
    machineWith([
      asm.lui(uart, 0x10000),
      lbu(6, uart, 5), andi(6, 6, 1), back(beq, 6, 0, 8),
      lbu(7, uart, 0), asm.sb(7, uart, 0),
      asm.jal(0, -20),
    ]),
  "the firmware's getchar": () =>
    kernel([asm.addi(a7, 0, 2), asm.ecall, back(blt, a0, 0, 8), asm.addi(a7, 0, 1), asm.ecall, asm.jal(0, -20)]),
  "the firmware's debug console": () =>
    kernel([
      asm.lui(a7, 0x44424), asm.addi(a7, a7, 0x34e), asm.auipc(8, 1),
      asm.addi(a0, 0, 5), asm.addi(a1, 8, 0), asm.addi(a2, 0, 0), asm.addi(a6, 0, 1), asm.ecall, back(beq, a1, 0, 20),
      asm.addi(a0, a1, 0), asm.addi(a1, 8, 0), asm.addi(a6, 0, 0), asm.ecall,
      asm.jal(0, -40),
    ]),
};

function kernel(words: number[]): Machine {
  const machine = Machine.create({ ramBytes: 4 << 20 });
  machine.loadKernel(kernelImage(words, 1 << 16), {});
  return machine;
}

const text = 'what somebody types, in more bytes than fit the FIFO\r';

/** Runs in slices, and types at each rest what there is room for. */
function drive(machine: Machine, limit: number, slice: number): string {
  let said = '';
  let waiting = Buffer.from(text);
  while (machine.retired < limit) {
    const room = machine.consoleRoom;
    machine.receive(waiting.subarray(0, room));
    waiting = waiting.subarray(Math.min(room, waiting.length));
    machine.run(machine.retired + slice);
    said += String.fromCharCode(...machine.takeOutputs().map(({ value }) => value));
  }
  return said;
}

describe.each(Object.entries(echoing))('a guest that polls %s', (_, guest) => {
  it('is given all that is typed, and nothing before it looks', () => {
    expect(guest().consoleRoom).toBe(0);
    expect(drive(guest(), 20_000, 700)).toBe(text);
  });

  it('has room at the same counts however it is run, and after it was restored', () => {
    const [whole, other] = [guest(), guest()];
    for (let count = 10; count < 400; count += 10) {
      whole.run(count);
      const middle = whole.snapshot();
      while (other.retired < count) other.run(Math.min(count, other.retired + 3), { stepOver: true });
      expect(other.snapshot().hash(), `at ${count}`).toBe(middle.hash());
      expect(other.consoleRoom, `at ${count}`).toBe(whole.consoleRoom);
      other.restore(middle);
      expect(other.consoleRoom, `at ${count}`).toBe(whole.consoleRoom);
    }
    expect(whole.consoleRoom).toBe(16);
  });
});

describe('a guest that does not poll', () => {
  it('is given nothing because it waits for its transmitter', () => {
    const machine = machineWith([asm.lui(uart, 0x10000), lbu(6, uart, 5), lbu(6, uart, 5), asm.sb(0, uart, 0), asm.jal(0, -12)]);
    for (let count = 1; count < 500; count++) {
      machine.run(count);
      expect(machine.consoleRoom).toBe(0);
      machine.takeOutputs();
    }
  });

  it('is given nothing from when it sets the UART up', () => {
    const looks = Array.from({ length: uartPollerLooks }, () => lbu(6, uart, 5));
    const machine = machineWith([asm.lui(uart, 0x10000), ...looks, asm.sb(0, uart, 0), asm.sb(0, uart, 2), asm.jal(0, 0)]);
    machine.run(uartPollerLooks);
    expect(machine.consoleRoom).toBe(0);
    machine.run(uartPollerLooks + 1);
    expect(machine.consoleRoom).toBe(16);
    machine.run(uartPollerLooks + 2);
    expect(machine.consoleRoom).toBe(16);
    machine.run(uartPollerLooks + 3);
    expect(machine.consoleRoom).toBe(0);
  });
});
