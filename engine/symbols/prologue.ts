import type { FrameReader } from './types';

/** What a function has done to its frame at an address, as its instructions say. */
export interface PrologueState {
  /** Bytes that sp was lowered by; undefined after a computation that is not followed, as for an array of variable length. */
  frameBytes: number | undefined;
  /** Bytes from s0 up to the CFA, while s0 is the frame pointer. */
  framePointer: number | undefined;
  /** Registers saved, by number: bytes below the CFA. */
  saved: ReadonlyMap<number, number>;
}

const SP = 2;
const FP = 8;
const MAX_BYTES = 16_384n;
/** ra and s0..s11: what a prologue saves (RISC-V psABI). */
const isSavable = (register: number): boolean => register === 1 || register === 8 || register === 9 || (register >= 18 && register <= 27);

/**
 * Follows a function's instructions from its start up to `pc`, in their order, taking the state along to where
 * branches go forward. After a return the code goes on with what branches brought there, else with the frame
 * of the function's body, the largest so far.
 */
export function analyzePrologue(reader: Pick<FrameReader, 'read'>, start: bigint, pc: bigint): PrologueState | undefined {
  let state: PrologueState = { frameBytes: 0, framePointer: undefined, saved: new Map() };
  let body = state;
  const brought = new Map<bigint, PrologueState>();
  if (pc - start > MAX_BYTES) return undefined;
  for (let address = start; address < pc; ) {
    const word = instructionAt(reader, address);
    if (word === undefined) return undefined;
    const length = (word & 3) === 3 ? 4n : 2n;
    const flow = length === 4n ? flowOf(word) : flowOfShort(word);
    if (flow?.distance !== undefined && flow.distance > 0) brought.set(address + BigInt(flow.distance), state);
    address += length;
    if (flow) state = flow.ends ? (brought.get(address) ?? body) : state;
    else state = next(state, length === 4n ? effectOf(word) : effectOfShort(word));
    if ((state.frameBytes ?? Infinity) >= (body.frameBytes ?? Infinity)) body = state;
  }
  return state;
}

/** A jump: where it may go, and whether it always does. */
interface Flow {
  distance?: number;
  ends: boolean;
}

type Effect =
  /** `addi to, from, amount` between sp and s0. */
  | { kind: 'add'; to: number; from: number; amount: number }
  /** `sd register, offset(sp)`, `ld register, offset(sp)`. */
  | { kind: 'store' | 'load'; register: number; offset: number }
  /** Another computation of the register. */
  | { kind: 'write'; register: number };

function next(state: PrologueState, effect: Effect | undefined): PrologueState {
  if (!effect) return state;
  const { frameBytes, framePointer, saved } = state;
  switch (effect.kind) {
    case 'add': {
      // Where the register added to stands below the CFA, and so where the result does.
      const below = effect.from === SP ? frameBytes : framePointer;
      const result = below === undefined ? undefined : below - effect.amount;
      return effect.to === SP ? { ...state, frameBytes: result } : { ...state, framePointer: result };
    }
    case 'store': {
      // The first store of a register is the one that saves the caller's value.
      if (frameBytes === undefined || !isSavable(effect.register) || saved.has(effect.register)) return state;
      return { ...state, saved: new Map(saved).set(effect.register, frameBytes - effect.offset) };
    }
    case 'load': {
      if (frameBytes === undefined || saved.get(effect.register) !== frameBytes - effect.offset) return state;
      const left = new Map(saved);
      left.delete(effect.register);
      return { ...state, saved: left, framePointer: effect.register === FP ? undefined : framePointer };
    }
    case 'write':
      if (effect.register === SP) return { ...state, frameBytes: undefined };
      return effect.register === FP ? { ...state, framePointer: undefined } : state;
  }
}

function instructionAt(reader: Pick<FrameReader, 'read'>, address: bigint): number | undefined {
  const low = reader.read(address, 2);
  if (!low) return undefined;
  const half = low[0]! | (low[1]! << 8);
  if ((half & 3) !== 3) return half;
  const high = reader.read(address + 2n, 2);
  return high && (half | (high[0]! << 16) | (high[1]! << 24));
}

/** Bits `from`.. of a word, `count` of them, moved to `to`.. of an immediate. */
function field(word: number, from: number, count: number, to: number): number {
  return ((word >>> from) & ((1 << count) - 1)) << to;
}

function signed(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits);
}

/** Branches, jal and jalr; a call comes back, so it is none of them (RISC-V unprivileged specification, instruction formats). */
function flowOf(word: number): Flow | undefined {
  const rd = field(word, 7, 5, 0);
  switch (word & 0x7f) {
    case 0x63:
      return { distance: signed(field(word, 8, 4, 1) | field(word, 25, 6, 5) | field(word, 7, 1, 11) | field(word, 31, 1, 12), 13), ends: false };
    case 0x6f:
      if (rd !== 0) return undefined;
      return { distance: signed(field(word, 21, 10, 1) | field(word, 20, 1, 11) | field(word, 12, 8, 12) | field(word, 31, 1, 20), 21), ends: true };
    case 0x67:
      return rd === 0 ? { ends: true } : undefined;
    default:
      return undefined;
  }
}

/** c.j, c.beqz, c.bnez and c.jr. */
function flowOfShort(half: number): Flow | undefined {
  const row = half >> 13;
  if ((half & 3) === 1) {
    if (row === 5) {
      const low = field(half, 3, 3, 1) | field(half, 11, 1, 4) | field(half, 2, 1, 5) | field(half, 7, 1, 6);
      return { distance: signed(low | field(half, 6, 1, 7) | field(half, 9, 2, 8) | field(half, 8, 1, 10) | field(half, 12, 1, 11), 12), ends: true };
    }
    if (row < 6) return undefined;
    return { distance: signed(field(half, 3, 2, 1) | field(half, 10, 2, 3) | field(half, 2, 1, 5) | field(half, 5, 2, 6) | field(half, 12, 1, 8), 9), ends: false };
  }
  const isJump = (half & 3) === 2 && row === 4 && field(half, 2, 5, 0) === 0 && field(half, 12, 1, 0) === 0;
  return isJump ? { ends: true } : undefined;
}

function effectOf(word: number): Effect | undefined {
  const opcode = word & 0x7f;
  const row = field(word, 12, 3, 0);
  const rd = field(word, 7, 5, 0);
  const rs1 = field(word, 15, 5, 0);
  const isFrame = (register: number): boolean => register === SP || register === FP;
  if (opcode === 0x13 && row === 0 && isFrame(rd) && isFrame(rs1)) return { kind: 'add', to: rd, from: rs1, amount: word >> 20 };
  if (opcode === 0x23) return row === 3 && rs1 === SP ? { kind: 'store', register: field(word, 20, 5, 0), offset: ((word >> 25) << 5) | rd } : undefined;
  if (opcode === 0x03 && row === 3 && rs1 === SP) return { kind: 'load', register: rd, offset: word >> 20 };
  return isFrame(rd) && [0x03, 0x13, 0x17, 0x1b, 0x33, 0x37, 0x3b].includes(opcode) ? { kind: 'write', register: rd } : undefined;
}

/** c.addi, c.addi16sp, c.addi4spn, c.sdsp and c.ldsp; what else may compute sp or s0 is c.mv, c.add and c.li. */
function effectOfShort(half: number): Effect | undefined {
  const row = half >> 13;
  const rd = field(half, 7, 5, 0);
  switch (half & 3) {
    case 0:
      if (row !== 0 || field(half, 2, 3, 0) !== 0) return undefined; // not to s0
      return { kind: 'add', to: FP, from: SP, amount: field(half, 11, 2, 4) | field(half, 7, 4, 6) | field(half, 6, 1, 2) | field(half, 5, 1, 3) };
    case 1:
      if (row === 3 && rd === SP) {
        const amount = field(half, 6, 1, 4) | field(half, 5, 1, 6) | field(half, 3, 2, 7) | field(half, 2, 1, 5) | field(half, 12, 1, 9);
        return { kind: 'add', to: SP, from: SP, amount: signed(amount, 10) };
      }
      if (row === 0 && rd === SP) return { kind: 'add', to: SP, from: SP, amount: signed(field(half, 2, 5, 0) | field(half, 12, 1, 5), 6) };
      return row < 4 && rd === FP ? { kind: 'write', register: FP } : undefined;
    default:
      if (row === 7) return { kind: 'store', register: field(half, 2, 5, 0), offset: field(half, 10, 3, 3) | field(half, 7, 3, 6) };
      if (row === 3) return { kind: 'load', register: rd, offset: field(half, 12, 1, 5) | field(half, 5, 2, 3) | field(half, 2, 3, 6) };
      return row === 4 ? { kind: 'write', register: rd } : undefined;
  }
}
