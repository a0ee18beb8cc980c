import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Machine } from './machine';
import { machineSnapshot } from './snapshot';
import { imageOfBytes } from './virtio/disk-image';
import { Driver, request } from './virtio/driver.test-support';

const pages = 40;

/** What is done to one of three machines: a byte written, a register set, a state kept, or gone back to. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), on: fc.nat(2), page: fc.nat(pages - 1), value: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('both' as const), page: fc.nat(pages - 1), value: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('register' as const), on: fc.nat(2), value: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), on: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back' as const), on: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
);

it('finds what a comparison of snapshots finds, whatever was stored in between', () => {
  let [equal, different, changed] = [0, 0, 0];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const first = Machine.create({ ramBytes: pages * 4096 });
      const machines = [first, first.clone(), first.clone()] as const;
      let since = first.snapshot();
      const write = (on: number, page: number, value: number): void => void machines[on]?.writeMemory(first.ramBase + BigInt(page * 4096 + 8 * (page % 3)), Uint8Array.of(value));
      for (const each of steps) {
        if (each.kind === 'write') write(each.on, each.page, each.value);
        else if (each.kind === 'both') for (const on of [0, 1, 2]) write(on, each.page, each.value);
        else if (each.kind === 'register') machines[each.on]?.setX(5, BigInt(each.value));
        else if (each.kind === 'snapshot') machines[each.on]?.snapshot();
        else if (each.kind === 'back') machines[each.on]?.restore(since);
        else if (machines[0].compareState(machines.slice(1), since).equal) {
          since = machines[0].snapshot();
          machines[1].share(since);
          machines[2].share(since);
        }
        const found = machines[0].compareState(machines.slice(1), since);
        const [a, b, c] = machines.map((machine) => ({ ram: machine.readMemory(first.ramBase, pages * 4096), x5: machine.getX(5) }));
        const then = machineSnapshot(since).pages;
        const differ = Array.from({ length: pages }, (_, page) => Buffer.compare(a?.ram?.subarray(page * 4096, (page + 1) * 4096) ?? Buffer.of(), then.page(page).bytes) !== 0);
        expect(found).toEqual({ equal: isDeepStrictEqual(a, b) && isDeepStrictEqual(a, c), changedPages: differ.filter(Boolean).length });
        if (found.equal) equal++;
        else different++;
        changed += found.changedPages;
      }
    }),
    { numRuns: 200 },
  );
  expect(Math.min(equal, different, changed)).toBeGreaterThan(50);
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
