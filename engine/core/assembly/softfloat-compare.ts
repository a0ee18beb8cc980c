/** Comparisons, minimum and maximum, classification (RISC-V unprivileged ISA, "F"). */

import {
  NV,
  canonicalNan, exponentField, isInfinite, isNotANumber, isSignaling, isZero,
  magnitudeOf, raise, signOf,
} from './softfloat-format';

/** compareQuietEqual (IEEE 754-2019 §5.11): 1 or 0; invalid only for signaling NaNs. */
export function equal<T>(a: T, b: T): u32 {
  if (isNotANumber<T>(a) || isNotANumber<T>(b)) {
    if (isSignaling<T>(a) || isSignaling<T>(b)) raise(NV);
    return 0;
  }
  return <u32>(a == b || (magnitudeOf<T>(a) | magnitudeOf<T>(b)) == 0);
}

/** compareSignalingLess: 1 or 0; any NaN is invalid. */
export function less<T>(a: T, b: T): u32 {
  if (unordered<T>(a, b)) return 0;
  return <u32>(precedes<T>(a, b) && (magnitudeOf<T>(a) | magnitudeOf<T>(b)) != 0);
}

/** compareSignalingLessEqual: 1 or 0; any NaN is invalid. */
export function lessOrEqual<T>(a: T, b: T): u32 {
  if (unordered<T>(a, b)) return 0;
  return <u32>(!precedes<T>(b, a) || (magnitudeOf<T>(a) | magnitudeOf<T>(b)) == 0);
}

@inline
function unordered<T>(a: T, b: T): bool {
  if (!isNotANumber<T>(a) && !isNotANumber<T>(b)) return false;
  raise(NV);
  return true;
}

/** Strict order of all numbers, with −0 before +0. */
@inline
function precedes<T>(a: T, b: T): bool {
  if (signOf<T>(a) != signOf<T>(b)) return signOf<T>(a);
  return signOf<T>(a)
    ? magnitudeOf<T>(a) > magnitudeOf<T>(b)
    : magnitudeOf<T>(a) < magnitudeOf<T>(b);
}

/** minimumNumber (IEEE 754-2019 §9.6): the number if the other operand is a NaN; −0 is less than +0. */
export function minimum<T>(a: T, b: T): T {
  if (isNotANumber<T>(a) || isNotANumber<T>(b)) return numberOf<T>(a, b);
  return precedes<T>(a, b) ? a : b;
}

/** maximumNumber, likewise. */
export function maximum<T>(a: T, b: T): T {
  if (isNotANumber<T>(a) || isNotANumber<T>(b)) return numberOf<T>(a, b);
  return precedes<T>(a, b) ? b : a;
}

/** Of two operands with a NaN among them, the number; the canonical NaN if there is none. */
function numberOf<T>(a: T, b: T): T {
  if (isSignaling<T>(a) || isSignaling<T>(b)) raise(NV);
  if (!isNotANumber<T>(a)) return a;
  if (!isNotANumber<T>(b)) return b;
  return canonicalNan<T>();
}

/** FCLASS: one bit of ten, from −∞ (bit 0) up to +∞ (bit 7), then signaling and quiet NaN. */
export function classify<T>(a: T): u32 {
  if (isNotANumber<T>(a)) return isSignaling<T>(a) ? 1 << 8 : 1 << 9;
  const steps: i32 = isInfinite<T>(a) ? 3 : isZero<T>(a) ? 0 : exponentField<T>(a) == 0 ? 1 : 2;
  return <u32>1 << (signOf<T>(a) ? 3 - steps : 4 + steps);
}
