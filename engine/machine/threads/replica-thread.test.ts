import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { imageOf } from '../../covert/plan.test-support';
import { readElf } from '../../symbols/elf';
import { asm, machineWith } from '../guest.test-support';
import { Machine } from '../machine';
import { tiers, type Tier } from '../tier';
import type { StuckBits } from '../types';
import { DiskImageError, imageOfBytes, imageOfFile } from '../virtio/disk-image';
import { Driver, request } from '../virtio/driver.test-support';
import { ThreadLost } from './replica-thread';
import { pool, readyThread } from './thread.test-support';
import { ThreadPool } from './thread-pool';

afterEach(() => pool().close());

function checksum(tier: Tier): Machine {
  const machine = Machine.create({ ramBytes: 16 * 2 ** 20, tier });
  machine.load(readElf(imageOf('checksum')));
  return machine;
}

it.each(tiers)('%s: the same states, wherever the code is executed, and moved in between', async (tier) => {
  const alone = checksum(tier);
  const moved = checksum(tier);
  const thread = await readyThread();
  let onThread = false;
  for (let n = 1; alone.exitCode === null; n++) {
    if (n % 3 === 0) {
      onThread = !onThread;
      moved.moveTo(onThread ? thread : undefined);
    }
    const limit = alone.retired + n * 7919;
    expect(moved.run(limit, { stopOnOutput: n % 2 === 0 })).toBe(alone.run(limit, { stopOnOutput: n % 2 === 0 }));
    expect(moved.takeOutputs()).toEqual(alone.takeOutputs());
    expect(moved.snapshot().hash()).toBe(alone.snapshot().hash());
    expect(moved.cycles).toBe(alone.cycles);
  }
  expect(alone.exitCode).toBe(0);
  expect(thread.isReady).toBe(true);
});

it('bits that get stuck, and are mended, in code that a thread has translated', async () => {
  const alone = checksum('translator');
  const moved = checksum('translator');
  moved.moveTo(await readyThread());
  const faults: StuckBits[][] = [
    [{ place: { kind: 'alu' }, bits: 1n << 40n, value: 1 }],
    [{ place: { kind: 'x', index: 15 }, bits: 0x300n, value: 0 }, { place: { kind: 'memory', address: 0x80002000n, bytes: 4 }, bits: 1n, value: 1 }],
    [],
  ];
  for (let n = 0; n < 12; n++) {
    for (const machine of [alone, moved]) machine.setStuckBits(faults[n % 3] ?? []);
    const limit = alone.retired + 50_021;
    expect(moved.run(limit)).toBe(alone.run(limit));
    expect(moved.snapshot().difference(alone.snapshot())).toEqual([]);
  }
});

it('breakpoints, watches, and memory that is written are seen by a thread that has translated the code', async () => {
  const alone = checksum('translator');
  const moved = checksum('translator');
  moved.moveTo(await readyThread());
  const both = [alone, moved];
  const same = <T>(action: (machine: Machine) => T): T => {
    const [a, b] = both.map(action);
    expect(b).toEqual(a);
    return a as T;
  };
  same((machine) => machine.run(200_000));
  expect(moved.translated.functions).toBeGreaterThan(3);
  const { pc } = alone;
  same((machine) => machine.setBreakpoints([pc]));
  expect(same((machine) => machine.run(1e9, { stepOver: true }))).toBe('breakpoint');
  same((machine) => machine.setBreakpoints([]));
  const snapshot = alone.snapshot();
  same((machine) => machine.run(machine.retired + 100_000));
  // An instruction that is none, in code that is translated.
  same((machine) => machine.writeMemory(pc, new Uint8Array(4)));
  same((machine) => machine.run(machine.retired + 100_000));
  expect(same((machine) => machine.traps().exceptions)).toBeGreaterThan(0);
  same((machine) => machine.restore(snapshot));
  same((machine) => machine.run(1e9));
  expect(same((machine) => machine.snapshot().hash())).toBeTruthy();
  expect(alone.exitCode).toBe(0);
});

it('devices stay with the owner, and what one throws ends the run and not the thread', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'covert-thread-'));
  try {
    const path = join(folder, 'disk');
    writeFileSync(path, new Uint8Array(4096).fill(7));
    const thread = await readyThread();
    const driver = Driver.of({ disks: [{ image: imageOfFile(path) }] }, 0, 64);
    driver.machine.moveTo(thread);
    driver.start();
    const read = (on: Driver): Uint8Array => {
      const [, data = 0] = on.post(0, [request(0, 1), 512, 1]);
      on.notify();
      return on.peek(data, 512);
    };
    expect(read(driver)).toEqual(new Uint8Array(512).fill(7));
    truncateSync(path, 512);
    expect(() => read(driver)).toThrow(DiskImageError);
    driver.machine.moveTo(undefined);
    // The thread goes on with another machine.
    const other = Driver.of({ disks: [{ image: imageOfBytes(new Uint8Array(4096).fill(9)) }] }, 0, 64);
    other.machine.moveTo(thread);
    other.start();
    expect(read(other)).toEqual(new Uint8Array(512).fill(9));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('side by side, two that do nothing but access a device answer all and end alike', async () => {
  // lui a0, 0x10001; lw a2, 0(a0); add a3, a3, a2; sw a3, 0x14(a0); jal back to the load.
  const words = [asm.lui(10, 0x10001), asm.lw(12, 10, 0), 0x00c686b3, asm.sw(13, 10, 0x14), asm.jal(0, -12)];
  const [alone, first, second] = [machineWith(words), machineWith(words), machineWith(words)] as const;
  const thread = await readyThread();
  second.moveTo(thread);
  first.whileAccessing(() => thread.attend());
  for (let limit = 1; limit < 5_000; limit = limit * 2 + 3) {
    second.start(limit);
    expect([first.run(limit), second.finish(), alone.run(limit)]).toEqual(['limit', 'limit', 'limit']);
    expect([first, second].map((machine) => machine.snapshot().hash())).toEqual(Array(2).fill(alone.snapshot().hash()));
  }
  // And with nobody beside it, when each question follows the last answer at once.
  expect([second.run(30_000), alone.run(30_000)]).toEqual(['limit', 'limit']);
  expect(second.snapshot().hash()).toBe(alone.snapshot().hash());
  expect(alone.getX(13)).toBeGreaterThan(0n);
});

/** A guest that never ends: a jump to itself. */
function endless(): Machine {
  const machine = Machine.create({ ramBytes: 4096 });
  machine.writeMemory(machine.ramBase, Uint8Array.of(0x6f, 0, 0, 0));
  return machine;
}

it('a thread that is ended while its owner waits is reported, then and later', async () => {
  const machine = endless();
  const thread = await readyThread();
  machine.moveTo(thread);
  machine.start(1e15);
  pool().stop(thread);
  expect(() => machine.finish()).toThrow(ThreadLost);
  expect(() => machine.run(10)).toThrow(/the thread of a replica is no more: it ended with code 1/);
  expect(thread.isDead).toBe(true);
  // Nobody gets it again, and the machine may be moved away.
  pool().give(thread);
  expect(await readyThread()).not.toBe(thread);
  machine.moveTo(undefined);
  expect(machine.run(machine.retired + 5)).toBe('limit');
});

it('a thread that throws, and one that ends the process as it sees it, are reported with the reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'covert-thread-'));
  const entry = join(import.meta.dirname, '../../../dist/replica-thread.cjs');
  try {
    for (const [does, said] of [['throw new Error("out of cheese")', /out of cheese/], ['process.exit(5)', /it ended with code 5/]] as const) {
      const file = join(folder, `${does.length}.cjs`);
      // As the real one, until it gets a machine.
      writeFileSync(file, `
        const { workerData } = require('node:worker_threads');
        if (workerData.role === 'execute') {
          const words = new Int32Array(workerData.shared);
          Atomics.store(words, 0, 0);
          Atomics.wait(words, 0, 0);
          ${does};
        }
        require(${JSON.stringify(entry)});`);
      const own = new ThreadPool(file);
      const thread = own.take();
      while (!thread.isReady) await setTimeout(5);
      expect(() => endless().moveTo(thread)).toThrow(said);
      await own.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
