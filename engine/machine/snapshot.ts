import { createHash } from 'node:crypto';
import { fNames, xNames } from '../isa/registers';
import { at, banksOffset, hartBytes, hartFields, pageBytes, sharedFields, stateAt } from './layout';
import type { PageTree } from './page-tree';
import type { PlaceDifference, Snapshot } from './types';
import { blockBytes, diskWord } from './virtio/disk';
import type { DiskImage } from './virtio/disk-image';

/** First byte of RAM as the guest sees it. */
export const ramBase = 0x8000_0000n;

const fieldsOfHart = [
  ...xNames.map((name, i) => ({ name, offset: i * 8, bytes: 8 as const })),
  ...fNames.map((name, i) => ({ name, offset: 0x100 + i * 8, bytes: 8 as const })),
  ...hartFields,
];

/** A disk: its image, and what differs from it. */
export interface DiskState {
  readonly image: DiskImage;
  readonly tree: PageTree;
}

/** The state of a machine: a copy of its state block, and its RAM's pages, shared with other states. */
export class MachineSnapshot implements Snapshot {
  #hash: string | undefined;

  constructor(
    readonly state: Uint8Array,
    readonly pages: PageTree,
    readonly ramBytes: number,
    readonly harts: number,
    readonly disks: readonly DiskState[] = [],
  ) {}

  get retired(): number {
    return Number(this.#view().getBigUint64(at.retired - stateAt, true));
  }

  hash(): string {
    this.#hash ??= createHash('sha256')
      .update(`covert state 2, ${this.ramBytes} bytes of RAM\n`)
      .update(this.state)
      .update(this.pages.hash())
      .update(Buffer.concat(this.disks.map(({ tree }) => tree.hash())))
      .digest('hex');
    return this.#hash;
  }

  equals(other: Snapshot): boolean {
    const peer = machineSnapshot(other);
    if (this === peer) return true;
    if (this.ramBytes !== peer.ramBytes || Buffer.compare(this.state, peer.state) !== 0) return false;
    const same = (a: PageTree, b: PageTree | undefined): boolean => a === b || (b !== undefined && a.differing(b).next().done === true);
    return same(this.pages, peer.pages) && this.disks.every(({ tree }, i) => same(tree, peer.disks[i]?.tree));
  }

  difference(other: Snapshot, limit = Infinity): PlaceDifference[] {
    const peer = machineSnapshot(other);
    const found: PlaceDifference[] = [];
    for (const { place, a, b } of this.#differingFields(peer)) {
      if (found.length >= limit) return found;
      found.push({ place, a, b });
    }
    for (const index of this.pages.differing(peer.pages)) {
      const [a, b] = [this.pages.page(index).bytes, peer.pages.page(index).bytes].map(
        (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      );
      for (let offset = 0; offset < pageBytes && a && b; offset += 8) {
        const [valueA, valueB] = [a.getBigUint64(offset, true), b.getBigUint64(offset, true)];
        if (valueA === valueB) continue;
        if (found.length >= limit) return found;
        const address = ramBase + BigInt(index * pageBytes + offset);
        found.push({ place: `memory[0x${address.toString(16)}]`, a: valueA, b: valueB });
      }
    }
    for (const difference of this.#differingDisks(peer)) {
      if (found.length >= limit) return found;
      found.push(difference);
    }
    return found;
  }

  changedPages(other: Snapshot): number {
    let count = 0;
    const peer = machineSnapshot(other);
    const trees = [this.pages.differing(peer.pages), ...this.disks.map(({ tree }, i) => tree.differing(peer.disks[i]?.tree ?? tree))];
    for (const pages of trees) while (pages.next().done !== true) count++;
    return count;
  }

  *#differingDisks(peer: MachineSnapshot): Generator<PlaceDifference> {
    for (const [number, { image, tree }] of this.disks.entries()) {
      const other = peer.disks[number]?.tree ?? tree;
      for (const block of tree.differing(other)) {
        for (let offset = block * blockBytes; offset < (block + 1) * blockBytes; offset += 8) {
          const [a, b] = [diskWord(image, tree, offset), diskWord(image, other, offset)];
          if (a !== b) yield { place: `disk${number}[0x${offset.toString(16)}]`, a, b };
        }
      }
    }
  }

  *#differingFields(peer: MachineSnapshot): Generator<PlaceDifference> {
    for (let hart = 0; hart < this.harts; hart++) {
      const prefix = this.harts > 1 ? `hart${hart}.` : '';
      for (const { name, offset, bytes } of fieldsOfHart) {
        const [a, b] = [this.#ofHart(hart, name, offset, bytes), peer.#ofHart(hart, name, offset, bytes)];
        if (a !== b) yield { place: prefix + name, a, b };
      }
    }
    for (const { name, offset, bytes } of sharedFields) {
      const [a, b] = [this.#read(offset, bytes), peer.#read(offset, bytes)];
      if (a !== b) yield { place: name, a, b };
    }
  }

  /** A field of a hart, which may have the turn in one state and not in the other. */
  #ofHart(hart: number, name: string, offset: number, bytes: 4 | 8): bigint {
    const current = hart === Number(this.#read(at.hart - stateAt, 8));
    const value = this.#read(current ? offset : banksOffset + hart * hartBytes + offset, bytes);
    // In a bank stands minstret itself; where there are banks, all are told in the same way.
    const relative = this.harts > 1 && current && name === 'instret offset';
    return relative ? BigInt.asUintN(64, value + BigInt(this.retired)) : value;
  }

  #read(offset: number, bytes: 4 | 8): bigint {
    const view = this.#view();
    return bytes === 8 ? view.getBigUint64(offset, true) : BigInt(view.getUint32(offset, true));
  }

  #view(): DataView {
    return new DataView(this.state.buffer, this.state.byteOffset, this.state.byteLength);
  }
}

/** All snapshots are of this class; another one comes from another kind of computer. */
export function machineSnapshot(snapshot: Snapshot): MachineSnapshot {
  if (!(snapshot instanceof MachineSnapshot)) throw new TypeError('a snapshot of another kind of computer');
  return snapshot;
}
