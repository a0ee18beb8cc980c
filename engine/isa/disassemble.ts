/**
 * Disassembly with ABI names and the assembler's pseudo-instructions, in GNU
 * objdump's layout. Compressed instructions show as what they expand to.
 */

import { decodeInstruction, instructionLength, type DecodedInstruction } from './decode';
import type { FormatName } from './instructions';
import { csrNames, fNames, roundingModes, xNames } from './registers';

/** Names an address, as `main+0x10`; undefined where there is no symbol. */
export type Symbolize = (address: bigint) => string | undefined;

export interface DisassembledInstruction {
  address: bigint;
  /** Bytes. */
  length: 2 | 4;
  /** The encoding, 16 or 32 bits. */
  raw: number;
  /** `.2byte` or `.4byte` where the encoding is illegal. */
  mnemonic: string;
  /** Separated by commas, empty when there are none. */
  operands: string;
  /** Mnemonic and operands with a space between. */
  text: string;
}

/**
 * Disassembles the instruction at the start of `bytes`, little-endian.
 * The first half of a 32-bit instruction whose second half is missing comes out as `.2byte`.
 *
 * @param address Where it stands: targets of branches are absolute.
 * @throws RangeError when there are fewer than two bytes.
 */
export function disassemble(bytes: Uint8Array, address: bigint, symbolize?: Symbolize): DisassembledInstruction {
  const [b0, b1, b2, b3] = bytes;
  if (b0 === undefined || b1 === undefined) throw new RangeError('disassemble: at least two bytes are needed');
  const low = b0 | (b1 << 8);
  if (instructionLength(low) === 2) return assembled(address, 2, low, ...shown(low, address, symbolize));
  if (b2 === undefined || b3 === undefined) return assembled(address, 2, low, '.2byte', hex(low));
  const raw = (low | (b2 << 16) | (b3 << 24)) >>> 0;
  return assembled(address, 4, raw, ...shown(raw, address, symbolize));
}

function assembled(address: bigint, length: 2 | 4, raw: number, mnemonic: string, operands: string): DisassembledInstruction {
  return { address, length, raw, mnemonic, operands, text: operands === '' ? mnemonic : `${mnemonic} ${operands}` };
}

type Shown = [mnemonic: string, operands: string];

function shown(raw: number, address: bigint, symbolize?: Symbolize): Shown {
  // The two encodings that the manual reserves for "never an instruction":
  // all zeroes, and a write to the read-only cycle counter.
  if (raw === 0 || raw === 0xc0001073) return ['unimp', ''];
  const decoded = decodeInstruction(raw);
  if (decoded === undefined) return instructionLength(raw) === 2 ? ['.2byte', hex(raw)] : ['.4byte', hex(raw)];
  const hint = compressedHint(decoded);
  if (hint !== undefined) return hint;
  const pseudo = pseudoInstruction(decoded, (offset) => target(address, offset, symbolize));
  if (pseudo !== undefined) return pseudo;
  return [decoded.mnemonic + ordering(decoded), baseOperands(decoded, (offset) => target(address, offset, symbolize))];
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function target(address: bigint, offset: number, symbolize?: Symbolize): string {
  const to = BigInt.asUintN(64, address + BigInt(offset));
  const symbol = symbolize?.(to);
  return symbol === undefined ? `0x${to.toString(16)}` : `${to.toString(16)} <${symbol}>`;
}

function x(index: number): string {
  return xNames[index] ?? `x${index}`;
}

function register(file: string | undefined, index: number): string {
  return file === 'f' ? (fNames[index] ?? `f${index}`) : x(index);
}

function csr(number: number): string {
  return csrNames.get(number) ?? hex(number);
}

/** The suffix of an atomic instruction for its aq and rl bits. */
function ordering({ flags, imm }: DecodedInstruction): string {
  if (flags.format !== 'amo' && flags.format !== 'lr') return '';
  return ['', '.rl', '.aq', '.aqrl'][imm] ?? '';
}

/** Conversions that cannot round; assemblers leave their rounding mode at 0. */
const exactConversions = new Set(['fcvt.d.w', 'fcvt.d.wu', 'fcvt.d.s']);

function rounding({ mnemonic, rm }: DecodedInstruction): string[] {
  const unsaid = exactConversions.has(mnemonic) ? 0 : 7;
  if (rm === null || rm === unsaid) return [];
  return [roundingModes[rm] ?? hex(rm)];
}

/** The letters of a fence's predecessor or successor set. */
function fenceSet(bits: number): string {
  return bits === 0 ? 'unknown' : ['i', 'o', 'r', 'w'].filter((_, index) => (bits & (8 >> index)) !== 0).join('');
}

function baseOperands(decoded: DecodedInstruction, to: (offset: number) => string): string {
  const { flags, imm } = decoded;
  const rd = register(flags.writes, decoded.rd);
  const rs1 = register(flags.reads[0], decoded.rs1);
  const rs2 = register(flags.reads[1], decoded.rs2);
  const list = (...operands: string[]): string => operands.join(',');
  const layouts: Record<FormatName, () => string> = {
    r: () => list(rd, rs1, rs2),
    'r-unary': () => list(rd, rs1),
    i: () => list(rd, rs1, String(imm)),
    shift6: () => list(rd, rs1, hex(imm)),
    shift5: () => list(rd, rs1, hex(imm)),
    load: () => list(rd, `${imm}(${rs1})`),
    store: () => list(rs2, `${imm}(${rs1})`),
    branch: () => list(rs1, rs2, to(imm)),
    u: () => list(rd, upper(imm)),
    j: () => list(rd, to(imm)),
    jalr: () => list(rd, `${imm}(${rs1})`),
    amo: () => list(rd, rs2, `(${rs1})`),
    lr: () => list(rd, `(${rs1})`),
    csr: () => list(rd, csr(imm), rs1),
    'csr-immediate': () => list(rd, csr(imm), String(decoded.rs1)),
    fence: () => list(fenceSet((imm >> 4) & 15), fenceSet(imm & 15)),
    none: () => '',
    sfence: () => list(rs1, rs2),
    cbo: () => `(${rs1})`,
    fp: () => list(rd, rs1, rs2),
    'fp-rm': () => list(rd, rs1, rs2, ...rounding(decoded)),
    'fp-unary': () => list(rd, rs1),
    'fp-unary-rm': () => list(rd, rs1, ...rounding(decoded)),
    'fp-fused': () => list(rd, rs1, rs2, register('f', decoded.rs3), ...rounding(decoded)),
  };
  return layouts[flags.format]();
}

/**
 * Compressed HINTs keep their own mnemonic, so that one sees that they do nothing.
 * A shift by 0 is named for what it does on RV128, a shift by 64.
 */
function compressedHint({ compressed, rd, rs2, imm }: DecodedInstruction): Shown | undefined {
  switch (compressed) {
    case 'c.nop':
      return imm === 0 ? undefined : ['c.nop', String(imm)];
    case 'c.slli':
    case 'c.srli':
    case 'c.srai':
      if (imm === 0) return [`${compressed}64`, x(rd)];
      return rd === 0 ? [compressed, `${x(rd)},${hex(imm)}`] : undefined;
    case 'c.li':
      return rd === 0 ? [compressed, `zero,${imm}`] : undefined;
    case 'c.lui':
      return rd === 0 ? [compressed, `zero,${upper(imm)}`] : undefined;
    case 'c.mv':
    case 'c.add':
      return rd === 0 ? [compressed, `zero,${x(rs2)}`] : undefined;
    default:
      return undefined;
  }
}

/** The operand of lui and auipc, as written: the upper 20 bits. */
function upper(imm: number): string {
  return hex((imm >>> 12) & 0xfffff);
}

/** The pseudo-instruction that assemblers have for this one, if any. */
function pseudoInstruction(decoded: DecodedInstruction, to: (offset: number) => string): Shown | undefined {
  const { mnemonic, rd, rs1, rs2, imm } = decoded;
  switch (mnemonic) {
    case 'addi':
      if (rd === 0 && rs1 === 0 && imm === 0) return ['nop', ''];
      if (rs1 === 0) return ['li', `${x(rd)},${imm}`];
      if (imm === 0 && decoded.compressed !== 'c.addi') return ['mv', `${x(rd)},${x(rs1)}`];
      return undefined;
    case 'add':
      return decoded.compressed === 'c.mv' ? ['mv', `${x(rd)},${x(rs2)}`] : undefined;
    case 'addiw':
      return imm === 0 ? ['sext.w', `${x(rd)},${x(rs1)}`] : undefined;
    case 'xori':
      return imm === -1 ? ['not', `${x(rd)},${x(rs1)}`] : undefined;
    case 'andi':
      return imm === 255 ? ['zext.b', `${x(rd)},${x(rs1)}`] : undefined;
    case 'add.uw':
      return rs2 === 0 ? ['zext.w', `${x(rd)},${x(rs1)}`] : undefined;
    case 'sub':
      return rs1 === 0 ? ['neg', `${x(rd)},${x(rs2)}`] : undefined;
    case 'subw':
      return rs1 === 0 ? ['negw', `${x(rd)},${x(rs2)}`] : undefined;
    case 'sltiu':
      return imm === 1 ? ['seqz', `${x(rd)},${x(rs1)}`] : undefined;
    case 'sltu':
      return rs1 === 0 ? ['snez', `${x(rd)},${x(rs2)}`] : undefined;
    case 'slt':
      if (rs2 === 0) return ['sltz', `${x(rd)},${x(rs1)}`];
      return rs1 === 0 ? ['sgtz', `${x(rd)},${x(rs2)}`] : undefined;
    case 'beq':
    case 'bne':
    case 'blt':
    case 'bge':
      return branchWithZero(mnemonic, rs1, rs2, to(imm));
    case 'jal':
      if (rd === 0) return ['j', to(imm)];
      return rd === 1 ? ['jal', to(imm)] : undefined;
    case 'jalr':
      return indirectJump(decoded);
    case 'fence':
      return fence(decoded);
    case 'fence.i':
      return ['fence.i', ''];
    case 'sfence.vma':
      if (rs2 !== 0) return undefined;
      return ['sfence.vma', rs1 === 0 ? '' : x(rs1)];
    case 'csrrw':
    case 'csrrs':
    case 'csrrc':
      return csrAccess(decoded);
    case 'csrrwi':
    case 'csrrsi':
    case 'csrrci':
      return csrImmediate(decoded);
    default:
      return signInjection(decoded);
  }
}

function branchWithZero(mnemonic: 'beq' | 'bne' | 'blt' | 'bge', rs1: number, rs2: number, to: string): Shown | undefined {
  // Where both are x0 two names fit; GNU's choice is blez.
  if (rs2 === 0 && !(mnemonic === 'bge' && rs1 === 0)) return [`${mnemonic}z`, `${x(rs1)},${to}`];
  if (rs1 !== 0) return undefined;
  if (mnemonic === 'blt') return ['bgtz', `${x(rs2)},${to}`];
  if (mnemonic === 'bge') return ['blez', `${x(rs2)},${to}`];
  return undefined;
}

function indirectJump({ rd, rs1, imm }: DecodedInstruction): Shown | undefined {
  const place = imm === 0 ? x(rs1) : `${imm}(${x(rs1)})`;
  if (rd === 0) return rs1 === 1 && imm === 0 ? ['ret', ''] : ['jr', place];
  if (rd === 1) return ['jalr', place];
  return ['jalr', `${x(rd)},${place}`];
}

function fence({ imm }: DecodedInstruction): Shown | undefined {
  if (imm === 0x0ff) return ['fence', ''];
  if (imm === 0x833) return ['fence.tso', ''];
  // Zihintpause: a fence that orders nothing, with predecessor set w.
  return imm === 0x010 ? ['pause', ''] : undefined;
}

/** Reads of these have a mnemonic of their own. */
const reads = new Map([[0x001, 'frflags'], [0x002, 'frrm'], [0x003, 'frcsr'], [0xc00, 'rdcycle'], [0xc01, 'rdtime'], [0xc02, 'rdinstret']]);
const writes = new Map([[0x001, 'fsflags'], [0x002, 'fsrm'], [0x003, 'fscsr']]);

function csrAccess({ mnemonic, rd, rs1, imm }: DecodedInstruction): Shown | undefined {
  if (mnemonic === 'csrrs' && rs1 === 0) {
    const read = reads.get(imm);
    return read === undefined ? ['csrr', `${x(rd)},${csr(imm)}`] : [read, x(rd)];
  }
  const write = mnemonic === 'csrrw' ? writes.get(imm) : undefined;
  if (write !== undefined) return [write, rd === 0 ? x(rs1) : `${x(rd)},${x(rs1)}`];
  return rd === 0 ? [mnemonic.replace('rr', 'r'), `${csr(imm)},${x(rs1)}`] : undefined;
}

function csrImmediate({ mnemonic, rd, rs1, imm }: DecodedInstruction): Shown | undefined {
  const write = mnemonic === 'csrrwi' && imm !== 0x003 ? writes.get(imm) : undefined;
  if (write !== undefined) return [`${write}i`, rd === 0 ? String(rs1) : `${x(rd)},${rs1}`];
  return rd === 0 ? [mnemonic.replace('rr', 'r'), `${csr(imm)},${rs1}`] : undefined;
}

function signInjection({ mnemonic, flags, rd, rs1, rs2 }: DecodedInstruction): Shown | undefined {
  if (!mnemonic.startsWith('fsgnj') || rs1 !== rs2) return undefined;
  const [name, suffix] = mnemonic.split('.');
  const pseudo = name === 'fsgnj' ? 'fmv' : name === 'fsgnjn' ? 'fneg' : 'fabs';
  return [`${pseudo}.${suffix}`, `${register(flags.writes, rd)},${register('f', rs1)}`];
}

