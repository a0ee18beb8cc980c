/** Conversions between the formats and to and from integers (IEEE 754-2019 §5.4.1, §5.8). */

import {
  NV, NX,
  canonicalNan, exponentOf, infinity, isInfinite, isNotANumber, isSignaling, isSpecial,
  raise, signOf, significandOf,
} from './softfloat-format';
import { shiftRightJam } from './softfloat-integer';
import { round, roundsUp } from './softfloat-round';

/** From format `From` to format `To`; exact if `To` is the wider one. */
export function convert<From, To>(a: From, rm: u32): To {
  if (isNotANumber<From>(a)) {
    if (isSignaling<From>(a)) raise(NV);
    return canonicalNan<To>();
  }
  if (isInfinite<From>(a)) return infinity<To>(signOf<From>(a));
  return round<To>(signOf<From>(a), exponentOf<From>(a), significandOf<From>(a), rm);
}

/** ±magnitude as a number of the format. */
@inline
export function fromInteger<T>(sign: bool, magnitude: u64, rm: u32): T {
  return round<T>(sign, 62, magnitude, rm);
}

/**
 * To an integer of `I`'s range, as the 64-bit register value: results of 32 bits,
 * the unsigned ones too, are sign-extended. What does not fit after rounding, and
 * any NaN, is invalid and gives the nearest end of the range, NaN the upper one
 * (RISC-V unprivileged ISA, "F", table of the domains of conversions).
 */
export function toInteger<T, I>(a: T, rm: u32): i64 {
  const sign = signOf<T>(a) && !isNotANumber<T>(a);
  if (isSpecial<T>(a)) return outOfRange<I>(sign);
  const exponent = exponentOf<T>(a);
  if (exponent > 63) return outOfRange<I>(sign);
  const significand = significandOf<T>(a);
  const drop = 62 - exponent;
  let magnitude: u64 = 0;
  let rest: u64 = 0;
  if (drop <= 0) {
    magnitude = significand << -drop;
  } else if (drop < 64) {
    magnitude = significand >> drop;
    rest = significand << (64 - drop);
  } else {
    rest = shiftRightJam(significand, drop - 64);
  }
  const up = roundsUp(sign, (magnitude & 1) != 0, rest, <u64>1 << 63, rm);
  magnitude += <u64>up;
  if (magnitude > largestMagnitude<I>(sign)) return outOfRange<I>(sign);
  if (rest != 0) raise(NX);
  return extend<I>(sign ? 0 - magnitude : magnitude);
}

/** The magnitude of the range's end on the side of the sign. */
@inline
function largestMagnitude<I>(sign: bool): u64 {
  const bits = 8 * sizeof<I>();
  if (isSigned<I>()) return ((<u64>1 << (bits - 1)) - 1) + <u64>sign;
  return sign ? 0 : <u64>-1 >> (64 - bits);
}

@inline
function outOfRange<I>(sign: bool): i64 {
  raise(NV);
  const end = largestMagnitude<I>(sign);
  return extend<I>(sign ? 0 - end : end);
}

@inline
function extend<I>(value: u64): i64 {
  return sizeof<I>() == 4 ? <i64>(<i32>value) : <i64>value;
}
