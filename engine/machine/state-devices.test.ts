import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { guestMac } from '../network/addresses';
import { at, stateAt } from '../core/layout';
import { Machine } from './machine';
import { MachineSnapshot } from './snapshot';
import { noImages, readState, StateFileError, writeState, type SavedDisk } from './state-file';
import { imageOfBytes, imageOfFile } from './virtio/disk-image';
import { Driver, request } from './virtio/driver.test-support';

const folder = mkdtempSync(join(tmpdir(), 'covert-state-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sectors = 64;
const content = Uint8Array.from({ length: sectors * 512 }, (_, i) => (i * 7 + (i >> 9)) & 0xff);
const image = (): ReturnType<typeof imageOfBytes> => imageOfBytes(content);

const withDisks = (): Driver =>
  Driver.of({ disks: [{ image: image() }, { image: imageOfBytes(new Uint8Array(512)), readOnly: true }], network: { mac: guestMac }, entropySeed: 3, console: true }, 0, 64).start();
const imageOf = ({ bytes }: SavedDisk): ReturnType<typeof imageOfBytes> => (bytes === 512 ? imageOfBytes(new Uint8Array(512)) : image());

/** One request to the first disk: a write of a byte's pattern, or a read. */
function traffic(driver: Driver, [sector, value]: readonly [number, number]): Uint8Array {
  const places = driver.post(0, value < 128 ? [request(1, sector), new Uint8Array(512).fill(value), 1] : [request(0, sector), 512, 1]);
  driver.notify();
  driver.used();
  return driver.peek(places[1] ?? 0, 512);
}

describe('the state of a guest with devices', () => {
  test('goes on in the middle of disk traffic as the machine that wrote it', () => {
    const requests = fc.array(fc.tuple(fc.nat(sectors - 1), fc.nat(255)), { maxLength: 20 });
    fc.assert(
      fc.property(requests, fc.nat(255), requests, (before, pending, after) => {
        const driver = withDisks();
        for (const one of before) traffic(driver, one);
        // One request is in the queue, and the device has not been told.
        driver.post(0, [request(1, 5), new Uint8Array(1024).fill(pending), 1]);
        const copy = new Driver(Machine.fromState(driver.machine.save(), imageOf), 0, 64);
        expect(copy.machine.snapshot().hash()).toBe(driver.machine.snapshot().hash());
        for (const one of [driver, copy]) {
          one.notify();
          one.start();
          for (const next of after) traffic(one, next);
        }
        expect(copy.machine.snapshot().hash()).toBe(driver.machine.snapshot().hash());
        expect(copy.machine.save()).toEqual(driver.machine.save());
      }),
      { numRuns: 20 },
    );
  });

  test('two machines do the same from there on', () => {
    const driver = withDisks();
    traffic(driver, [3, 77]);
    const machine = Machine.fromState(driver.machine.save(), imageOf);
    for (const other of [driver.machine, machine]) {
      const twin = new Driver(other, 0, 64).start();
      expect(traffic(twin, [3, 200])).toEqual(new Uint8Array(512).fill(77));
      expect(traffic(twin, [4, 200])).toEqual(content.slice(4 * 512, 5 * 512));
      expect([machine.disks, machine.networked]).toEqual([2, true]);
    }
    expect(machine.snapshot().hash()).toBe(driver.machine.snapshot().hash());
  });

  test('a wrong image is refused, whatever is the matter with it', () => {
    const file = withDisks().machine.save();
    const refused = (wrong: Uint8Array): unknown => {
      try {
        readState(file, ({ bytes }) => imageOfBytes(bytes === 512 ? new Uint8Array(512) : wrong));
      } catch (error) {
        return error instanceof StateFileError ? error.message : error;
      }
      return undefined;
    };
    expect(refused(content)).toBeUndefined();
    expect(refused(new Uint8Array(1024))).toBe('the image has 1024 bytes, and its disk 32768: it is another image');
    const changed = content.slice();
    changed[20_000] = 1;
    expect(refused(changed)).toBe("the image is another image than the state's, or has been changed");
    expect(() => readState(file, noImages)).toThrow(StateFileError);
  });

  test('an image file is known again by its times, and read where they are others', () => {
    const path = join(folder, 'disk.img');
    writeFileSync(path, content);
    const machine = Machine.create({ ramBytes: 65_536, disks: [{ image: imageOfFile(path) }] });
    let found: SavedDisk | undefined;
    readState(machine.save(), (disk) => imageOfFile((found = disk).file?.path ?? ''));
    expect(found).toMatchObject({ bytes: content.length, readOnly: false, sha256: image().sha256(), file: { path } });
    const stamp = found?.file?.stamp ?? '';
    expect(imageOfFile(path, { stamp, sha256: 'known' }).sha256()).toBe('known');
    const open = imageOfFile(path);
    writeFileSync(path, content.map((byte) => byte ^ 1));
    expect(imageOfFile(path, { stamp, sha256: 'known' }).sha256()).not.toBe('known');
    expect(() => open.sha256()).toThrow(/has been changed while a guest used it/);
  });
});

describe('a hostile state', () => {
  test('with a right sum is refused, or is a guest like any other', () => {
    const driver = withDisks();
    traffic(driver, [3, 77]);
    const { machine } = driver;
    const good = readState(machine.save(), imageOf);
    const place = fc.oneof(fc.nat(good.snapshot.state.length - 1), fc.nat(0xa10), fc.constantFrom(...Object.values(at).filter((address) => address >= stateAt && address < stateAt + 0xa00)).map((address) => address - stateAt));
    fc.assert(
      fc.property(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const state = good.snapshot.state.slice();
        for (const [offset, value] of changes) state[offset] = value;
        const snapshot = new MachineSnapshot(state, good.snapshot.pages, good.snapshot.ramBytes, 1, good.snapshot.disks);
        const file = writeState({ ...good, snapshot });
        let guest: Machine;
        try {
          guest = Machine.fromState(file, imageOf);
        } catch (error) {
          expect(error).toBeInstanceOf(StateFileError);
          return;
        }
        const twin = new Driver(guest);
        twin.notify();
        twin.read(0x70);
        guest.receive(Uint8Array.of(65, 66));
        guest.receiveFrame(new Uint8Array(60));
        guest.run(guest.retired + 1000);
        expect(guest.snapshot().hash()).toMatch(/^[0-9a-f]{64}$/);
      }),
      { numRuns: 300 },
    );
  });

  test('that says that it reboots, or has harts that are not there, is refused', () => {
    const good = readState(withDisks().machine.save(), imageOf);
    for (const [address, value] of [[at.exited, 2], [at.harts, 2], [at.hart, 1], [at.uartCount, 17], [at.x, 1]] as const) {
      const state = good.snapshot.state.slice();
      state[address - stateAt] = value;
      const file = writeState({ ...good, snapshot: new MachineSnapshot(state, good.snapshot.pages, good.snapshot.ramBytes, 1, good.snapshot.disks) });
      expect(() => readState(file, imageOf)).toThrow('its state makes no sense');
    }
  });
});
