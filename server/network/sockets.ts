import { setImmediate } from 'node:timers/promises';
import type { Outside } from '../../engine/covert/outside';
import { Plug } from '../../engine/network/plug';
import { Forwards } from './forwards';

/** Milliseconds that are waited where the guest sleeps: as long as it has slept when the outside is asked again. */
const nap = 1;
const never = new AbortController().signal;

/**
 * The forwarded ports of a replicated guest, at the other end of its cable. What
 * comes from sockets comes when it comes: a run with them cannot be repeated,
 * though what the guest has been handed is in its log, and is the same after a rollback.
 */
export class Sockets implements Outside {
  readonly #plug = new Plug();
  readonly forwards = new Forwards(this.#plug.network);

  receive(frame: Uint8Array): void {
    this.#plug.receive(frame);
  }

  take(now: number, room: number): Uint8Array[] {
    this.#plug.pass(now);
    this.forwards.pump();
    return this.#plug.take(room);
  }

  get isQuiet(): boolean {
    return this.#plug.isQuiet;
  }

  /** A guest that sleeps would race through its time: the host's passes, too, until something comes. */
  async pace(asleep: boolean): Promise<void> {
    if (asleep) await this.forwards.wait(nap, never);
    await setImmediate();
  }
}
