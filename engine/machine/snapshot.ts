import { createHash } from 'node:crypto';
import { fNames, xNames } from '../isa/registers';
import { at, banksOffset, hartBytes, hartFields, pageBytes, sharedFields, stateAt } from '../core/layout';
import type { PageTree } from './page-tree';
import type { PlaceDifference, Snapshot } from './types';
import { blockBytes, diskBlock } from './virtio/disk';
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

  keep(): void {
    this.pages.keep();
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
    if (this.disks.length !== peer.disks.length || this.disks.some(({ image }, i) => image.bytes !== peer.disks[i]?.image.bytes)) return false;
    return same(this.pages, peer.pages) && this.disks.every(({ tree }, i) => same(tree, peer.disks[i]?.tree));
  }

  difference(other: Snapshot, limit = Infinity): PlaceDifference[] {
    const found: PlaceDifference[] = [];
    for (const difference of this.#differences(machineSnapshot(other))) {
      if (found.length >= limit) break;
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

  usedPages(): number[] {
    return [...this.pages.used()].map(([index]) => index);
  }

  *#differences(peer: MachineSnapshot): Generator<PlaceDifference> {
    yield* this.#differingFields(peer);
    for (const page of this.pages.differing(peer.pages)) {
      const first = Number(ramBase) + page * pageBytes;
      yield* differingWords('memory', first, this.pages.page(page).bytes, peer.pages.page(page).bytes);
    }
    for (const [number, { image, tree }] of this.disks.entries()) {
      const other = peer.disks[number]?.tree ?? tree;
      for (const block of tree.differing(other)) {
        const [a, b] = [diskBlock(image, block, tree), diskBlock(image, block, other)];
        yield* differingWords(`disk${number}`, block * blockBytes, a, b);
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

/** Granules of eight bytes that differ, of two pieces that begin at the same address. */
function* differingWords(name: string, first: number, a: Uint8Array, b: Uint8Array): Generator<PlaceDifference> {
  const [viewA, viewB] = [a, b].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  for (let offset = 0; offset < a.length && viewA && viewB; offset += 8) {
    const [valueA, valueB] = [viewA.getBigUint64(offset, true), viewB.getBigUint64(offset, true)];
    if (valueA !== valueB) yield { place: `${name}[0x${(first + offset).toString(16)}]`, a: valueA, b: valueB };
  }
}

/** All snapshots are of this class; another one comes from another kind of computer. */
export function machineSnapshot(snapshot: Snapshot): MachineSnapshot {
  if (!(snapshot instanceof MachineSnapshot)) throw new TypeError('a snapshot of another kind of computer');
  return snapshot;
}
