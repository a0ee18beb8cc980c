import { DiskLedger, type FlushAnswer } from './disk-outside';

/** Something from the outside that all replicas are handed at the same count and time. */
export interface Input {
  /** The rendezvous at which it was decided: its moment, retired instructions, and the guest's clock in ticks. */
  readonly moment: number;
  readonly count: number;
  readonly time: number;
  /** Bytes typed at the console. */
  readonly console: Uint8Array;
  /** Ethernet frames for the network card. */
  readonly frames: readonly Uint8Array[];
  /** What became of flushes, present if it was asked for any. */
  readonly flushed?: readonly FlushAnswer[];
}

/**
 * What the guest has been handed, in order. Like the release log only ever
 * added to, and shared by all systems that replay one run: after a rollback the
 * replicas are handed the same again.
 */
export class InputLog {
  readonly #entries = new Map<number, Input>();
  /** The furthest rendezvous at which the outside was asked. */
  #asked = { moment: -1, time: -1 };
  /** Outputs before this one have been told to the outside, or do not concern it. */
  #told = 0;
  readonly disks = new DiskLedger();

  /** A log of a run that is over: everything that will ever come from outside is in it. */
  static of(inputs: readonly Input[]): InputLog {
    const log = new InputLog();
    for (const [index, input] of inputs.entries()) log.write(index, input);
    log.ask(Infinity, Infinity);
    return log;
  }

  /** What the guest has been handed, in order; of a log that forgets, what is kept. */
  get inputs(): Input[] {
    return [...this.#entries.values()];
  }

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

  /** True where the run has not been before: what the outside has for the guest there is in no entry yet. */
  isNew(moment: number, time = Infinity): boolean {
    return moment > this.#asked.moment || (moment === this.#asked.moment && time > this.#asked.time);
  }

  /** The outside is asked at a rendezvous that is new. */
  ask(moment: number, time: number): void {
    this.#asked = { moment, time };
  }

  /** True if the outside has not been told of an output; from now on it has. */
  tell(sequence: number): boolean {
    if (sequence < this.#told) return false;
    this.#told = sequence + 1;
    return true;
  }
}

/** What became of all flushes among inputs, in order. */
export function answersIn(inputs: readonly Input[]): FlushAnswer[] {
  return inputs.flatMap(({ flushed = [] }) => flushed);
}
