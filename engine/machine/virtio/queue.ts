import type { GuestMemory } from './guest-memory';
import type { QueueState } from './slot';

/** A buffer in guest memory that one descriptor describes. All of it is RAM. */
export interface Segment {
  readonly address: number;
  readonly bytes: number;
  /** The device writes it; otherwise it reads it. */
  readonly writable: boolean;
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
 * believed: each access is checked, and the length of a chain is bounded.
 */
export class Queue {
  constructor(
    private readonly state: QueueState,
    private readonly memory: GuestMemory,
  ) {}

  /** Chains that are available. Throws {@link QueueError}. */
  get waiting(): number {
    const { state } = this;
    if (!state.ready) return 0;
    const available = this.#view(state.address('driver'), 4 + state.size * 2).getUint16(2, true);
    const waiting = (available - state.taken) & 0xffff;
    if (waiting > state.size) throw new QueueError('more is available than the queue holds');
    return waiting;
  }

  /** The chain that `take` would give; undefined where there is none. Throws {@link QueueError}. */
  peek(): Chain | undefined {
    if (this.waiting === 0) return undefined;
    const { state } = this;
    const { size } = state;
    const ring = this.#view(state.address('driver'), 4 + size * 2);
    const head = ring.getUint16(4 + (state.taken % size) * 2, true);
    return this.chainAt(head);
  }

  /** The next available chain; undefined where there is none. Throws {@link QueueError}. */
  take(): Chain | undefined {
    const chain = this.peek();
    if (chain) this.state.taken += 1;
    return chain;
  }

  /** The chain that begins at a descriptor. Throws {@link QueueError}. */
  chainAt(head: number): Chain {
    return new Chain(head, this.#follow(head), this.memory);
  }

  /** Gives a chain back with so many bytes written. True if the driver wants to be interrupted for it. */
  give({ head }: Pick<Chain, 'head'>, written: number): boolean {
    const { state } = this;
    const { size } = state;
    const at = state.address('device');
    const ring = this.#view(at, 4 + size * 8);
    const entry = 4 + (state.given % size) * 8;
    ring.setUint32(entry, head, true);
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
      if (!this.memory.range(address, bytes)) throw notRam(address);
      segments.push({ address, bytes, writable });
      if ((flags & next) === 0) return segments;
      index = table.getUint16(at + 14, true);
    }
  }

  #view(address: number, bytes: number): DataView {
    const range = this.memory.range(address, bytes);
    if (!range) throw notRam(address);
    return new DataView(range.buffer, range.byteOffset, range.byteLength);
  }
}

function notRam(address: number): QueueError {
  return new QueueError(`0x${address.toString(16)} is not in RAM`);
}

/** Work that taking and giving back a chain is, and each of its segments; a byte that is moved is 1. */
const chainWork = 4096;
const segmentWork = 1024;

/** Buffers that a driver has made available as one: those to read, then those to write. */
export class Chain {
  /** Bytes that the device may read, and that it may write. */
  readonly readable: number;
  readonly writable: number;

  constructor(
    /** Index of the first descriptor, by which it is given back. */
    readonly head: number,
    private readonly segments: readonly Segment[],
    private readonly memory: GuestMemory,
  ) {
    const sum = (writable: boolean): number =>
      segments.reduce((bytes, segment) => (segment.writable === writable ? bytes + segment.bytes : bytes), 0);
    this.readable = sum(false);
    this.writable = sum(true);
  }

  /** What serving it costs at most, if a byte costs so much. */
  work(byteWork: number): number {
    return chainWork + this.segments.length * segmentWork + (this.readable + this.writable) * byteWork;
  }

  /** Bytes of what the device is to read, joined; fewer than asked for where there are no more. */
  read(from: number, most: number): Uint8Array {
    const joined = new Uint8Array(Math.max(0, Math.min(most, this.readable - from)));
    let done = 0;
    for (const range of this.#ranges(false, from, joined.length)) {
      joined.set(range.bytes, done);
      done += range.bytes.length;
    }
    return joined;
  }

  /** Writes data to the buffers that are to be written, from a byte of them on; what does not fit is left out. */
  write(data: Uint8Array, from = 0): void {
    this.fill(from, data.length, (target, done) => target.set(data.subarray(done, done + target.length)));
  }

  /** Lets `fill` write bytes [from, from + count) of the buffers that are to be written, piece by piece in place. */
  fill(from: number, count: number, fill: (target: Uint8Array, done: number) => void): void {
    let done = 0;
    for (const { address, bytes } of this.#ranges(true, from, count)) {
      fill(bytes, done);
      done += bytes.length;
      this.memory.wrote(address, bytes.length);
    }
  }

  *#ranges(writable: boolean, from: number, count: number): Generator<{ address: number; bytes: Uint8Array }> {
    let before = from;
    let left = count;
    for (const segment of this.segments) {
      if (segment.writable !== writable) continue;
      const passed = Math.min(before, segment.bytes);
      before -= passed;
      const length = Math.min(segment.bytes - passed, left);
      if (length === 0) continue;
      const bytes = this.memory.range(segment.address + passed, length);
      if (!bytes) throw notRam(segment.address);
      left -= length;
      yield { address: segment.address + passed, bytes };
    }
  }
}
