import { csrRead } from './csr';
import {
  OP_AMOMAXU_D, OP_BEQ, OP_BGE, OP_BGEU, OP_BLT, OP_BLTU, OP_BNE, OP_FSD, OP_FSW, OP_LR_W, opIsAlu, opLoads, opWritesF,
} from './decode.generated';
import { storedBytes } from './effects';
import { hartAt } from './harts';
import {
  AWAITED, AWAITED_BYTES, AWAITED_LIST, F, HARTS, PC, RETIRED, STATE, STUCK_UNITS, STUCK_UNIT_LIST, TLB_WAITING, UPSETS, UPSETS_DONE, UPSET_ADDRESS, UPSET_AT, UPSET_BYTES, UPSET_LIST, UPSET_OPERAND, UPSET_PC,
} from './layout';

// Upsets: what a unit of the core comes to in the next instruction that uses it is another value, once. While one waits,
// the outer loop makes single steps, in which the scratch record can be given other operands: so whatever follows from the
// wrong value, a fault of an address or an output of a device, is what follows from any value.
//
// Bits that are stuck in what a unit comes to are an upset of each instruction that uses it, and so are those of pc, which is what
// all instructions come to.

export const ALU: u32 = 0;
export const LOAD: u32 = 1;
export const STORE: u32 = 2;
export const STORE_ADDRESS: u32 = 3;
export const BRANCH: u32 = 4;
export const FETCH: u32 = 5;
const NEXT_PC: u32 = 6;

const ALL: u64 = 0xffffffffffffffff;

/** True where instructions are to be executed one at a time. */
@inline export function isCareful(): bool {
  return (load<u32>(UPSETS) | load<u32>(STUCK_UNITS) | load<u32>(TLB_WAITING)) != 0;
}

@inline export function waits(unit: u32): bool {
  return ((load<u32>(UPSETS) | load<u32>(STUCK_UNITS)) & (1 << unit)) != 0;
}

/** Says where the instruction stands that is about to be fetched. */
export function placeUpsets(): void {
  store<u64>(UPSET_AT, load<u64>(STATE + RETIRED));
  store<u64>(UPSET_PC, load<u64>(STATE + PC));
}

/** What becomes of a unit's value, of which there are these bits. */
export function upset(unit: u32, value: u64, bits: u64): u64 {
  let after = value & bits;
  if ((load<u32>(UPSETS) & (1 << unit)) != 0) {
    const entry = UPSET_LIST + <usize>unit * UPSET_BYTES;
    store<u64>(entry, after, 16);
    after = ((value & load<u64>(entry)) ^ load<u64>(entry, 8)) & bits;
    store<u64>(entry, after, 24);
    store<u64>(entry, bits, 32);
  }
  return stuckIn(unit, after) & bits;
}

/** With the bits that are stuck in a unit, or in pc. */
function stuckIn(unit: u32, value: u64): u64 {
  if ((load<u32>(STUCK_UNITS) & (1 << unit)) == 0) return value;
  const masks = STUCK_UNIT_LIST + (<usize>unit << 4);
  return (value & load<u64>(masks)) | load<u64>(masks, 8);
}

/** An instruction word all of which comes over lines with stuck bits. */
export function stuckWord(word: u32): u32 {
  return <u32>stuckIn(FETCH, word);
}

/** The pc that comes of one. */
export function stuckPc(pc: u64): u64 {
  return stuckIn(NEXT_PC, pc);
}

export function forcePc(): void {
  if ((load<u32>(STUCK_UNITS) & (1 << NEXT_PC)) != 0) store<u64>(STATE + PC, stuckPc(load<u64>(STATE + PC)));
}

/** Those of all harts: they take turns on the core. */
export function forcePcs(): void {
  if ((load<u32>(STUCK_UNITS) & (1 << NEXT_PC)) == 0) return;
  for (let hart: u64 = 0; hart < load<u64>(STATE + HARTS); hart++) {
    const at = hartAt(hart) + PC;
    store<u64>(at, stuckPc(load<u64>(at)));
  }
}

/** The upset that waits at a unit has struck; bits that are stuck go on. */
export function strike(unit: u32): void {
  store<u32>(UPSETS_DONE, load<u32>(UPSETS_DONE) | (load<u32>(UPSETS) & (1 << unit)));
}

/** Gives a scratch record wrong operands: those of a store, or of a branch. */
export function beginUpsets(record: usize): void {
  const op: u32 = load<u8>(record);
  const bytes = storedBytes(op);
  if (bytes != 0 && waits(STORE)) {
    const file: usize = op == OP_FSW || op == OP_FSD ? F : 0;
    const bits: u64 = bytes == 8 ? ALL : ((<u64>1 << (bytes << 3)) - 1);
    store<u64>(UPSET_OPERAND, upset(STORE, load<u64>(STATE + load<u16>(record, 6) + file), bits));
    store<u16>(record, <u16>(UPSET_OPERAND - STATE - file), 6);
  }
  if (bytes != 0 && waits(STORE_ADDRESS)) {
    const offset = <u64><i64>load<i32>(record, 8);
    store<u64>(UPSET_ADDRESS, upset(STORE_ADDRESS, load<u64>(STATE + load<u16>(record, 4)) + offset, ALL) - offset);
    store<u16>(record, <u16>(UPSET_ADDRESS - STATE), 4);
  }
  if (isBranch(op) && waits(BRANCH)) {
    const taken = upset(BRANCH, u64(isTaken(op, load<i64>(STATE + load<u16>(record, 4)), load<i64>(STATE + load<u16>(record, 6)))), 1);
    // It compares x0 with itself.
    store<u8>(record, <u8>(taken != 0 ? OP_BEQ : OP_BNE));
    store<u32>(record, 0, 4);
  }
}

/** After the scratch record has been executed: `retired`, or has trapped. */
export function endUpsets(record: usize, retired: bool, illegal: bool): void {
  const op: u32 = load<u8>(record);
  // An address is wrong before anybody looks whether it can be stored to.
  if (storedBytes(op) != 0 && waits(STORE_ADDRESS) && !illegal) strike(STORE_ADDRESS);
  if (!retired) return;
  if (storedBytes(op) != 0 && waits(STORE)) strike(STORE);
  if (isBranch(op) && waits(BRANCH)) strike(BRANCH);
  const rd = STATE + load<u16>(record, 2) + (opWritesF(op) ? F : 0);
  if (opIsAlu(op) && waits(ALU)) upsetResult(ALU, rd);
  if (isLoad(op) && waits(LOAD)) upsetResult(LOAD, rd);
}

/** What has struck waits no more. */
export function forgetUpsets(): void {
  store<u32>(UPSETS, load<u32>(UPSETS) & ~load<u32>(UPSETS_DONE));
}

function upsetResult(unit: u32, place: usize): void {
  store<u64>(place, upset(unit, load<u64>(place), ALL));
  strike(unit);
}

function isBranch(op: u32): bool {
  return op == OP_BEQ || op == OP_BNE || op == OP_BLT || op == OP_BGE || op == OP_BLTU || op == OP_BGEU;
}

/** Atomic instructions, which load and store at once, are neither loads nor stores here. */
function isLoad(op: u32): bool {
  return opLoads(op) && (op < OP_LR_W || op > OP_AMOMAXU_D);
}

function isTaken(op: u32, a: i64, b: i64): bool {
  switch (op) {
    case OP_BEQ: return a == b;
    case OP_BNE: return a != b;
    case OP_BLT: return a < b;
    case OP_BGE: return a >= b;
    case OP_BLTU: return <u64>a < <u64>b;
    default: return <u64>a >= <u64>b;
  }
}

/** True if a register has a value that is waited for: a field of the hart's state, or a CSR. */
export function isAwaited(): bool {
  const count = load<u32>(AWAITED);
  for (let i: u32 = 0; i < count; i++) {
    const entry = AWAITED_LIST + <usize>i * AWAITED_BYTES;
    const place = load<u32>(entry, 8);
    const value = load<u32>(entry, 12) != 0 ? csrRead(place, true) : load<u64>(STATE + <usize>place);
    if (value == load<u64>(entry)) return true;
  }
  return false;
}
