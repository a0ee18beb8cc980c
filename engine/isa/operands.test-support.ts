/** Operand values for tests: corners and random ones, mixed. */

import type { Random } from './random.test-support';

/** 64-bit values around which instructions change their mind. */
const corners = [
  0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n,
  0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffff80000000n, 0xffffffff7fffffffn, 0xfffffffffffffffen, 0xffffffffffffffffn,
  0x0100000000000000n, 0x00ff00ff00ff00ffn, 0x5555555555555555n, 31n, 32n, 63n, 64n,
];
/** Zeros, ones, subnormals, limits, infinities, NaNs, and the ends of the integer ranges. */
const singles = [
  0x00000000n, 0x80000000n, 0x00000001n, 0x80000001n, 0x007fffffn, 0x00800000n, 0x3f800000n, 0xbf800000n, 0x3fc00000n, 0x3f000000n, 0x40490fdbn,
  0x7f7fffffn, 0xff7fffffn, 0x7f800000n, 0xff800000n, 0x7fc00000n, 0x7f800001n, 0xffc00001n, 0x4effffffn, 0x4f000000n, 0x4f800000n, 0xcf000000n,
  0x5effffffn, 0x5f000000n, 0x5f800000n, 0xdf000000n, 0xbf000000n, 0x33800000n, 0x3f7fffffn,
];
const doubles = [
  0x0000000000000000n, 0x8000000000000000n, 0x0000000000000001n, 0x8000000000000001n, 0x000fffffffffffffn, 0x0010000000000000n,
  0x3ff0000000000000n, 0xbff0000000000000n, 0x3ff8000000000000n, 0x3fe0000000000000n, 0x400921fb54442d18n, 0x7fefffffffffffffn, 0xffefffffffffffffn,
  0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff8000000000000n, 0x7ff0000000000001n, 0xfff8000000000001n, 0x41dfffffffc00000n, 0x41e0000000000000n,
  0x41efffffffe00000n, 0xc1e0000000200000n, 0x43dfffffffffffffn, 0x43e0000000000000n, 0x43f0000000000000n, 0xc3e0000000000000n, 0xbfe0000000000000n,
  0x36a0000000000000n, 0x380fffffffffffffn, 0x47efffffefffffffn, 0x47efffffe0000000n,
];

export function random64(random: Random): bigint {
  return (BigInt(random.word()) << 32n) | BigInt(random.word());
}

export function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[random.below(values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

export function randomX(random: Random): bigint {
  return random.below(2) === 0 ? pick(random, corners) : random64(random) >> BigInt(random.below(64));
}

/** A number whose exponent is near another's, so that sums cancel and products round. */
export function randomF(random: Random, isSingle: boolean): bigint {
  const choice = random.below(8);
  if (choice < 4) return isSingle ? 0xffffffff00000000n | pick(random, singles) : pick(random, doubles);
  if (choice === 4) return random64(random);
  if (isSingle) return 0xffffffff00000000n | BigInt(((random.word() & 0x807fffff) | ((0x78 + random.below(16)) << 23)) >>> 0);
  return (random64(random) & 0x800fffffffffffffn) | (BigInt(0x3f8 + random.below(16)) << 52n);
}
