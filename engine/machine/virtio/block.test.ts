import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ramBase } from '../guest.test-support';
import { diskStride } from './block';
import { DiskImageError, imageOfBytes, imageOfFile } from './disk-image';
import { Driver, reg, request, view, type Part } from './driver.test-support';

const pattern = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

function withDisk(content = pattern(16 * 512), readOnly = false): Driver {
  return Driver.of({ disks: [{ image: imageOfBytes(content), readOnly }] }, 0, 64).start();
}

/** Does one request and gives its status, and where its buffers stand. */
function ask(driver: Driver, parts: readonly Part[]): { status: number; places: number[]; bytes: number } {
  const places = driver.post(0, [...parts, 1]);
  driver.notify();
  return { status: driver.peek(places.at(-1) ?? 0, 1)[0] ?? -1, places, bytes: driver.used()[0]?.bytes ?? -1 };
}

const read = (driver: Driver, sector: number, bytes: number): Uint8Array => {
  const { places, status } = ask(driver, [request(0, sector), bytes]);
  expect(status).toBe(0);
  return driver.peek(places[1] ?? 0, bytes);
};

describe('a disk', () => {
  it('tells capacity and limits', () => {
    const config = [0, 4, 8, 12].map((at) => withDisk().read(reg.config + at));
    expect(config).toEqual([16, 0, 65536, 126]);
  });

  it('reads, writes, flushes, and says its name', () => {
    const content = pattern(16 * 512);
    const driver = withDisk(content);
    expect(read(driver, 3, 1024)).toEqual(content.slice(3 * 512, 5 * 512));
    const data = Uint8Array.from({ length: 512 }, () => 0xa5);
    expect(ask(driver, [request(1, 4), data])).toMatchObject({ status: 0, bytes: 1 });
    expect(read(driver, 4, 512)).toEqual(data);
    expect(ask(driver, [request(4, 0)]).status).toBe(0);
    const { places, bytes } = ask(driver, [request(8, 0), 20]);
    expect(Buffer.from(driver.peek(places[1] ?? 0, 20)).toString()).toBe('covert-disk-0'.padEnd(20, '\0'));
    expect(bytes).toBe(21);
    // The image is as it was.
    expect(content).toEqual(pattern(16 * 512));
  });

  it('hands wrong bits to one transfer, if they are to flip, whatever the pieces', () => {
    const content = pattern(16 * 512);
    const driver = withDisk(content);
    driver.machine.setTransferFlips((1n << 3n) | (1n << 4095n));
    ask(driver, [request(1, 4), content.subarray(0, 512)]);
    expect(driver.machine.takeStruckTransfer()).toBeUndefined();
    const { places } = ask(driver, [request(0, 2), 100, 924]);
    const got = Buffer.concat([driver.peek(places[1] ?? 0, 100), driver.peek(places[2] ?? 0, 924)]);
    const wrong = [...got].flatMap((byte, i) => (byte === content[1024 + i] ? [] : [[i, byte ^ (content[1024 + i] ?? 0)]]));
    expect(wrong).toEqual([[0, 8], [511, 128]]);
    expect([driver.machine.takeStruckTransfer(), driver.machine.takeStruckTransfer()]).toEqual([(1n << 3n) | (1n << 4095n), undefined]);
    expect(read(driver, 2, 1024)).toEqual(content.slice(1024, 2048));
  });

  it.each([
    ['behind its end', [request(0, 16), 512]],
    ['over its end', [request(0, 15), 1024]],
    ['at a sector whose offset wraps', [request(0, 2n ** 64n - 1n), 512]],
    ['of half a sector', [request(0, 0), 100]],
    ['written behind its end', [request(1, 16), new Uint8Array(512)]],
    ['of half a sector, written', [request(1, 0), new Uint8Array(513)]],
  ] as const)('answers a request %s with an error', (_, parts) => {
    const driver = withDisk();
    expect(ask(driver, parts).status).toBe(1);
    expect(driver.outputs()).toEqual([]);
  });

  it('answers what it does not know as unsupported, and no write where it is read-only', () => {
    expect(ask(withDisk(), [request(11, 0)]).status).toBe(2);
    const driver = withDisk(undefined, true);
    expect(driver.read(reg.deviceFeatures) & 32).toBe(32);
    expect(ask(driver, [request(1, 0), new Uint8Array(512)]).status).toBe(1);
    expect(driver.outputs()).toEqual([]);
  });

  it('takes header, data and status however they are cut into buffers', () => {
    const driver = withDisk();
    const whole = Uint8Array.from([...request(1, 2), ...pattern(1024).fill(9)]);
    const places = driver.post(0, [whole.slice(0, 5), whole.slice(5, 40), whole.slice(40), 1]);
    driver.notify();
    expect(driver.peek(places[3] ?? 0, 1)[0]).toBe(0);
    const cut = driver.post(0, [request(0, 1), 100, 924, 513]);
    driver.notify();
    const got = [100, 924, 513].flatMap((bytes, i) => [...driver.peek(cut[i + 1] ?? 0, bytes)]);
    expect(Uint8Array.from(got.slice(0, 512))).toEqual(pattern(16 * 512).slice(512, 1024));
    expect(got.slice(512, 1536)).toEqual(Array(1024).fill(9));
    expect(got[1536]).toBe(0);
  });

  it('writes are outputs, in one series with the console, counted to the instruction', () => {
    const driver = withDisk();
    const { machine } = driver;
    const uart = (byte: number): void => driver.store(0x1000_0000n, byte);
    uart(65);
    driver.post(0, [request(1, 3), new Uint8Array(512).fill(1), 1]);
    driver.post(0, [request(1, 4), new Uint8Array(1024).fill(2), 1]);
    driver.aim(driver.address(reg.queueNotify), 0);
    const before = machine.retired;
    expect(machine.run(before + 100, { stopOnOutput: true })).toBe('output');
    expect(machine.retired).toBe(before + 1);
    uart(66);
    expect(driver.outputs().map(({ sequence, kind, value, instruction, data }) => [sequence, kind, value, instruction - before, data?.length, data?.[0]])).toEqual([
      [0, 'console', 65, expect.any(Number), undefined, undefined],
      [1, 'disk', 3, 1, 512, 1],
      [2, 'disk', 4, 1, 1024, 2],
      [3, 'console', 66, 2, undefined, undefined],
    ]);
  });

  it('says which of several it is in the value of its outputs', () => {
    const images = [1, 2, 3].map(() => ({ image: imageOfBytes(new Uint8Array(4096)) }));
    const driver = new Driver(Driver.of({ disks: images }).machine, 2).start();
    ask(driver, [request(1, 5), new Uint8Array(512)]);
    expect(driver.outputs()[0]?.value).toBe(2 * diskStride + 5);
  });

  it('a request without header, or without room for a status, needs a reset', () => {
    for (const parts of [[new Uint8Array(8), 1], [request(4, 0)]]) {
      const driver = withDisk();
      driver.post(0, parts);
      driver.notify();
      expect(driver.read(reg.status) & 64).toBe(64);
    }
  });

  it('has what it reads seen by whoever watches memory, and by the digest of effects', () => {
    const digest = (content: Uint8Array): bigint => {
      const driver = withDisk(content);
      driver.post(0, [request(0, 0), 512, 1]);
      const { machine } = driver;
      driver.aim(driver.address(reg.queueNotify), 0);
      machine.run(machine.retired + 1, { collectEffects: true });
      return machine.effects();
    };
    const other = pattern(4096);
    other[100] = 1;
    expect(digest(pattern(4096))).toBe(digest(pattern(4096)));
    expect(digest(pattern(4096))).not.toBe(digest(other));
    const driver = withDisk();
    const [, data = 0] = driver.post(0, [request(0, 0), 512, 1]);
    driver.machine.setWatches([{ address: ramBase + BigInt(data) + 8n, bytes: 1, on: 'write' }]);
    driver.aim(driver.address(reg.queueNotify), 0);
    expect(driver.machine.run(driver.machine.retired + 5)).toBe('watch');
  });

  it('that overwrites code which has been run is obeyed', () => {
    const driver = withDisk(Uint8Array.of(...[0x13, 0x06, 0x50, 0x00], ...new Uint8Array(508)));
    const { machine } = driver;
    // The driver's own second instruction, a load, becomes addi a2, x0, 5.
    driver.read(reg.magic);
    driver.describe(0, 0, { address: Number(ramBase) + driver.allocate(16), bytes: 16, flags: 1, next: 1 });
    driver.poke(0x8000, request(0, 0));
    driver.describe(0, 1, { address: Number(ramBase) + 4, bytes: 512, flags: 3, next: 2 });
    driver.describe(0, 2, { address: Number(ramBase) + 0x9000, bytes: 1, flags: 2, next: 0 });
    driver.offer(0, 0);
    driver.notify();
    machine.setX(12, 0n);
    machine.run(machine.retired + 1);
    expect(machine.getX(12)).toBe(5n);
  });
});

describe('what a guest has written', () => {
  it('is as a plain array would have it, through snapshots, clones and restores', () => {
    const sectors = 40;
    const step = fc.oneof(
      fc.record({ op: fc.constant('write' as const), sector: fc.nat(sectors - 1), count: fc.integer({ min: 1, max: 12 }), byte: fc.nat(255) }),
      fc.record({ op: fc.constant('read' as const), sector: fc.nat(sectors - 1), count: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ op: fc.constant('snapshot' as const) }),
      fc.record({ op: fc.constant('restore' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
        const content = pattern(sectors * 512);
        const driver = withDisk(content);
        let model = content.slice();
        let saved = { snapshot: driver.machine.snapshot(), model: model.slice() };
        for (const each of steps) {
          if (each.op === 'snapshot') saved = { snapshot: driver.machine.snapshot(), model: model.slice() };
          else if (each.op === 'restore') {
            driver.machine.restore(saved.snapshot);
            driver.machine.takeOutputs();
            model = saved.model.slice();
            driver.start();
          } else {
            const bytes = Math.min(each.count, sectors - each.sector) * 512;
            if (each.op === 'read') {
              expect(read(driver, each.sector, bytes)).toEqual(model.slice(each.sector * 512, each.sector * 512 + bytes));
            } else {
              const data = new Uint8Array(bytes).fill(each.byte);
              expect(ask(driver, [request(1, each.sector), data]).status).toBe(0);
              model.set(data, each.sector * 512);
            }
          }
          // Buffers are not taken back by the tests' driver.
          driver.start();
        }
        expect(read(driver, 0, sectors * 512)).toEqual(model);
        const twin = new Driver(driver.machine.clone(), 0, 64);
        expect(twin.machine.snapshot().equals(driver.machine.snapshot())).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('is hashed, compared and named; writing the same again changes nothing', () => {
    const content = pattern(16 * 512);
    const driver = withDisk(content);
    const write = (sector: number, data: Uint8Array): ReturnType<typeof driver.machine.snapshot> => {
      driver.machine.restore(start);
      const fresh = withDisk(content);
      fresh.machine.restore(start);
      ask(fresh, [request(1, sector), data]);
      return fresh.machine.snapshot();
    };
    const start = driver.machine.snapshot();
    const same = write(9, content.slice(9 * 512, 10 * 512));
    const changed = content.slice(9 * 512, 10 * 512);
    changed[3] = 0;
    changed[511] = 1;
    const other = write(9, changed);
    const disks = other.difference(same).filter(({ place }) => place.startsWith('disk'));
    expect(disks.map(({ place }) => place)).toEqual(['disk0[0x1200]', 'disk0[0x13f8]']);
    expect(disks[0]?.b).toBe(view(content).getBigUint64(0x1200, true));
    expect(same.disks[0]?.tree.hash()).toEqual(start.disks[0]?.tree.hash());
    expect(other.disks[0]?.tree.hash()).not.toEqual(start.disks[0]?.tree.hash());
    expect(other.hash()).not.toBe(same.hash());
    expect(other.equals(same)).toBe(false);
    expect(other.changedPages(same)).toBeGreaterThan(same.changedPages(same));
  });

  it('does not fit a machine with another disk', () => {
    const snapshot = withDisk(pattern(512)).machine.snapshot();
    expect(() => withDisk(pattern(1024)).machine.restore(snapshot)).toThrow(/disk of 512 bytes does not fit one of 1024/);
    expect(() => Driver.of({}).machine.restore(snapshot)).toThrow(/1 disks does not fit 0/);
    expect(withDisk(pattern(1024)).machine.snapshot().equals(snapshot)).toBe(false);
  });
});

describe('an image', () => {
  it('is a whole number of sectors', () => {
    expect(() => imageOfBytes(new Uint8Array())).toThrow(DiskImageError);
    expect(() => imageOfBytes(new Uint8Array(513))).toThrow(/no multiple of 512/);
  });

  it('in a file is read where it is asked for, and never written', () => {
    const folder = mkdtempSync(join(tmpdir(), 'covert-disk-'));
    try {
      const path = join(folder, 'disk.img');
      const content = pattern(20 * 512);
      writeFileSync(path, content);
      const image = imageOfFile(path);
      const driver = Driver.of({ disks: [{ image }] }, 0, 64).start();
      expect(read(driver, 7, 13 * 512)).toEqual(content.slice(7 * 512));
      ask(driver, [request(1, 0), new Uint8Array(512)]);
      expect(read(driver, 0, 1024)).toEqual(Uint8Array.of(...new Uint8Array(512), ...content.slice(512, 1024)));
      truncateSync(path, 512);
      expect(() => read(driver, 9, 512)).toThrow(/disk\.img has become shorter while a guest used it/);
      expect(() => imageOfFile(folder)).toThrow(DiskImageError);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
