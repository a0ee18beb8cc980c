import { opIsAlu, opWritesF, opWritesX } from './decode.generated';
import { OP_STUCK } from './code';
import { hartAt } from './harts';
import {
  AWAITED_IN_X, F, HARTS, SINK, STATE, STUCK_ALU, STUCK_BYTES, STUCK_F, STUCK_IN_ALU, STUCK_IN_F, STUCK_IN_X, STUCK_LIST, STUCK_WORDS, STUCK_X, flagsOf,
} from './layout';
import { hostOf, pageOf } from './mmu';
import { PAGE_IS_STUCK, leaveWriteTlbs } from './tlb';

// Bits that read as 0 or 1 however often they are written: lasting faults of a core's registers, of its integer
// arithmetic-logic unit and of memory. They belong to the machine and not to its state, which is nevertheless always
// one that has them: they are forced when they are set, after every write, and after a restore.
//
// Only code that writes such a place is concerned. Decoding gives instructions with such a result the operation
// OP_STUCK, which the interpreter leaves to the outer loop (drive.ts). A page of memory with stuck bits
// is in no TLB of writes, so each store to it goes the slow way, which forces them again.

@inline function forced(value: u64, masks: usize): u64 {
  return (value & load<u64>(masks)) | load<u64>(masks, 8);
}

function force(place: usize, masks: usize): void {
  store<u64>(place, forced(load<u64>(place), masks));
}

/** Two words of masks for each register, one word each. */
@inline function masksOf(table: usize, register: usize): usize {
  return table + (register << 1);
}

/** Makes a decoded record one that is executed with care, if what it writes has stuck bits, or may be a value that is waited for. Its operation goes above rd, where there is room. */
export function instrument(record: usize): void {
  const op: u32 = load<u8>(record);
  const rd: u32 = load<u16>(record, 2);
  if (rd == SINK) return;
  const bit: u32 = 1 << (rd >> 3);
  const x = opWritesX(op) && (((load<u32>(STUCK_IN_X) | load<u32>(AWAITED_IN_X)) & bit) != 0 || (load<u32>(STUCK_IN_ALU) != 0 && opIsAlu(op)));
  if (!x && !(opWritesF(op) && (load<u32>(STUCK_IN_F) & bit) != 0)) return;
  store<u8>(record, <u8>op, 3);
  store<u8>(record, <u8>OP_STUCK);
}

/** True for such a record where somebody waits for the register: no translation has the instruction. */
export function isLookedAt(record: usize): bool {
  const rd: u32 = load<u16>(record, 2);
  return load<u8>(record) == <u8>OP_STUCK && opWritesX(load<u8>(record, 3)) && (load<u32>(AWAITED_IN_X) & (1 << (rd >> 3))) != 0;
}

/** Gives a copy of such a record its operation back. */
export function restoreOp(record: usize): void {
  store<u8>(record, load<u8>(record, 3));
  store<u8>(record, 0, 3);
}

/** Forces what an instruction has written, or would have: an operation of the unit always does. */
export function forceResult(record: usize): void {
  const op: u32 = load<u8>(record);
  const rd: usize = load<u16>(record, 2);
  if (opWritesX(op)) {
    if (rd == SINK) return;
    if (opIsAlu(op)) force(STATE + rd, STUCK_ALU);
    force(STATE + rd, masksOf(STUCK_X, rd));
  } else if (opWritesF(op)) {
    force(STATE + F + rd, masksOf(STUCK_F, rd));
  }
}

/** Forces the registers of all harts: they take turns on the core. */
export function forceRegisters(): void {
  for (let hart: u64 = 0; hart < load<u64>(STATE + HARTS); hart++) {
    const base = hartAt(hart);
    for (let register: usize = 8; register < 256; register += 8) force(base + register, masksOf(STUCK_X, register));
    for (let register: usize = 0; register < 256; register += 8) force(base + F + register, masksOf(STUCK_F, register));
  }
}

@inline function word(index: u32): usize {
  return STUCK_LIST + <usize>index * STUCK_BYTES;
}

/** Forces the memory at [at, at + size), which has just been written. */
export function forceMemory(at: u64, size: u64): void {
  const count = load<u32>(STUCK_WORDS);
  for (let i: u32 = 0; i < count; i++) {
    const address = load<u64>(word(i));
    if (address < at + size && at < address + 8) force(hostOf(address), word(i) + 8);
  }
}

/** Marks the pages that have stuck bits, or takes their marks away. */
export function markStuckPages(stuck: bool): void {
  const count = load<u32>(STUCK_WORDS);
  for (let i: u32 = 0; i < count; i++) {
    const page = pageOf(load<u64>(word(i)));
    const flags = flagsOf(page);
    store<u8>(flags, stuck ? load<u8>(flags) | PAGE_IS_STUCK : load<u8>(flags) & ~PAGE_IS_STUCK);
    if (stuck) leaveWriteTlbs(page);
  }
}
