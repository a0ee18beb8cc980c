/**
 * What each instruction does, written from the manuals on BigInts and sharing
 * nothing with the core. Machine mode, no translation; traps are not modelled.
 */

import {
  add, canonicalNan, classify, convert, divide, double, extreme, fromInteger, multiplyAdd, relation, single, squareRoot, toInteger,
  type FloatFormat, type Rounded,
} from './reference-float.test-support';

export interface ReferenceState {
  x: bigint[];
  f: bigint[];
  pc: bigint;
  fflags: number;
  frm: number;
  mscratch: bigint;
  /** Data memory from `memoryBase` up. */
  memory: Uint8Array;
  memoryBase: bigint;
  reservation: { address: bigint; bytes: number } | null;
}

export interface Operands {
  rd: number;
  rs1: number;
  rs2: number;
  rs3: number;
  rm: number;
  imm: number;
  /** Bytes of the encoding. */
  length: 2 | 4;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);
const s32 = (value: bigint): bigint => BigInt.asIntN(32, value);

function readMemory(state: ReferenceState, address: bigint, bytes: number): bigint {
  let value = 0n;
  for (let index = bytes - 1; index >= 0; index--) {
    const byte = state.memory[Number(address - state.memoryBase) + index];
    if (byte === undefined) throw new Error(`the model has no memory at 0x${address.toString(16)}`);
    value = (value << 8n) | BigInt(byte);
  }
  return value;
}

function writeMemory(state: ReferenceState, address: bigint, bytes: number, value: bigint): void {
  for (let index = 0; index < bytes; index++) {
    state.memory[Number(address - state.memoryBase) + index] = Number((value >> BigInt(8 * index)) & 0xffn);
  }
}

function bits(value: bigint, width: number): string {
  return BigInt.asUintN(width, value).toString(2).padStart(width, '0');
}

function rotateRight(value: bigint, by: bigint, width: number): bigint {
  const text = bits(value, width);
  const cut = width - Number(by % BigInt(width));
  return BigInt(`0b${text.slice(cut)}${text.slice(0, cut)}`);
}

function leadingZeros(value: bigint, width: number): bigint {
  const first = bits(value, width).indexOf('1');
  return BigInt(first < 0 ? width : first);
}

function trailingZeros(value: bigint, width: number): bigint {
  const last = bits(value, width).lastIndexOf('1');
  return BigInt(last < 0 ? width : width - 1 - last);
}

function population(value: bigint, width: number): bigint {
  return BigInt(bits(value, width).replaceAll('0', '').length);
}

function bytesOf(value: bigint): bigint[] {
  return Array.from({ length: 8 }, (_, index) => (value >> BigInt(8 * index)) & 0xffn);
}

function fromBytes(values: bigint[]): bigint {
  return values.reduceRight((result, byte) => (result << 8n) | byte, 0n);
}

function quotient(a: bigint, b: bigint): bigint {
  return b === 0n ? -1n : a / b;
}

function remainder(a: bigint, b: bigint): bigint {
  return b === 0n ? a : a % b;
}

type Binary = (a: bigint, b: bigint) => bigint;

/** Integer operations on two 64-bit values; the result is cut to 64 bits by the caller. */
const binary: Record<string, Binary> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a << (b & 63n),
  slt: (a, b) => BigInt(s64(a) < s64(b)),
  sltu: (a, b) => BigInt(a < b),
  xor: (a, b) => a ^ b,
  srl: (a, b) => a >> (b & 63n),
  sra: (a, b) => s64(a) >> (b & 63n),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  addw: (a, b) => s32(a + b),
  subw: (a, b) => s32(a - b),
  sllw: (a, b) => s32(a << (b & 31n)),
  srlw: (a, b) => s32(u32(a) >> (b & 31n)),
  sraw: (a, b) => s32(a) >> (b & 31n),
  mul: (a, b) => a * b,
  mulh: (a, b) => (s64(a) * s64(b)) >> 64n,
  mulhsu: (a, b) => (s64(a) * b) >> 64n,
  mulhu: (a, b) => (a * b) >> 64n,
  div: (a, b) => quotient(s64(a), s64(b)),
  divu: (a, b) => quotient(a, b),
  rem: (a, b) => remainder(s64(a), s64(b)),
  remu: (a, b) => remainder(a, b),
  mulw: (a, b) => s32(a * b),
  divw: (a, b) => s32(quotient(s32(a), s32(b))),
  divuw: (a, b) => s32(quotient(u32(a), u32(b))),
  remw: (a, b) => s32(remainder(s32(a), s32(b))),
  remuw: (a, b) => s32(remainder(u32(a), u32(b))),
  sh1add: (a, b) => (a << 1n) + b,
  sh2add: (a, b) => (a << 2n) + b,
  sh3add: (a, b) => (a << 3n) + b,
  'add.uw': (a, b) => u32(a) + b,
  'sh1add.uw': (a, b) => (u32(a) << 1n) + b,
  'sh2add.uw': (a, b) => (u32(a) << 2n) + b,
  'sh3add.uw': (a, b) => (u32(a) << 3n) + b,
  andn: (a, b) => a & ~b,
  orn: (a, b) => a | ~b,
  xnor: (a, b) => ~(a ^ b),
  min: (a, b) => (s64(a) < s64(b) ? a : b),
  minu: (a, b) => (a < b ? a : b),
  max: (a, b) => (s64(a) < s64(b) ? b : a),
  maxu: (a, b) => (a < b ? b : a),
  rol: (a, b) => rotateRight(a, 64n - (b & 63n), 64),
  ror: (a, b) => rotateRight(a, b & 63n, 64),
  rolw: (a, b) => s32(rotateRight(a, 32n - (b & 31n), 32)),
  rorw: (a, b) => s32(rotateRight(a, b & 31n, 32)),
  bclr: (a, b) => a & ~(1n << (b & 63n)),
  bext: (a, b) => (a >> (b & 63n)) & 1n,
  binv: (a, b) => a ^ (1n << (b & 63n)),
  bset: (a, b) => a | (1n << (b & 63n)),
  'czero.eqz': (a, b) => (b === 0n ? 0n : a),
  'czero.nez': (a, b) => (b !== 0n ? 0n : a),
};

/** Instructions that take an immediate for rs2's value. */
const withImmediate: Record<string, string> = {
  addi: 'add', slti: 'slt', sltiu: 'sltu', xori: 'xor', ori: 'or', andi: 'and', slli: 'sll', srli: 'srl', srai: 'sra',
  addiw: 'addw', slliw: 'sllw', srliw: 'srlw', sraiw: 'sraw',
  rori: 'ror', roriw: 'rorw', bclri: 'bclr', bexti: 'bext', binvi: 'binv', bseti: 'bset',
};

const unary: Record<string, (a: bigint) => bigint> = {
  clz: (a) => leadingZeros(a, 64),
  ctz: (a) => trailingZeros(a, 64),
  cpop: (a) => population(a, 64),
  clzw: (a) => leadingZeros(a, 32),
  ctzw: (a) => trailingZeros(a, 32),
  cpopw: (a) => population(a, 32),
  'sext.b': (a) => BigInt.asIntN(8, a),
  'sext.h': (a) => BigInt.asIntN(16, a),
  'zext.h': (a) => a & 0xffffn,
  'orc.b': (a) => fromBytes(bytesOf(a).map((byte) => (byte === 0n ? 0n : 0xffn))),
  rev8: (a) => fromBytes(bytesOf(a).reverse()),
};

const branches: Record<string, (a: bigint, b: bigint) => boolean> = {
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => s64(a) < s64(b),
  bge: (a, b) => s64(a) >= s64(b),
  bltu: (a, b) => a < b,
  bgeu: (a, b) => a >= b,
};

const loads: Record<string, [bytes: number, extend: (value: bigint) => bigint]> = {
  lb: [1, (value) => BigInt.asIntN(8, value)],
  lh: [2, (value) => BigInt.asIntN(16, value)],
  lw: [4, s32],
  ld: [8, (value) => value],
  lbu: [1, (value) => value],
  lhu: [2, (value) => value],
  lwu: [4, (value) => value],
};

const stores: Record<string, number> = { sb: 1, sh: 2, sw: 4, sd: 8 };

/** What an amo leaves in memory, from the old value and rs2, both cut to its width. */
const amos: Record<string, (old: bigint, operand: bigint, signed: (value: bigint) => bigint) => bigint> = {
  amoswap: (_, operand) => operand,
  amoadd: (old, operand) => old + operand,
  amoxor: (old, operand) => old ^ operand,
  amoand: (old, operand) => old & operand,
  amoor: (old, operand) => old | operand,
  amomin: (old, operand, signed) => (signed(old) < signed(operand) ? old : operand),
  amomax: (old, operand, signed) => (signed(old) > signed(operand) ? old : operand),
  amominu: (old, operand) => (old < operand ? old : operand),
  amomaxu: (old, operand) => (old > operand ? old : operand),
};

const fmt: Record<string, FloatFormat> = { s: single, d: double };

/** Executes one instruction on the state. @throws Error for a mnemonic it does not know. */
export function execute(state: ReferenceState, mnemonic: string, operands: Operands): void {
  const { rd, rs1, rs2, imm } = operands;
  const a = state.x[rs1] ?? 0n;
  const b = state.x[rs2] ?? 0n;
  const next = u64(state.pc + BigInt(operands.length));
  const setX = (value: bigint): void => {
    if (rd !== 0) state.x[rd] = u64(value);
  };
  const effective = u64(a + BigInt(imm));
  const here = state.pc;
  state.pc = next;

  const operation = binary[mnemonic];
  if (operation !== undefined) return setX(operation(a, b));
  const underlying = binary[withImmediate[mnemonic] ?? ''];
  if (underlying !== undefined) return setX(underlying(a, u64(BigInt(imm))));
  const single1 = unary[mnemonic];
  if (single1 !== undefined) return setX(single1(a));
  const condition = branches[mnemonic];
  if (condition !== undefined) {
    if (condition(a, b)) state.pc = u64(here + BigInt(imm));
    return;
  }
  const load = loads[mnemonic];
  if (load !== undefined) return setX(load[1](readMemory(state, effective, load[0])));
  const stored = stores[mnemonic];
  if (stored !== undefined) return writeMemory(state, effective, stored, b);

  switch (mnemonic) {
    case 'lui':
      return setX(BigInt(imm));
    case 'auipc':
      return setX(here + BigInt(imm));
    case 'slli.uw':
      return setX(u32(a) << BigInt(imm));
    case 'jal':
      state.pc = u64(here + BigInt(imm));
      return setX(next);
    case 'jalr':
      state.pc = effective & ~1n;
      return setX(next);
    case 'fence':
    case 'fence.i':
    case 'sfence.vma':
    case 'cbo.inval':
    case 'cbo.clean':
    case 'cbo.flush':
      return;
    case 'cbo.zero':
      return writeMemory(state, a & ~63n, 64, 0n);
    default:
      if (mnemonic.startsWith('csr')) return csrAccess(state, mnemonic, operands, a, setX);
      if (/^(amo|lr|sc)/.test(mnemonic)) return atomic(state, mnemonic, a, b, setX);
      return floatingPoint(state, mnemonic, operands, a, setX);
  }
}

function csrAccess(state: ReferenceState, mnemonic: string, { rs1, imm }: Operands, a: bigint, setX: (value: bigint) => void): void {
  const [get, set] = csrModel(state, imm);
  const old = get();
  const immediate = mnemonic.endsWith('i');
  const operand = immediate ? BigInt(rs1) : a;
  if (mnemonic.startsWith('csrrw')) set(operand);
  else if (rs1 !== 0) set(mnemonic.startsWith('csrrs') ? old | operand : old & ~operand);
  setX(old);
}

/** The CSRs that the model has: how to read one and how to write it. */
function csrModel(state: ReferenceState, number: number): [() => bigint, (value: bigint) => void] {
  switch (number) {
    case 0x001:
      return [() => BigInt(state.fflags), (value) => void (state.fflags = Number(value & 31n))];
    case 0x002:
      return [() => BigInt(state.frm), (value) => void (state.frm = Number(value & 7n))];
    case 0x003:
      return [
        () => BigInt((state.frm << 5) | state.fflags),
        (value) => {
          state.fflags = Number(value & 31n);
          state.frm = Number((value >> 5n) & 7n);
        },
      ];
    case 0x340:
      return [() => state.mscratch, (value) => void (state.mscratch = u64(value))];
    default:
      throw new Error(`the model has no CSR 0x${number.toString(16)}`);
  }
}

function atomic(state: ReferenceState, mnemonic: string, address: bigint, operand: bigint, setX: (value: bigint) => void): void {
  const [name = '', suffix] = mnemonic.split('.');
  const bytes = suffix === 'w' ? 4 : 8;
  const signed = (value: bigint): bigint => BigInt.asIntN(8 * bytes, value);
  if (name === 'sc') {
    const held = state.reservation;
    state.reservation = null;
    if (held?.address !== address || held.bytes !== bytes) return setX(1n);
    writeMemory(state, address, bytes, operand);
    return setX(0n);
  }
  const old = readMemory(state, address, bytes);
  if (name === 'lr') state.reservation = { address, bytes };
  else {
    const combine = amos[name];
    if (combine === undefined) throw new Error(`the model has no ${mnemonic}`);
    writeMemory(state, address, bytes, combine(old, BigInt.asUintN(8 * bytes, operand), signed));
  }
  setX(signed(old));
}

function floatingPoint(state: ReferenceState, mnemonic: string, operands: Operands, a: bigint, setX: (value: bigint) => void): void {
  const { rd, rs1, rs2, rs3, imm } = operands;
  const parts = mnemonic.split('.');
  const name = parts[0] ?? '';
  const mode = operands.rm === 7 ? state.frm : operands.rm;
  const raw = (index: number): bigint => state.f[index] ?? 0n;
  const setF = (format: FloatFormat, value: bigint): void => {
    state.f[rd] = format === single ? value | 0xffffffff00000000n : value;
  };
  // A single in a register is a single only if boxed in ones (volume I, "NaN Boxing of Narrower Values").
  const read = (format: FloatFormat, index: number): bigint => {
    if (format === double) return raw(index);
    return raw(index) >> 32n === 0xffffffffn ? u32(raw(index)) : canonicalNan(single);
  };
  const raise = (result: Rounded): bigint => {
    state.fflags |= result.flags;
    return result.bits;
  };
  const effective = u64(a + BigInt(imm));
  switch (name) {
    case 'flw':
      return setF(single, readMemory(state, effective, 4));
    case 'fld':
      return setF(double, readMemory(state, effective, 8));
    case 'fsw':
      return writeMemory(state, effective, 4, raw(rs2));
    case 'fsd':
      return writeMemory(state, effective, 8, raw(rs2));
    case 'fcvt':
      return conversion(parts[1] ?? '', parts[2] ?? '');
    case 'fmv':
      if (parts[1] === 'x') return setX(parts[2] === 'w' ? s32(raw(rs1)) : raw(rs1));
      return parts[1] === 'w' ? setF(single, u32(a)) : setF(double, a);
  }

  const format = fmt[parts[1] ?? ''];
  if (format === undefined) throw new Error(`the model has no ${mnemonic}`);
  const p = read(format, rs1);
  const q = read(format, rs2);
  const signBit = 1n << BigInt(format.precision + format.exponentBits - 1);
  switch (name) {
    case 'fadd':
    case 'fsub':
      return setF(format, raise(add(format, p, q, mode, name === 'fsub')));
    case 'fmul':
      return setF(format, raise(multiplyAdd(format, p, q, undefined, mode)));
    case 'fdiv':
      return setF(format, raise(divide(format, p, q, mode)));
    case 'fsqrt':
      return setF(format, raise(squareRoot(format, p, mode)));
    case 'fmadd':
    case 'fmsub':
    case 'fnmsub':
    case 'fnmadd': {
      // fnmsub is -(a*b) + c, fnmadd is -(a*b) - c.
      const negateAddend = name === 'fmsub' || name === 'fnmadd';
      return setF(format, raise(multiplyAdd(format, p, q, read(format, rs3), mode, name.startsWith('fnm'), negateAddend)));
    }
    case 'fsgnj':
      return setF(format, (p & ~signBit) | (q & signBit));
    case 'fsgnjn':
      return setF(format, (p & ~signBit) | (~q & signBit));
    case 'fsgnjx':
      return setF(format, p ^ (q & signBit));
    case 'fmin':
    case 'fmax':
      return setF(format, raise(extreme(format, name === 'fmin' ? 'min' : 'max', p, q)));
    case 'feq':
    case 'flt':
    case 'fle':
      return setX(raise(relation(format, name.slice(1) as 'eq' | 'lt' | 'le', p, q)));
    case 'fclass':
      return setX(classify(format, p));
    default:
      throw new Error(`the model has no ${mnemonic}`);
  }

  /** fcvt.TO.FROM, where w, wu, l and lu are integers. */
  function conversion(to: string, from: string): void {
    const target = fmt[to];
    const source = fmt[from];
    if (target !== undefined && source !== undefined) return setF(target, raise(convert(source, target, read(source, rs1), mode)));
    const integer = target === undefined ? to : from;
    const width = integer.startsWith('w') ? 32 : 64;
    const signed = !integer.endsWith('u');
    if (source !== undefined) return setX(raise(toInteger(source, read(source, rs1), width, signed, mode)));
    if (target !== undefined) return setF(target, raise(fromInteger(target, a, width, signed, mode)));
    throw new Error(`the model has no ${mnemonic}`);
  }
}
