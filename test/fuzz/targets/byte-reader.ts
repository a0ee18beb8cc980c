/** Takes an input apart; behind its end are zeros. */
export class ByteReader {
  #at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.#at >= this.bytes.length;
  }
  byte(): number {
    return this.bytes[this.#at++] ?? 0;
  }
  half(): number {
    return this.byte() | (this.byte() << 8);
  }
  word(): number {
    return (this.half() | (this.half() << 16)) >>> 0;
  }
  /** All that is left. */
  rest(): Uint8Array {
    const from = this.#at;
    this.#at = this.bytes.length;
    return this.bytes.subarray(from);
  }
  take(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.byte());
  }
}
