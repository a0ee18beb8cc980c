/** Something from the outside that all replicas are handed at the same count. */
export interface Input {
  /** Retired instructions at the rendezvous at which it was decided. */
  readonly count: number;
  /** Bytes typed at the console. */
  readonly console: Uint8Array;
}

/**
 * What the guest has been handed, in order. Like the release log only ever
 * added to, and shared by all systems that replay one run: after a rollback the
 * replicas are handed the same again.
 */
export class InputLog {
  readonly #entries = new Map<number, Input>();

  at(index: number): Input | undefined {
    return this.#entries.get(index);
  }

  write(index: number, input: Input): void {
    if (!this.#entries.has(index)) this.#entries.set(index, input);
  }

  /** Inputs before `index` will not be asked for again. */
  forget(index: number): void {
    for (const number of this.#entries.keys()) {
      if (number >= index) break;
      this.#entries.delete(number);
    }
  }
}
