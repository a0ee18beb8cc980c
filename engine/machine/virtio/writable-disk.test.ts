import { describe, expect, it } from 'vitest';
import { Machine } from '../machine';
import { imageOfBytes } from './disk-image';
import { Driver, reg, request, status, versionOne } from './driver.test-support';

const image = imageOfBytes(new Uint8Array(8192));
const flushes = [1 << 9, 1] as const;
const [write, flush] = [1, 4];
const [ok, failed] = [0, 1];

const driverOf = (features: readonly number[] = flushes): Driver => Driver.of({ disks: [{ image }, { image, writable: true }] }, 1, 64).start(1, features);

/** Asks for something with 512 bytes of data, if any. Gives where the status stands. */
function ask(driver: Driver, type: number, sector = 0, byte?: number): number {
  const places = driver.post(0, [request(type, sector), ...(byte === undefined ? [] : [new Uint8Array(512).fill(byte)]), 1]);
  driver.poke(places.at(-1) ?? 0, Uint8Array.of(0xff));
  driver.notify();
  return places.at(-1) ?? 0;
}

describe('a disk whose image is written to', () => {
  it.each([[true, ok], [false, failed]])('ends a flush when it is answered: %s', (answer, said) => {
    const driver = driverOf();
    const written = ask(driver, write, 3, 7);
    expect([driver.peek(written, 1)[0], driver.used().length]).toEqual([ok, 1]);
    const place = ask(driver, flush);
    expect(driver.outputs().map(({ kind, value }) => [kind, value])).toEqual([['disk', 2 ** 40 + 3], ['flush', 256 + 3]]);
    expect([driver.peek(place, 1)[0], driver.used(), driver.machine.flushes]).toEqual([0xff, [], [{ disk: 1, head: 3 }]]);
    driver.write(reg.interruptAck, 1);
    expect(driver.read(reg.interruptStatus)).toBe(0);
    // Others are done meanwhile.
    expect(driver.peek(ask(driver, write, 4, 8), 1)[0]).toBe(ok);
    driver.used();
    driver.write(reg.interruptAck, 1);
    driver.machine.answerFlush({ disk: 1, head: 3 }, answer);
    expect([driver.peek(place, 1)[0], driver.used(), driver.machine.flushes, driver.read(reg.interruptStatus)]).toEqual([said, [{ head: 3, bytes: 1 }], [], 1]);
    // Once.
    driver.machine.answerFlush({ disk: 1, head: 3 }, true);
    expect([driver.peek(place, 1)[0], driver.used()]).toEqual([said, []]);
  });

  it('is flushed at once where nothing has to reach an image', () => {
    const driver = Driver.of({ disks: [{ image }] }, 0, 64).start(1, flushes);
    expect(driver.peek(ask(driver, flush), 1)[0]).toBe(ok);
    expect([driver.machine.flushes, driver.outputs()]).toEqual([[], []]);
  });

  it('ends a write likewise where the driver does not take up flushes', () => {
    const driver = driverOf(versionOne);
    const place = ask(driver, write, 3, 7);
    expect([driver.peek(place, 1)[0], driver.outputs().map(({ kind }) => kind)]).toEqual([0xff, ['disk', 'flush']]);
    driver.machine.answerFlush({ disk: 1, head: 0 }, false);
    expect(driver.peek(place, 1)[0]).toBe(failed);
    // Nothing that could be lost.
    expect(driver.peek(ask(driver, 0), 1)[0]).toBe(ok);
  });

  it('waits in snapshots and in files of states, too', () => {
    const driver = driverOf();
    const place = ask(driver, flush);
    const waiting = driver.machine.snapshot();
    driver.machine.answerFlush({ disk: 1, head: 0 }, true);
    const done = driver.machine.snapshot();
    expect(done.hash()).not.toBe(waiting.hash());
    driver.machine.restore(waiting);
    expect([driver.machine.flushes, driver.peek(place, 1)[0]]).toEqual([[{ disk: 1, head: 0 }], 0xff]);
    const twin = driver.machine.clone();
    const again = Machine.fromState(driver.machine.save(), () => image);
    for (const machine of [driver.machine, twin, again]) {
      machine.answerFlush({ disk: 1, head: 0 }, true);
      expect(machine.snapshot().hash()).toBe(done.hash());
    }
    // It still is a disk whose flushes wait.
    const other = new Driver(again, 1, 64).start(1, flushes);
    ask(other, flush);
    expect(again.flushes).toHaveLength(1);
  });

  it.each<[string, (driver: Driver) => void]>([
    ['resets it', (driver) => driver.write(reg.status, 0)],
    ['resets it and sets it up again', (driver) => void driver.start(1, flushes)],
    ['lays its queue out again', (driver) => {
      driver.write(reg.queueReady, 0);
      driver.setQueue(0);
    }],
  ])('forgets what waits where the driver %s', (_, act) => {
    const driver = driverOf();
    const place = ask(driver, flush);
    act(driver);
    expect(driver.machine.flushes).toEqual([]);
    driver.machine.answerFlush({ disk: 1, head: 0 }, true);
    expect(driver.peek(place, 1)[0]).toBe(0xff);
    expect(driver.read(reg.interruptStatus)).toBe(0);
  });

  it('is broken by a driver that gives it what it still has, or takes it away', () => {
    const driver = driverOf();
    ask(driver, flush);
    driver.offer(0, 0);
    driver.notify();
    expect(driver.read(reg.status) & status.needsReset).toBe(status.needsReset);
    const other = driverOf();
    ask(other, flush);
    other.describe(0, 0, { address: 0x8000_8000, bytes: 16, flags: 0, next: 0 });
    other.machine.answerFlush({ disk: 1, head: 0 }, true);
    expect(other.read(reg.status) & status.needsReset).toBe(status.needsReset);
    expect(other.machine.flushes).toEqual([]);
  });
});
