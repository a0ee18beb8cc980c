/**
 * The two interchange formats of IEEE 754-2019 §3.4, as raw bits: binary32 in a
 * u32, binary64 in a u64. Every function is generic over that integer type `T`,
 * and `sizeof<T>()` is a compile-time constant, so each format gets its own code
 * without a branch.
 *
 * The arithmetic works on the *wide form* of a finite number: a sign, an exponent
 * e and a 64-bit significand m that stand for m · 2^(e − 62). Unpacked operands
 * have their leading one at bit 62; zero has m = 0 and an exponent below all others.
 */

/** Rounding modes, numbered as in the `rm` field (RISC-V unprivileged ISA, "F", table of rounding modes). */
export const RNE: u32 = 0;
export const RTZ: u32 = 1;
export const RDN: u32 = 2;
export const RUP: u32 = 3;
export const RMM: u32 = 4;

/** Accrued exceptions, placed as in the `fflags` CSR. */
export const NX: u32 = 1;
export const UF: u32 = 2;
export const OF: u32 = 4;
export const DZ: u32 = 8;
export const NV: u32 = 16;

/** Exceptions raised since the caller last cleared it; operations only ever set bits. */
export let fflags: u32 = 0;

/** Raises exceptions. */
@inline
export function raise(flags: u32): void {
  fflags |= flags;
}

/** Replaces the accrued exceptions; 0 clears them. */
@inline
export function setFlags(flags: u32): void {
  fflags = flags;
}

/** Exponent of zero in wide form: low enough that even a product with it stays below every other number. */
const ZERO_EXPONENT: i32 = -0x4000;

/** Bits of the trailing significand field, without the hidden one. */
@inline
export function fractionBits<T>(): i32 {
  return sizeof<T>() == 4 ? 23 : 52;
}

/** Bias of the exponent field, which is also the largest exponent of a finite number. */
@inline
export function bias<T>(): i32 {
  return sizeof<T>() == 4 ? 127 : 1023;
}

/** The smallest exponent of a normal number. */
@inline
export function minimumExponent<T>(): i32 {
  return 1 - bias<T>();
}

/** The exponent field of infinities and NaNs. */
@inline
export function specialField<T>(): i32 {
  return 2 * bias<T>() + 1;
}

@inline
export function signBit<T>(): u64 {
  return (<u64>1) << (8 * sizeof<T>() - 1);
}

@inline
export function signOf<T>(a: T): bool {
  return (<u64>a & signBit<T>()) != 0;
}

/** The bits without the sign; numbers of one sign are ordered as these integers are. */
@inline
export function magnitudeOf<T>(a: T): u64 {
  return <u64>a & (signBit<T>() - 1);
}

@inline
export function exponentField<T>(a: T): i32 {
  return <i32>(magnitudeOf<T>(a) >> fractionBits<T>());
}

@inline
export function fractionOf<T>(a: T): u64 {
  return <u64>a & ((<u64>1 << fractionBits<T>()) - 1);
}

/** Exponent in wide form of a finite number. */
@inline
export function exponentOf<T>(a: T): i32 {
  const field = exponentField<T>(a);
  if (field != 0) return field - bias<T>();
  const fraction = fractionOf<T>(a);
  if (fraction == 0) return ZERO_EXPONENT;
  return minimumExponent<T>() - fractionBits<T>() + 63 - <i32>clz<u64>(fraction);
}

/** Significand in wide form of a finite number: the leading one at bit 62, or 0 for zero. */
@inline
export function significandOf<T>(a: T): u64 {
  const fraction = fractionOf<T>(a);
  if (exponentField<T>(a) != 0) {
    return (fraction | (<u64>1 << fractionBits<T>())) << (62 - fractionBits<T>());
  }
  // For zero the count is 64, which shifts by 0: still zero.
  return (fraction << clz<u64>(fraction)) >> 1;
}

@inline
export function infinityMagnitude<T>(): u64 {
  return <u64>specialField<T>() << fractionBits<T>();
}

@inline
export function isInfinite<T>(a: T): bool {
  return magnitudeOf<T>(a) == infinityMagnitude<T>();
}

@inline
export function isZero<T>(a: T): bool {
  return magnitudeOf<T>(a) == 0;
}

@inline
export function isNotANumber<T>(a: T): bool {
  return magnitudeOf<T>(a) > infinityMagnitude<T>();
}

/** True for infinities and NaNs: what has no wide form. */
@inline
export function isSpecial<T>(a: T): bool {
  return magnitudeOf<T>(a) >= infinityMagnitude<T>();
}

/** A NaN whose first fraction bit is clear (IEEE 754-2019 §6.2.1). */
@inline
export function isSignaling<T>(a: T): bool {
  const quietBit = <u64>1 << (fractionBits<T>() - 1);
  return isNotANumber<T>(a) && (<u64>a & quietBit) == 0;
}

/** The only NaN that RISC-V's computational instructions give: positive, quiet, no payload. */
@inline
export function canonicalNan<T>(): T {
  return <T>(<u64>(2 * specialField<T>() + 1) << (fractionBits<T>() - 1));
}

/** Raises invalid operation and gives the NaN that it results in (IEEE 754-2019 §7.2). */
@inline
export function invalid<T>(): T {
  raise(NV);
  return canonicalNan<T>();
}

/** The result of an operation that has a NaN operand (IEEE 754-2019 §6.2.3): NV only for signaling ones. */
@inline
export function propagateNan<T>(a: T, b: T): T {
  if (isSignaling<T>(a) || isSignaling<T>(b)) raise(NV);
  return canonicalNan<T>();
}

@inline
export function signed<T>(sign: bool, magnitude: u64): T {
  return <T>(magnitude | (sign ? signBit<T>() : 0));
}

@inline
export function infinity<T>(sign: bool): T {
  return signed<T>(sign, infinityMagnitude<T>());
}

@inline
export function zero<T>(sign: bool): T {
  return signed<T>(sign, 0);
}
