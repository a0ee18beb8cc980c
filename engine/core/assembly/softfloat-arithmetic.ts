/** The formatOf general-computational operations of IEEE 754-2019 §5.4.1. */

import {
  DZ, RDN,
  exponentOf, infinity, invalid, isInfinite, isNotANumber, isSignaling, isSpecial,
  isZero, propagateNan, raise, signBit, signOf, significandOf, zero,
} from './softfloat-format';
import {
  divideWide, jam, multiplyHigh, shiftRightJam, squareRoot64, squareRootWide,
} from './softfloat-integer';
import { round } from './softfloat-round';

/** The sign of an exact zero sum of numbers of unlike signs (§6.3). */
@inline
function cancelled<T>(rm: u32): T {
  return zero<T>(rm == RDN);
}

export function add<T>(a: T, b: T, rm: u32): T {
  if (isSpecial<T>(a) || isSpecial<T>(b)) return addSpecial<T>(a, b);
  return addWide<T>(
    signOf<T>(a), exponentOf<T>(a), significandOf<T>(a),
    signOf<T>(b), exponentOf<T>(b), significandOf<T>(b), rm,
  );
}

export function subtract<T>(a: T, b: T, rm: u32): T {
  // A NaN's sign is of no consequence, so that negating b is safe for all operands.
  return add<T>(a, <T>(<u64>b ^ signBit<T>()), rm);
}

function addSpecial<T>(a: T, b: T): T {
  if (isNotANumber<T>(a) || isNotANumber<T>(b)) return propagateNan<T>(a, b);
  if (!isInfinite<T>(a)) return b;
  if (isInfinite<T>(b) && a != b) return invalid<T>();
  return a;
}

/**
 * The sum of two wide numbers below bit 63. At least 10 bits below either exact
 * significand are free: alignment is exact wherever more than two leading bits
 * can cancel, and elsewhere its jammed bit stays below the rounding position.
 */
function addWide<T>(
  aSign: bool, aExponent: i32, aSignificand: u64,
  bSign: bool, bExponent: i32, bSignificand: u64, rm: u32,
): T {
  const exponent = max<i32>(aExponent, bExponent);
  const a = shiftRightJam(aSignificand, exponent - aExponent);
  const b = shiftRightJam(bSignificand, exponent - bExponent);
  if (aSign == bSign) return round<T>(aSign, exponent, a + b, rm);
  if (a == b) return cancelled<T>(rm);
  return a > b ? round<T>(aSign, exponent, a - b, rm) : round<T>(bSign, exponent, b - a, rm);
}

export function multiply<T>(a: T, b: T, rm: u32): T {
  const sign = signOf<T>(a) != signOf<T>(b);
  if (isSpecial<T>(a) || isSpecial<T>(b)) return multiplySpecial<T>(sign, a, b);
  const exponent = exponentOf<T>(a) + exponentOf<T>(b);
  if (sizeof<T>() == 4) {
    return round<T>(sign, exponent + 1, product32(significandOf<T>(a), significandOf<T>(b)), rm);
  }
  const x = significandOf<T>(a) << 1;
  const y = significandOf<T>(b) << 1;
  return round<T>(sign, exponent, jam(multiplyHigh(x, y), x * y), rm);
}

/** The exact product of two binary32 significands below bit 63, at the sum of the exponents plus 1. */
@inline
function product32(a: u64, b: u64): u64 {
  return ((a >> 39) * (b >> 39)) << 15;
}

function multiplySpecial<T>(sign: bool, a: T, b: T): T {
  if (isNotANumber<T>(a) || isNotANumber<T>(b)) return propagateNan<T>(a, b);
  if (isZero<T>(a) || isZero<T>(b)) return invalid<T>();
  return infinity<T>(sign);
}

export function divide<T>(a: T, b: T, rm: u32): T {
  const sign = signOf<T>(a) != signOf<T>(b);
  if (isSpecial<T>(a) || isSpecial<T>(b) || isZero<T>(b)) return divideSpecial<T>(sign, a, b);
  const exponent = exponentOf<T>(a) - exponentOf<T>(b);
  const dividend = significandOf<T>(a);
  if (sizeof<T>() == 4) {
    const divisor = significandOf<T>(b) >> 39;
    const quotient = dividend / divisor;
    return round<T>(sign, exponent, jam(quotient << 23, dividend - quotient * divisor), rm);
  }
  const divisor = significandOf<T>(b) << 1;
  const quotient = divideWide(dividend, divisor);
  // The remainder is below the divisor: modulo 2^64 it is zero only if it is zero.
  return round<T>(sign, exponent - 1, jam(quotient, quotient * divisor), rm);
}

function divideSpecial<T>(sign: bool, a: T, b: T): T {
  if (isNotANumber<T>(a) || isNotANumber<T>(b)) return propagateNan<T>(a, b);
  if (isInfinite<T>(a)) return isInfinite<T>(b) ? invalid<T>() : infinity<T>(sign);
  if (isInfinite<T>(b)) return zero<T>(sign);
  if (isZero<T>(a)) return invalid<T>();
  raise(DZ);
  return infinity<T>(sign);
}

export function squareRoot<T>(a: T, rm: u32): T {
  if (isNotANumber<T>(a)) return propagateNan<T>(a, a);
  if (isZero<T>(a)) return a;
  if (signOf<T>(a)) return invalid<T>();
  if (isInfinite<T>(a)) return a;
  const exponent = exponentOf<T>(a);
  // An even exponent is left over, so that it can be halved: the radicand is in [2^62, 2^64).
  const radicand = significandOf<T>(a) << (exponent & 1);
  if (sizeof<T>() == 4) {
    const root = squareRoot64(radicand);
    return round<T>(false, exponent >> 1, jam(root << 31, radicand - root * root), rm);
  }
  const root = squareRootWide(radicand);
  const lost = (root * root) | (multiplyHigh(root, root) ^ radicand);
  return round<T>(false, (exponent >> 1) - 1, jam(root, lost), rm);
}

/** a · b + c with one rounding (fusedMultiplyAdd). */
export function multiplyAdd<T>(a: T, b: T, c: T, rm: u32): T {
  const sign = signOf<T>(a) != signOf<T>(b);
  if (isSpecial<T>(a) || isSpecial<T>(b) || isSpecial<T>(c)) {
    return multiplyAddSpecial<T>(sign, a, b, c);
  }
  const exponent = exponentOf<T>(a) + exponentOf<T>(b);
  const x = significandOf<T>(a);
  const y = significandOf<T>(b);
  const cSign = signOf<T>(c);
  const cExponent = exponentOf<T>(c);
  const z = significandOf<T>(c);
  if (sizeof<T>() == 4) {
    return addWide<T>(sign, exponent + 1, product32(x, y), cSign, cExponent, z, rm);
  }
  return addProduct<T>(sign, exponent, multiplyHigh(x, y), x * y, cSign, cExponent, z, rm);
}

/** RISC-V "F": infinity times zero is invalid even if the addend is a quiet NaN (§7.2 c leaves it open). */
function multiplyAddSpecial<T>(sign: bool, a: T, b: T, c: T): T {
  if ((isInfinite<T>(a) && isZero<T>(b)) || (isZero<T>(a) && isInfinite<T>(b))) return invalid<T>();
  if (isNotANumber<T>(a) || isNotANumber<T>(b)) {
    if (isSignaling<T>(c)) return invalid<T>();
    return propagateNan<T>(a, b);
  }
  if (isNotANumber<T>(c)) return propagateNan<T>(c, c);
  if (!isInfinite<T>(a) && !isInfinite<T>(b)) return c;
  if (isInfinite<T>(c) && signOf<T>(c) != sign) return invalid<T>();
  return infinity<T>(sign);
}

/** The lower 64 bits of (high:low) / 2^count, jammed; any count from 0 up. */
@inline
function shiftPairRightJam(high: u64, low: u64, count: i32): u64 {
  if (count == 0) return low;
  if (count > 63) return jam(shiftRightJam(high, count - 64), low);
  return jam((low >> count) | (high << (64 - count)), low << (64 - count));
}

@inline
function shiftRight(value: u64, count: i32): u64 {
  return count > 63 ? 0 : value >> count;
}

/**
 * The exact product high:low · 2^(exponent − 124) plus a wide number. On this
 * scale the addend's leading one is bit 124, the product's bit 124 or 125, and 20
 * bits below the product are free: as in addWide, alignment is exact wherever
 * more than three leading bits can cancel.
 */
function addProduct<T>(
  sign: bool, productExponent: i32, productHigh: u64, productLow: u64,
  cSign: bool, cExponent: i32, cSignificand: u64, rm: u32,
): T {
  const exponent = max<i32>(productExponent, cExponent);
  const pShift = exponent - productExponent;
  const cShift = exponent - cExponent;
  const pHigh = shiftRight(productHigh, pShift);
  const pLow = shiftPairRightJam(productHigh, productLow, pShift);
  const cHigh = shiftRight(cSignificand >> 2, cShift);
  const cLow = shiftPairRightJam(cSignificand >> 2, cSignificand << 62, cShift);
  if (sign == cSign) {
    const low = pLow + cLow;
    return roundPair<T>(sign, exponent, pHigh + cHigh + <u64>(low < pLow), low, rm);
  }
  if (pHigh == cHigh && pLow == cLow) return cancelled<T>(rm);
  if (pHigh > cHigh || (pHigh == cHigh && pLow > cLow)) {
    return roundPair<T>(sign, exponent, pHigh - cHigh - <u64>(pLow < cLow), pLow - cLow, rm);
  }
  return roundPair<T>(cSign, exponent, cHigh - pHigh - <u64>(cLow < pLow), cLow - pLow, rm);
}

/** Rounds ±high:low · 2^(exponent − 124), a number below 2^127. */
function roundPair<T>(sign: bool, exponent: i32, high: u64, low: u64, rm: u32): T {
  // Only where alignment was exact does so much cancel, so that nothing is lost below.
  if (high == 0) return round<T>(sign, exponent - 62, low, rm);
  const shift = <i32>clz<u64>(high);
  const upper = (high << shift) | (low >> (64 - shift));
  return round<T>(sign, exponent + 2 - shift, jam(upper, low << shift), rm);
}
