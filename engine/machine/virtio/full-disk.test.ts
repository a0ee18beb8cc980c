import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BlockDevice } from './block';
import { blockBytes, Disk } from './disk';
import { imageOfBytes } from './disk-image';
import { Chain } from './queue';
import type { Slot } from './slot';

const blocks = 12;
const most = 4;
const image = imageOfBytes(Uint8Array.from({ length: blocks * blockBytes }, (_, i) => (i >> 12) + 1));

/** A block with other contents, or as it is in the image. */
const contentOf = (block: number, other: boolean): Uint8Array => new Uint8Array(blockBytes).fill(other ? 0xee : block + 1);

function differing(disk: Disk): number {
  const own = new Uint8Array(blockBytes);
  return Array.from({ length: blocks }, (_, block) => {
    disk.read(block * blockBytes, own);
    return Buffer.compare(own, contentOf(block, false)) === 0 ? 0 : 1;
  }).reduce<number>((sum, one) => sum + one, 0);
}

it('takes writes by what differs from the image, however the disk came to be as it is', () => {
  const step = fc.record({ block: fc.nat(blocks - 1), other: fc.boolean(), twinIsRestored: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const disk = new Disk(image, false, most);
      let twin = new Disk(image, false, most);
      for (const { block, other, twinIsRestored } of steps) {
        const offset = block * blockBytes;
        const before = differing(disk);
        const own = new Uint8Array(blockBytes);
        disk.read(offset, own);
        const isFresh = Buffer.compare(own, contentOf(block, false)) === 0;
        if (twinIsRestored) {
          const tree = twin.snapshot();
          twin = new Disk(image, false, most);
          twin.restore(tree);
        }
        const taken = disk.write(offset, contentOf(block, other));
        expect(taken).toBe(!isFresh || before < most);
        expect(twin.write(offset, contentOf(block, other))).toBe(taken);
        expect(differing(disk)).toBeLessThanOrEqual(most);
      }
      expect(twin.snapshot().hash()).toEqual(disk.snapshot().hash());
    }),
  );
});

it('answers the driver with an I/O error, and goes on reading and rewriting', () => {
  const ram = new Uint8Array(4 * blockBytes);
  const memory = { range: (address: number, bytes: number) => ram.subarray(address, address + bytes), wrote: () => undefined };
  const device = new BlockDevice(new Disk(image, false, most), 0, 'full', () => undefined);
  const sent: number[] = [];
  const ask = (kind: number, block: number): number => {
    const view = new DataView(ram.buffer);
    view.setUint32(0, kind, true);
    view.setBigUint64(8, BigInt(block * 8), true);
    ram.fill(0xee, 16, 16 + blockBytes);
    const data = { address: 16, bytes: blockBytes, writable: kind === 0 };
    const chain = new Chain(0, [{ address: 0, bytes: 16, writable: false }, data, { address: 16 + blockBytes, bytes: 1, writable: true }], memory);
    // A disk does not look at its slot.
    device.serve(chain, { slot: {} as Slot, output: (_, { value }) => sent.push(value ?? 0) });
    return ram[16 + blockBytes] ?? -1;
  };
  expect([0, 1, 2, 3, 4, 5].map((block) => ask(1, block))).toEqual([0, 0, 0, 0, 1, 1]);
  expect(sent).toEqual([0, 8, 16, 24]);
  expect([ask(1, 2), ask(0, 2), ask(0, 5)]).toEqual([0, 0, 0]);
  expect(ram[16]).toBe(6);
});
