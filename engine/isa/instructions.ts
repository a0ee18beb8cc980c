/**
 * The instruction table: RV64IMAFDC, Zicsr, Zifencei, Zba, Zbb, Zbs, Zicond,
 * Zicbom, Zicboz and the privileged instructions. The decoder of the resident
 * core is generated from it, and decoding, disassembly and tests read it.
 *
 * Encodings: The RISC-V Instruction Set Manual, volume I (unprivileged, 20191213
 * and the ratified extensions that followed) and volume II (privileged, 20211203).
 */

import { parseLayout, type ImmediateLayout } from './layout';

export type Extension =
  'I' | 'M' | 'A' | 'F' | 'D' | 'Zicsr' | 'Zifencei' | 'Zba' | 'Zbb' | 'Zbs' | 'Zicond' | 'Zicbom' | 'Zicboz' | 'privileged';

/** Which operands an encoding has and where; see {@link formats}. */
export type FormatName =
  | 'r' | 'r-unary' | 'i' | 'shift6' | 'shift5' | 'load' | 'store' | 'branch' | 'u' | 'j' | 'jalr'
  | 'amo' | 'lr' | 'csr' | 'csr-immediate' | 'fence' | 'none' | 'sfence' | 'cbo'
  | 'fp' | 'fp-rm' | 'fp-unary' | 'fp-unary-rm' | 'fp-fused';

export interface Format {
  rd: boolean;
  rs1: boolean;
  rs2: boolean;
  rs3: boolean;
  /** Bits 14..12 are a rounding mode; 5 and 6 are reserved and so illegal. */
  rm: boolean;
  /** rs1 holds a 5-bit immediate, no register. */
  rs1Immediate: boolean;
  immediate: ImmediateLayout | null;
}

function format(operands: string, immediate?: string): Format {
  const has = (name: string): boolean => operands.split(' ').includes(name);
  return {
    rd: has('rd'),
    rs1: has('rs1') || has('zimm'),
    rs2: has('rs2'),
    rs3: has('rs3'),
    rm: has('rm'),
    rs1Immediate: has('zimm'),
    immediate: immediate === undefined ? null : parseLayout(immediate),
  };
}

export const formats: Readonly<Record<FormatName, Format>> = {
  r: format('rd rs1 rs2'),
  'r-unary': format('rd rs1'),
  i: format('rd rs1', 's11:0@20'),
  shift6: format('rd rs1', '5:0@20'),
  shift5: format('rd rs1', '4:0@20'),
  load: format('rd rs1', 's11:0@20'),
  store: format('rs1 rs2', 's11:5@25 4:0@7'),
  branch: format('rs1 rs2', 's12|10:5@25 4:1|11@7'),
  u: format('rd', 's31:12@12'),
  j: format('rd', 's20|10:1|11|19:12@12'),
  jalr: format('rd rs1', 's11:0@20'),
  // The immediate is aq (bit 1) and rl (bit 0).
  amo: format('rd rs1 rs2', '1:0@25'),
  lr: format('rd rs1', '1:0@25'),
  csr: format('rd rs1', '11:0@20'),
  'csr-immediate': format('rd zimm', '11:0@20'),
  // fm, predecessor and successor set. rd and rs1 are reserved and ignored.
  fence: format('', '11:0@20'),
  none: format(''),
  sfence: format('rs1 rs2'),
  cbo: format('rs1'),
  fp: format('rd rs1 rs2'),
  'fp-rm': format('rd rs1 rs2 rm'),
  'fp-unary': format('rd rs1'),
  'fp-unary-rm': format('rd rs1 rm'),
  'fp-fused': format('rd rs1 rs2 rs3 rm'),
};

/** Cycles an instruction costs under `fast` timing: a single-issue in-order core with warm caches. */
export const costs = {
  alu: 1,
  load: 2,
  store: 1,
  branch: 2,
  jump: 2,
  multiply: 3,
  divide: 20,
  atomic: 6,
  fp: 4,
  'fp-move': 1,
  'fp-divide': 18,
  csr: 3,
  fence: 4,
  system: 10,
} as const;

export type CostClass = keyof typeof costs;

/** How control can leave the straight line after an instruction. */
export type Control =
  | 'next'
  | 'branch'
  | 'jump'
  /** Always traps. */
  | 'trap'
  /** Leaves a trap handler. */
  | 'return'
  /** Goes on at the next instruction, but the core must look around first: interrupts, translation, code, counters. */
  | 'check';

export interface Instruction {
  mnemonic: string;
  match: number;
  mask: number;
  format: FormatName;
  extension: Extension;
  cost: CostClass;
  /** The register file rd stands in; '' when nothing is written. */
  writes: '' | 'x' | 'f';
  /** The register files of rs1, rs2 and rs3, in this order. */
  reads: string;
  /** Bytes of a memory access; 0 for none. A cbo.zero counts as a store of its block. */
  accessBytes: number;
  loads: boolean;
  stores: boolean;
  control: Control;
}

/** Bytes of a cache block, for Zicbom and Zicboz. The same as the `virt` board's. */
export const cacheBlockBytes = 64;

const OPCODE = 0x7f;
const FUNCT3 = 0x707f;
const FUNCT7 = 0xfe00707f;
const FUNCT6 = 0xfc00707f;
const FUNCT7_RS2 = 0xfff0707f;
const FUNCT5 = 0xf800707f;
const WHOLE = 0xffffffff;

interface Shape {
  format: FormatName;
  mask: number;
  cost: CostClass;
  writes?: '' | 'x' | 'f';
  reads?: string;
  control?: Control;
}

interface Access {
  loads?: boolean;
  stores?: boolean;
  accessBytes?: number;
}

function row(extension: Extension, shape: Shape, mnemonic: string, match: number, more: Access & { cost?: CostClass } = {}): Instruction {
  return {
    mnemonic,
    match: match >>> 0,
    mask: shape.mask >>> 0,
    format: shape.format,
    extension,
    cost: more.cost ?? shape.cost,
    writes: shape.writes ?? '',
    reads: shape.reads ?? '',
    accessBytes: more.accessBytes ?? 0,
    loads: more.loads ?? false,
    stores: more.stores ?? false,
    control: shape.control ?? 'next',
  };
}

const load = (accessBytes: number): Access => ({ loads: true, accessBytes });
const store = (accessBytes: number): Access => ({ stores: true, accessBytes });
const both = (accessBytes: number): Access => ({ loads: true, stores: true, accessBytes });

const U: Shape = { format: 'u', mask: OPCODE, cost: 'alu', writes: 'x' };
const BRANCH: Shape = { format: 'branch', mask: FUNCT3, cost: 'branch', reads: 'xx', control: 'branch' };
const LOAD: Shape = { format: 'load', mask: FUNCT3, cost: 'load', writes: 'x', reads: 'x' };
const STORE: Shape = { format: 'store', mask: FUNCT3, cost: 'store', reads: 'xx' };
const I: Shape = { format: 'i', mask: FUNCT3, cost: 'alu', writes: 'x', reads: 'x' };
const SHIFT6: Shape = { format: 'shift6', mask: FUNCT6, cost: 'alu', writes: 'x', reads: 'x' };
const SHIFT5: Shape = { format: 'shift5', mask: FUNCT7, cost: 'alu', writes: 'x', reads: 'x' };
const R: Shape = { format: 'r', mask: FUNCT7, cost: 'alu', writes: 'x', reads: 'xx' };
const UNARY: Shape = { format: 'r-unary', mask: FUNCT7_RS2, cost: 'alu', writes: 'x', reads: 'x' };
const MULTIPLY: Shape = { ...R, cost: 'multiply' };
const DIVIDE: Shape = { ...R, cost: 'divide' };
const LR: Shape = { format: 'lr', mask: 0xf9f0707f, cost: 'atomic', writes: 'x', reads: 'x' };
const AMO: Shape = { format: 'amo', mask: FUNCT5, cost: 'atomic', writes: 'x', reads: 'xx' };
// A CSR access can read the instruction count, enable an interrupt, or change
// translation and rounding: the core looks around after every one.
const CSR: Shape = { format: 'csr', mask: FUNCT3, cost: 'csr', writes: 'x', reads: 'x', control: 'check' };
const CSR_IMMEDIATE: Shape = { format: 'csr-immediate', mask: FUNCT3, cost: 'csr', writes: 'x', control: 'check' };
const FENCE: Shape = { format: 'fence', mask: FUNCT3, cost: 'fence' };
const FENCE_I: Shape = { ...FENCE, control: 'check' };
const TRAP: Shape = { format: 'none', mask: WHOLE, cost: 'system', control: 'trap' };
const RETURN: Shape = { format: 'none', mask: WHOLE, cost: 'system', control: 'return' };
const WAIT: Shape = { format: 'none', mask: WHOLE, cost: 'system', control: 'check' };
const SFENCE: Shape = { format: 'sfence', mask: 0xfe007fff, cost: 'system', reads: 'xx', control: 'check' };
const CBO: Shape = { format: 'cbo', mask: 0xfff07fff, cost: 'fence', reads: 'x' };
const FP_LOAD: Shape = { ...LOAD, writes: 'f' };
const FP_STORE: Shape = { ...STORE, reads: 'xf' };
const FUSED: Shape = { format: 'fp-fused', mask: 0x0600007f, cost: 'fp', writes: 'f', reads: 'fff' };
const FP: Shape = { format: 'fp-rm', mask: 0xfe00007f, cost: 'fp', writes: 'f', reads: 'ff' };
const FP_SIGN: Shape = { format: 'fp', mask: FUNCT7, cost: 'fp-move', writes: 'f', reads: 'ff' };
const FP_COMPARE: Shape = { format: 'fp', mask: FUNCT7, cost: 'fp', writes: 'x', reads: 'ff' };
const FP_TO_X: Shape = { format: 'fp-unary-rm', mask: 0xfff0007f, cost: 'fp', writes: 'x', reads: 'f' };
const X_TO_FP: Shape = { format: 'fp-unary-rm', mask: 0xfff0007f, cost: 'fp', writes: 'f', reads: 'x' };
const FP_UNARY: Shape = { format: 'fp-unary-rm', mask: 0xfff0007f, cost: 'fp', writes: 'f', reads: 'f' };
const FP_MOVE_X: Shape = { format: 'fp-unary', mask: FUNCT7_RS2, cost: 'fp-move', writes: 'x', reads: 'f' };
const X_MOVE_FP: Shape = { format: 'fp-unary', mask: FUNCT7_RS2, cost: 'fp-move', writes: 'f', reads: 'x' };

/** The rows of one floating-point format: `fmt` is bits 26..25, `bytes` its width. */
function floatingPoint(extension: 'F' | 'D', fmt: number, suffix: 's' | 'd', bytes: number): Instruction[] {
  const f = fmt * 0x02000000;
  const width = bytes === 4 ? 0x2000 : 0x3000;
  const integer = bytes === 4 ? 'w' : 'd';
  const of = (shape: Shape, name: string, match: number, more?: Access & { cost?: CostClass }): Instruction =>
    row(extension, shape, name, match, more);
  return [
    of(FP_LOAD, bytes === 4 ? 'flw' : 'fld', 0x07 + width, load(bytes)),
    of(FP_STORE, bytes === 4 ? 'fsw' : 'fsd', 0x27 + width, store(bytes)),
    of(FUSED, `fmadd.${suffix}`, 0x43 + f),
    of(FUSED, `fmsub.${suffix}`, 0x47 + f),
    of(FUSED, `fnmsub.${suffix}`, 0x4b + f),
    of(FUSED, `fnmadd.${suffix}`, 0x4f + f),
    of(FP, `fadd.${suffix}`, 0x00000053 + f),
    of(FP, `fsub.${suffix}`, 0x08000053 + f),
    of(FP, `fmul.${suffix}`, 0x10000053 + f),
    of(FP, `fdiv.${suffix}`, 0x18000053 + f, { cost: 'fp-divide' }),
    of(FP_UNARY, `fsqrt.${suffix}`, 0x58000053 + f, { cost: 'fp-divide' }),
    of(FP_SIGN, `fsgnj.${suffix}`, 0x20000053 + f),
    of(FP_SIGN, `fsgnjn.${suffix}`, 0x20001053 + f),
    of(FP_SIGN, `fsgnjx.${suffix}`, 0x20002053 + f),
    of({ ...FP_SIGN, cost: 'fp' }, `fmin.${suffix}`, 0x28000053 + f),
    of({ ...FP_SIGN, cost: 'fp' }, `fmax.${suffix}`, 0x28001053 + f),
    of(FP_COMPARE, `fle.${suffix}`, 0xa0000053 + f),
    of(FP_COMPARE, `flt.${suffix}`, 0xa0001053 + f),
    of(FP_COMPARE, `feq.${suffix}`, 0xa0002053 + f),
    of(FP_TO_X, `fcvt.w.${suffix}`, 0xc0000053 + f),
    of(FP_TO_X, `fcvt.wu.${suffix}`, 0xc0100053 + f),
    of(FP_TO_X, `fcvt.l.${suffix}`, 0xc0200053 + f),
    of(FP_TO_X, `fcvt.lu.${suffix}`, 0xc0300053 + f),
    of(X_TO_FP, `fcvt.${suffix}.w`, 0xd0000053 + f),
    of(X_TO_FP, `fcvt.${suffix}.wu`, 0xd0100053 + f),
    of(X_TO_FP, `fcvt.${suffix}.l`, 0xd0200053 + f),
    of(X_TO_FP, `fcvt.${suffix}.lu`, 0xd0300053 + f),
    of(FP_MOVE_X, `fmv.x.${integer}`, 0xe0000053 + f),
    of({ ...FP_MOVE_X, cost: 'fp' }, `fclass.${suffix}`, 0xe0001053 + f),
    of(X_MOVE_FP, `fmv.${integer}.x`, 0xf0000053 + f),
  ];
}

/** The rows of lr, sc and the amo group for one width. */
function atomics(suffix: 'w' | 'd', bytes: number): Instruction[] {
  const base = bytes === 4 ? 0x202f : 0x302f;
  const amos: [string, number][] = [
    ['amoswap', 0x08000000], ['amoadd', 0x00000000], ['amoxor', 0x20000000], ['amoand', 0x60000000], ['amoor', 0x40000000],
    ['amomin', 0x80000000], ['amomax', 0xa0000000], ['amominu', 0xc0000000], ['amomaxu', 0xe0000000],
  ];
  return [
    row('A', LR, `lr.${suffix}`, base + 0x10000000, load(bytes)),
    row('A', AMO, `sc.${suffix}`, base + 0x18000000, store(bytes)),
    ...amos.map(([name, funct5]) => row('A', AMO, `${name}.${suffix}`, base + funct5, both(bytes))),
  ];
}

/** Every 32-bit instruction; no encoding matches two rows. */
export const instructions: readonly Instruction[] = [
  row('I', U, 'lui', 0x37),
  row('I', U, 'auipc', 0x17),
  row('I', { format: 'j', mask: OPCODE, cost: 'jump', writes: 'x', control: 'jump' }, 'jal', 0x6f),
  row('I', { format: 'jalr', mask: FUNCT3, cost: 'jump', writes: 'x', reads: 'x', control: 'jump' }, 'jalr', 0x67),
  row('I', BRANCH, 'beq', 0x0063),
  row('I', BRANCH, 'bne', 0x1063),
  row('I', BRANCH, 'blt', 0x4063),
  row('I', BRANCH, 'bge', 0x5063),
  row('I', BRANCH, 'bltu', 0x6063),
  row('I', BRANCH, 'bgeu', 0x7063),
  row('I', LOAD, 'lb', 0x0003, load(1)),
  row('I', LOAD, 'lh', 0x1003, load(2)),
  row('I', LOAD, 'lw', 0x2003, load(4)),
  row('I', LOAD, 'ld', 0x3003, load(8)),
  row('I', LOAD, 'lbu', 0x4003, load(1)),
  row('I', LOAD, 'lhu', 0x5003, load(2)),
  row('I', LOAD, 'lwu', 0x6003, load(4)),
  row('I', STORE, 'sb', 0x0023, store(1)),
  row('I', STORE, 'sh', 0x1023, store(2)),
  row('I', STORE, 'sw', 0x2023, store(4)),
  row('I', STORE, 'sd', 0x3023, store(8)),
  row('I', I, 'addi', 0x0013),
  row('I', I, 'slti', 0x2013),
  row('I', I, 'sltiu', 0x3013),
  row('I', I, 'xori', 0x4013),
  row('I', I, 'ori', 0x6013),
  row('I', I, 'andi', 0x7013),
  row('I', SHIFT6, 'slli', 0x1013),
  row('I', SHIFT6, 'srli', 0x5013),
  row('I', SHIFT6, 'srai', 0x40005013),
  row('I', R, 'add', 0x00000033),
  row('I', R, 'sub', 0x40000033),
  row('I', R, 'sll', 0x00001033),
  row('I', R, 'slt', 0x00002033),
  row('I', R, 'sltu', 0x00003033),
  row('I', R, 'xor', 0x00004033),
  row('I', R, 'srl', 0x00005033),
  row('I', R, 'sra', 0x40005033),
  row('I', R, 'or', 0x00006033),
  row('I', R, 'and', 0x00007033),
  row('I', I, 'addiw', 0x001b),
  row('I', SHIFT5, 'slliw', 0x101b),
  row('I', SHIFT5, 'srliw', 0x501b),
  row('I', SHIFT5, 'sraiw', 0x4000501b),
  row('I', R, 'addw', 0x0000003b),
  row('I', R, 'subw', 0x4000003b),
  row('I', R, 'sllw', 0x0000103b),
  row('I', R, 'srlw', 0x0000503b),
  row('I', R, 'sraw', 0x4000503b),
  row('I', FENCE, 'fence', 0x000f),
  row('Zifencei', FENCE_I, 'fence.i', 0x100f),
  row('I', TRAP, 'ecall', 0x00000073),
  row('I', TRAP, 'ebreak', 0x00100073),

  row('M', MULTIPLY, 'mul', 0x02000033),
  row('M', MULTIPLY, 'mulh', 0x02001033),
  row('M', MULTIPLY, 'mulhsu', 0x02002033),
  row('M', MULTIPLY, 'mulhu', 0x02003033),
  row('M', DIVIDE, 'div', 0x02004033),
  row('M', DIVIDE, 'divu', 0x02005033),
  row('M', DIVIDE, 'rem', 0x02006033),
  row('M', DIVIDE, 'remu', 0x02007033),
  row('M', MULTIPLY, 'mulw', 0x0200003b),
  row('M', DIVIDE, 'divw', 0x0200403b),
  row('M', DIVIDE, 'divuw', 0x0200503b),
  row('M', DIVIDE, 'remw', 0x0200603b),
  row('M', DIVIDE, 'remuw', 0x0200703b),

  ...atomics('w', 4),
  ...atomics('d', 8),

  row('Zicsr', CSR, 'csrrw', 0x1073),
  row('Zicsr', CSR, 'csrrs', 0x2073),
  row('Zicsr', CSR, 'csrrc', 0x3073),
  row('Zicsr', CSR_IMMEDIATE, 'csrrwi', 0x5073),
  row('Zicsr', CSR_IMMEDIATE, 'csrrsi', 0x6073),
  row('Zicsr', CSR_IMMEDIATE, 'csrrci', 0x7073),

  ...floatingPoint('F', 0, 's', 4),
  ...floatingPoint('D', 1, 'd', 8),
  row('D', FP_UNARY, 'fcvt.s.d', 0x40100053),
  row('D', FP_UNARY, 'fcvt.d.s', 0x42000053),

  row('Zba', R, 'sh1add', 0x20002033),
  row('Zba', R, 'sh2add', 0x20004033),
  row('Zba', R, 'sh3add', 0x20006033),
  row('Zba', R, 'add.uw', 0x0800003b),
  row('Zba', R, 'sh1add.uw', 0x2000203b),
  row('Zba', R, 'sh2add.uw', 0x2000403b),
  row('Zba', R, 'sh3add.uw', 0x2000603b),
  row('Zba', SHIFT6, 'slli.uw', 0x0800101b),

  row('Zbb', R, 'andn', 0x40007033),
  row('Zbb', R, 'orn', 0x40006033),
  row('Zbb', R, 'xnor', 0x40004033),
  row('Zbb', UNARY, 'clz', 0x60001013),
  row('Zbb', UNARY, 'ctz', 0x60101013),
  row('Zbb', UNARY, 'cpop', 0x60201013),
  row('Zbb', UNARY, 'sext.b', 0x60401013),
  row('Zbb', UNARY, 'sext.h', 0x60501013),
  row('Zbb', UNARY, 'clzw', 0x6000101b),
  row('Zbb', UNARY, 'ctzw', 0x6010101b),
  row('Zbb', UNARY, 'cpopw', 0x6020101b),
  row('Zbb', UNARY, 'zext.h', 0x0800403b),
  row('Zbb', UNARY, 'orc.b', 0x28705013),
  row('Zbb', UNARY, 'rev8', 0x6b805013),
  row('Zbb', R, 'min', 0x0a004033),
  row('Zbb', R, 'minu', 0x0a005033),
  row('Zbb', R, 'max', 0x0a006033),
  row('Zbb', R, 'maxu', 0x0a007033),
  row('Zbb', R, 'rol', 0x60001033),
  row('Zbb', R, 'ror', 0x60005033),
  row('Zbb', SHIFT6, 'rori', 0x60005013),
  row('Zbb', R, 'rolw', 0x6000103b),
  row('Zbb', R, 'rorw', 0x6000503b),
  row('Zbb', SHIFT5, 'roriw', 0x6000501b),

  row('Zbs', R, 'bclr', 0x48001033),
  row('Zbs', R, 'bext', 0x48005033),
  row('Zbs', R, 'binv', 0x68001033),
  row('Zbs', R, 'bset', 0x28001033),
  row('Zbs', SHIFT6, 'bclri', 0x48001013),
  row('Zbs', SHIFT6, 'bexti', 0x48005013),
  row('Zbs', SHIFT6, 'binvi', 0x68001013),
  row('Zbs', SHIFT6, 'bseti', 0x28001013),

  row('Zicond', R, 'czero.eqz', 0x0e005033),
  row('Zicond', R, 'czero.nez', 0x0e007033),

  row('Zicbom', CBO, 'cbo.inval', 0x0000200f),
  row('Zicbom', CBO, 'cbo.clean', 0x0010200f),
  row('Zicbom', CBO, 'cbo.flush', 0x0020200f),
  row('Zicboz', CBO, 'cbo.zero', 0x0040200f, store(cacheBlockBytes)),

  row('privileged', RETURN, 'mret', 0x30200073),
  row('privileged', RETURN, 'sret', 0x10200073),
  row('privileged', WAIT, 'wfi', 0x10500073),
  row('privileged', SFENCE, 'sfence.vma', 0x12000073),
];

/** Does the integer arithmetic-logic unit make its result: I, M, Zba, Zbb, Zbs and Zicond, but for jumps, branches, memory and the system? */
export function isAlu({ extension, writes, control, loads }: Instruction): boolean {
  return ['I', 'M', 'Zba', 'Zbb', 'Zbs', 'Zicond'].includes(extension) && writes === 'x' && control === 'next' && !loads;
}

/** Does the core leave its straight-line block after this instruction? */
export function endsBlock(instruction: Instruction): boolean {
  return instruction.control !== 'next';
}
