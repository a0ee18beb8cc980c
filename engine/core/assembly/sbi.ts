import { MIP_SOFT, STATE, STIMECMP } from './layout';
import { storeByte } from './memory';
import { hostOf, isRam } from './mmu';
import { CONSOLE, exit, output } from './output';
import { takeByte } from './uart';

// The firmware's side of the RISC-V Supervisor Binary Interface (version 2.0),
// for a guest that brings no firmware: one hart, and every call is over within
// the instruction that makes it.

const SUCCESS: i64 = 0;
const NOT_SUPPORTED: i64 = -2;
const INVALID_PARAMETER: i64 = -3;
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
    if (!selectsHart(argument(0), argument(1))) return INVALID_PARAMETER;
    if (hasHart(argument(0), argument(1))) setPending(SSIP, true);
    return value(0);
  }
  // There is no other hart whose view could lag behind.
  if (extension == RFNC && number <= 2) return selectsHart(argument(0), argument(1)) ? value(0) : INVALID_PARAMETER;
  if (extension == HSM) return harts(number);
  if (extension == SRST && number == 0) {
    if (argument(0) > 2 || argument(1) > 1) return INVALID_PARAMETER;
    exit(argument(1) == 0 ? 0 : 1);
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

/** A mask counts from its base on; base -1 means all harts. There is hart 0 only. */
function selectsHart(mask: u64, first: u64): bool {
  return first == 0xffffffffffffffff || (first == 0 && mask <= 1);
}

function hasHart(mask: u64, first: u64): bool {
  return first == 0xffffffffffffffff || (mask & 1) != 0;
}

function harts(number: u64): i64 {
  // Start: hart 0 runs already.
  if (number == 0) return argument(0) == 0 ? ALREADY_AVAILABLE : INVALID_PARAMETER;
  // Status: started.
  if (number == 2) return argument(0) == 0 ? value(0) : INVALID_PARAMETER;
  // The only hart cannot be stopped and started again, nor suspended otherwise than by wfi.
  return NOT_SUPPORTED;
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
  else if (extension == LEGACY_SEND_IPI) setPending(SSIP, true);
  else if (extension == LEGACY_SHUTDOWN) exit(0);
  return SUCCESS;
}
