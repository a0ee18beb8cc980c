/**
 * Floating point of the F and D extensions: IEEE 754-2019 binary32 and binary64 in
 * integers alone, so that a guest's results never depend on the host.
 *
 * Numbers are raw bits: f32 in a u32, f64 in a u64. `rm` is 0 to 4 as in the
 * instruction (RNE RTZ RDN RUP RMM); the caller resolves "dynamic" and refuses the
 * reserved values, and does the NaN-boxing. Exceptions accrue in `fflags`.
 */

import { add, divide, multiply, multiplyAdd, squareRoot, subtract } from './softfloat-arithmetic';
import { classify, equal, less, lessOrEqual, maximum, minimum } from './softfloat-compare';
import { convert, fromInteger, toInteger } from './softfloat-convert';
import { RNE } from './softfloat-format';

export { fflags, setFlags } from './softfloat-format';

// binary32

export function f32Add(a: u32, b: u32, rm: u32): u32 {
  return add<u32>(a, b, rm);
}

export function f32Sub(a: u32, b: u32, rm: u32): u32 {
  return subtract<u32>(a, b, rm);
}

export function f32Mul(a: u32, b: u32, rm: u32): u32 {
  return multiply<u32>(a, b, rm);
}

export function f32Div(a: u32, b: u32, rm: u32): u32 {
  return divide<u32>(a, b, rm);
}

export function f32Sqrt(a: u32, rm: u32): u32 {
  return squareRoot<u32>(a, rm);
}

/** a · b + c with one rounding. */
export function f32MulAdd(a: u32, b: u32, c: u32, rm: u32): u32 {
  return multiplyAdd<u32>(a, b, c, rm);
}

export function f32Eq(a: u32, b: u32): u32 {
  return equal<u32>(a, b);
}

export function f32Lt(a: u32, b: u32): u32 {
  return less<u32>(a, b);
}

export function f32Le(a: u32, b: u32): u32 {
  return lessOrEqual<u32>(a, b);
}

export function f32Min(a: u32, b: u32): u32 {
  return minimum<u32>(a, b);
}

export function f32Max(a: u32, b: u32): u32 {
  return maximum<u32>(a, b);
}

export function f32Classify(a: u32): u32 {
  return classify<u32>(a);
}

export function f32ToI32(a: u32, rm: u32): i64 {
  return toInteger<u32, i32>(a, rm);
}

/** The 32-bit result is sign-extended, as FCVT.WU leaves it in a register. */
export function f32ToU32(a: u32, rm: u32): i64 {
  return toInteger<u32, u32>(a, rm);
}

export function f32ToI64(a: u32, rm: u32): i64 {
  return toInteger<u32, i64>(a, rm);
}

export function f32ToU64(a: u32, rm: u32): i64 {
  return toInteger<u32, u64>(a, rm);
}

export function i32ToF32(a: i32, rm: u32): u32 {
  return fromInteger<u32>(a < 0, <u64>(a < 0 ? -<i64>a : <i64>a), rm);
}

export function u32ToF32(a: u32, rm: u32): u32 {
  return fromInteger<u32>(false, a, rm);
}

export function i64ToF32(a: i64, rm: u32): u32 {
  return fromInteger<u32>(a < 0, <u64>(a < 0 ? -a : a), rm);
}

export function u64ToF32(a: u64, rm: u32): u32 {
  return fromInteger<u32>(false, a, rm);
}

// binary64

export function f64Add(a: u64, b: u64, rm: u32): u64 {
  return add<u64>(a, b, rm);
}

export function f64Sub(a: u64, b: u64, rm: u32): u64 {
  return subtract<u64>(a, b, rm);
}

export function f64Mul(a: u64, b: u64, rm: u32): u64 {
  return multiply<u64>(a, b, rm);
}

export function f64Div(a: u64, b: u64, rm: u32): u64 {
  return divide<u64>(a, b, rm);
}

export function f64Sqrt(a: u64, rm: u32): u64 {
  return squareRoot<u64>(a, rm);
}

/** a · b + c with one rounding. */
export function f64MulAdd(a: u64, b: u64, c: u64, rm: u32): u64 {
  return multiplyAdd<u64>(a, b, c, rm);
}

export function f64Eq(a: u64, b: u64): u32 {
  return equal<u64>(a, b);
}

export function f64Lt(a: u64, b: u64): u32 {
  return less<u64>(a, b);
}

export function f64Le(a: u64, b: u64): u32 {
  return lessOrEqual<u64>(a, b);
}

export function f64Min(a: u64, b: u64): u64 {
  return minimum<u64>(a, b);
}

export function f64Max(a: u64, b: u64): u64 {
  return maximum<u64>(a, b);
}

export function f64Classify(a: u64): u32 {
  return classify<u64>(a);
}

export function f64ToI32(a: u64, rm: u32): i64 {
  return toInteger<u64, i32>(a, rm);
}

/** The 32-bit result is sign-extended, as FCVT.WU leaves it in a register. */
export function f64ToU32(a: u64, rm: u32): i64 {
  return toInteger<u64, u32>(a, rm);
}

export function f64ToI64(a: u64, rm: u32): i64 {
  return toInteger<u64, i64>(a, rm);
}

export function f64ToU64(a: u64, rm: u32): i64 {
  return toInteger<u64, u64>(a, rm);
}

/** Always exact. */
export function i32ToF64(a: i32): u64 {
  return fromInteger<u64>(a < 0, <u64>(a < 0 ? -<i64>a : <i64>a), RNE);
}

/** Always exact. */
export function u32ToF64(a: u32): u64 {
  return fromInteger<u64>(false, a, RNE);
}

export function i64ToF64(a: i64, rm: u32): u64 {
  return fromInteger<u64>(a < 0, <u64>(a < 0 ? -a : a), rm);
}

export function u64ToF64(a: u64, rm: u32): u64 {
  return fromInteger<u64>(false, a, rm);
}

// Between the formats

/** Always exact, but for signaling NaNs, which are invalid. */
export function f32ToF64(a: u32): u64 {
  return convert<u32, u64>(a, RNE);
}

export function f64ToF32(a: u64, rm: u32): u32 {
  return convert<u64, u32>(a, rm);
}
