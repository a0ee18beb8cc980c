import { Network } from '../../engine/network/network';
import type { Machine } from '../../engine/machine/machine';
import { Forwards } from './forwards';

/** The number of the CSR `time`, which counts at 10 MHz. */
const timeCsr = 0xc01;
const ticksPerMicrosecond = 10n;
/** Frames that wait for a buffer of the guest's before further ones are lost, as on any cable. */
const mostWaiting = 1024;

/**
 * The cable between a machine and its network, and the sockets behind that. What
 * comes from sockets comes when it comes: a run with a cable is not repeatable.
 */
export class Cable {
  readonly network = new Network();
  readonly forwards = new Forwards(this.network);
  #waiting: Uint8Array[] = [];

  constructor(private readonly machine: Machine) {}

  /** The guest's own time in microseconds. */
  get now(): number {
    return Number((this.machine.getCsr(timeCsr) ?? 0n) / ticksPerMicrosecond);
  }

  /** Frames that the guest has sent, oldest first. */
  send(frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.network.receive(frame);
  }

  /** Does what is to be done on both ends. True if the guest was handed a frame. */
  exchange(): boolean {
    this.network.tick(this.now);
    this.forwards.pump();
    for (const frame of this.network.takeFrames()) if (this.#waiting.length < mostWaiting) this.#waiting.push(frame);
    let handed = 0;
    while (handed < this.#waiting.length && this.machine.receiveFrame(this.#waiting[handed] ?? new Uint8Array())) handed++;
    this.#waiting = this.#waiting.slice(handed);
    return handed > 0;
  }
}
