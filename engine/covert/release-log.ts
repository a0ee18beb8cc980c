import { createHash } from 'node:crypto';
import type { Output } from '../machine/types';

/** An entry that nobody has written. */
const absent = 0xffff;
/** Stand for outputs that are no console byte; what they were is kept elsewhere. */
const marks = { exit: 0x100, disk: 0x101, net: 0x102, flush: 0x103 } as const;

/** What an output was; of its data, if it had any, the SHA-256. */
export interface Released {
  readonly kind: Output['kind'];
  readonly value: number;
  readonly bytes?: number;
  readonly digest?: string;
}

/** All outputs of one kind together. */
export interface ReleasedData {
  outputs: number;
  bytes: number;
  /** Over the outputs' places and digests, in order. */
  sha256: string;
}

/** What is known of outputs of one kind that are not kept any more. */
class Sum {
  constructor(
    readonly hash = createHash('sha256'),
    public outputs = 0,
    public bytes = 0,
  ) {}

  add({ value, bytes, digest }: Released): void {
    this.outputs += 1;
    this.bytes += bytes ?? 0;
    this.hash.update(`${value} ${digest}\n`);
  }

  copy(): Sum {
    return new Sum(this.hash.copy(), this.outputs, this.bytes);
  }
}

/**
 * What the outside has been given, by sequence number: a rollback compares what
 * the replicas produce again with what stands here, and a time traveller looks
 * at a shorter prefix of it. Only ever added to, unless its owner says that
 * nobody will go back: then the beginning is forgotten.
 *
 * Several systems that replay one run share one log. That is sound because the
 * run is deterministic: whoever writes entry n writes the same value. There may
 * be gaps where a system started from a saved state of another run.
 */
export class ReleaseLog {
  #entries = new Uint16Array(1024).fill(absent);
  readonly #others = new Map<number, Released>();
  /** The first output that is kept; entries begin with it. */
  #first = 0;
  readonly #forgotten = { disk: new Sum(), net: new Sum() };

  /** Number of the first output that is kept. */
  get first(): number {
    return this.#first;
  }

  at(sequence: number): Released | undefined {
    const entry = this.#entries[sequence - this.#first] ?? absent;
    if (entry === absent) return undefined;
    return entry < marks.exit ? { kind: 'console', value: entry } : this.#others.get(sequence);
  }

  /** True unless another output stands there already. */
  agrees(output: Pick<Output, 'sequence' | 'kind' | 'value' | 'data'>): boolean {
    const before = this.at(output.sequence);
    if (!before) return true;
    return before.kind === output.kind && before.value === output.value && (!output.data || before.digest === digestOf(output.data));
  }

  write({ sequence, kind, value, data }: Pick<Output, 'sequence' | 'kind' | 'value' | 'data'>): void {
    const index = sequence - this.#first;
    while (index >= this.#entries.length) {
      const larger = new Uint16Array(this.#entries.length * 2).fill(absent);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    if (index < 0 || this.#entries[index] !== absent) return;
    this.#entries[index] = kind === 'console' ? value : marks[kind];
    if (kind !== 'console') this.#others.set(sequence, { kind, value, ...(data ? { bytes: data.length, digest: digestOf(data) } : {}) });
  }

  /**
   * Keeps nothing of outputs before `sequence` but the sums of their data. Only
   * where no system that uses the log goes back to before it.
   */
  forget(sequence: number): void {
    if (sequence <= this.#first) return;
    for (const [number, output] of this.#others) {
      // A map is in the order in which it was written: that of the numbers, in a run that forgets.
      if (number >= sequence) break;
      if (output.kind === 'disk' || output.kind === 'net') this.#forgotten[output.kind].add(output);
      this.#others.delete(number);
    }
    const { length } = this.#entries;
    const gone = Math.min(sequence - this.#first, length);
    this.#entries.copyWithin(0, gone).fill(absent, length - gone);
    this.#first = sequence;
  }

  /** Console bytes among outputs [from, to), of those that are kept. */
  console(to: number, from = 0): Uint8Array {
    const index = (sequence: number): number => Math.max(0, sequence - this.#first);
    const entries = this.#entries.subarray(index(from), index(to)).filter((entry) => entry < marks.exit);
    return Uint8Array.from(entries);
  }

  /** Outputs of a kind that has data among the first `to`, which is no fewer than have been forgotten. */
  data(kind: 'disk' | 'net', to: number): ReleasedData {
    const sum = this.#forgotten[kind].copy();
    for (const [sequence, output] of [...this.#others].sort(([a], [b]) => a - b)) {
      if (sequence < to && output.kind === kind) sum.add(output);
    }
    return { outputs: sum.outputs, bytes: sum.bytes, sha256: sum.hash.digest('hex') };
  }
}

function digestOf(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
