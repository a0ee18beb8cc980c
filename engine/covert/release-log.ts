import type { Output } from '../machine/types';

/**
 * What the outside has been given, by sequence number. Only ever added to:
 * a rollback compares what the replicas produce again with what stands here,
 * and a time traveller looks at a shorter prefix of it.
 *
 * Several systems that replay one run share one log. That is sound because the
 * run is deterministic: whoever writes entry n writes the same value.
 */
export class ReleaseLog {
  /** Sparse where a system started from a saved state of another run. */
  readonly #outputs: (Output | undefined)[] = [];

  at(sequence: number): Output | undefined {
    return this.#outputs[sequence];
  }

  write(output: Output): void {
    this.#outputs[output.sequence] ??= output;
  }

  /** Console bytes among the first `outputs` outputs. */
  console(outputs: number): Uint8Array {
    const bytes: number[] = [];
    for (let i = 0; i < outputs; i++) {
      const output = this.#outputs[i];
      if (output?.kind === 'console') bytes.push(output.value);
    }
    return Uint8Array.from(bytes);
  }
}
