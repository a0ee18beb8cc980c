import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine, type MachineOptions } from '../machine';
import type { DiskImage } from './disk-image';
import { imageOfBytes } from './disk-image';
import { Driver, descriptor, encodeDescriptor as encode, half, reg, request, status, view } from './driver.test-support';

const { next, write, indirect } = descriptor;
const base = 0x8000_0000;
const ramBytes = 2 ** 18;
const broken = (driver: Driver): boolean => (driver.read(reg.status) & status.needsReset) !== 0;

const kinds: Readonly<Record<string, { options: Omit<MachineOptions, 'ramBytes'>; queue: number; queues: number }>> = {
  block: { options: { disks: [{ image: imageOfBytes(new Uint8Array(8192)) }] }, queue: 0, queues: 1 },
  net: { options: { network: { mac: new Uint8Array(6) } }, queue: 1, queues: 2 },
  entropy: { options: { entropySeed: 1 }, queue: 0, queues: 1 },
  console: { options: { console: true }, queue: 1, queues: 2 },
};

describe.each(Object.entries(kinds))('%s: a driver that breaks the rules has to reset the device', (_, { options, queue, queues }) => {
  const device = (): Driver => Driver.of(options).start(queues);
  const entry = { address: base + 0x8000, bytes: 16, flags: 0, next: 0 };

  it.each([
    ['a chain that goes round', [{ ...entry, flags: next, next: 1 }, { ...entry, flags: next, next: 0 }]],
    ['a descriptor behind the table', [{ ...entry, flags: next, next: 8 }]],
    ['an address below RAM', [{ ...entry, address: base - 8 }]],
    ['an address behind RAM', [{ ...entry, address: base + ramBytes - 8 }]],
    ['a range that wraps', [{ ...entry, address: 2 ** 64 - 2048, bytes: 0xffff_ffff }]],
    ['a length beyond RAM', [{ ...entry, bytes: 0xffff_ffff }]],
    ['a buffer to read behind one to write', [{ ...entry, flags: write | next, next: 1 }, entry]],
    ['an indirect table of a broken length', [{ ...entry, flags: indirect, bytes: 17 }]],
    ['an empty indirect table', [{ ...entry, flags: indirect, bytes: 0 }]],
    ['an indirect table outside of RAM', [{ ...entry, flags: indirect, address: 0x1000 }]],
    ['an indirect table with a successor', [{ ...entry, flags: indirect | next, next: 1 }, entry]],
    ['an indirect table in itself', [{ address: base + 0x1000, bytes: 16, flags: indirect, next: 0 }]],
  ])('%s', (_name, entries) => {
    const driver = device();
    entries.forEach((each, index) => driver.describe(queue, index, each));
    driver.offer(queue, 0);
    driver.notify(queue);
    expect(broken(driver)).toBe(true);
    expect(driver.outputs()).toEqual([]);
    // Until then it does nothing more.
    driver.describe(queue, 0, { ...entry, bytes: 64 });
    driver.offer(queue, 0);
    driver.notify(queue);
    expect(driver.used(queue)).toEqual([]);
    expect(driver.machine.receiveFrame(new Uint8Array(60))).toBe(false);
    expect(driver.machine.consoleRoom).toBe(0);
  });

  it('more available than the queue holds', () => {
    const driver = device();
    driver.poke(driver.at(queue, 'available') + 2, half(9));
    driver.notify(queue);
    expect(broken(driver)).toBe(true);
  });

  it.each(['queueDesc', 'queueDriver', 'queueDevice'] as const)('a queue whose %s is not in RAM', (part) => {
    const driver = Driver.of(options);
    driver.start(queues);
    driver.write(reg.queueSel, queue);
    driver.write(reg.queueReady, 0);
    driver.write(reg[part] + 4, 0xffff_ffff);
    driver.write(reg.queueReady, 1);
    driver.post(queue, [new Uint8Array(64)]);
    driver.notify(queue);
    expect(broken(driver)).toBe(true);
  });

  it('whatever stands in descriptors and rings, nothing is thrown and no more than the budget is done', () => {
    const table = fc.uint8Array({ minLength: 128, maxLength: 128 });
    const ring = fc.uint8Array({ minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(table, ring, fc.nat(8), fc.boolean(), (descriptors, available, count, likely) => {
        const driver = device();
        // Half of the time the addresses are in RAM, and the lengths small.
        if (likely) {
          for (let i = 0; i < 8; i++) {
            descriptors.set([0, descriptors[i * 16 + 1] ?? 0, (descriptors[i * 16 + 2] ?? 0) & 3, 0x80, 0, 0, 0, 0], i * 16);
            descriptors.set([descriptors[i * 16 + 8] ?? 0, 1, 0, 0], i * 16 + 8);
            descriptors.set([(descriptors[i * 16 + 12] ?? 0) & 7, 0, (descriptors[i * 16 + 14] ?? 0) & 7, 0], i * 16 + 12);
          }
        }
        driver.poke(driver.at(queue, 'descriptors'), descriptors);
        driver.poke(driver.at(queue, 'available'), available);
        driver.poke(driver.at(queue, 'available') + 2, half(count));
        for (const each of [0, 1, 2]) driver.notify(each);
        driver.machine.receiveFrame(new Uint8Array(60));
        driver.machine.receive(new Uint8Array(100));
        driver.loadCode();
        expect(driver.read(reg.magic)).toBe(0x74726976);
        expect(driver.outputs().length).toBeLessThan(8 * 65_536);
        const snapshot = driver.machine.snapshot();
        const twin = driver.machine.clone();
        expect(twin.snapshot().equals(snapshot)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the work of one instruction is bounded', () => {
  it('requests beyond it wait for the acknowledgement, and output for being taken', () => {
    const size = 4 * 2 ** 20;
    const machine = Machine.create({ ramBytes: 2 * size, disks: [{ image: imageOfBytes(new Uint8Array(size)) }] });
    const driver = new Driver(machine, 0, 64).start();
    const [header = 0, state = 0] = [driver.allocate(16), driver.allocate(16)];
    driver.poke(header, request(1, 0));
    driver.describe(0, 0, { address: base + header, bytes: 16, flags: next, next: 1 });
    driver.describe(0, 1, { address: base + size, bytes: size, flags: next, next: 2 });
    driver.describe(0, 2, { address: base + state, bytes: 1, flags: write, next: 0 });
    for (let i = 0; i < 64; i++) driver.offer(0, 0);
    driver.aim(driver.address(reg.queueNotify), 0);
    const before = machine.retired;
    expect(machine.run(before + 1000)).toBe('output');
    expect(machine.retired).toBe(before + 1);
    let done = machine.takeOutputs().length;
    expect(done).toBeGreaterThanOrEqual(15);
    expect(done).toBeLessThanOrEqual(17);
    for (let turns = 0; turns < 4; turns++) {
      driver.write(reg.interruptAck, 1);
      done += machine.takeOutputs().length;
    }
    expect(done).toBe(64);
    expect(driver.used()).toHaveLength(64);
    expect(broken(driver)).toBe(false);
  });

  it('also where what the device writes makes ever more available', () => {
    // Each sector holds the available ring's next index, and behind it the request for the sector after it.
    const image: DiskImage = {
      sha256: () => '',
      bytes: 65_536 * 512,
      read(offset, target) {
        const sector = offset / 512;
        target.fill(0);
        view(target).setUint16(2, sector + 2, true);
        target.set(request(0, (sector + 1) % 65_536), 16);
      },
    };
    const driver = Driver.of({ disks: [{ image }] }, 0, 1);
    driver.write(reg.status, 0);
    driver.negotiate([0, 1]);
    driver.write(reg.queueNum, 1);
    const window = 0x9000;
    for (const [register, at] of [[reg.queueDesc, 0x1000], [reg.queueDriver, window], [reg.queueDevice, 0x3000]] as const) {
      driver.write(register, base + at);
    }
    driver.write(reg.queueReady, 1);
    driver.write(reg.status, status.featuresOk | status.driverOk);
    // A queue of one entry has one descriptor: the chain stands in an indirect table.
    driver.describe(0, 0, { address: base + 0x4000, bytes: 48, flags: indirect, next: 0 });
    const chain = [
      { address: base + window + 16, bytes: 16, flags: next, next: 1 },
      { address: base + window, bytes: 512, flags: next | write, next: 2 },
      { address: base + 0x5000, bytes: 1, flags: write, next: 0 },
    ];
    chain.forEach((entry, i) => driver.poke(0x4000 + i * 16, encode(entry)));
    driver.poke(window, Uint8Array.of(0, 0, 1, 0));
    driver.poke(window + 16, request(0, 0));
    driver.notify();
    const given = (): number => view(driver.peek(0x3000, 4)).getUint16(2, true);
    const first = given();
    expect(first).toBeGreaterThan(1000);
    expect(first).toBeLessThan(20_000);
    driver.notify();
    expect(given()).toBe(2 * first);
    expect(broken(driver)).toBe(false);
  });
});
