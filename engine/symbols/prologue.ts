import type { FrameReader } from './types';

/** What a function did to its frame before an address, as its instructions say. */
export interface PrologueState {
  /** Bytes that sp was lowered by. */
  frameBytes: number;
  /** Bytes from s0 up to the CFA, once s0 is the frame pointer. */
  framePointer: number | undefined;
  /** Registers saved, by number: bytes below the CFA. */
  saved: ReadonlyMap<number, number>;
}

const SP = 2;
const FP = 8;
/** No prologue is longer; beyond, stores to the stack are the body's own. */
const MAX_BYTES = 128n;
/** ra and s0..s11: what a prologue saves (RISC-V psABI). */
const isSavable = (register: number): boolean => register === 1 || register === 8 || register === 9 || (register >= 18 && register <= 27);

/**
 * Follows a function's first instructions up to `pc`, or to the first that may jump. In the body that is the
 * frame that the function runs with; past the first instruction of an epilogue it is not, as with every such analysis.
 * @returns undefined where sp is changed by more than a constant in an instruction.
 */
export function analyzePrologue(reader: Pick<FrameReader, 'read'>, start: bigint, pc: bigint): PrologueState | undefined {
  let frameBytes = 0;
  let framePointer: number | undefined;
  const saved = new Map<number, number>();
  for (let address = start; address < pc && address < start + MAX_BYTES; ) {
    const word = instructionAt(reader, address);
    if (word === undefined) break;
    const wide = (word & 3) === 3;
    if (wide ? jumps(word) : jumpsShort(word)) break;
    const effect = wide ? effectOf(word) : effectOfShort(word);
    if (effect?.kind === 'add') {
      if (effect.to === SP) frameBytes -= effect.amount;
      else framePointer = frameBytes - effect.amount;
    } else if (effect?.kind === 'store') {
      // The first store of a register is the one that saves the caller's value.
      if (isSavable(effect.register) && !saved.has(effect.register)) saved.set(effect.register, frameBytes - effect.offset);
    } else if (wide && writesStackPointer(word)) return undefined;
    address += wide ? 4n : 2n;
  }
  return { frameBytes, framePointer, saved };
}

type Effect =
  /** `addi to, sp, amount` with sp or s0 as its target. */
  | { kind: 'add'; to: number; amount: number }
  /** `sd register, offset(sp)`. */
  | { kind: 'store'; register: number; offset: number };

function instructionAt(reader: Pick<FrameReader, 'read'>, address: bigint): number | undefined {
  const low = reader.read(address, 2);
  if (!low) return undefined;
  const half = low[0]! | (low[1]! << 8);
  if ((half & 3) !== 3) return half;
  const high = reader.read(address + 2n, 2);
  return high && half + (high[0]! | (high[1]! << 8)) * 0x10000;
}

/** Branches, jal and jalr (RISC-V unprivileged specification, "RV32/64G Instruction Set Listings"). */
function jumps(word: number): boolean {
  const opcode = word & 0x7f;
  return opcode === 0x63 || opcode === 0x6f || opcode === 0x67;
}

/** c.j, c.beqz, c.bnez; c.jr and c.jalr. */
function jumpsShort(half: number): boolean {
  const row = half >> 13;
  if ((half & 3) === 1) return row >= 5;
  return (half & 3) === 2 && row === 4 && ((half >> 2) & 31) === 0;
}

function effectOf(word: number): Effect | undefined {
  const opcode = word & 0x7f;
  const function3 = (word >> 12) & 7;
  const rd = (word >> 7) & 31;
  if (((word >> 15) & 31) !== SP) return undefined;
  if (opcode === 0x13 && function3 === 0 && (rd === SP || rd === FP)) return { kind: 'add', to: rd, amount: word >> 20 };
  if (opcode === 0x23 && function3 === 3) return { kind: 'store', register: (word >>> 20) & 31, offset: ((word >> 25) << 5) | rd };
  return undefined;
}

/** c.addi, c.addi16sp, c.addi4spn and c.sdsp; the immediates are scattered as the specification's tables say. */
function effectOfShort(half: number): Effect | undefined {
  const row = half >> 13;
  const bit = (from: number, to: number): number => ((half >> from) & 1) << to;
  const rd = (half >> 7) & 31;
  switch (half & 3) {
    case 0:
      if (row !== 0 || ((half >> 2) & 7) !== 0) return undefined; // not c.addi4spn to s0
      return { kind: 'add', to: FP, amount: ((half >> 11) & 3) << 4 | ((half >> 7) & 15) << 6 | bit(6, 2) | bit(5, 3) };
    case 1:
      if (rd !== SP) return undefined;
      if (row === 0) return { kind: 'add', to: SP, amount: ((half >> 2) & 31) - (bit(12, 5)) };
      if (row === 3) return { kind: 'add', to: SP, amount: (bit(6, 4) | bit(5, 6) | bit(4, 7) | bit(3, 8) | bit(2, 5)) - bit(12, 9) };
      return undefined;
    default:
      if (row !== 7) return undefined;
      return { kind: 'store', register: (half >> 2) & 31, offset: ((half >> 10) & 7) << 3 | ((half >> 7) & 7) << 6 };
  }
}

/** Any other computation into sp, as for frames larger than an immediate. */
function writesStackPointer(word: number): boolean {
  const opcode = word & 0x7f;
  return ((word >> 7) & 31) === SP && (opcode === 0x13 || opcode === 0x33 || opcode === 0x37 || opcode === 0x17 || opcode === 0x03);
}
