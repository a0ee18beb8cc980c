import type { GuestMemory } from './guest-memory';
import type { QueueState } from './slot';

/** A buffer in guest memory that one descriptor describes. */
export interface Segment {
  address: number;
  bytes: number;
  /** The device writes it; otherwise it reads it. */
  writable: boolean;
}

/** Buffers that a driver has made available as one. */
export interface Chain {
  /** Index of the first descriptor, by which it is given back. */
  head: number;
  segments: Segment[];
}

/** What a driver did that no driver may do: the device needs a reset. */
export class QueueError extends Error {}

const descriptorBytes = 16;
const next = 1;
const write = 2;
const indirect = 4;
const noInterrupt = 1;

/** Entries that a queue may have. */
export const mostEntries = 256;

/**
 * A split virtqueue: Virtual I/O Device (VIRTIO) Version 1.2, section 2.7, with
 * indirect descriptors (2.7.5.3). Everything in it is the guest's, so nothing is
 * believed: each access is checked, and the work of one look is bounded by the
 * queue's size.
 */
export class Queue {
  constructor(
    private readonly state: QueueState,
    private readonly memory: GuestMemory,
  ) {}

  get ready(): boolean {
    return this.state.ready;
  }

  /** The next available chain; undefined where there is none. Throws {@link QueueError}. */
  take(): Chain | undefined {
    const { state } = this;
    if (!state.ready) return undefined;
    const { size } = state;
    const ring = this.#view(state.address('driver'), 4 + size * 2);
    const available = ring.getUint16(2, true);
    const waiting = (available - state.taken) & 0xffff;
    if (waiting === 0) return undefined;
    if (waiting > size) throw new QueueError('more is available than the queue holds');
    const head = ring.getUint16(4 + (state.taken % size) * 2, true);
    const segments = this.#follow(head);
    state.taken += 1;
    return { head, segments };
  }

  /** Leaves a chain where it was: it will be taken again. */
  putBack(): void {
    this.state.taken -= 1;
  }

  /** Gives a chain back with so many bytes written. True if the driver wants to be interrupted for it. */
  give(chain: Chain, written: number): boolean {
    const { state } = this;
    const { size } = state;
    const at = state.address('device');
    const ring = this.#view(at, 4 + size * 8);
    const entry = 4 + (state.given % size) * 8;
    ring.setUint32(entry, chain.head, true);
    ring.setUint32(entry + 4, written, true);
    state.given += 1;
    ring.setUint16(2, state.given, true);
    this.memory.wrote(at + entry, 8);
    this.memory.wrote(at + 2, 2);
    const flags = this.#view(state.address('driver'), 2).getUint16(0, true);
    return (flags & noInterrupt) === 0;
  }

  #follow(head: number): Segment[] {
    const segments: Segment[] = [];
    let table = this.#view(this.state.address('descriptors'), this.state.size * descriptorBytes);
    let entries = this.state.size;
    let inside = false;
    for (let index = head; ; ) {
      if (index >= entries) throw new QueueError(`descriptor ${index} of ${entries}`);
      if (segments.length >= mostEntries) throw new QueueError('a chain without end');
      const at = index * descriptorBytes;
      const address = Number(table.getBigUint64(at, true));
      const bytes = table.getUint32(at + 8, true);
      const flags = table.getUint16(at + 12, true);
      if ((flags & indirect) !== 0) {
        if (inside || (flags & next) !== 0 || bytes === 0 || bytes % descriptorBytes !== 0) throw new QueueError('a malformed indirect descriptor');
        entries = Math.min(bytes / descriptorBytes, mostEntries);
        table = this.#view(address, entries * descriptorBytes);
        inside = true;
        index = 0;
        continue;
      }
      const writable = (flags & write) !== 0;
      // Readable buffers come first (2.7.4.2).
      if (!writable && segments.at(-1)?.writable) throw new QueueError('a buffer to read behind one to write');
      segments.push({ address, bytes, writable });
      if ((flags & next) === 0) return segments;
      index = table.getUint16(at + 14, true);
    }
  }

  #view(address: number, bytes: number): DataView {
    const range = this.memory.range(address, bytes);
    if (!range) throw new QueueError(`0x${address.toString(16)} is not in RAM`);
    return new DataView(range.buffer, range.byteOffset, range.byteLength);
  }
}

/** Total bytes of the segments of one direction. */
export function lengthOf(segments: readonly Segment[], writable: boolean): number {
  return segments.reduce((sum, segment) => (segment.writable === writable ? sum + segment.bytes : sum), 0);
}

/**
 * All bytes that the device is to read, joined; undefined where there are more
 * than `most` or some are no RAM.
 */
export function gather(segments: readonly Segment[], memory: GuestMemory, most: number): Uint8Array | undefined {
  const total = lengthOf(segments, false);
  if (total > most) return undefined;
  const joined = new Uint8Array(total);
  let at = 0;
  for (const { address, bytes, writable } of segments) {
    if (writable || bytes === 0) continue;
    const range = memory.range(address, bytes);
    if (!range) return undefined;
    joined.set(range, at);
    at += bytes;
  }
  return joined;
}

/** Writes data over the segments for it, from `skip` bytes on. False, with some of it written, where a segment is no RAM. */
export function scatter(segments: readonly Segment[], memory: GuestMemory, data: Uint8Array, skip = 0): boolean {
  let at = 0;
  let before = skip;
  for (const { address, bytes, writable } of segments) {
    if (!writable) continue;
    const passed = Math.min(before, bytes);
    before -= passed;
    const count = Math.min(bytes - passed, data.length - at);
    if (count <= 0) continue;
    const range = memory.range(address + passed, count);
    if (!range) return false;
    range.set(data.subarray(at, at + count));
    memory.wrote(address + passed, count);
    at += count;
  }
  return at === data.length;
}
