import { MSTATUS_SIE } from './csr';
import { RUNNING, STOPPED, SUSPENDED, hartAt } from './harts';
import { CAUSE, CURRENT, HARTS, MIP_SOFT, MSTATUS, PC, PRIVILEGE, SATP, STATE, STATUS, STIMECMP, TLB_WRONG } from './layout';
import { NONE, slowLoad, storeByte } from './memory';
import { hostOf, isRam } from './mmu';
import { CONSOLE, exit, output, reboot } from './output';
import { flushOwnTranslations, forgetTranslationsOf } from './tlb';
import { ANY_ASID, leaveWithFence } from './tlb-faults';
import { takeByte } from './uart';

// The firmware's side of the RISC-V Supervisor Binary Interface (version 2.0),
// for a guest that brings no firmware. Every call is over within the
// instruction that makes it, but for those that stop or suspend the hart.

const SUCCESS: i64 = 0;
const NOT_SUPPORTED: i64 = -2;
const INVALID_PARAMETER: i64 = -3;
const INVALID_ADDRESS: i64 = -5;
const ALREADY_AVAILABLE: i64 = -6;

const LEGACY_SET_TIMER: u64 = 0;
const LEGACY_PUTCHAR: u64 = 1;
const LEGACY_GETCHAR: u64 = 2;
const LEGACY_CLEAR_IPI: u64 = 3;
const LEGACY_SEND_IPI: u64 = 4;
const LEGACY_SHUTDOWN: u64 = 8;
const BASE: u64 = 0x10;
const DBCN: u64 = 0x4442434e;
const HSM: u64 = 0x48534d;
const IPI: u64 = 0x735049;
const RFNC: u64 = 0x52464e43;
const SRST: u64 = 0x53525354;
const TIME: u64 = 0x54494d45;

const VERSION: i64 = 0x02000000;
/** No number of an implementation that the specification lists. */
const IMPLEMENTATION: i64 = 0x434f56;

const SSIP: u64 = 1 << 1;
/** The type of a system reset that is none; the others are the cold and the warm reboot. */
const SHUTDOWN: u64 = 0;
/** Bytes that one console call writes at most; the caller writes the rest with the next. */
const MOST_BYTES: u64 = 240;

@inline function argument(index: usize): u64 {
  return load<u64>(STATE + 80 + (index << 3));
}

/** Answers the call in a7 and a6; a0 is the error and a1 the value. */
export function callFirmware(): void {
  const extension = argument(7);
  if (extension <= LEGACY_SHUTDOWN) {
    store<i64>(STATE + 80, legacy(extension));
    return;
  }
  store<i64>(STATE + 80, answer(extension, argument(6)));
}

@inline function value(result: i64): i64 {
  store<i64>(STATE + 88, result);
  return SUCCESS;
}

function answer(extension: u64, number: u64): i64 {
  if (extension == BASE) return base(number);
  if (extension == TIME && number == 0) {
    setTimer(argument(0));
    return value(0);
  }
  if (extension == IPI && number == 0) {
    if (!areHarts(argument(0), argument(1))) return INVALID_PARAMETER;
    interrupt(argument(0), argument(1));
    return value(0);
  }
  if (extension == RFNC && number <= 2) {
    if (!areHarts(argument(0), argument(1))) return INVALID_PARAMETER;
    // No hart's view lags behind, neither of code nor of page tables (code.ts, tlb.ts), but for what faults have put into a TLB.
    if (number > 0 && load<u32>(TLB_WRONG) != 0) fence(argument(0), argument(1), number == 2 ? argument(4) & 0xffff : ANY_ASID);
    return value(0);
  }
  if (extension == HSM) return hartState(number);
  if (extension == SRST && number == 0) {
    if (argument(0) > 2 || argument(1) > 1) return INVALID_PARAMETER;
    // A reason other than none is a failure of the system.
    if (argument(0) == SHUTDOWN) exit(argument(1) == 0 ? 0 : 1);
    else reboot();
    return value(0);
  }
  return extension == DBCN ? debugConsole(number) : NOT_SUPPORTED;
}

function isKnown(extension: u64): bool {
  return (
    extension <= LEGACY_SHUTDOWN || extension == BASE || extension == TIME || extension == IPI || extension == RFNC ||
    extension == HSM || extension == SRST || extension == DBCN
  );
}

function base(number: u64): i64 {
  if (number == 0) return value(VERSION);
  if (number == 1) return value(IMPLEMENTATION);
  if (number == 2) return value(1);
  if (number == 3) return value(isKnown(argument(0)) ? 1 : 0);
  // mvendorid, marchid and mimpid are 0.
  return number <= 6 ? value(0) : NOT_SUPPORTED;
}

const ALL: u64 = 0xffffffffffffffff;

/** A mask counts from its base on; base -1 means all harts. */
function areHarts(mask: u64, first: u64): bool {
  if (first == ALL) return true;
  const harts = load<u64>(STATE + HARTS);
  return first < harts && mask >> (harts - first) == 0;
}

/** Fences off a call's addresses, a2 and a size in a3, on the harts of a mask: all addresses, if the size is 0 or -1. */
function fence(mask: u64, first: u64, asid: u64): void {
  const size = argument(3);
  const all = size == 0 || size == ALL;
  const start = all ? 0 : argument(2);
  const end = all || start + size - 1 < start ? ALL : start + size - 1;
  for (let hart: u64 = 0; hart < load<u64>(STATE + HARTS); hart++) {
    if (first == ALL || (hart >= first && ((mask >> (hart - first)) & 1) != 0)) leaveWithFence(hart, start, end, asid);
  }
}

/** Sends a software interrupt to the harts of a mask. */
function interrupt(mask: u64, first: u64): void {
  const harts = load<u64>(STATE + HARTS);
  for (let hart: u64 = 0; hart < harts; hart++) {
    if (first != ALL && (hart < first || ((mask >> (hart - first)) & 1) == 0)) continue;
    const pending = hartAt(hart) + MIP_SOFT;
    store<u64>(pending, load<u64>(pending) | SSIP);
  }
}

/** Retentive, and at an address of its own: the two kinds of suspension that every platform has. */
const RETENTIVE: u64 = 0;
const NON_RETENTIVE: u64 = 0x80000000;

/** The hart state management extension. */
function hartState(number: u64): i64 {
  const hart = argument(0);
  if (number == 0) {
    if (hart >= load<u64>(STATE + HARTS)) return INVALID_PARAMETER;
    const base = hartAt(hart);
    if (load<u64>(base + STATUS) != STOPPED) return ALREADY_AVAILABLE;
    if (!isRam(argument(1), 2)) return INVALID_ADDRESS;
    enterSupervisor(base, argument(1), argument(2));
    forgetTranslationsOf(<usize>hart);
    store<u64>(base + 80, hart);
    store<u64>(base + STATUS, RUNNING);
    return value(0);
  }
  if (number == 1) {
    store<u64>(STATE + STATUS, STOPPED);
    return value(0);
  }
  if (number == 2) {
    if (hart >= load<u64>(STATE + HARTS)) return INVALID_PARAMETER;
    const status = load<u64>(hartAt(hart) + STATUS);
    // A wfi and a stall are nothing that the firmware knows of.
    return value(status == STOPPED || status == SUSPENDED ? <i64>status : 0);
  }
  return number == 3 ? suspend(argument(0), argument(1), argument(2)) : NOT_SUPPORTED;
}

function suspend(kind: u64, resumeAt: u64, opaque: u64): i64 {
  if (kind == RETENTIVE) {
    store<u64>(STATE + STATUS, SUSPENDED);
    return value(0);
  }
  if (kind != NON_RETENTIVE) return INVALID_PARAMETER;
  if (!isRam(resumeAt, 2)) return INVALID_ADDRESS;
  enterSupervisor(STATE, resumeAt, opaque);
  flushOwnTranslations();
  store<u64>(STATE + STATUS, SUSPENDED);
  // There is no return from the call: at the resume address a0 is the hart's number.
  return <i64>load<u64>(STATE + CURRENT);
}

/** The registers of a hart, whose state is at `base`, that start and non-retentive suspension define, but for a0. */
function enterSupervisor(base: usize, pc: u64, opaque: u64): void {
  store<u64>(base + PC, pc & ~1);
  store<u64>(base + PRIVILEGE, 1);
  store<u64>(base + SATP, 0);
  store<u64>(base + MSTATUS, load<u64>(base + MSTATUS) & ~MSTATUS_SIE);
  store<u64>(base + 88, opaque);
}

function setPending(bit: u64, pending: bool): void {
  const old = load<u64>(STATE + MIP_SOFT);
  store<u64>(STATE + MIP_SOFT, pending ? old | bit : old & ~bit);
}

/** The firmware gives its guest Sstc, so the timer is the guest's own comparator. */
function setTimer(due: u64): void {
  store<u64>(STATE + STIMECMP, due);
}

function debugConsole(number: u64): i64 {
  if (number == 2) {
    output(CONSOLE, <u32>argument(0) & 0xff);
    return value(0);
  }
  if (number > 2) return NOT_SUPPORTED;
  const bytes = min(argument(0), MOST_BYTES);
  const at = argument(1);
  if (argument(2) != 0 || !isRam(at, bytes)) return INVALID_PARAMETER;
  if (number == 1) return readConsole(at, bytes);
  for (let i: u64 = 0; i < bytes; i++) output(CONSOLE, load<u8>(hostOf(at + i)));
  return value(<i64>bytes);
}

/** What has been typed and nobody has read from the UART. */
function readConsole(at: u64, bytes: u64): i64 {
  let count: u64 = 0;
  while (count < bytes) {
    const byte = takeByte();
    if (byte < 0) break;
    storeByte(at + count, <u8>byte);
    count++;
  }
  return value(<i64>count);
}

function legacy(extension: u64): i64 {
  if (extension == LEGACY_SET_TIMER) setTimer(argument(0));
  else if (extension == LEGACY_PUTCHAR) output(CONSOLE, <u32>argument(0) & 0xff);
  else if (extension == LEGACY_GETCHAR) return takeByte();
  else if (extension == LEGACY_CLEAR_IPI) setPending(SSIP, false);
  else if (extension == LEGACY_SEND_IPI) legacyInterrupt(argument(0));
  else if (extension == LEGACY_SHUTDOWN) exit(0);
  return SUCCESS;
}

/** The mask stands at an address of the caller's; without one, all harts are meant. */
function legacyInterrupt(maskAt: u64): void {
  const mask = maskAt == 0 ? ALL : slowLoad(maskAt, 8);
  if (load<u64>(CAUSE) != NONE) store<u64>(CAUSE, NONE);
  else interrupt(mask, 0);
}
