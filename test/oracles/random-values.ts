/** Register values among which the corners of arithmetic are frequent. */
import type { Random } from '../../engine/isa/random.test-support';

const integers = [0n, 1n, 2n, 0xffffffffffffffffn, 0x8000000000000000n, 0x7fffffffffffffffn, 0x80000000n, 0x7fffffffn, 0xffffffffn, 0xffffffff80000000n];
const doubles = [
  0n, 0x8000000000000000n, 0x3ff0000000000000n, 0xbff0000000000000n, 0x7ff0000000000000n, 0xfff0000000000000n,
  0x7ff8000000000000n, 0x7ff0000000000001n, 0xfff8000000000001n, 1n, 0x000fffffffffffffn, 0x0010000000000000n,
  0x7fefffffffffffffn, 0x43e0000000000000n, 0xc3e0000000000000n, 0x41dfffffffc00000n, 0x36a0000000000000n, 0x47efffffe0000000n,
];
const floats = [
  0n, 0x80000000n, 0x3f800000n, 0xbf800000n, 0x7f800000n, 0xff800000n, 0x7fc00000n, 0x7f800001n, 1n, 0x007fffffn, 0x00800000n,
  0x7f7fffffn, 0x4f000000n, 0xcf000000n, 0x5f000000n,
];

const pick = (random: Random, values: readonly bigint[]): bigint => values[random.below(values.length)] ?? 0n;
const boxed = (value: bigint): bigint => 0xffffffff00000000n | value;

/** Any 64 bits. */
export function anyWord(random: Random): bigint {
  return (BigInt(random.word()) << 32n) | BigInt(random.word());
}

/** What an x register may hold. */
export function integerValue(random: Random): bigint {
  return random.below(3) === 0 ? pick(random, integers) : anyWord(random);
}

/** What an f register may hold: doubles, boxed floats, and floats in a wrong box. */
export function floatValue(random: Random): bigint {
  switch (random.below(6)) {
    case 0: return pick(random, doubles);
    case 1: return boxed(pick(random, floats));
    case 2: return boxed(anyWord(random) & 0xffffffffn);
    // Near each other in magnitude, so that sums and differences round and cancel.
    case 3: return (anyWord(random) & 0x800fffffffffffffn) | (BigInt(1020 + random.below(8)) << 52n);
    case 4: return boxed((anyWord(random) & 0x807fffffn) | (BigInt(124 + random.below(8)) << 23n));
    default: return anyWord(random);
  }
}
