import { at } from '../core/layout';
import type { OwnInputs } from './types';

/** Instructions, at most, that a transfer is late: 10 us at 2 GHz. Our choice, of the order in which a queue at a fast disk or a busy bus varies. */
const mostLate = 20_000;
const mask = 0xffff_ffff_ffff_ffffn;

/**
 * What a core has of its own where inputs are left uncoordinated: random numbers, how late transfers are, and which reservations
 * are lost (core/assembly/reservation.ts). Each draw is a function of the core's seed and of when it is made, by the core's cycles: so there is
 * nothing to keep, and after a rollback, for which no core's clock goes back, it is another one.
 */
export class OwnDraws {
  #inputs: OwnInputs | undefined;

  constructor(private readonly view: DataView) {}

  set(inputs: OwnInputs | undefined): void {
    this.#inputs = inputs;
    this.view.setBigUint64(at.ownSeed, BigInt(inputs?.seed ?? 0), true);
    this.view.setUint32(at.losesReservations, inputs?.reservations ? 1 : 0, true);
  }

  get losesReservations(): boolean {
    return this.#inputs?.reservations ?? false;
  }

  /** What a source of random numbers takes in besides its state; 0 where that is all. */
  entropy(): bigint {
    return this.#inputs?.entropy ? this.#draw(1n) : 0n;
  }

  /** The retired count at which a transfer is over that the guest has asked for now, its `number`-th; undefined where it is over at once. */
  transferEnd(number: number): number | undefined {
    const period = this.#inputs?.transfersWithin;
    if (period === undefined) return undefined;
    // Behind the instruction that is being executed.
    const from = Number(this.view.getBigUint64(at.retired, true)) + 1;
    const room = Math.min(mostLate, Math.ceil(from / period) * period - from);
    return room > 0 ? from + Number(this.#draw(2n + BigInt(number)) % BigInt(room)) : undefined;
  }

  /** The output function of SplitMix64 (see virtio/entropy.ts), of the seed, the time and what it is for. */
  #draw(purpose: bigint): bigint {
    const { view } = this;
    let bits = view.getBigUint64(at.ownSeed, true) + view.getBigUint64(at.cycles, true) * 0x9e37_79b9_7f4a_7c15n + view.getBigUint64(at.retired, true) + (purpose << 40n);
    bits &= mask;
    bits = ((bits ^ (bits >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & mask;
    bits = ((bits ^ (bits >> 27n)) * 0x94d0_49bb_1331_11ebn) & mask;
    return bits ^ (bits >> 31n);
  }
}
