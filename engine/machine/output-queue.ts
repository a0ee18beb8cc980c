import { at, outputEntryBytes } from '../core/layout';
import type { Output } from './types';

/** Numbers of outputs' kinds in the core's ring. */
const kinds = ['console', 'exit', 'disk', 'net', 'flush'] as const;

/** Entries of the ring after which it is emptied: half of what it holds. */
const mostInRing = 0x2000;
/** An output without its data is counted as so many bytes. */
const outputBytes = 64;
/** More than this is not kept: somebody has to take it first. */
const mostBytes = 64 * 2 ** 20;

type Payload = Pick<Output, 'value' | 'data'>;

/**
 * What the guest has sent and nobody has taken yet. The core writes down
 * sequence number and instruction in a ring of its memory, for all kinds alike;
 * what does not fit an entry stands here, and the entry has its number.
 */
export class OutputQueue {
  #outputs: Output[] = [];
  /** What entries of the ring mean that have data. */
  #payloads: Payload[] = [];
  /** Bytes of the outputs, and of the payloads. */
  #kept = 0;
  #coming = 0;

  constructor(
    private readonly view: DataView,
    /** Makes the core add an entry to its ring. */
    private readonly send: (kind: number, value: number) => void,
  ) {}

  /** True if so much waits that it has to be taken before the guest goes on. */
  get full(): boolean {
    return this.#kept + this.#coming >= mostBytes;
  }

  /** A device sends something as the doing of the instruction that is being executed. */
  add(kind: 'console' | 'disk' | 'net' | 'flush', { value, data }: Payload): void {
    if (this.view.getUint32(at.outputs, true) >= mostInRing) this.drain();
    if (data) {
      this.send(kinds.indexOf(kind), this.#payloads.length);
      this.#payloads.push({ value, data });
      this.#coming += data.length;
    } else {
      this.send(kinds.indexOf(kind), value);
    }
    // The core comes back after this instruction, though its ring has room.
    if (this.full) this.view.setUint32(at.outputsFull, 1, true);
  }

  /** Empties the ring. */
  drain(): void {
    const { view } = this;
    const count = view.getUint32(at.outputs, true);
    const first = Number(view.getBigUint64(at.outputSequence, true)) - count;
    for (let i = 0; i < count; i++) {
      const entry = at.outputRing + i * outputEntryBytes;
      const kind = kinds[view.getUint32(entry + 8, true)] ?? 'console';
      const value = view.getUint32(entry + 12, true);
      const payload = kind === 'disk' || kind === 'net' ? this.#payloads[value] : undefined;
      this.#outputs.push({ sequence: first + i, instruction: Number(view.getBigUint64(entry, true)), kind, value, ...payload });
    }
    this.#kept += count * outputBytes + this.#coming;
    this.#coming = 0;
    this.#payloads = [];
    view.setUint32(at.outputs, 0, true);
    view.setUint32(at.outputsFull, 0, true);
  }

  take(): Output[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    this.#kept = 0;
    return outputs;
  }
}
