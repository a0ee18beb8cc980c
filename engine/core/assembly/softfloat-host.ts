/**
 * The five operations that WebAssembly has, by the host's floating point wherever
 * that provably gives the bits and flags of the soft-float, else by the soft-float.
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
  f32Add, f32Div, f32Mul, f32Sqrt, f32Sub, f64Add, f64Div, f64Mul, f64Sqrt, f64Sub,
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
