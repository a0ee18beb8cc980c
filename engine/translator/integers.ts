/** Translation of integer arithmetic: I, M, Zba, Zbb, Zbs and Zicond. */
import { local, type Assembler } from './assembler';
import type { Operation } from './operation';
import { i64, op, type WasmCode } from './wasm-code';

/** Leaves on the stack what rd gets. `at`: the instruction's offset. */
type Write = (to: Assembler, operation: Operation, at: number) => void;

const both = (to: Assembler, { rs1, rs2 }: Operation): WasmCode => {
  to.x(rs1);
  return to.x(rs2);
};
const words = (to: Assembler, { rs1, rs2 }: Operation): WasmCode => {
  to.x(rs1).plain(op.i32_wrap);
  return to.x(rs2).plain(op.i32_wrap);
};
const binary = (code: number): Write => (to, operation) => void both(to, operation).plain(code);
const immediate = (code: number): Write => (to, { rs1, imm }) => void to.x(rs1).i64(imm).plain(code);
const compared = (code: number): Write => (to, operation) => void both(to, operation).plain(code, op.i64_extend_u);
const comparedImmediate = (code: number): Write => (to, { rs1, imm }) => void to.x(rs1).i64(imm).plain(code, op.i64_extend_u);
/** 64-bit arithmetic whose low word counts. */
const lowWord = (code: number): Write => (to, operation) => void both(to, operation).plain(code, op.i64_extend32_s);
const word = (code: number): Write => (to, operation) => void words(to, operation).plain(code, op.i64_extend_s);
const wordImmediate = (code: number): Write => (to, { rs1, imm }) => void to.x(rs1).plain(op.i32_wrap).i32(imm).plain(code, op.i64_extend_s);
const unary = (...codes: [number, number?, number?]): Write => (to, { rs1 }) => void to.x(rs1).plain(...codes);
const inverted = (code: number): Write => (to, operation) => void both(to, operation).i64(-1).plain(op.i64_xor, code);
const shifted = (by: number, word: boolean): Write => (to, { rs1, rs2 }) => {
  to.x(rs1);
  if (word) to.code.i64(0xffff_ffff).plain(op.i64_and);
  if (by > 0) to.code.i64(by).plain(op.i64_shl);
  to.x(rs2).plain(op.i64_add);
};
const chosen = (compare: number): Write => (to, operation) => {
  both(to, operation);
  both(to, operation).plain(compare, op.select);
};
/** `whenZero`: rd is 0 if rs2 is. */
const conditional = (whenZero: boolean): Write => (to, { rs1, rs2 }) => {
  to.code.i64(0);
  to.x(rs1);
  to.x(rs2).plain(op.i64_eqz);
  if (!whenZero) to.code.plain(op.i32_eqz);
  to.code.plain(op.select);
};
/** A bit of rs1 whose number rs2 or the immediate gives. */
const bit = (byImmediate: boolean, combine: readonly [number, number?], inverse = false): Write => (to, { rs1, rs2, imm }) => {
  to.x(rs1).i64(1);
  if (byImmediate) to.code.i64(imm & 63);
  else to.x(rs2);
  to.code.plain(op.i64_shl);
  if (inverse) to.code.i64(-1).plain(op.i64_xor);
  to.code.plain(...combine);
};
const extracted = (byImmediate: boolean): Write => (to, { rs1, rs2, imm }) => {
  to.x(rs1);
  if (byImmediate) to.code.i64(imm & 63);
  else to.x(rs2);
  to.code.plain(op.i64_shr_u).i64(1).plain(op.i64_and);
};

/** The high half of a product, of four partial ones. */
const mulhu: Write = (to, { rs1, rs2 }) => {
  const { code } = to;
  const low = (register: number): WasmCode => to.x(register).i64(0xffff_ffff).plain(op.i64_and);
  const high = (register: number): WasmCode => to.x(register).i64(32).plain(op.i64_shr_u);
  high(rs1);
  low(rs2).plain(op.i64_mul);
  low(rs1);
  low(rs2).plain(op.i64_mul).i64(32).plain(op.i64_shr_u, op.i64_add).set(local.long);
  low(rs1);
  high(rs2).plain(op.i64_mul).get(local.long).i64(0xffff_ffff).plain(op.i64_and, op.i64_add).set(local.long2);
  high(rs1);
  high(rs2).plain(op.i64_mul).get(local.long).i64(32).plain(op.i64_shr_u, op.i64_add);
  code.get(local.long2).i64(32).plain(op.i64_shr_u, op.i64_add);
};

// Division by zero gives all ones (remainder: the dividend), overflow the dividend
// (remainder: 0), without a trap: volume I, section 7.2. WebAssembly's remainder has no overflow.

const divide = (code: number, signed: boolean): Write => (to, operation) => {
  const { rs1, rs2 } = operation;
  to.x(rs2).plain(op.i64_eqz).if(i64).i64(-1).plain(op.else);
  if (signed) {
    to.x(rs2).i64(-1).plain(op.i64_eq).if(i64).i64(0);
    to.x(rs1).plain(op.i64_sub, op.else);
  }
  both(to, operation).plain(code);
  if (signed) to.code.plain(op.end);
  to.code.plain(op.end);
};
const remainder = (code: number): Write => (to, operation) => {
  to.x(operation.rs2).plain(op.i64_eqz).if(i64);
  to.x(operation.rs1).plain(op.else);
  both(to, operation).plain(code, op.end);
};
const divideWord = (code: number, signed: boolean): Write => (to, operation) => {
  const { rs1, rs2 } = operation;
  to.x(rs2).plain(op.i32_wrap, op.i32_eqz).if(i64).i64(-1).plain(op.else);
  if (signed) {
    to.x(rs2).plain(op.i32_wrap).i32(-1).plain(op.i32_eq).if(i64).i64(0);
    to.x(rs1).plain(op.i64_sub, op.i64_extend32_s, op.else);
  }
  words(to, operation).plain(code, op.i64_extend_s);
  if (signed) to.code.plain(op.end);
  to.code.plain(op.end);
};
const remainderWord = (code: number): Write => (to, operation) => {
  to.x(operation.rs2).plain(op.i32_wrap, op.i32_eqz).if(i64);
  to.x(operation.rs1).plain(op.i64_extend32_s, op.else);
  words(to, operation).plain(code, op.i64_extend_s, op.end);
};

export const integers: Readonly<Record<string, Write>> = {
  add: binary(op.i64_add), sub: binary(op.i64_sub), xor: binary(op.i64_xor), or: binary(op.i64_or), and: binary(op.i64_and),
  sll: binary(op.i64_shl), srl: binary(op.i64_shr_u), sra: binary(op.i64_shr_s), mul: binary(op.i64_mul), rol: binary(op.i64_rotl), ror: binary(op.i64_rotr),
  addi: (to, { rs1, imm }) => {
    if (rs1 === 0) to.code.i64(imm);
    else if (imm === 0) to.x(rs1);
    else to.x(rs1).i64(imm).plain(op.i64_add);
  },
  xori: immediate(op.i64_xor), ori: immediate(op.i64_or), andi: immediate(op.i64_and),
  slli: immediate(op.i64_shl), srli: immediate(op.i64_shr_u), srai: immediate(op.i64_shr_s), rori: immediate(op.i64_rotr),
  slt: compared(op.i64_lt_s), sltu: compared(op.i64_lt_u), slti: comparedImmediate(op.i64_lt_s), sltiu: comparedImmediate(op.i64_lt_u),
  addw: lowWord(op.i64_add), subw: lowWord(op.i64_sub), mulw: lowWord(op.i64_mul),
  addiw: (to, { rs1, imm }) => void (imm === 0 ? to.x(rs1) : to.x(rs1).i64(imm).plain(op.i64_add)).plain(op.i64_extend32_s),
  sllw: word(op.i32_shl), srlw: word(op.i32_shr_u), sraw: word(op.i32_shr_s), rolw: word(op.i32_rotl), rorw: word(op.i32_rotr),
  slliw: wordImmediate(op.i32_shl), srliw: wordImmediate(op.i32_shr_u), sraiw: wordImmediate(op.i32_shr_s), roriw: wordImmediate(op.i32_rotr),
  lui: (to, { imm }) => void to.code.i64(imm),
  auipc: (to, { imm }, at) => void to.address(at + imm),
  mulhu,
  mulh: (to, operation) => {
    both(to, operation);
    to.call('mulh');
  },
  mulhsu: (to, operation) => {
    both(to, operation);
    to.call('mulhsu');
  },
  div: divide(op.i64_div_s, true), divu: divide(op.i64_div_u, false), rem: remainder(op.i64_rem_s), remu: remainder(op.i64_rem_u),
  divw: divideWord(op.i32_div_s, true), divuw: divideWord(op.i32_div_u, false), remw: remainderWord(op.i32_rem_s), remuw: remainderWord(op.i32_rem_u),
  sh1add: shifted(1, false), sh2add: shifted(2, false), sh3add: shifted(3, false),
  'add.uw': shifted(0, true), 'sh1add.uw': shifted(1, true), 'sh2add.uw': shifted(2, true), 'sh3add.uw': shifted(3, true),
  'slli.uw': (to, { rs1, imm }) => void to.x(rs1).i64(0xffff_ffff).plain(op.i64_and).i64(imm).plain(op.i64_shl),
  andn: inverted(op.i64_and), orn: inverted(op.i64_or),
  xnor: (to, operation) => void both(to, operation).plain(op.i64_xor).i64(-1).plain(op.i64_xor),
  clz: unary(op.i64_clz), ctz: unary(op.i64_ctz), cpop: unary(op.i64_popcnt),
  clzw: unary(op.i32_wrap, op.i32_clz, op.i64_extend_u), ctzw: unary(op.i32_wrap, op.i32_ctz, op.i64_extend_u), cpopw: unary(op.i32_wrap, op.i32_popcnt, op.i64_extend_u),
  'sext.b': unary(op.i64_extend8_s), 'sext.h': unary(op.i64_extend16_s), 'zext.h': (to, { rs1 }) => void to.x(rs1).i64(0xffff).plain(op.i64_and),
  'orc.b': (to, { rs1 }) => {
    to.x(rs1);
    to.call('orcb');
  },
  rev8: (to, { rs1 }) => {
    to.x(rs1);
    to.call('rev8');
  },
  max: chosen(op.i64_gt_s), min: chosen(op.i64_lt_s), maxu: chosen(op.i64_gt_u), minu: chosen(op.i64_lt_u),
  'czero.eqz': conditional(true), 'czero.nez': conditional(false),
  bclr: bit(false, [op.i64_and], true), bclri: bit(true, [op.i64_and], true), binv: bit(false, [op.i64_xor]), binvi: bit(true, [op.i64_xor]),
  bset: bit(false, [op.i64_or]), bseti: bit(true, [op.i64_or]), bext: extracted(false), bexti: extracted(true),
};
