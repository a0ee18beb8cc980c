/**
 * A guest that executes floating-point instructions over a table of vectors and
 * stores what each leaves: the result register and fcsr.
 */
import { Operands } from '../../engine/core/softfloat-operands.test-support';
import { encode } from '../../engine/isa/encode.test-support';
import { formats, instructions, type Instruction } from '../../engine/isa/instructions';
import { Random } from '../../engine/isa/random.test-support';
import { makeElf } from './elf-writer';

/** All instructions that compute on, compare, convert or move floating-point registers. */
export const floatInstructions = instructions.filter(
  ({ extension, loads, stores }) => (extension === 'F' || extension === 'D') && !loads && !stores,
);

/** The `rm` field that takes the mode from frm. */
export const dynamic = 7;

/** One instruction as the guest has it. */
export interface FloatCase {
  row: Instruction;
  rm: number;
  rd: number;
  rs1: number;
  rs2: number;
  rs3: number;
}

/** What the registers hold before a case. */
export interface FloatVector {
  /** Raw registers for rs1, rs2, rs3 of instructions on doubles, and of those on singles. */
  doubles: bigint[];
  singles: bigint[];
  integer: bigint;
  /** fcsr with a mode that dynamic rounding accepts, and with any: static rounding ignores it. */
  fcsr: number;
  anyFcsr: number;
}

export interface FloatResult {
  value: bigint;
  fcsr: number;
}

/** Which of a vector's lists an instruction reads; conversions between formats name the source last. */
export function readsSingles({ mnemonic }: Instruction): boolean {
  return mnemonic.endsWith('.s') || mnemonic === 'fmv.x.w';
}

/** The fcsr that a case starts from. */
export function initialFcsr({ row, rm }: FloatCase, vector: FloatVector): number {
  return formats[row.format].rm && rm === dynamic ? vector.fcsr : vector.anyFcsr;
}

/** @param unboxed whether some singles lack the ones above them and so count as NaN */
export function makeVectors(seed: number, count: number, unboxed: boolean): FloatVector[] {
  const operands = new Operands(seed);
  const random = new Random(seed);
  const box = (value: bigint): bigint => {
    const upper = unboxed && random.below(40) === 0 ? BigInt(random.word()) : 0xffffffffn;
    return (upper << 32n) | value;
  };
  return Array.from({ length: count }, () => ({
    doubles: operands.list(['f64', 'f64', 'f64']),
    singles: operands.list(['f32', 'f32', 'f32']).map(box),
    integer: operands.list([random.below(2) === 0 ? 'i64' : 'i32'])[0] ?? 0n,
    fcsr: (random.below(5) << 5) | random.below(32),
    anyFcsr: random.below(256),
  }));
}

/** The case with random registers, which often coincide. */
export function makeCase(row: Instruction, rm: number, random: Random): FloatCase {
  const source = row.reads.startsWith('x') ? x.source : random.below(32);
  const other = (): number => (random.below(8) === 0 ? source : random.below(32));
  return { row, rm, rd: row.writes === 'x' ? x.target : other(), rs1: source, rs2: other(), rs3: other() };
}

/** Registers of a case's sources that get a vector's values, in this order: a later one wins. */
export function sourcesOf({ row, rs1, rs2, rs3 }: FloatCase): number[] {
  return row.reads.startsWith('x') ? [] : [rs1, rs2, rs3].slice(0, row.reads.length);
}

const x = { vector: 10, result: 11, end: 12, scratch: 5, source: 7, target: 8 };
const record = { doubles: 0, singles: 24, integer: 48, fcsr: 56, anyFcsr: 60, bytes: 64 };
export const resultBytes = 16;
const csr = { fcsr: 3, mstatus: 0x300 };

const rowOf = new Map(instructions.map((row) => [row.mnemonic, row]));
function instruction(mnemonic: string, operands: Parameters<typeof encode>[1]): number {
  const row = rowOf.get(mnemonic);
  if (row === undefined) throw new Error(`no instruction "${mnemonic}"`);
  return encode(row, operands);
}

/** pc-relative address, two instructions. */
function address(rd: number, distance: number): number[] {
  const low = (distance << 20) >> 20;
  return [instruction('auipc', { rd, imm: distance - low }), instruction('addi', { rd, rs1: rd, imm: low })];
}

/** One case over all vectors: x.vector, x.result and x.end are set, x.result moves on. */
function loop(float: FloatCase): number[] {
  const { row } = float;
  const operands = readsSingles(row) ? record.singles : record.doubles;
  const fcsr = formats[row.format].rm && float.rm === dynamic ? record.fcsr : record.anyFcsr;
  const body = [
    ...sourcesOf(float).map((rd, index) => instruction('fld', { rd, rs1: x.vector, imm: operands + 8 * index })),
    instruction('ld', { rd: x.source, rs1: x.vector, imm: record.integer }),
    instruction('lw', { rd: x.scratch, rs1: x.vector, imm: fcsr }),
    instruction('csrrw', { rs1: x.scratch, imm: csr.fcsr }),
    encode(row, float),
    instruction('csrrs', { rd: x.scratch, imm: csr.fcsr }),
    instruction(row.writes === 'x' ? 'sd' : 'fsd', { rs1: x.result, rs2: float.rd }),
    instruction('sd', { rs1: x.result, rs2: x.scratch, imm: 8 }),
    instruction('addi', { rd: x.vector, rs1: x.vector, imm: record.bytes }),
    instruction('addi', { rd: x.result, rs1: x.result, imm: resultBytes }),
  ];
  return [...body, instruction('bne', { rs1: x.vector, rs2: x.end, imm: -4 * body.length })];
}

function vectorBytes(vectors: readonly FloatVector[]): Buffer {
  const bytes = Buffer.alloc(vectors.length * record.bytes);
  vectors.forEach(({ doubles, singles, integer, fcsr, anyFcsr }, index) => {
    const at = index * record.bytes;
    doubles.forEach((value, operand) => bytes.writeBigUInt64LE(value, at + record.doubles + 8 * operand));
    singles.forEach((value, operand) => bytes.writeBigUInt64LE(value, at + record.singles + 8 * operand));
    bytes.writeBigUInt64LE(integer, at + record.integer);
    bytes.writeUInt32LE(fcsr, at + record.fcsr);
    bytes.writeUInt32LE(anyFcsr, at + record.anyFcsr);
  });
  return bytes;
}

export interface FloatGuest {
  image: Uint8Array;
  /** Where the results of all cases lie one after the other at the end; on the board only. */
  results: bigint;
}

/**
 * @param environment `linux`: a user program that writes the results to stdout, case by case.
 *   `board`: machine mode; leaves all results in memory and powers off.
 */
export function floatGuest(cases: readonly FloatCase[], vectors: readonly FloatVector[], environment: 'linux' | 'board'): FloatGuest {
  const linux = environment === 'linux';
  const pointers = 3 * 8;
  const start = linux ? [] : [instruction('lui', { rd: x.scratch, imm: 0x2000 }), instruction('csrrs', { rs1: x.scratch, imm: csr.mstatus })];
  const end = linux ? exit() : powerOff();
  const bodies = cases.map((float) => [...loop(float), ...(linux ? write(vectors.length) : [])]);
  const codeBytes = 4 * (start.length + end.length) + bodies.reduce((sum, body) => sum + pointers + 4 * body.length, 0);
  const table = (codeBytes + 7) & ~7;
  const results = table + vectors.length * record.bytes;
  const code = [...start];
  bodies.forEach((body, index) => {
    const resultsOfCase = linux ? results : results + index * vectors.length * resultBytes;
    for (const [rd, target] of [[x.vector, table], [x.end, results], [x.result, resultsOfCase]] as const) {
      code.push(...address(rd, target - 4 * code.length));
    }
    code.push(...body);
  });
  code.push(...end);
  const bytes = Buffer.alloc(results + (linux ? vectors.length * resultBytes : 0));
  code.forEach((raw, index) => bytes.writeUInt32LE(raw, 4 * index));
  vectorBytes(vectors).copy(bytes, table);
  // Past the ELF headers, so that file offset and address agree modulo the page size as Linux wants it.
  const origin = linux ? 0x8000_0078n : 0x8000_0000n;
  return { image: makeElf(origin, bytes), results: origin + BigInt(results) };
}

/** write(1, results, bytes): the loop left x.result at the end of the results. */
function write(count: number): number[] {
  const bytes = count * resultBytes;
  const low = (bytes << 20) >> 20;
  return [
    instruction('lui', { rd: 12, imm: bytes - low }),
    instruction('addi', { rd: 12, rs1: 12, imm: low }),
    instruction('sub', { rd: 11, rs1: x.result, rs2: 12 }),
    instruction('addi', { rd: 10, imm: 1 }),
    instruction('addi', { rd: 17, imm: 64 }),
    instruction('ecall', {}),
  ];
}

function exit(): number[] {
  return [instruction('addi', { rd: 10 }), instruction('addi', { rd: 17, imm: 93 }), instruction('ecall', {})];
}

/** 0x5555 to the board's power-off register. */
function powerOff(): number[] {
  return [
    instruction('lui', { rd: 5, imm: 0x100000 }),
    instruction('lui', { rd: 6, imm: 0x5000 }),
    instruction('addi', { rd: 6, rs1: 6, imm: 0x555 }),
    instruction('sw', { rs1: 5, rs2: 6 }),
    instruction('jal', {}),
  ];
}

/** The result of a case and a vector out of all cases' results. */
export function resultAt(results: Buffer, vectors: number, caseIndex: number, vectorIndex: number): FloatResult {
  const at = (caseIndex * vectors + vectorIndex) * resultBytes;
  return { value: results.readBigUInt64LE(at), fcsr: Number(results.readBigUInt64LE(at + 8)) };
}
