import { describe, expect, it } from 'vitest';
import { asm, machineWith } from './guest.test-support';
import type { Machine } from './machine';
import type { OwnInputs } from './types';
import { imageOfBytes } from './virtio/disk-image';
import { Driver, reg } from './virtio/driver.test-support';

const own: OwnInputs = { seed: 7, entropy: false, reservations: false, transfersWithin: 5_000 };

/** A driver of a disk that is late, which has asked for a sector. */
function asked(): Driver {
  const driver = Driver.of({ disks: [{ image: imageOfBytes(new Uint8Array(512).fill(9)) }] }).start();
  driver.machine.setOwnInputs(own);
  // A read of sector 0; room for data and status.
  driver.post(0, [new Uint8Array(16), 512, 1]);
  driver.notify();
  return driver;
}

/** Runs so many instructions that do nothing. */
function pass(driver: Driver, count: number): void {
  const { machine } = driver;
  for (let i = 0; i < count; i++) driver.store(machine.ramBase + 0x3_f000n, 0);
}

const dueOf = ({ own: { late } }: Machine): number | undefined => late[0]?.due;

describe('a disk that is late', () => {
  it('gives its buffer back between two instructions, at the count that it has drawn and not before', () => {
    const driver = asked();
    const { machine } = driver;
    const due = dueOf(machine) ?? 0;
    expect(due).toBeGreaterThan(machine.retired);
    expect(due % 5_000).toBeGreaterThan(machine.retired % 5_000);
    pass(driver, due - 1 - machine.retired);
    expect([machine.retired, driver.used()]).toEqual([due - 1, []]);
    pass(driver, 1);
    expect(driver.used()).toMatchObject([{ bytes: 513 }]);
    expect(driver.read(reg.interruptStatus)).toBe(1);
    expect(machine.own.late).toEqual([]);
  });

  it('is on time where the next rendezvous is', () => {
    const driver = asked();
    const { machine } = driver;
    pass(driver, 5_000 - machine.retired);
    driver.used();
    driver.post(0, [new Uint8Array(16), 512, 1]);
    pass(driver, 4_999);
    driver.notify();
    expect(machine.retired % 5_000).toBe(0);
    expect([driver.used().length, machine.own.late]).toEqual([1, []]);
  });

  it('forgets what it is late with where the guest resets it, starts anew, or goes back', () => {
    for (const forget of [
      (driver: Driver) => driver.write(reg.status, 0),
      ({ machine }: Driver) => machine.restore(machine.snapshot()),
      (driver: Driver) => driver.store(0x10_0000n, 0x7777),
    ]) {
      const driver = asked();
      expect(driver.machine.own.late).toHaveLength(1);
      forget(driver);
      expect(driver.machine.own.late).toEqual([]);
    }
  });

  it('gives nothing back to a queue that is no more', () => {
    const driver = asked();
    const { machine } = driver;
    driver.write(reg.queueSel, 0);
    driver.write(reg.queueReady, 0);
    pass(driver, (dueOf(machine) ?? 0) - machine.retired + 1);
    expect([driver.used(), machine.own.late, driver.read(reg.interruptStatus)]).toEqual([[], [], 0]);
  });

  it('does not keep a guest waiting that sleeps', () => {
    const driver = asked();
    const { machine } = driver;
    driver.poke(0, Uint8Array.from([asm.wfi, asm.wfi].flatMap((word) => [word, word >>> 8, word >>> 16, word >>> 24])));
    machine.pc = machine.ramBase;
    // It waits for the interrupt of the first virtio device, by machine mode.
    driver.machine.setCsr(0x304, 1n << 11n);
    const [at, due] = [machine.retired, dueOf(machine) ?? 0];
    expect(machine.run(due + 10)).toBe('idle');
    expect(machine.retired).toBe(at + 1);
    expect(driver.used()).toHaveLength(1);
  });
});

describe('a reservation of a core that loses some', () => {
  // lr.w a1, (a0); sc.w a2, a3, (a0); add a4, a4, a2; addi a5, a5, -1; bnez a5, -16
  const words = [asm.auipc(10, 1), asm.lrW(11, 10), asm.scW(12, 13, 10), 0x00c70733, asm.addi(15, 15, -1), 0xfe0798e3, asm.wfi];

  function lost(seed: number | undefined, tries = 2_000): number {
    const machine = machineWith(words);
    machine.setOwnInputs(seed === undefined ? undefined : { seed, entropy: false, reservations: true });
    machine.setX(15, BigInt(tries));
    machine.run(1e6);
    return Number(machine.getX(14));
  }

  it('is lost once in 32 times, by a core of its own at places of its own', () => {
    expect(lost(undefined)).toBe(0);
    expect(lost(5)).toBeGreaterThan(2_000 / 32 / 2);
    expect(lost(5)).toBeLessThan((2_000 / 32) * 2);
    expect(lost(5)).toBe(lost(5));
    expect(new Set([5, 6, 7, 8].map((seed) => lost(seed))).size).toBeGreaterThan(1);
  });
});
