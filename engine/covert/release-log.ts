import type { Output } from '../machine/types';

/** An entry that nobody has written. */
const absent = 0xffff;
/** Stands for the guest's exit, whose code is kept elsewhere. */
const exitMark = 0x100;

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
  readonly #exitCodes = new Map<number, number>();

  at(sequence: number): Pick<Output, 'kind' | 'value'> | undefined {
    const entry = this.#entries[sequence] ?? absent;
    if (entry === absent) return undefined;
    if (entry === exitMark) return { kind: 'exit', value: this.#exitCodes.get(sequence) ?? 0 };
    return { kind: 'console', value: entry };
  }

  write({ sequence, kind, value }: Pick<Output, 'sequence' | 'kind' | 'value'>): void {
    while (sequence >= this.#entries.length) {
      const larger = new Uint16Array(this.#entries.length * 2).fill(absent);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    if (this.#entries[sequence] !== absent) return;
    this.#entries[sequence] = kind === 'exit' ? exitMark : value;
    if (kind === 'exit') this.#exitCodes.set(sequence, value);
  }

  /** Console bytes among outputs [from, to). */
  console(to: number, from = 0): Uint8Array {
    const entries = this.#entries.subarray(Math.max(0, from), to).filter((entry) => entry < exitMark);
    return Uint8Array.from(entries);
  }
}
