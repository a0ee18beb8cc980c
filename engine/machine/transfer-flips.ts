/** Bits that flip in the next transfer from a disk to memory: a fault of the hardware, no part of any state. */
export class TransferFlips {
  #bits: readonly number[] = [];

  constructor(private readonly struck: () => void) {}

  /** A mask of bits; those that waited before wait no more. */
  set(bits: bigint): void {
    const places: number[] = [];
    for (let rest = bits, bit = 0; rest !== 0n; rest >>= 1n, bit++) if (rest & 1n) places.push(bit);
    this.#bits = places;
  }

  /** A piece of a transfer passes, of which so many bytes came before. */
  pass(piece: Uint8Array, done: number): void {
    if (this.#bits.length === 0) return;
    this.#bits = this.#bits.filter((bit) => {
      const at = (bit >> 3) - done;
      if (at >= piece.length) return true;
      piece[at] = (piece[at] ?? 0) ^ (1 << (bit & 7));
      return false;
    });
    if (this.#bits.length === 0) this.struck();
  }
}
