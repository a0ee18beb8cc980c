import { describe, expect, it } from 'vitest';
import { Machine } from '../machine';
import { imageOfBytes } from './disk-image';
import { Driver, half, reg, request, status } from './driver.test-support';

const disk = (): Driver => Driver.of({ disks: [{ image: imageOfBytes(new Uint8Array(4096)) }] });

describe('registers of a device', () => {
  it('say what it is', () => {
    const driver = disk();
    expect([reg.magic, reg.version, reg.deviceId, reg.queueNumMax, reg.generation].map((offset) => driver.read(offset))).toEqual([
      0x74726976, 2, 2, 256, 0,
    ]);
    // No shared memory: length and place are all ones (4.2.2).
    expect([0xb0, 0xb4, 0xb8, 0xbc].map((offset) => driver.read(offset))).toEqual(Array(4).fill(0xffff_ffff));
  });

  it('of an empty place say only that it is one', () => {
    const driver = Driver.of({}, 7);
    driver.write(reg.status, 0xff);
    driver.notify();
    expect([reg.magic, reg.version, reg.deviceId, reg.deviceFeatures, reg.status, reg.queueNumMax, reg.config].map((at) => driver.read(at))).toEqual(
      [0x74726976, 2, 0, 0, 0, 0, 0],
    );
  });

  it('are 32 bits wide and nothing else; a configuration is read in any width', () => {
    const driver = disk();
    driver.writeHalf(reg.status, 1);
    driver.writeDouble(reg.status, 1n);
    expect(driver.read(reg.status)).toBe(0);
    expect(driver.readDouble(reg.magic)).toBe(0n);
    expect(driver.read(reg.config)).toBe(8);
    // Read-only, and beyond its end zero.
    driver.write(reg.config, 77);
    expect(driver.read(reg.config)).toBe(8);
    expect(driver.read(0xffc)).toBe(0);
  });
});

describe('setting a device up', () => {
  it('needs version 1 and no feature that is not offered', () => {
    const driver = disk();
    for (const [features, agreed] of [[[0, 1], true], [[0, 0], false], [[0, 3], false], [[1 << 24, 1], false], [[1 << 9, 1], true]] as const) {
      driver.write(reg.status, 0);
      driver.negotiate(features);
      expect((driver.read(reg.status) & status.featuresOk) !== 0, features.join()).toBe(agreed);
    }
  });

  it('fixes the features once agreed, and a queue once ready', () => {
    const driver = disk().start();
    driver.write(reg.driverFeaturesSel, 1);
    driver.write(reg.driverFeatures, 0);
    driver.write(reg.status, status.featuresOk);
    expect(driver.read(reg.status) & status.featuresOk).toBe(status.featuresOk);
    driver.write(reg.queueNum, 3);
    driver.write(reg.queueDesc, 0);
    driver.post(0, [request(4, 0), 1]);
    driver.notify();
    expect(driver.used()).toEqual([{ head: 0, bytes: 1 }]);
  });

  it.each([0, 3, 5, 512, 0xffff_ffff])('no queue of %i entries is ever ready', (size) => {
    const driver = disk();
    driver.write(reg.queueNum, size);
    driver.write(reg.queueReady, 1);
    expect(driver.read(reg.queueReady)).toBe(0);
  });

  it('in the wrong order does nothing', () => {
    const driver = disk();
    driver.write(reg.status, status.driverOk);
    expect(driver.read(reg.status)).toBe(0);
    driver.setQueue(0);
    driver.post(0, [request(4, 0), 1]);
    driver.notify();
    driver.negotiate([0, 1]);
    driver.notify();
    driver.write(reg.status, status.featuresOk | status.driverOk);
    // Queues that are not there.
    driver.write(reg.queueNotify, 1);
    driver.write(reg.queueNotify, 0xffff_ffff);
    expect(driver.used()).toEqual([]);
    driver.notify();
    expect(driver.used()).toEqual([{ head: 0, bytes: 1 }]);
  });

  it('again after a reset starts from nothing', () => {
    const driver = disk().start();
    driver.post(0, [request(4, 0), 1]);
    driver.notify();
    driver.write(reg.status, 0);
    for (const at of [reg.status, reg.interruptStatus, reg.queueReady]) expect(driver.read(at)).toBe(0);
    expect(new Driver(driver.machine).start().read(reg.status)).toBe(15);
  });
});

describe('an interrupt', () => {
  it('is raised by a used buffer, and lowered by the acknowledgement', () => {
    const driver = disk().start();
    driver.post(0, [request(4, 0), 1]);
    expect(driver.interrupts).toBe(false);
    driver.notify();
    expect(driver.read(reg.interruptStatus)).toBe(1);
    expect(driver.interrupts).toBe(true);
    driver.write(reg.interruptAck, 1);
    expect(driver.read(reg.interruptStatus)).toBe(0);
  });

  it('is not raised where the driver does not want it', () => {
    const driver = disk().start();
    driver.post(0, [request(4, 0), 1], 1);
    driver.notify();
    expect(driver.used()).toHaveLength(1);
    expect(driver.read(reg.interruptStatus)).toBe(0);
  });

  it('of a configuration says that the driver broke the rules', () => {
    const driver = disk().start();
    driver.poke(driver.at(0, 'available') + 2, half(9));
    driver.notify();
    expect(driver.read(reg.status) & status.needsReset).toBe(status.needsReset);
    expect(driver.read(reg.interruptStatus)).toBe(2);
    driver.start();
    expect(driver.read(reg.status) & status.needsReset).toBe(0);
  });

  it('reaches the hart at the next instruction', () => {
    const driver = disk().start();
    const { machine } = driver;
    // Priority and enable of source 1 in the PLIC, for machine mode; then the hart's own enables.
    for (const [address, value] of [[0x0c00_0004, 1], [0x0c00_2000, 2]] as const) {
      driver.store(BigInt(address), value);
    }
    machine.setCsr(0x304, 1n << 11n);
    machine.setCsr(0x300, 8n);
    expect(machine.interruptDue()).toBe(false);
    driver.post(0, [request(4, 0), 1]);
    driver.notify();
    expect(machine.interruptDue()).toBe(true);
  });
});

it('a machine has room for eight devices', () => {
  const disks = Array.from({ length: 8 }, () => ({ image: imageOfBytes(new Uint8Array(512)) }));
  expect(() => Machine.create({ ramBytes: 4096, disks })).not.toThrow();
  expect(() => Machine.create({ ramBytes: 4096, disks, entropySeed: 1 })).toThrow('at most 8 virtio devices, not 9');
});
