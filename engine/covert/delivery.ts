import { draw } from './draw';
import type { Input } from './input-log';
import type { InputClass, ProtectionPlan } from './plan';
import type { Replica } from './replica';

/** Something from the outside that is on its way to one replica, and the retired count at which it is there. */
export interface Arrival {
  readonly at: number;
  readonly typed?: Uint8Array;
  readonly frame?: Uint8Array;
}

/**
 * How inputs reach the replicas: all of them where they were decided, at one count. A class that is left uncoordinated
 * reaches each replica at counts of its own before the next rendezvous, byte by byte and frame by frame: bytes in their order, frames in
 * any. When that is, is drawn from the seed, the core and the moment; so nothing is on its way at a rendezvous, where states are compared and checkpoints taken.
 */
export class Delivery {
  constructor(
    private readonly protection: Pick<ProtectionPlan, 'uncoordinated' | 'epochInstructions'>,
    private readonly seed: number,
  ) {}

  /** Hands a replica what has been decided at a moment at which it stands. */
  hand(replica: Replica, { console, frames }: Pick<Input, 'console' | 'frames'>, moment: number): void {
    const { computer } = replica;
    if (!this.#isApart('console')) computer.receive(console);
    else {
      const counts = this.#counts('console', replica, moment, console.length).sort((a, b) => a - b);
      this.#send(replica, counts.map((at, i) => ({ at, typed: console.slice(i, i + 1) })));
    }
    if (!this.#isApart('network')) for (const frame of frames) computer.receiveFrame(frame);
    else {
      const counts = this.#counts('network', replica, moment, frames.length);
      this.#send(replica, counts.map((at, i) => ({ at, frame: frames[i] ?? new Uint8Array() })));
    }
    this.deliver(replica);
  }

  /** The next count at which something reaches the replica; Infinity where nothing is on its way. */
  next({ arrivals: [first] }: Replica): number {
    return first?.at ?? Infinity;
  }

  /** To be called wherever a replica has come to rest: it gets what is there by now. */
  deliver(replica: Replica): void {
    while (this.next(replica) <= replica.computer.retired) this.wake(replica);
  }

  /** A replica that sleeps gets the next that is on its way, since it retires nothing until then. False where there is none. */
  wake(replica: Replica): boolean {
    const [first, ...others] = replica.arrivals;
    if (!first) return false;
    replica.arrivals = others;
    if (first.typed) replica.computer.receive(first.typed);
    if (first.frame) replica.computer.receiveFrame(first.frame);
    return true;
  }

  #isApart(input: InputClass): boolean {
    return this.protection.uncoordinated.includes(input);
  }

  #send(replica: Replica, arrivals: readonly Arrival[]): void {
    if (arrivals.length > 0) replica.arrivals = [...replica.arrivals, ...arrivals].sort((a, b) => a.at - b.at);
  }

  /** Counts from where the replica stands to the next rendezvous, in the order in which they are drawn. */
  #counts(input: InputClass, { core, computer: { retired } }: Replica, moment: number, length: number): number[] {
    const { epochInstructions } = this.protection;
    const left = epochInstructions - (retired % epochInstructions);
    return Array.from({ length }, (_, i) => retired + draw(this.seed, `${input} on core ${core} at ${moment}: ${i}`, left));
  }
}
