/**
 * Integer helpers of the floating-point arithmetic: what wasm's 64-bit integers
 * lack. "Jamming" means to OR into the lowest bit whether anything was lost below
 * it; the lowest bit then is the sticky bit that rounding needs.
 */

/** `value` with its lowest bit set if `lost` is not zero. */
@inline
export function jam(value: u64, lost: u64): u64 {
  return value | <u64>(lost != 0);
}

/** `value / 2^count`, jammed; any count from 0 up. */
@inline
export function shiftRightJam(value: u64, count: i32): u64 {
  if (count == 0) return value;
  if (count > 63) return <u64>(value != 0);
  return jam(value >> count, value << (64 - count));
}

/** The upper 64 bits of the 128-bit product. */
@inline
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/**
 * One 32-bit digit of a long division: high · 2^32 / divisor, where high < divisor
 * and the divisor's bit 63 is set (Knuth, TAOCP 2, 4.3.1, algorithm D).
 */
@inline
function quotientDigit(high: u64, divisor: u64): u64 {
  const divisorHigh = divisor >> 32;
  const divisorLow = divisor & 0xffffffff;
  let quotient = high / divisorHigh;
  let remainder = high - quotient * divisorHigh;
  // The estimate is at most 2 too large; a remainder past 32 bits proves it right.
  while (quotient * divisorLow > remainder << 32) {
    quotient--;
    remainder += divisorHigh;
    if (remainder > 0xffffffff) break;
  }
  return quotient;
}

/** `high · 2^64 / divisor`, rounded down; high < divisor, and the divisor's bit 63 is set. */
export function divideWide(high: u64, divisor: u64): u64 {
  const first = quotientDigit(high, divisor);
  // The true remainder is below the divisor, so that arithmetic modulo 2^64 keeps it.
  return (first << 32) | quotientDigit((high << 32) - first * divisor, divisor);
}

/** The 16-bit root of a number of at least 2^30, bit by bit. */
function squareRoot32(n: u32): u32 {
  let root: u32 = 0;
  for (let bit: u32 = 0x8000; bit != 0; bit >>= 1) {
    const candidate = root | bit;
    if (candidate * candidate <= n) root = candidate;
  }
  return root;
}

/**
 * The 32-bit root, rounded down, of a number of at least 2^62: the upper half's
 * root, then one division for the lower half (P. Zimmermann, "Karatsuba Square
 * Root", INRIA RR-3805), whose estimate is at most 1 too large.
 */
export function squareRoot64(n: u64): u64 {
  const upper = <u64>squareRoot32(<u32>(n >> 32));
  const rest = (((n >> 32) - upper * upper) << 16) | ((n >> 16) & 0xffff);
  const lower = rest / (2 * upper);
  const left = ((rest - lower * 2 * upper) << 16) | (n & 0xffff);
  const root = (upper << 16) + lower;
  return left < lower * lower ? root - 1 : root;
}

/** The 64-bit root, rounded down, of `high · 2^64`, high at least 2^62; by the same step. */
export function squareRootWide(high: u64): u64 {
  const upper = squareRoot64(high);
  // The numerator and 2 · upper have been halved, for the numerator has up to 65 bits.
  const rest = (high - upper * upper) << 31;
  const lower = rest / upper;
  const left = (rest - lower * upper) << 1;
  const root = (upper << 32) + lower;
  const tooLarge = left >> 32 == 0 && (lower >> 32 != 0 || left << 32 < lower * lower);
  return tooLarge ? root - 1 : root;
}
