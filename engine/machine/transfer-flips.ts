/** Bits that flip in the next transfer from a device to memory: a fault of the hardware, no part of any state. */
export class TransferFlips {
  #bits: readonly number[] = [];
  #flipped = 0n;

  constructor(private readonly struck: () => void) {}

  /** A mask of bits; those that waited before wait no more. */
  set(bits: bigint): void {
    const places: number[] = [];
    for (let rest = bits, bit = 0; rest !== 0n; rest >>= 1n, bit++) if (rest & 1n) places.push(bit);
    this.#bits = places;
  }

  /** A piece of a transfer passes, of which so many bytes came before. Bits beyond its end are lost with it. */
  pass(piece: Uint8Array, done: number, isLast: boolean): void {
    if (this.#bits.length === 0) return;
    this.#bits = this.#bits.filter((bit) => {
      const at = (bit >> 3) - done;
      if (at >= piece.length) return !isLast;
      piece[at] = (piece[at] ?? 0) ^ (1 << (bit & 7));
      this.#flipped |= 1n << BigInt(bit);
      return false;
    });
    if (this.#bits.length === 0) this.struck();
  }

  /** The bits that have flipped since the last call. */
  take(): bigint {
    const flipped = this.#flipped;
    this.#flipped = 0n;
    return flipped;
  }
}
