import { csrRead } from './csr';
import {
  OP_AMOMAXU_D, OP_CBO_ZERO, OP_CSRRC, OP_CSRRCI, OP_CSRRS, OP_CSRRSI, OP_CSRRW, OP_CSRRWI, OP_EBREAK, OP_ECALL, OP_FSD,
  OP_FSW, OP_LR_D, OP_LR_W, OP_MRET, OP_SB, OP_SC_D, OP_SC_W, OP_SD, OP_SH, OP_SRET, OP_SW,
  opWritesF, opWritesX,
} from './decode.generated';
import {
  ATOMIC_AT, EFFECTS, EXCEPTIONS, EXIT_CODE, F, FFLAGS, HOST, MCAUSE, MEPC, MSTATUS, MTVAL, OUTPUT_SEQUENCE, PC,
  PRIVILEGE, RESERVATION, RETIRED, SCAUSE, SEPC, SINK, STATE, STVAL, TIME_OFFSET,
} from './layout';
import { hostOf } from './mmu';

// A digest of what instructions do: the next pc, the register written, the
// address and value stored, exceptions of floating point raised, CSRs written,
// traps. What stood in the state before and an instruction does not touch is no
// part of it, so that a fault shows where it first gave another result and not
// where it struck. It is a prefix digest: each step mixes into what came before,
// so two runs that once differ stay different (but for a collision of 64 bits).

const EXCEPTIONS_BEFORE: usize = HOST + 0x200;
const ADDRESS: usize = HOST + 0x208;
const FLAGS_BEFORE: usize = HOST + 0x210;
const RETIRED_BEFORE: usize = HOST + 0x218;

/** Multiply, xor-shift: the finaliser of a well-mixed 64-bit hash, with odd constants of its own. */
function fold(value: u64): void {
  let hash = (load<u64>(EFFECTS) ^ value) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 29;
  hash *= 0xd6e8feb86659fd93;
  store<u64>(EFFECTS, hash ^ (hash >> 32));
}

@inline function x(r: usize, at: usize): u64 {
  return load<u64>(STATE + load<u16>(r + at));
}

@inline function isCsr(op: u32): bool {
  return op == OP_CSRRW || op == OP_CSRRS || op == OP_CSRRC || op == OP_CSRRWI || op == OP_CSRRSI || op == OP_CSRRCI;
}

@inline function isAtomic(op: u32): bool {
  return op >= OP_LR_W && op <= OP_AMOMAXU_D;
}

/** Before the instruction: its result may take the place of its address, and it adds to the flags. */
export function beginEffects(record: usize): void {
  const op: u32 = load<u8>(record);
  store<u64>(EXCEPTIONS_BEFORE, load<u64>(STATE + EXCEPTIONS));
  store<u64>(RETIRED_BEFORE, load<u64>(STATE + RETIRED));
  store<u64>(ADDRESS, isAtomic(op) ? x(record, 4) : x(record, 4) + <u64><i64>load<i32>(record, 8));
  if (isCsr(op)) return;
  // No other instruction reads the flags, so what is there afterwards is what it has raised.
  store<u32>(FLAGS_BEFORE, load<u32>(STATE + FFLAGS));
  store<u32>(STATE + FFLAGS, 0);
}

export function endEffects(record: usize): void {
  const op: u32 = load<u8>(record);
  let raised: u32 = 0;
  if (!isCsr(op)) {
    raised = load<u32>(STATE + FFLAGS);
    store<u32>(STATE + FFLAGS, load<u32>(FLAGS_BEFORE) | raised);
  }
  if (load<u64>(STATE + RETIRED) == load<u64>(RETIRED_BEFORE)) {
    // A guest that sleeps or stalls does nothing, however often it is asked.
    if (load<u64>(STATE + EXCEPTIONS) != load<u64>(EXCEPTIONS_BEFORE)) trapEffects();
    return;
  }
  const rd: usize = load<u16>(record, 2);
  const inX = opWritesX(op) && rd != SINK;
  const inF = opWritesF(op);
  // Which register it is, since an instruction may have been fetched wrong: one of x1 to x31, or of f0 to f31 behind them.
  const written: u64 = inX ? <u64>rd : inF ? <u64>(F + rd) : 0;
  fold(<u64>raised | (written << 32));
  fold(load<u64>(STATE + PC));
  if (inX) fold(load<u64>(STATE + rd));
  if (inF) fold(load<u64>(STATE + rd, F));
  if (isAtomic(op)) {
    atomicEffects(op, record);
    return;
  }
  const size = storedBytes(op);
  if (size == 0) {
    systemEffects(op, record);
    return;
  }
  fold(load<u64>(ADDRESS));
  const file: usize = op == OP_FSW || op == OP_FSD ? F : 0;
  const value = load<u64>(STATE + load<u16>(record, 6) + file);
  fold(size == 8 ? value : value & ((<u64>1 << (<u64>size << 3)) - 1));
}

/** An exception or an interrupt has been taken. */
export function trapEffects(): void {
  fold(load<u64>(STATE + PC));
  // Only the registers of the mode that took it have changed.
  const machine = load<u64>(STATE + PRIVILEGE) == 3;
  fold(load<u64>(STATE + (machine ? MCAUSE : SCAUSE)));
  fold(load<u64>(STATE + (machine ? MTVAL : STVAL)));
  fold(load<u64>(STATE + (machine ? MEPC : SEPC)));
  fold(load<u64>(STATE + MSTATUS));
}

/** Time has passed because every hart waits. */
export function timeEffects(): void {
  fold(load<u64>(STATE + TIME_OFFSET));
}

/** A device has written memory on behalf of the instruction. */
export function deviceEffects(address: u64, size: u32): void {
  fold(address);
  fold(size);
  const host = hostOf(address);
  let i: u32 = 0;
  for (; i + 8 <= size; i += 8) fold(load<u64>(host + i));
  for (; i < size; i++) fold(load<u8>(host + i));
}

/** What an atomic instruction leaves in memory, or in the reservation. */
function atomicEffects(op: u32, record: usize): void {
  const address = load<u64>(ADDRESS);
  if (op == OP_LR_W || op == OP_LR_D) {
    fold(load<u64>(STATE + RESERVATION));
    return;
  }
  // A conditional store that failed has stored nothing; its result says so, also where rd is x0.
  if ((op == OP_SC_W || op == OP_SC_D) && x(record, 2) != 0) {
    fold(1);
    return;
  }
  fold(address);
  const host = hostOf(load<u64>(ATOMIC_AT));
  fold(op < OP_LR_D ? <u64>load<u32>(host) : load<u64>(host));
}

function systemEffects(op: u32, record: usize): void {
  const field: u32 = load<u16>(record, 4);
  if (isCsr(op)) {
    const number = load<u32>(record, 8);
    // Set and clear write nothing when their operand is x0 or 0.
    if (op == OP_CSRRW || op == OP_CSRRWI || field != 0) fold(csrRead(number, true));
  } else if (op == OP_MRET || op == OP_SRET) {
    fold(load<u64>(STATE + MSTATUS));
    fold(load<u64>(STATE + PRIVILEGE));
  } else if (op == OP_CBO_ZERO) {
    fold(x(record, 4) & ~63);
  } else if (op == OP_EBREAK || op == OP_ECALL) {
    // It did not trap, so it was a call of semihosting or of the built-in firmware, which answer in a0 and a1.
    fold(load<u64>(STATE + 80));
    fold(load<u64>(STATE + 88));
    fold(load<u64>(STATE + OUTPUT_SEQUENCE));
    fold(load<u64>(STATE + EXIT_CODE));
  }
}

/** Bytes that a store other than an atomic one writes, 0 if it is none. */
export function storedBytes(op: u32): u32 {
  switch (op) {
    case OP_SB: return 1;
    case OP_SH: return 2;
    case OP_SW: case OP_FSW: return 4;
    case OP_SD: case OP_FSD: return 8;
    default: return 0;
  }
}
