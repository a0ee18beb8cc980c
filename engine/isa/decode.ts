/** Decoding in TypeScript, from the same table as the resident core's decoder. For tools, not for speed. */

import { compressedInstructions, type CompressedInstruction, type RegisterSource, type Requirement } from './compressed';
import { formats, instructions, type Instruction } from './instructions';
import { extractImmediate } from './layout';

export interface DecodedInstruction {
  /** Of the base instruction: a compressed one reports its expansion. */
  mnemonic: string;
  /** The compressed mnemonic when `length` is 2, else null. */
  compressed: string | null;
  /** The table's row: register files, memory access, control flow, cost. */
  flags: Instruction;
  /** Register numbers; 0 where there is no such operand. */
  rd: number;
  /** For csrrwi, csrrsi and csrrci the 5-bit immediate. */
  rs1: number;
  rs2: number;
  rs3: number;
  /** Rounding mode, 7 = dynamic; null where the encoding has none. */
  rm: number | null;
  /** As a signed 32-bit number: lui and auipc give the value that is added or loaded; branches, a byte offset. */
  imm: number;
  /** Bytes. */
  length: 2 | 4;
}

/** By opcode and funct3, whatever of these a row leaves open. */
const rowsByPrefix = new Map<number, Instruction[]>();
const compressedByPrefix = new Map<number, CompressedInstruction[]>();
const rowsByMnemonic = new Map<string, Instruction>();
const functOf = { mask: 7, base: 12, compressed: 13 } as const;

function prefixOf(raw: number): number {
  return (raw & 0x7f) | (((raw >>> functOf.base) & functOf.mask) << 7);
}
function compressedPrefixOf(raw: number): number {
  return (raw & 3) | (((raw >>> functOf.compressed) & functOf.mask) << 2);
}
function put<T>(into: Map<number, T[]>, prefix: number, row: T): void {
  const rows = into.get(prefix);
  if (rows === undefined) into.set(prefix, [row]);
  else rows.push(row);
}

for (const instruction of instructions) {
  rowsByMnemonic.set(instruction.mnemonic, instruction);
  for (let funct = 0; funct <= functOf.mask; funct++) {
    const bits = funct << functOf.base;
    if ((bits & instruction.mask) === (instruction.match & instruction.mask & (functOf.mask << functOf.base))) put(rowsByPrefix, prefixOf((instruction.match & 0x7f) | bits), instruction);
  }
}
for (const row of compressedInstructions) {
  for (let funct = 0; funct <= functOf.mask; funct++) {
    const bits = funct << functOf.compressed;
    if ((bits & row.mask) === (row.match & row.mask & (functOf.mask << functOf.compressed))) put(compressedByPrefix, compressedPrefixOf((row.match & 3) | bits), row);
  }
}

/** The row of a mnemonic of a base instruction. @throws Error when the table has none. */
export function instructionNamed(mnemonic: string): Instruction {
  const found = rowsByMnemonic.get(mnemonic);
  if (found === undefined) throw new Error(`instruction table: no row "${mnemonic}"`);
  return found;
}

/** Bytes of the instruction that starts with these 16 bits. Longer formats do not exist in RV64GC and count as 4. */
export function instructionLength(raw: number): 2 | 4 {
  return (raw & 3) === 3 ? 4 : 2;
}

/**
 * Decodes one instruction. Of a compressed one only the low 16 bits are looked at.
 * @returns undefined where the encoding is illegal or reserved.
 */
export function decodeInstruction(raw: number): DecodedInstruction | undefined {
  return instructionLength(raw) === 2 ? decodeCompressed(raw & 0xffff) : decodeBase(raw);
}

function decodeBase(raw: number): DecodedInstruction | undefined {
  const row = rowsByPrefix.get(prefixOf(raw))?.find(({ match, mask }) => (raw & mask) >>> 0 === match);
  if (row === undefined) return undefined;
  const format = formats[row.format];
  const rm = (raw >>> 12) & 7;
  if (format.rm && (rm === 5 || rm === 6)) return undefined;
  return {
    mnemonic: row.mnemonic,
    compressed: null,
    flags: row,
    rd: format.rd ? (raw >>> 7) & 31 : 0,
    rs1: format.rs1 ? (raw >>> 15) & 31 : 0,
    rs2: format.rs2 ? (raw >>> 20) & 31 : 0,
    rs3: format.rs3 ? raw >>> 27 : 0,
    rm: format.rm ? rm : null,
    imm: format.immediate === null ? 0 : extractImmediate(format.immediate, raw),
    length: 4,
  };
}

function decodeCompressed(raw: number): DecodedInstruction | undefined {
  const row = compressedByPrefix.get(compressedPrefixOf(raw))?.find((candidate) => matchesCompressed(candidate, raw));
  if (row === undefined) return undefined;
  return {
    mnemonic: row.expansion,
    compressed: row.mnemonic,
    flags: instructionNamed(row.expansion),
    rd: registerNumber(row.rd, raw),
    rs1: registerNumber(row.rs1, raw),
    rs2: registerNumber(row.rs2, raw),
    rs3: 0,
    rm: null,
    imm: row.immediate === null ? 0 : extractImmediate(row.immediate, raw),
    length: 2,
  };
}

/** True if the 16-bit encoding is this instruction. */
export function matchesCompressed(row: CompressedInstruction, raw: number): boolean {
  return (raw & row.mask) === row.match && row.requires.every((requirement) => meets(requirement, row, raw));
}

function meets(requirement: Requirement, row: CompressedInstruction, raw: number): boolean {
  switch (requirement) {
    case 'rd-not-zero':
      return ((raw >>> 7) & 31) !== 0;
    case 'rd-not-sp':
      return ((raw >>> 7) & 31) !== 2;
    case 'rs2-not-zero':
      return ((raw >>> 2) & 31) !== 0;
    case 'immediate-not-zero':
      return row.immediate !== null && extractImmediate(row.immediate, raw) !== 0;
  }
}

function registerNumber(source: RegisterSource, raw: number): number {
  switch (source.kind) {
    case 'fixed':
      return source.index;
    case 'full':
      return (raw >>> source.at) & 31;
    case 'short':
      return ((raw >>> source.at) & 7) + 8;
  }
}
