import { createHash } from 'node:crypto';
import { fNames, xNames } from '../isa/registers';
import { at, pageBytes, stateAt, stateFields } from './layout';
import type { PageTree } from './page-tree';
import type { PlaceDifference, Snapshot } from './types';

/** First byte of RAM as the guest sees it. */
export const ramBase = 0x8000_0000n;

/** The state of a machine: a copy of its state block, and its RAM's pages, shared with other states. */
export class MachineSnapshot implements Snapshot {
  #hash: string | undefined;

  constructor(
    readonly state: Uint8Array,
    readonly pages: PageTree,
    readonly ramBytes: number,
  ) {}

  get retired(): number {
    return Number(this.#view().getBigUint64(at.retired - stateAt, true));
  }

  hash(): string {
    this.#hash ??= createHash('sha256')
      .update(`covert state 1, ${this.ramBytes} bytes of RAM\n`)
      .update(this.state)
      .update(this.pages.hash())
      .digest('hex');
    return this.#hash;
  }

  equals(other: Snapshot): boolean {
    const peer = machineSnapshot(other);
    if (this === peer) return true;
    if (this.ramBytes !== peer.ramBytes || Buffer.compare(this.state, peer.state) !== 0) return false;
    return this.pages === peer.pages || this.pages.differing(peer.pages).next().done === true;
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
    return found;
  }

  changedPages(other: Snapshot): number {
    let count = 0;
    const pages = this.pages.differing(machineSnapshot(other).pages);
    while (pages.next().done !== true) count++;
    return count;
  }

  *#differingFields(peer: MachineSnapshot): Generator<PlaceDifference> {
    const [a, b] = [this.#view(), peer.#view()];
    const names = [
      ...xNames.map((name, i) => ({ name, offset: i * 8, bytes: 8 as const })),
      ...fNames.map((name, i) => ({ name, offset: 0x100 + i * 8, bytes: 8 as const })),
      ...stateFields,
    ];
    for (const { name, offset, bytes } of names) {
      const read = (view: DataView): bigint =>
        bytes === 8 ? view.getBigUint64(offset, true) : BigInt(view.getUint32(offset, true));
      const [valueA, valueB] = [read(a), read(b)];
      if (valueA !== valueB) yield { place: name, a: valueA, b: valueB };
    }
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
