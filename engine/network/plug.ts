import { Network } from './network';

/** Frames that wait for a buffer of the guest's before further ones are lost, as on any cable. */
const mostWaiting = 1024;

/**
 * The network's end of a cable whose other end takes and gives frames when it
 * comes to it: what waits in both directions until then.
 */
export class Plug {
  readonly network = new Network();
  #fromGuest: Uint8Array[] = [];
  #toGuest: Uint8Array[] = [];

  /** A frame of the guest's; the network has it with the next `pass`. */
  receive(frame: Uint8Array): void {
    this.#fromGuest.push(frame);
  }

  /** The guest's clock has come to `now`, in microseconds; what it has sent arrives then, whenever anybody looked before. */
  pass(now: number): void {
    for (const frame of this.#fromGuest) this.network.receive(frame, now);
    this.#fromGuest = [];
    this.network.tick(now);
  }

  /** At most so many of the frames that wait for the guest, oldest first. */
  take(room: number): Uint8Array[] {
    for (const frame of this.network.takeFrames()) if (this.#toGuest.length < mostWaiting) this.#toGuest.push(frame);
    return this.#toGuest.splice(0, room);
  }

  /** True if nothing waits and time alone brings nothing about. */
  get isQuiet(): boolean {
    return this.#fromGuest.length === 0 && this.#toGuest.length === 0 && this.network.isQuiet;
  }
}
