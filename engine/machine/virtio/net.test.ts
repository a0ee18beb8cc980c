import { describe, expect, it } from 'vitest';
import { Driver, reg, status } from './driver.test-support';

const mac = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);
const card = (): Driver => Driver.of({ network: { mac } }).start(2);
const frame = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => i & 0xff);
const header = new Uint8Array(12);

describe('a network card', () => {
  it('has an address', () => {
    const driver = card();
    expect(driver.read(reg.deviceFeatures)).toBe((1 << 28) | (1 << 5));
    expect([driver.read(reg.config), driver.read(reg.config + 4)]).toEqual([0x1200_5452, 0x5634]);
    expect(() => Driver.of({ network: { mac: new Uint8Array(5) } })).toThrow(/6 bytes, not 5/);
  });

  it('sends what follows the header, in the instruction that announces it', () => {
    const driver = card();
    driver.post(1, [Uint8Array.of(...header, ...frame(60))]);
    driver.post(1, [header, frame(100).slice(0, 50), frame(100).slice(50)]);
    driver.notify(1);
    const outputs = driver.outputs();
    expect(outputs.map(({ kind, value, data, instruction }) => [kind, value, data, instruction])).toEqual([
      ['net', 60, frame(60), driver.machine.retired],
      ['net', 100, frame(100), driver.machine.retired],
    ]);
    expect(driver.used(1)).toHaveLength(2);
  });

  it('loses what is no frame, and gives the buffer back', () => {
    const driver = card();
    for (const bytes of [0, 13, 1519, 9000]) driver.post(1, [Uint8Array.of(...header, ...frame(bytes))]);
    driver.notify(1);
    expect(driver.used(1)).toHaveLength(4);
    expect(driver.outputs()).toEqual([]);
  });

  it('needs a reset after a buffer that has not even a header', () => {
    const driver = card();
    driver.post(1, [header.slice(1)]);
    driver.notify(1);
    expect(driver.read(reg.status) & status.needsReset).toBe(status.needsReset);
  });

  it('receives into the buffers of its driver, and takes nothing where there is none', () => {
    const driver = card();
    expect(driver.machine.receiveFrame(frame(60))).toBe(false);
    const [at = 0] = driver.post(0, [1530]);
    driver.notify(0);
    // Buffers to receive into are used by a frame, not by their announcement.
    expect(driver.used(0)).toEqual([]);
    expect(driver.machine.receiveFrame(frame(60))).toBe(true);
    expect(driver.used(0)).toEqual([{ head: 0, bytes: 72 }]);
    expect(driver.peek(at, 72)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, ...frame(60)));
    expect(driver.read(reg.interruptStatus)).toBe(1);
    expect(driver.interrupts).toBe(true);
    expect(driver.machine.receiveFrame(frame(60))).toBe(false);
  });

  it('says how many frames there are buffers for', () => {
    const driver = card();
    const room = (): number => driver.machine.frameRoom;
    expect(room()).toBe(0);
    for (let i = 0; i < 3; i++) driver.post(0, [1530]);
    expect(room()).toBe(3);
    driver.machine.receiveFrame(frame(60));
    expect(room()).toBe(2);
    // A driver that breaks the rules has none, and asking changes nothing.
    driver.poke(driver.at(0, 'available') + 2, Uint8Array.of(0, 1));
    expect([room(), driver.read(reg.status) & status.needsReset]).toEqual([0, 0]);
    expect(Driver.of({}).machine.frameRoom).toBe(0);
  });

  it('loses a frame that is too large for the buffer', () => {
    const driver = card();
    driver.post(0, [40]);
    expect(driver.machine.receiveFrame(frame(60))).toBe(true);
    expect(driver.used(0)).toEqual([{ head: 0, bytes: 0 }]);
  });

  it('takes nothing before it is set up, and a machine without one never does', () => {
    expect(Driver.of({ network: { mac } }).machine.receiveFrame(frame(60))).toBe(false);
    expect(Driver.of({}).machine.receiveFrame(frame(60))).toBe(false);
  });

  it('is part of a state: what was received is there again after a restore', () => {
    const driver = card();
    driver.post(0, [1530]);
    driver.machine.receiveFrame(frame(60));
    const snapshot = driver.machine.snapshot();
    const other = Driver.of({ network: { mac } }).machine;
    other.restore(snapshot);
    expect(other.snapshot().hash()).toBe(snapshot.hash());
    expect(other.receiveFrame(frame(60))).toBe(false);
  });
});
