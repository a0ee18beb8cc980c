import { setImmediate } from 'node:timers/promises';
import type { Outside } from '../../engine/covert/outside';
import { Plug } from '../../engine/network/plug';
import { Forwards } from './forwards';

/** Milliseconds by which a sleeping guest's clock may be ahead of the host's before it waits, and the most that it then makes up where the host's was. */
const mostAhead = 1;
const mostBehind = 50;
const never = new AbortController().signal;

/**
 * The forwarded ports of a replicated guest, at the other end of its cable. What
 * comes from sockets comes when it comes: a run with them cannot be repeated,
 * though what the guest has been handed is in its log, and is the same after a rollback.
 */
export class Sockets implements Outside {
  readonly #plug = new Plug();
  readonly forwards = new Forwards(this.#plug.network);
  /** The guest's clock, and what both clocks were at the last pace, in milliseconds. */
  #now = 0;
  #paced = { guest: 0, host: performance.now() };
  #ahead = 0;

  receive(frame: Uint8Array): void {
    this.#plug.receive(frame);
  }

  take(now: number, room: number): Uint8Array[] {
    this.#now = now / 1000;
    this.#plug.pass(now);
    this.forwards.pump();
    return this.#plug.take(room);
  }

  get isQuiet(): boolean {
    return this.#plug.isQuiet;
  }

  /** A guest that sleeps would race through its time: the host's passes, too, until something comes. One that works takes its own. */
  async pace(asleep: boolean): Promise<void> {
    const { guest, host } = this.#paced;
    this.#paced = { guest: this.#now, host: performance.now() };
    const gained = this.#paced.guest - guest - (this.#paced.host - host);
    this.#ahead = asleep ? Math.max(-mostBehind, this.#ahead + gained) : 0;
    if (this.#ahead >= mostAhead) await this.forwards.wait(this.#ahead, never);
    await setImmediate();
  }
}
