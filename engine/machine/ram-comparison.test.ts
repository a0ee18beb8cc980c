import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, it, vi } from 'vitest';
import { Machine } from './machine';
import { machineSnapshot } from './snapshot';
import { PageComparison } from './threads/page-comparison';
import { ThreadLost } from './threads/replica-thread';
import { pool, readyThread } from './threads/thread.test-support';
import type { Snapshot } from './types';
import { imageOfBytes } from './virtio/disk-image';
import { Driver, request } from './virtio/driver.test-support';

afterAll(() => pool().close());

const pages = 160;

/** What is done to one of three machines: bytes written, a register set, a state kept, or gone back to. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), on: fc.nat(2), page: fc.nat(pages - 1), count: fc.constant(1), value: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('all' as const), page: fc.nat(pages - 1), count: fc.constantFrom(1, 1, 100), value: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('register' as const), on: fc.nat(2), value: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), on: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back' as const), on: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const), keep: fc.boolean() }) },
);

const ramOf = (machine: Machine): Uint8Array => machine.readMemory(machine.ramBase, pages * 4096) ?? Buffer.of();

it.each(['this thread alone', 'threads of their own'])('finds what a comparison of snapshots finds, whatever was stored in between: %s', { timeout: 120_000 }, async (who) => {
  const threads = who === 'this thread alone' ? [] : [await readyThread(), await readyThread()];
  let [equal, different, changed, states] = [0, 0, 0, 0];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const first = Machine.create({ ramBytes: pages * 4096 });
      const machines = [first, first.clone(), first.clone()] as const;
      threads.forEach((thread, i) => machines[i + 1]?.moveTo(thread, first));
      let since: Snapshot = first.snapshot();
      const kept: { state: Snapshot; ram: Uint8Array }[] = [];
      const write = (on: number, from: number, count: number, value: number): void => {
        for (let page = from; page < Math.min(pages, from + count); page++) machines[on]?.writeMemory(first.ramBase + BigInt(page * 4096 + 8 * (page % 3)), Uint8Array.of(value));
      };
      for (const each of steps) {
        if (each.kind === 'write') write(each.on, each.page, each.count, each.value);
        else if (each.kind === 'all') for (const on of [0, 1, 2]) write(on, each.page, each.count, each.value);
        else if (each.kind === 'register') machines[each.on]?.setX(5, BigInt(each.value));
        else if (each.kind === 'snapshot') kept.push({ state: machines[each.on]!.snapshot(), ram: ramOf(machines[each.on]!) });
        else if (each.kind === 'back') machines[each.on]?.restore(since);
        else if (machines[0].compareState(machines.slice(1), since).equal) {
          since = machines[0].checkpoint();
          if (each.keep) {
            since.keep();
            kept.push({ state: since, ram: ramOf(machines[0]) });
          }
          machines[1].share(since);
          machines[2].share(since);
        }
        const found = machines[0].compareState(machines.slice(1), since);
        const [a, b, c] = machines.map((machine) => ({ ram: ramOf(machine), x5: machine.getX(5) }));
        const then = machineSnapshot(since).pages;
        const differ = Array.from({ length: pages }, (_, page) => Buffer.compare(a?.ram.subarray(page * 4096, (page + 1) * 4096) ?? Buffer.of(), then.page(page).bytes) !== 0);
        expect(found).toEqual({ equal: isDeepStrictEqual(a, b) && isDeepStrictEqual(a, c), changedPages: differ.filter(Boolean).length });
        if (found.equal) equal++;
        else different++;
        changed += found.changedPages;
      }
      for (const { state, ram } of kept) {
        for (let page = 0; page < pages; page++) expect(Buffer.compare(machineSnapshot(state).pages.page(page).bytes, ram.subarray(page * 4096, (page + 1) * 4096))).toBe(0);
      }
      states += kept.length;
      for (const machine of machines.slice(1)) machine.moveTo(undefined);
    }),
    { numRuns: 100 },
  );
  for (const thread of threads) pool().give(thread);
  expect(Math.min(equal, different, changed, states)).toBeGreaterThan(20);
});

it('a thread does its part, and sees what differs where the owner has not come to', async () => {
  const thread = await readyThread();
  const many = 300;
  const [first, second] = [Machine.create({ ramBytes: many * 4096 }), Machine.create({ ramBytes: many * 4096 })];
  const since = first.snapshot();
  second.restore(since);
  second.moveTo(thread, first);
  const work = vi.spyOn(PageComparison.prototype, 'work').mockImplementation(() => undefined);
  try {
    for (let turn = 0; turn < 3; turn++) {
      for (let page = 0; page < many; page++) {
        for (const machine of [first, second]) machine.writeMemory(first.ramBase + BigInt(page * 4096), Uint8Array.of(turn + 1));
      }
      expect(first.compareState([second], since)).toEqual({ equal: true, changedPages: many });
      for (const page of [0, 130, many - 1]) {
        second.writeMemory(first.ramBase + BigInt(page * 4096 + 4095), Uint8Array.of(7));
        // So that all are looked at again.
        first.snapshot();
        first.restore(since);
        second.restore(since);
        for (let each = 0; each < many; each++) {
          for (const machine of [first, second]) machine.writeMemory(first.ramBase + BigInt(each * 4096), Uint8Array.of(turn + 1));
        }
        second.writeMemory(first.ramBase + BigInt(page * 4096 + 4095), Uint8Array.of(7));
        expect(first.compareState([second], since).equal, `page ${page}`).toBe(false);
        second.writeMemory(first.ramBase + BigInt(page * 4096 + 4095), Uint8Array.of(0));
        expect(first.compareState([second], since).equal).toBe(true);
      }
    }
    expect(work).toHaveBeenCalled();
  } finally {
    work.mockRestore();
    second.moveTo(undefined);
    pool().give(thread);
  }
});

it('a thread that is no more is said, and the others have come to rest', async () => {
  const threads = [await readyThread(), await readyThread()];
  const first = Machine.create({ ramBytes: 100 * 4096 });
  const others = [first.clone(), first.clone()];
  others.forEach((machine, i) => machine.moveTo(threads[i], first));
  const since = first.snapshot();
  for (const machine of others) machine.share(since);
  for (let page = 0; page < 100; page++) for (const machine of [first, ...others]) machine.writeMemory(first.ramBase + BigInt(page * 4096), Uint8Array.of(1));
  pool().stop(threads[0]!);
  while (!threads[0]?.isDead) await setTimeout(5);
  expect(() => first.compareState(others, since)).toThrow(ThreadLost);
  expect(threads[1]?.isReady).toBe(true);
  others[1]?.moveTo(undefined);
  pool().give(threads[1]!);
});

it('a thread that works at a comparison takes what the owner has not, and either of them sees what differs', () => {
  const [a, b] = [Buffer.alloc(400 * 4096, 1), Buffer.alloc(400 * 4096, 1)];
  const owner = new PageComparison(400);
  const thread = new PageComparison(400, owner.shared);
  const pages = Array.from({ length: 300 }, (_, i) => i + Math.floor(i / 3));
  owner.begin(pages);
  thread.work(a, b);
  owner.work(a, b);
  expect(owner.equal).toBe(true);
  for (const page of pages) {
    b[page * 4096 + 4095] = 2;
    for (const who of [owner, thread]) {
      owner.begin(pages);
      who.work(a, b);
      expect(owner.equal).toBe(false);
    }
    b[page * 4096 + 4095] = 1;
  }
  // A page that is none of those.
  b[2 * 4096] = 2;
  b[399 * 4096] = 2;
  owner.begin(pages.filter((page) => page !== 2));
  owner.work(a, b);
  expect(owner.equal).toBe(true);
});

it('sees what is on a disk', () => {
  const driver = Driver.of({ disks: [{ image: imageOfBytes(new Uint8Array(16_384)) }] }, 0, 64);
  driver.start();
  const { machine } = driver;
  const twin = machine.clone();
  const since = machine.snapshot();
  expect(machine.compareState([twin], since)).toEqual({ equal: true, changedPages: 0 });
  driver.post(0, [request(1, 1), new Uint8Array(512).fill(7), 1]);
  driver.notify();
  const found = machine.compareState([twin], since);
  expect(found.equal).toBe(false);
  expect(found.changedPages).toBe(machine.snapshot().changedPages(since));
  twin.restore(machine.snapshot());
  expect(machine.compareState([twin], since).equal).toBe(true);
});
