import type { DeviceContext, VirtioDevice } from './device';
import type { Chain } from './queue';

/** More in one request is cut: a driver asks again. */
const mostBytes = 4096;
const mask = 0xffff_ffff_ffff_ffffn;

/**
 * A source of random numbers (VIRTIO 1.2, section 5.4) that are none: all
 * replicas and all replays get the same from the same seed, unless the core has a source of its own. The generator is
 * SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number
 * Generators", OOPSLA 2014), whose state is the slot's own 64 bits.
 */
export class EntropyDevice implements VirtioDevice {
  readonly id = 4;
  readonly queues = 1;
  readonly features = 0;
  readonly config = new Uint8Array();
  readonly initial: bigint;

  /** Throws a RangeError for a seed that is no whole number. */
  constructor(
    seed: number,
    /** Bits of the core's own; 0 where it has none. */
    private readonly own: () => bigint = () => 0n,
  ) {
    this.initial = BigInt.asUintN(64, BigInt(seed));
  }

  serve(chain: Chain, context: DeviceContext): number {
    const data = this.#draw(Math.min(mostBytes, chain.writable), context);
    chain.write(data);
    return data.length;
  }

  #draw(bytes: number, { slot }: DeviceContext): Uint8Array {
    const words = new DataView(new ArrayBuffer(Math.ceil(bytes / 8) * 8));
    const own = this.own();
    let state = slot.own;
    for (let at = 0; at < words.byteLength; at += 8) {
      state = (state + 0x9e37_79b9_7f4a_7c15n) & mask;
      const seen = state ^ own;
      let mixed = ((seen ^ (seen >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & mask;
      mixed = ((mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn) & mask;
      words.setBigUint64(at, mixed ^ (mixed >> 31n), true);
    }
    slot.own = state;
    return new Uint8Array(words.buffer, 0, bytes);
  }
}
