/**
 * Translation of F and D: the host's floating point where it cannot differ from the core's
 * soft-float, by the rule of softfloat-host.ts (nearest even, inexact raised already, a result that is
 * finite and at least twice the smallest normal number), and a call of the core's otherwise.
 * `floats` is 1 while the mode and the flags allow it and the state is dirty already; `usable`, while
 * the state is dirty.
 */
import { local, type Assembler, type Placed } from './assembler';
import type { Operation } from './operation';
import { i64, op } from './wasm-code';

/** What an instruction writes: a value on the stack, and below it whether it may be used. Undefined: always the core's. */
interface Fast {
  /** Needs more than that the state is dirty already. */
  rounds: boolean;
  /** Leaves the value in `double` or `long`, as rd's file says, and whether it is right on the stack. */
  compute: (to: Assembler, operation: Operation) => void;
}

const canonicalBox = -0x1_0000_0000;

/** True if the double is finite and safely normal. */
function isSafe({ code }: Assembler): void {
  code.get(local.double).plain(op.i64_reinterpret).i64(52).plain(op.i64_shr_u, op.i32_wrap).i32(0x7ff).plain(op.i32_and).i32(2).plain(op.i32_sub);
  code.i32(0x7fd).plain(op.i32_lt_u);
}
/** The same of the single in the low half of `double`, which is boxed. */
function isSafeSingle({ code }: Assembler): void {
  code.get(local.double).plain(op.i64_reinterpret, op.i32_wrap).i32(23).plain(op.i32_shr_u).i32(0xff).plain(op.i32_and).i32(2).plain(op.i32_sub);
  code.i32(0xfd).plain(op.i32_lt_u);
}

function single(to: Assembler, register: number): void {
  to.f(register).plain(op.i64_reinterpret, op.i32_wrap, op.f32_reinterpret);
}
/** True if the register holds a single and nothing else. */
function isBoxed(to: Assembler, register: number): void {
  to.f(register).plain(op.i64_reinterpret).i64(32).plain(op.i64_shr_s).i64(-1).plain(op.i64_eq);
}
/** Takes a single from the stack. */
function box({ code }: Assembler): void {
  code.plain(op.i32_reinterpret, op.i64_extend_u).i64(canonicalBox).plain(op.i64_or, op.f64_reinterpret).set(local.double);
}

const doubles = (...codes: [number, number?]): Fast => ({
  rounds: true,
  compute: (to, { rs1, rs2, flags }) => {
    to.f(rs1);
    if (flags.reads.length > 1) to.f(rs2);
    to.code.plain(...codes).set(local.double);
    isSafe(to);
  },
});
const singles = (code: number): Fast => ({
  rounds: true,
  compute: (to, { rs1, rs2, flags }) => {
    single(to, rs1);
    if (flags.reads.length > 1) single(to, rs2);
    to.code.plain(code);
    box(to);
    isSafeSingle(to);
    isBoxed(to, rs1);
    to.code.plain(op.i32_and);
    if (flags.reads.length > 1) {
      isBoxed(to, rs2);
      to.code.plain(op.i32_and);
    }
  },
});
const fused = (negateProduct: boolean, negateSum: boolean): Fast => ({
  rounds: true,
  compute: (to, { rs1, rs2, rs3 }) => {
    to.f(rs1);
    if (negateProduct) to.code.plain(op.f64_neg);
    to.f(rs2);
    to.f(rs3);
    if (negateSum) to.code.plain(op.f64_neg);
    to.call('fusedDouble').set(local.double);
    isSafe(to);
  },
});
/** No flags are raised but for NaNs, and inexact. */
const smaller = (code: number): Fast => ({
  rounds: false,
  compute: (to, { rs1, rs2 }) => {
    to.f(rs1);
    to.f(rs2).plain(code).tee(local.double).get(local.double).plain(op.f64_eq);
  },
});
const notNan = (to: Assembler, register: number): void => {
  to.f(register);
  to.f(register).plain(op.f64_eq);
};
const compare = (code: number): Fast => ({
  rounds: false,
  compute: (to, { rs1, rs2 }) => {
    to.f(rs1);
    to.f(rs2).plain(code, op.i64_extend_u).set(local.long);
    notNan(to, rs1);
    notNan(to, rs2);
    to.code.plain(op.i32_and);
  },
});
const compareSingle = (code: number): Fast => ({
  rounds: false,
  compute: (to, { rs1, rs2 }) => {
    single(to, rs1);
    single(to, rs2);
    to.code.plain(code, op.i64_extend_u).set(local.long);
    for (const register of [rs1, rs2]) {
      single(to, register);
      single(to, register);
      to.code.plain(op.f32_eq);
      isBoxed(to, register);
      to.code.plain(op.i32_and);
    }
    to.code.plain(op.i32_and);
  },
});
const certain = (to: Assembler): void => void to.code.i32(1);
const sign = (write: (to: Assembler, operation: Operation) => void): Fast => ({
  rounds: false,
  compute: (to, operation) => {
    write(to, operation);
    to.code.set(local.double);
    certain(to);
  },
});
/** Truncates: only with the rounding mode towards zero. `least` and `end`: the open interval of what fits. */
const truncate = (code: number, extend: number | undefined, least: number, end: number): Fast => ({
  rounds: true,
  compute: (to, { rs1 }) => {
    const { code: into } = to;
    const inside = (): void => {
      to.f(rs1).f64(least).plain(op.f64_ge);
      to.f(rs1).f64(end).plain(op.f64_lt, op.i32_and);
    };
    inside();
    into.tee(local.word).if(i64);
    to.f(rs1).plain(code);
    if (extend !== undefined) into.plain(extend);
    into.plain(op.else).i64(0).plain(op.end).set(local.long).get(local.word);
  },
});
/** From an integer, of its low word if `word`. */
const fromInteger = (code: number, word: boolean, rounds: boolean): Fast => ({
  rounds,
  compute: (to, { rs1 }) => {
    to.x(rs1);
    if (word) to.code.plain(op.i32_wrap);
    to.code.plain(code).set(local.double);
    certain(to);
  },
});
const singleFromInteger = (code: number, word: boolean): Fast => ({
  rounds: true,
  compute: (to, { rs1 }) => {
    to.x(rs1);
    if (word) to.code.plain(op.i32_wrap);
    to.code.plain(code);
    box(to);
    certain(to);
  },
});

const fast: Readonly<Record<string, Fast>> = {
  'fadd.d': doubles(op.f64_add), 'fsub.d': doubles(op.f64_sub), 'fmul.d': doubles(op.f64_mul), 'fdiv.d': doubles(op.f64_div), 'fsqrt.d': doubles(op.f64_sqrt),
  'fadd.s': singles(op.f32_add), 'fsub.s': singles(op.f32_sub), 'fmul.s': singles(op.f32_mul), 'fdiv.s': singles(op.f32_div), 'fsqrt.s': singles(op.f32_sqrt),
  'fmadd.d': fused(false, false), 'fmsub.d': fused(false, true), 'fnmsub.d': fused(true, false), 'fnmadd.d': fused(true, true),
  'fmin.d': smaller(op.f64_min), 'fmax.d': smaller(op.f64_max),
  'feq.d': compare(op.f64_eq), 'flt.d': compare(op.f64_lt), 'fle.d': compare(op.f64_le),
  'feq.s': compareSingle(op.f32_eq), 'flt.s': compareSingle(op.f32_lt), 'fle.s': compareSingle(op.f32_le),
  'fsgnj.d': sign((to, { rs1, rs2 }) => {
    to.f(rs1);
    if (rs1 !== rs2) to.f(rs2).plain(op.f64_copysign);
  }),
  'fsgnjn.d': sign((to, { rs1, rs2 }) => {
    to.f(rs1);
    if (rs1 === rs2) to.code.plain(op.f64_neg);
    else to.f(rs2).plain(op.f64_neg, op.f64_copysign);
  }),
  'fsgnjx.d': sign((to, { rs1, rs2 }) => {
    to.f(rs1);
    if (rs1 === rs2) to.code.plain(op.f64_abs);
    else {
      to.code.plain(op.i64_reinterpret);
      to.f(rs2).plain(op.i64_reinterpret).i64(-(2 ** 63)).plain(op.i64_and, op.i64_xor, op.f64_reinterpret);
    }
  }),
  'fmv.x.d': { rounds: false, compute: (to, { rs1 }) => void to.f(rs1).plain(op.i64_reinterpret).set(local.long).i32(1) },
  'fmv.x.w': { rounds: false, compute: (to, { rs1 }) => void to.f(rs1).plain(op.i64_reinterpret, op.i64_extend32_s).set(local.long).i32(1) },
  'fmv.d.x': sign((to, { rs1 }) => void to.x(rs1).plain(op.f64_reinterpret)),
  'fmv.w.x': sign((to, { rs1 }) => void to.x(rs1).i64(canonicalBox).plain(op.i64_or, op.f64_reinterpret)),
  'fcvt.d.w': fromInteger(op.f64_convert_i32_s, true, false), 'fcvt.d.wu': fromInteger(op.f64_convert_i32_u, true, false),
  'fcvt.d.l': fromInteger(op.f64_convert_i64_s, false, true), 'fcvt.d.lu': fromInteger(op.f64_convert_i64_u, false, true),
  'fcvt.s.w': singleFromInteger(op.f32_convert_i32_s, true), 'fcvt.s.wu': singleFromInteger(op.f32_convert_i32_u, true),
  'fcvt.s.l': singleFromInteger(op.f32_convert_i64_s, false), 'fcvt.s.lu': singleFromInteger(op.f32_convert_i64_u, false),
  'fcvt.s.d': {
    rounds: true,
    compute: (to, { rs1 }) => {
      to.f(rs1).plain(op.f32_demote);
      box(to);
      isSafeSingle(to);
    },
  },
  'fcvt.d.s': {
    rounds: false,
    compute: (to, { rs1 }) => {
      single(to, rs1);
      to.code.plain(op.f64_promote).tee(local.double).get(local.double).plain(op.f64_eq);
      isBoxed(to, rs1);
      to.code.plain(op.i32_and);
    },
  },
  'fcvt.w.d': truncate(op.i32_trunc_f64_s, op.i64_extend_s, -(2 ** 31), 2 ** 31),
  'fcvt.wu.d': truncate(op.i32_trunc_f64_u, op.i64_extend_s, 0, 2 ** 32),
  'fcvt.l.d': truncate(op.i64_trunc_f64_s, undefined, -(2 ** 63), 2 ** 63),
  'fcvt.lu.d': truncate(op.i64_trunc_f64_u, undefined, 0, 2 ** 64),
};

const [toNearest, towardsZero, lastMode, dynamic] = [0, 1, 4, 7] as const;

function fastOf({ mnemonic, rm }: Operation): Fast | undefined {
  const way = fast[mnemonic];
  if (!way) return undefined;
  if (!way.rounds) {
    // What never rounds may have a mode all the same, and a reserved one, in frm too, is illegal.
    if (rm === null || rm <= lastMode) return way;
    return rm === dynamic ? { ...way, rounds: true } : undefined;
  }
  const modes: readonly number[] = /^fcvt\.[wl]u?\.d$/.test(mnemonic) ? [towardsZero] : [toNearest, dynamic];
  return modes.includes(rm ?? dynamic) ? way : undefined;
}

/** `record`: where the core finds the instruction decoded. */
export function writeFloat(to: Assembler, { operation, at }: Placed, record: number): void {
  const { rd, readsX, readsF, writesX, writesF } = operation;
  const { code } = to;
  const way = fastOf(operation);
  if (way) {
    way.compute(to, operation);
    code.get(way.rounds ? local.floats : local.usable).plain(op.i32_and).ifLikely(true);
    to.open(-1);
    if (writesF !== 0) {
      code.get(local.double);
      to.setF(rd);
    } else {
      code.get(local.long);
      to.setX(rd);
    }
    code.plain(op.else);
  }
  to.spill(readsX, readsF);
  code.i32(0).access(0x2d, record).i32(record);
  to.call('floatFor').tee(local.floats).plain(op.i32_eqz);
  to.leaveIf(at);
  // Bit 1 says whether the next one may be the host's.
  code.get(local.floats).i32(1).plain(op.i32_shr_u).set(local.floats).i32(1).set(local.usable);
  to.fill(writesX, writesF);
  if (way) to.close();
}
