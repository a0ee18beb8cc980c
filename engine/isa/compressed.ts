/**
 * The compressed instructions of RV64 with D (volume I, chapter "C"), each with
 * the base instruction that it expands to. HINT encodings are instructions
 * without an effect: they expand like their neighbours, with rd = x0 or a zero
 * immediate. What matches no row is reserved or illegal.
 */

import { parseLayout, type ImmediateLayout } from './layout';

/**
 * Where a register number of the expansion comes from: a fixed number, a 5-bit
 * field from bit `at` up, or a 3-bit field that stands for x8..x15 (f8..f15).
 */
export type RegisterSource = { kind: 'fixed'; index: number } | { kind: 'full' | 'short'; at: number };

/** A part of the encoding that must not be zero, or must not be 2. */
export type Requirement = 'rd-not-zero' | 'rd-not-sp' | 'rs2-not-zero' | 'immediate-not-zero';

export interface CompressedInstruction {
  mnemonic: string;
  match: number;
  mask: number;
  /** Mnemonic of the base instruction. */
  expansion: string;
  rd: RegisterSource;
  rs1: RegisterSource;
  rs2: RegisterSource;
  immediate: ImmediateLayout | null;
  requires: Requirement[];
}

const registerSources: Record<string, RegisterSource> = {
  '-': { kind: 'fixed', index: 0 },
  x0: { kind: 'fixed', index: 0 },
  ra: { kind: 'fixed', index: 1 },
  sp: { kind: 'fixed', index: 2 },
  d: { kind: 'full', at: 7 },
  t: { kind: 'full', at: 2 },
  "s'": { kind: 'short', at: 7 },
  "t'": { kind: 'short', at: 2 },
};

function row(
  mnemonic: string, match: number, mask: number, expansion: string, registers: string, immediate?: string, ...requires: Requirement[]
): CompressedInstruction {
  const [rd, rs1, rs2] = registers.split(' ').map((name) => {
    const source = registerSources[name];
    if (source === undefined) throw new Error(`instruction table: ${mnemonic} names no register field "${name}"`);
    return source;
  });
  if (rd === undefined || rs1 === undefined || rs2 === undefined) throw new Error(`instruction table: ${mnemonic} needs three register fields`);
  return { mnemonic, match, mask, expansion, rd, rs1, rs2, immediate: immediate === undefined ? null : parseLayout(immediate), requires };
}

const OP = 0xe003;
const WORD = '5:3@10 2|6@5';
const DOUBLE = '5:3@10 7:6@5';
const SIX = 's5@12 4:0@2';
const SHIFT = '5@12 4:0@2';
const WORD_SP = '5@12 4:2|7:6@2';
const DOUBLE_SP = '5@12 4:3|8:6@2';
const JUMP = 's11|4|9:8|10|6|7|3:1|5@2';
const BRANCH = 's8|4:3@10 7:6|2:1|5@2';

/** Every compressed instruction; no encoding satisfies two rows. */
export const compressedInstructions: readonly CompressedInstruction[] = [
  row('c.addi4spn', 0x0000, OP, 'addi', "t' sp -", '5:4|9:6|2|3@5', 'immediate-not-zero'),
  row('c.fld', 0x2000, OP, 'fld', "t' s' -", DOUBLE),
  row('c.lw', 0x4000, OP, 'lw', "t' s' -", WORD),
  row('c.ld', 0x6000, OP, 'ld', "t' s' -", DOUBLE),
  row('c.fsd', 0xa000, OP, 'fsd', "- s' t'", DOUBLE),
  row('c.sw', 0xc000, OP, 'sw', "- s' t'", WORD),
  row('c.sd', 0xe000, OP, 'sd', "- s' t'", DOUBLE),

  row('c.nop', 0x0001, 0xef83, 'addi', 'x0 x0 -', SIX),
  row('c.addi', 0x0001, OP, 'addi', 'd d -', SIX, 'rd-not-zero'),
  row('c.addiw', 0x2001, OP, 'addiw', 'd d -', SIX, 'rd-not-zero'),
  row('c.li', 0x4001, OP, 'addi', 'd x0 -', SIX),
  row('c.addi16sp', 0x6101, 0xef83, 'addi', 'sp sp -', 's9@12 4|6|8:7|5@2', 'immediate-not-zero'),
  row('c.lui', 0x6001, OP, 'lui', 'd - -', 's17@12 16:12@2', 'rd-not-sp', 'immediate-not-zero'),
  row('c.srli', 0x8001, 0xec03, 'srli', "s' s' -", SHIFT),
  row('c.srai', 0x8401, 0xec03, 'srai', "s' s' -", SHIFT),
  row('c.andi', 0x8801, 0xec03, 'andi', "s' s' -", SIX),
  row('c.sub', 0x8c01, 0xfc63, 'sub', "s' s' t'"),
  row('c.xor', 0x8c21, 0xfc63, 'xor', "s' s' t'"),
  row('c.or', 0x8c41, 0xfc63, 'or', "s' s' t'"),
  row('c.and', 0x8c61, 0xfc63, 'and', "s' s' t'"),
  row('c.subw', 0x9c01, 0xfc63, 'subw', "s' s' t'"),
  row('c.addw', 0x9c21, 0xfc63, 'addw', "s' s' t'"),
  row('c.j', 0xa001, OP, 'jal', 'x0 - -', JUMP),
  row('c.beqz', 0xc001, OP, 'beq', "- s' x0", BRANCH),
  row('c.bnez', 0xe001, OP, 'bne', "- s' x0", BRANCH),

  row('c.slli', 0x0002, OP, 'slli', 'd d -', SHIFT),
  row('c.fldsp', 0x2002, OP, 'fld', 'd sp -', DOUBLE_SP),
  row('c.lwsp', 0x4002, OP, 'lw', 'd sp -', WORD_SP, 'rd-not-zero'),
  row('c.ldsp', 0x6002, OP, 'ld', 'd sp -', DOUBLE_SP, 'rd-not-zero'),
  row('c.jr', 0x8002, 0xf07f, 'jalr', 'x0 d -', undefined, 'rd-not-zero'),
  row('c.mv', 0x8002, 0xf003, 'add', 'd x0 t', undefined, 'rs2-not-zero'),
  row('c.ebreak', 0x9002, 0xffff, 'ebreak', '- - -'),
  row('c.jalr', 0x9002, 0xf07f, 'jalr', 'ra d -', undefined, 'rd-not-zero'),
  row('c.add', 0x9002, 0xf003, 'add', 'd d t', undefined, 'rs2-not-zero'),
  row('c.fsdsp', 0xa002, OP, 'fsd', '- sp t', '5:3|8:6@7'),
  row('c.swsp', 0xc002, OP, 'sw', '- sp t', '5:2|7:6@7'),
  row('c.sdsp', 0xe002, OP, 'sd', '- sp t', '5:3|8:6@7'),
];
