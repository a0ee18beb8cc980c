/** From wide form to a format: rounding, overflow and underflow (IEEE 754-2019 §4.3, §7.4, §7.5, §7.6). */

import {
  NX, OF, RDN, RMM, RNE, RUP, UF,
  bias, fractionBits, infinityMagnitude, minimumExponent, raise, signed, specialField, zero,
} from './softfloat-format';
import { shiftRightJam } from './softfloat-integer';

/**
 * Whether a magnitude is rounded away from zero. `rest` is what lies below the
 * last kept bit, `half` the same scale's one half, `odd` the last kept bit.
 */
@inline
export function roundsUp(sign: bool, odd: bool, rest: u64, half: u64, rm: u32): bool {
  if (rm == RNE) return rest > half || (rest == half && odd);
  if (rm == RMM) return rest >= half;
  if (rm == RDN) return sign && rest != 0;
  if (rm == RUP) return !sign && rest != 0;
  return false;
}

/** What a finite result too large for the format becomes (§7.4). */
function overflow<T>(sign: bool, rm: u32): T {
  raise(OF | NX);
  // An infinity is one unit above the largest finite magnitude.
  const toInfinity = rm == RNE || rm == RMM || rm == (sign ? RDN : RUP);
  return signed<T>(sign, infinityMagnitude<T>() - <u64>!toInfinity);
}

/**
 * The number ±significand · 2^(exponent − 62), its lowest bit being sticky, in
 * the format. The significand need not be normalised, but where its lowest bit
 * was jammed the leading one has to stand at bit 56 or above.
 */
export function round<T>(sign: bool, exponent: i32, significand: u64, rm: u32): T {
  if (significand == 0) return zero<T>(sign);
  const shift = <i32>clz<u64>(significand);
  const normal = significand << shift;
  const e = exponent + 1 - shift;
  if (e < minimumExponent<T>()) return roundSubnormal<T>(sign, e, normal, rm);
  return roundTo<T>(sign, e + bias<T>() - 1, normal, rm);
}

/**
 * Rounds a significand aligned to bit 63. `field` is the exponent field less 1:
 * the hidden bit, or a carry out of the fraction, adds the missing 1.
 */
@inline
function roundTo<T>(sign: bool, field: i32, significand: u64, rm: u32): T {
  const dropped = 63 - fractionBits<T>();
  const half = <u64>1 << (dropped - 1);
  const rest = significand & (2 * half - 1);
  let kept = significand >> dropped;
  if (rest != 0) {
    raise(NX);
    kept += <u64>roundsUp(sign, (kept & 1) != 0, rest, half, rm);
  }
  if (field >= specialField<T>() - 2) {
    // Here the last binade and anything above; `kept` may have carried into the next one.
    const top = field + <i32>(kept >> fractionBits<T>());
    if (top >= specialField<T>()) return overflow<T>(sign, rm);
  }
  return signed<T>(sign, (<u64>field << fractionBits<T>()) + kept);
}

/**
 * Rounds a result below the normal numbers. Underflow is raised if the result is
 * inexact and tiny, tininess being detected after rounding as RISC-V has it ("F",
 * subnormal arithmetic): not tiny is what would round up to the smallest normal
 * number if the exponent had no bound (§7.5, choice a).
 */
function roundSubnormal<T>(sign: bool, e: i32, normal: u64, rm: u32): T {
  const dropped = 63 - fractionBits<T>();
  const denormal = shiftRightJam(normal, minimumExponent<T>() - e);
  if ((denormal & ((<u64>1 << dropped) - 1)) != 0) {
    const half = <u64>1 << (dropped - 1);
    const rest = normal & (2 * half - 1);
    const allOnes = ~normal >> dropped == 0;
    const tiny = e < minimumExponent<T>() - 1 || !allOnes || !roundsUp(sign, true, rest, half, rm);
    if (tiny) raise(UF);
  }
  return roundTo<T>(sign, 0, denormal, rm);
}
