/** Seeded numbers for tests over many encodings: SplitMix-style mixing of a 32-bit counter. */
export class Random {
  constructor(private state: number) {}

  /** An unsigned 32-bit number. */
  word(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** A number from 0 to `bound` - 1. */
  below(bound: number): number {
    return this.word() % bound;
  }
}
