import { createHash } from 'node:crypto';

/**
 * A reproducible draw from [0, bound): a function of the seed and the purpose
 * alone, so that neither order nor number of other draws changes it. SHA-256
 * gives 48 uniform bits, or 53 where `bound` is larger; values past the largest
 * multiple of `bound` are rejected, which keeps the draw unbiased. Throws a
 * RangeError where `bound` is less than 1 or more than 2^53.
 */
export function draw(seed: number, purpose: string, bound: number): number {
  if (!(bound >= 1)) throw new RangeError(`nothing to draw from: ${purpose}`);
  if (bound > 2 ** 53) throw new RangeError(`too much to draw from: ${purpose}`);
  const isWide = bound > 2 ** 48;
  const range = isWide ? 2 ** 53 : 2 ** 48;
  const fair = range - (range % bound);
  for (let attempt = 0; ; attempt++) {
    const digest = createHash('sha256').update(`${seed}/${purpose}/${attempt}`).digest();
    const value = isWide ? digest.readUIntBE(0, 6) * 2 ** 5 + (digest.readUInt8(6) >> 3) : digest.readUIntBE(0, 6);
    if (value < fair) return value % bound;
  }
}
