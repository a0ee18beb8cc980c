import {
  OP_FADD_D, OP_FADD_S, OP_FCLASS_D, OP_FCLASS_S, OP_FCVT_D_L, OP_FCVT_D_LU, OP_FCVT_D_S, OP_FCVT_D_W,
  OP_FCVT_D_WU, OP_FCVT_LU_D, OP_FCVT_LU_S, OP_FCVT_L_D, OP_FCVT_L_S, OP_FCVT_S_D, OP_FCVT_S_L, OP_FCVT_S_LU,
  OP_FCVT_S_W, OP_FCVT_S_WU, OP_FCVT_WU_D, OP_FCVT_WU_S, OP_FCVT_W_D, OP_FCVT_W_S, OP_FDIV_D, OP_FDIV_S, OP_FEQ_D,
  OP_FEQ_S, OP_FLE_D, OP_FLE_S, OP_FLT_D, OP_FLT_S, OP_FMADD_D, OP_FMADD_S, OP_FMAX_D, OP_FMAX_S, OP_FMIN_D,
  OP_FMIN_S, OP_FMSUB_D, OP_FMSUB_S, OP_FMUL_D, OP_FMUL_S, OP_FMV_D_X, OP_FMV_W_X, OP_FMV_X_D, OP_FMV_X_W,
  OP_FNMADD_D, OP_FNMADD_S, OP_FNMSUB_D, OP_FNMSUB_S, OP_FSGNJN_D, OP_FSGNJN_S, OP_FSGNJX_D, OP_FSGNJX_S,
  OP_FSGNJ_D, OP_FSGNJ_S, OP_FSQRT_D, OP_FSQRT_S, OP_FSUB_D, OP_FSUB_S,
} from './decode.generated';
import { F, FFLAGS, FRM, MSTATUS, STATE } from './layout';
import {
  f32Classify, f32Eq, f32Le, f32Lt, f32Max, f32Min, f32ToF64, f32ToI32, f32ToI64, f32ToU32, f32ToU64,
  f64Classify, f64Eq, f64Le, f64Lt, f64Max, f64Min, f64ToF32, f64ToI32, f64ToI64, f64ToU32, f64ToU64,
  i32ToF32, i32ToF64, i64ToF32, i64ToF64, u32ToF32, u32ToF64, u64ToF32, u64ToF64, fflags, setFlags,
} from './softfloat';
import {
  addDouble, addSingle, divideDouble, divideSingle, mulAddDouble, mulAddSingle, multiplyDouble, multiplySingle, squareRootDouble, squareRootSingle,
  subtractDouble, subtractSingle,
} from './softfloat-host';

// The instructions of F and D. Values are raw bits; arithmetic is soft-float's, or the host's where both must agree.

const FS_MASK: u64 = 0x6000;

// A single in a double's register is valid only under 32 one bits; anything else reads as the canonical NaN.
@inline function unbox(bits: u64): u32 {
  return bits >> 32 == 0xffffffff ? <u32>bits : 0x7fc00000;
}
@inline function raw1(r: usize): u64 {
  return load<u64>(STATE + load<u16>(r, 4), F);
}
@inline function raw2(r: usize): u64 {
  return load<u64>(STATE + load<u16>(r, 6), F);
}
// rs3's byte offset stands above the rounding mode in the immediate.
@inline function raw3(r: usize): u64 {
  return load<u64>(STATE + (load<u32>(r, 8) >> 8), F);
}
@inline function s1(r: usize): u32 { return unbox(raw1(r)); }
@inline function s2(r: usize): u32 { return unbox(raw2(r)); }
@inline function s3(r: usize): u32 { return unbox(raw3(r)); }
@inline function d1(r: usize): u64 { return raw1(r); }
@inline function d2(r: usize): u64 { return raw2(r); }
@inline function d3(r: usize): u64 { return raw3(r); }
@inline function x1(r: usize): i64 {
  return load<i64>(STATE + load<u16>(r, 4));
}
@inline function setS(r: usize, bits: u32): void {
  store<u64>(STATE + load<u16>(r, 2), 0xffffffff00000000 | <u64>bits, F);
}
@inline function setD(r: usize, bits: u64): void {
  store<u64>(STATE + load<u16>(r, 2), bits, F);
}
@inline function setX(r: usize, value: i64): void {
  store<i64>(STATE + load<u16>(r, 2), value);
}

@inline export function floatOff(): bool {
  return (load<u64>(STATE + MSTATUS) & FS_MASK) == 0;
}
/** Marks the floating-point state as changed. */
@inline export function floatDirty(): void {
  store<u64>(STATE + MSTATUS, load<u64>(STATE + MSTATUS) | FS_MASK);
}

/** Executes a floating-point record. False where it is illegal: FP switched off, a reserved rounding mode, no such op. */
export function floatOp(op: u32, r: usize): bool {
  if (floatOff()) return false;
  let rm = load<u32>(r, 8) & 7;
  if (rm == 7) {
    rm = load<u32>(STATE + FRM);
    if (rm > 4) return false;
  }
  const accrued = load<u32>(STATE + FFLAGS);
  switch (op) {
    case OP_FADD_S: setS(r, addSingle(s1(r), s2(r), rm, accrued)); break;
    case OP_FSUB_S: setS(r, subtractSingle(s1(r), s2(r), rm, accrued)); break;
    case OP_FMUL_S: setS(r, multiplySingle(s1(r), s2(r), rm, accrued)); break;
    case OP_FDIV_S: setS(r, divideSingle(s1(r), s2(r), rm, accrued)); break;
    case OP_FSQRT_S: setS(r, squareRootSingle(s1(r), rm, accrued)); break;
    case OP_FMADD_S: setS(r, mulAddSingle(s1(r), s2(r), s3(r), rm, accrued)); break;
    case OP_FMSUB_S: setS(r, mulAddSingle(s1(r), s2(r), s3(r) ^ 0x80000000, rm, accrued)); break;
    case OP_FNMSUB_S: setS(r, mulAddSingle(s1(r) ^ 0x80000000, s2(r), s3(r), rm, accrued)); break;
    case OP_FNMADD_S: setS(r, mulAddSingle(s1(r) ^ 0x80000000, s2(r), s3(r) ^ 0x80000000, rm, accrued)); break;
    case OP_FMIN_S: setS(r, f32Min(s1(r), s2(r))); break;
    case OP_FMAX_S: setS(r, f32Max(s1(r), s2(r))); break;
    case OP_FEQ_S: setX(r, f32Eq(s1(r), s2(r))); break;
    case OP_FLT_S: setX(r, f32Lt(s1(r), s2(r))); break;
    case OP_FLE_S: setX(r, f32Le(s1(r), s2(r))); break;
    case OP_FCLASS_S: setX(r, f32Classify(s1(r))); break;
    case OP_FSGNJ_S: setS(r, (s1(r) & ~0x80000000) | (s2(r) & 0x80000000)); break;
    case OP_FSGNJN_S: setS(r, (s1(r) & ~0x80000000) | (~s2(r) & 0x80000000)); break;
    case OP_FSGNJX_S: setS(r, s1(r) ^ (s2(r) & 0x80000000)); break;
    case OP_FCVT_W_S: setX(r, f32ToI32(s1(r), rm)); break;
    case OP_FCVT_S_W: setS(r, i32ToF32(<i32>x1(r), rm)); break;
    case OP_FCVT_WU_S: setX(r, f32ToU32(s1(r), rm)); break;
    case OP_FCVT_S_WU: setS(r, u32ToF32(<u32>x1(r), rm)); break;
    case OP_FCVT_L_S: setX(r, f32ToI64(s1(r), rm)); break;
    case OP_FCVT_S_L: setS(r, i64ToF32(x1(r), rm)); break;
    case OP_FCVT_LU_S: setX(r, f32ToU64(s1(r), rm)); break;
    case OP_FCVT_S_LU: setS(r, u64ToF32(<u64>x1(r), rm)); break;
    case OP_FADD_D: setD(r, addDouble(d1(r), d2(r), rm, accrued)); break;
    case OP_FSUB_D: setD(r, subtractDouble(d1(r), d2(r), rm, accrued)); break;
    case OP_FMUL_D: setD(r, multiplyDouble(d1(r), d2(r), rm, accrued)); break;
    case OP_FDIV_D: setD(r, divideDouble(d1(r), d2(r), rm, accrued)); break;
    case OP_FSQRT_D: setD(r, squareRootDouble(d1(r), rm, accrued)); break;
    case OP_FMADD_D: setD(r, mulAddDouble(d1(r), d2(r), d3(r), rm, accrued)); break;
    case OP_FMSUB_D: setD(r, mulAddDouble(d1(r), d2(r), d3(r) ^ 0x8000000000000000, rm, accrued)); break;
    case OP_FNMSUB_D: setD(r, mulAddDouble(d1(r) ^ 0x8000000000000000, d2(r), d3(r), rm, accrued)); break;
    case OP_FNMADD_D: setD(r, mulAddDouble(d1(r) ^ 0x8000000000000000, d2(r), d3(r) ^ 0x8000000000000000, rm, accrued)); break;
    case OP_FMIN_D: setD(r, f64Min(d1(r), d2(r))); break;
    case OP_FMAX_D: setD(r, f64Max(d1(r), d2(r))); break;
    case OP_FEQ_D: setX(r, f64Eq(d1(r), d2(r))); break;
    case OP_FLT_D: setX(r, f64Lt(d1(r), d2(r))); break;
    case OP_FLE_D: setX(r, f64Le(d1(r), d2(r))); break;
    case OP_FCLASS_D: setX(r, f64Classify(d1(r))); break;
    case OP_FSGNJ_D: setD(r, (d1(r) & ~0x8000000000000000) | (d2(r) & 0x8000000000000000)); break;
    case OP_FSGNJN_D: setD(r, (d1(r) & ~0x8000000000000000) | (~d2(r) & 0x8000000000000000)); break;
    case OP_FSGNJX_D: setD(r, d1(r) ^ (d2(r) & 0x8000000000000000)); break;
    case OP_FCVT_W_D: setX(r, f64ToI32(d1(r), rm)); break;
    case OP_FCVT_D_W: setD(r, i32ToF64(<i32>x1(r))); break;
    case OP_FCVT_WU_D: setX(r, f64ToU32(d1(r), rm)); break;
    case OP_FCVT_D_WU: setD(r, u32ToF64(<u32>x1(r))); break;
    case OP_FCVT_L_D: setX(r, f64ToI64(d1(r), rm)); break;
    case OP_FCVT_D_L: setD(r, i64ToF64(x1(r), rm)); break;
    case OP_FCVT_LU_D: setX(r, f64ToU64(d1(r), rm)); break;
    case OP_FCVT_D_LU: setD(r, u64ToF64(<u64>x1(r), rm)); break;
    case OP_FMV_X_W: setX(r, <i64><i32>raw1(r)); break;
    case OP_FMV_X_D: setX(r, <i64>raw1(r)); break;
    case OP_FMV_W_X: setS(r, <u32>x1(r)); break;
    case OP_FMV_D_X: setD(r, <u64>x1(r)); break;
    case OP_FCVT_S_D: setS(r, f64ToF32(d1(r), rm)); break;
    case OP_FCVT_D_S: setD(r, f32ToF64(s1(r))); break;
    default: return false;
  }
  if (fflags != 0) {
    store<u32>(STATE + FFLAGS, load<u32>(STATE + FFLAGS) | fflags);
    setFlags(0);
  }
  floatDirty();
  return true;
}
