import { createHash } from 'node:crypto';
import type { Output } from '../machine/types';

/** An entry that nobody has written. */
const absent = 0xffff;
/** Stand for outputs that are no console byte; what they were is kept elsewhere. */
const marks = { exit: 0x100, disk: 0x101, net: 0x102 } as const;

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

/**
 * What the outside has been given, by sequence number. Only ever added to:
 * a rollback compares what the replicas produce again with what stands here,
 * and a time traveller looks at a shorter prefix of it.
 *
 * Several systems that replay one run share one log. That is sound because the
 * run is deterministic: whoever writes entry n writes the same value. There may
 * be gaps where a system started from a saved state of another run.
 */
export class ReleaseLog {
  #entries = new Uint16Array(1024).fill(absent);
  readonly #others = new Map<number, Released>();

  at(sequence: number): Released | undefined {
    const entry = this.#entries[sequence] ?? absent;
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
    while (sequence >= this.#entries.length) {
      const larger = new Uint16Array(this.#entries.length * 2).fill(absent);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    if (this.#entries[sequence] !== absent) return;
    this.#entries[sequence] = kind === 'console' ? value : marks[kind];
    if (kind !== 'console') this.#others.set(sequence, { kind, value, ...(data ? { bytes: data.length, digest: digestOf(data) } : {}) });
  }

  /** Console bytes among outputs [from, to). */
  console(to: number, from = 0): Uint8Array {
    const entries = this.#entries.subarray(Math.max(0, from), to).filter((entry) => entry < marks.exit);
    return Uint8Array.from(entries);
  }

  /** Outputs of a kind that has data among the first `to`. */
  data(kind: 'disk' | 'net', to: number): ReleasedData {
    const hash = createHash('sha256');
    const sum = { outputs: 0, bytes: 0 };
    for (const [sequence, output] of [...this.#others].sort(([a], [b]) => a - b)) {
      if (sequence >= to || output.kind !== kind) continue;
      sum.outputs += 1;
      sum.bytes += output.bytes ?? 0;
      hash.update(`${output.value} ${output.digest}\n`);
    }
    return { ...sum, sha256: hash.digest('hex') };
  }
}

function digestOf(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
