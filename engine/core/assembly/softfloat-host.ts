/**
 * The operations that WebAssembly has, and the fused one that can be made of them, by the host's floating
 * point wherever that provably gives the bits and flags of the soft-float, else by the soft-float.
 *
 * WebAssembly rounds to nearest even as IEEE 754-2019 says, but tells nothing about
 * exceptions and leaves NaNs open. So the mode must be RNE, inexact must already
 * have been raised, and the result must be finite and at least twice the smallest
 * normal number: then no operand was a NaN or an infinity (these would give a NaN,
 * an infinity or zero), nothing overflowed, no divisor was zero and nothing was
 * tiny. Inexact alone is left, and it is set already.
 */

import { NX, RNE } from './softfloat-format';
import {
  f32Add, f32Div, f32Mul, f32MulAdd, f32Sqrt, f32Sub, f64Add, f64Div, f64Mul, f64MulAdd, f64Sqrt, f64Sub,
} from './softfloat';

/** Whether the host may be asked. @param accrued the exceptions raised so far, as in `fflags` */
@inline
function mayAsk(rm: u32, accrued: u32): bool {
  return rm == RNE && (accrued & NX) != 0;
}

/** Whether the exponent field is from 2 up to the largest finite one. */
@inline
function isSafe32(bits: u32): bool {
  return ((bits >> 23) & 0xff) - 2 < 0xfd;
}

@inline
function isSafe64(bits: u64): bool {
  return (<u32>(bits >> 52) & 0x7ff) - 2 < 0x7fd;
}

@inline
export function addSingle(a: u32, b: u32, rm: u32, accrued: u32): u32 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u32>(reinterpret<f32>(a) + reinterpret<f32>(b));
    if (isSafe32(result)) return result;
  }
  return f32Add(a, b, rm);
}

@inline
export function subtractSingle(a: u32, b: u32, rm: u32, accrued: u32): u32 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u32>(reinterpret<f32>(a) - reinterpret<f32>(b));
    if (isSafe32(result)) return result;
  }
  return f32Sub(a, b, rm);
}

@inline
export function multiplySingle(a: u32, b: u32, rm: u32, accrued: u32): u32 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u32>(reinterpret<f32>(a) * reinterpret<f32>(b));
    if (isSafe32(result)) return result;
  }
  return f32Mul(a, b, rm);
}

@inline
export function divideSingle(a: u32, b: u32, rm: u32, accrued: u32): u32 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u32>(reinterpret<f32>(a) / reinterpret<f32>(b));
    if (isSafe32(result)) return result;
  }
  return f32Div(a, b, rm);
}

@inline
export function squareRootSingle(a: u32, rm: u32, accrued: u32): u32 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u32>(sqrt<f32>(reinterpret<f32>(a)));
    if (isSafe32(result)) return result;
  }
  return f32Sqrt(a, rm);
}

@inline
export function addDouble(a: u64, b: u64, rm: u32, accrued: u32): u64 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u64>(reinterpret<f64>(a) + reinterpret<f64>(b));
    if (isSafe64(result)) return result;
  }
  return f64Add(a, b, rm);
}

@inline
export function subtractDouble(a: u64, b: u64, rm: u32, accrued: u32): u64 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u64>(reinterpret<f64>(a) - reinterpret<f64>(b));
    if (isSafe64(result)) return result;
  }
  return f64Sub(a, b, rm);
}

@inline
export function multiplyDouble(a: u64, b: u64, rm: u32, accrued: u32): u64 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
    if (isSafe64(result)) return result;
  }
  return f64Mul(a, b, rm);
}

@inline
export function divideDouble(a: u64, b: u64, rm: u32, accrued: u32): u64 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b));
    if (isSafe64(result)) return result;
  }
  return f64Div(a, b, rm);
}

@inline
export function squareRootDouble(a: u64, rm: u32, accrued: u32): u64 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u64>(sqrt<f64>(reinterpret<f64>(a)));
    if (isSafe64(result)) return result;
  }
  return f64Sqrt(a, rm);
}

/** Veltkamp's constant for doubles, 2^27 + 1. */
const SPLITTER: f64 = 134217729.0;

/** Whether the exponent field of a double is at most `far` from that of 1. */
@inline
function isNear(value: f64, far: u32): bool {
  return (<u32>(reinterpret<u64>(value) >> 52) & 0x7ff) - (1023 - far) <= 2 * far;
}

/**
 * a · b + c with one rounding to nearest even, or 0 where the intermediate numbers could overflow or
 * lose bits: the exact product as a sum of two doubles (Dekker, 1971), and three summands rounded
 * once, by way of an intermediate sum that is rounded to odd (Boldo and Melquiond, "Emulation of a
 * FMA and correctly rounded sums", IEEE Transactions on Computers 57, 2008).
 */
export function fuseDouble(a: f64, b: f64, c: f64): f64 {
  if (!isNear(a, 400) || !isNear(b, 400) || (c != 0 && !isNear(c, 700))) return 0;
  const aBig = a * SPLITTER;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = b * SPLITTER;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  const product = a * b;
  const rest = aLow * bLow - (((product - aHigh * bHigh) - aLow * bHigh) - aHigh * bLow);
  // c and the product's rest, then that and the product: each sum with its error.
  const small = c + rest;
  const smallTail = small - c;
  const smallError = (c - (small - smallTail)) + (rest - smallTail);
  const sum = product + small;
  const sumTail = sum - product;
  const sumError = (product - (sum - sumTail)) + (small - sumTail);
  return sum + sumToOdd(smallError, sumError);
}

/** The sum of two doubles; one that is not exact is rounded to the neighbour with an odd last bit. */
@inline
function sumToOdd(x: f64, y: f64): f64 {
  const sum = x + y;
  const tail = sum - x;
  const error = (x - (sum - tail)) + (y - tail);
  const bits = reinterpret<u64>(sum);
  if (error == 0 || (bits & 1) != 0) return sum;
  // Towards the error: away from zero if it has the sum's sign.
  return reinterpret<f64>((error > 0) == (sum > 0) ? bits + 1 : bits - 1);
}

@inline
export function mulAddDouble(a: u64, b: u64, c: u64, rm: u32, accrued: u32): u64 {
  if (mayAsk(rm, accrued)) {
    const result = reinterpret<u64>(fuseDouble(reinterpret<f64>(a), reinterpret<f64>(b), reinterpret<f64>(c)));
    if (isSafe64(result)) return result;
  }
  return f64MulAdd(a, b, c, rm);
}

/** The product of two singles is exact in doubles, and a sum that is rounded to odd there may be rounded again. */
@inline
export function mulAddSingle(a: u32, b: u32, c: u32, rm: u32, accrued: u32): u32 {
  if (mayAsk(rm, accrued)) {
    const product = <f64>reinterpret<f32>(a) * <f64>reinterpret<f32>(b);
    const result = reinterpret<u32>(<f32>sumToOdd(product, <f64>reinterpret<f32>(c)));
    if (isSafe32(result)) return result;
  }
  return f32MulAdd(a, b, c, rm);
}
