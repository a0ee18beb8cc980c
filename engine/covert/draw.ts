import { createHash } from 'node:crypto';

/**
 * A reproducible draw from [0, bound): a function of the seed and the purpose
 * alone, so that neither order nor number of other draws changes it. SHA-256
 * gives 48 uniform bits; values past the largest multiple of `bound` are
 * rejected, which keeps the draw unbiased. Throws a RangeError where `bound` is less than 1.
 */
export function draw(seed: number, purpose: string, bound: number): number {
  if (!(bound >= 1)) throw new RangeError(`nothing to draw from: ${purpose}`);
  const range = 2 ** 48;
  const fair = range - (range % bound);
  for (let attempt = 0; ; attempt++) {
    const digest = createHash('sha256').update(`${seed}/${purpose}/${attempt}`).digest();
    const value = digest.readUIntBE(0, 6);
    if (value < fair) return value % bound;
  }
}
