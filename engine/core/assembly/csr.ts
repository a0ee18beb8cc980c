import { countClockRead, cycleCounter, mtime, timerPending } from './clock';
import { floatDirty, floatOff } from './float';
import {
  CYCLE_OFFSET, FFLAGS, FRM, INSTRET_OFFSET, MCAUSE, MCOUNTEREN, MENVCFG, MEPC, MIE, MSCRATCH, MSIP, MSTATUS, MTVAL,
  MTVEC, PRIVILEGE, RETIRED, STATE,
} from './layout';

// Control and status registers: The RISC-V Instruction Set Manual, volume II,
// chapters 2 and 3. There are machine and user mode; PMP has no entries.

export const MSTATUS_MIE: u64 = 1 << 3;
export const MSTATUS_MPIE: u64 = 1 << 7;
export const MSTATUS_MPP: u64 = 3 << 11;
const MSTATUS_MPRV: u64 = 1 << 17;
const MSTATUS_TW: u64 = 1 << 21;
const MSTATUS_FS: u64 = 3 << 13;
const MSTATUS_UXL: u64 = <u64>2 << 32;
const MSTATUS_SD: u64 = <u64>1 << 63;
const MSTATUS_WRITABLE: u64 = MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_TW | MSTATUS_FS;

export const MIP_MSIP: u64 = 1 << 3;
export const MIP_MTIP: u64 = 1 << 7;
const MIE_WRITABLE: u64 = (1 << 3) | (1 << 7) | (1 << 11);

/** RV64 with A, C, D, F, I, M and U. */
const MISA: u64 = (<u64>2 << 62) | 1 | (1 << 2) | (1 << 3) | (1 << 5) | (1 << 8) | (1 << 12) | (1 << 20);

/** Interrupts that are pending now, enabled or not. */
export function pendingInterrupts(): u64 {
  let pending: u64 = load<u64>(STATE + MSIP) != 0 ? MIP_MSIP : 0;
  if (timerPending()) pending |= MIP_MTIP;
  return pending;
}

/** True if this CSR exists and the current privilege may read it. */
export function csrReadable(number: u32): bool {
  if (<u64>((number >> 8) & 3) > load<u64>(STATE + PRIVILEGE)) return false;
  if (number >= 0x001 && number <= 0x003) return !floatOff();
  if (number >= 0xc00 && number <= 0xc1f) {
    return load<u64>(STATE + PRIVILEGE) == 3 || ((load<u64>(STATE + MCOUNTEREN) >> (number & 31)) & 1) != 0;
  }
  return csrExists(number);
}

export function csrExists(number: u32): bool {
  switch (number) {
    case 0x001: case 0x002: case 0x003:
    case 0x300: case 0x301: case 0x304: case 0x305: case 0x306: case 0x30a:
    case 0x320:
    case 0x340: case 0x341: case 0x342: case 0x343: case 0x344:
    case 0xf11: case 0xf12: case 0xf13: case 0xf14: case 0xf15:
      return true;
    default: break;
  }
  // Event selectors, counters, and PMP's configuration and address registers.
  return (
    (number >= 0x323 && number <= 0x33f) ||
    (number >= 0xb00 && number <= 0xb1f && number != 0xb01) ||
    (number >= 0xc00 && number <= 0xc1f) ||
    (number >= 0x3a0 && number <= 0x3ef && (number >= 0x3b0 || (number & 1) == 0))
  );
}

/** RETIRED and CYCLES must be in memory. `peek`: the host looks, nobody's clock read is counted. */
export function csrRead(number: u32, peek: bool): u64 {
  switch (number) {
    case 0x001: return load<u32>(STATE + FFLAGS);
    case 0x002: return load<u32>(STATE + FRM);
    case 0x003: return load<u32>(STATE + FFLAGS) | (load<u32>(STATE + FRM) << 5);
    case 0x300: return readMstatus();
    case 0x301: return MISA;
    case 0x304: return load<u64>(STATE + MIE);
    case 0x305: return load<u64>(STATE + MTVEC);
    case 0x306: return load<u64>(STATE + MCOUNTEREN);
    case 0x30a: return load<u64>(STATE + MENVCFG);
    case 0x340: return load<u64>(STATE + MSCRATCH);
    case 0x341: return load<u64>(STATE + MEPC);
    case 0x342: return load<u64>(STATE + MCAUSE);
    case 0x343: return load<u64>(STATE + MTVAL);
    case 0x344: return pendingInterrupts();
    case 0xb00: case 0xc00: {
      if (!peek) countClockRead();
      return cycleCounter();
    }
    case 0xc01: {
      if (!peek) countClockRead();
      return mtime();
    }
    case 0xb02: case 0xc02: return load<u64>(STATE + RETIRED) + load<u64>(STATE + INSTRET_OFFSET);
    // Identification registers, counters that count nothing, PMP without entries.
    default: return 0;
  }
}

function readMstatus(): u64 {
  const value = load<u64>(STATE + MSTATUS) | MSTATUS_UXL;
  return (value & MSTATUS_FS) == MSTATUS_FS ? value | MSTATUS_SD : value;
}

/** Writes what the register lets be written. */
export function csrWrite(number: u32, value: u64): void {
  switch (number) {
    case 0x001: store<u32>(STATE + FFLAGS, <u32>value & 31); floatDirty(); break;
    case 0x002: store<u32>(STATE + FRM, <u32>value & 7); floatDirty(); break;
    case 0x003: {
      store<u32>(STATE + FFLAGS, <u32>value & 31);
      store<u32>(STATE + FRM, (<u32>value >> 5) & 7);
      floatDirty();
      break;
    }
    case 0x300: writeMstatus(value); break;
    case 0x304: store<u64>(STATE + MIE, value & MIE_WRITABLE); break;
    // Modes 2 and 3 are reserved: the mode stays.
    case 0x305: {
      const mode = (value & 2) != 0 ? load<u64>(STATE + MTVEC) & 1 : value & 1;
      store<u64>(STATE + MTVEC, (value & ~3) | mode);
      break;
    }
    case 0x306: store<u64>(STATE + MCOUNTEREN, value & 0xffffffff); break;
    // FIOM, and cache-block operations in user mode.
    case 0x30a: store<u64>(STATE + MENVCFG, value & 0xf1); break;
    case 0x340: store<u64>(STATE + MSCRATCH, value); break;
    case 0x341: store<u64>(STATE + MEPC, value & ~1); break;
    case 0x342: store<u64>(STATE + MCAUSE, value); break;
    case 0x343: store<u64>(STATE + MTVAL, value); break;
    // A write to a counter takes effect after the writing instruction has retired.
    case 0xb00: store<u64>(STATE + CYCLE_OFFSET, value - (cycleCounter() - load<u64>(STATE + CYCLE_OFFSET)) - 1); break;
    case 0xb02: store<u64>(STATE + INSTRET_OFFSET, value - load<u64>(STATE + RETIRED) - 1); break;
    default: break;
  }
}

function writeMstatus(value: u64): void {
  let next = value & MSTATUS_WRITABLE;
  const mpp = (next & MSTATUS_MPP) >> 11;
  // Supervisor mode is not there, and 2 is reserved: MPP stays.
  if (mpp != 0 && mpp != 3) next = (next & ~MSTATUS_MPP) | (load<u64>(STATE + MSTATUS) & MSTATUS_MPP);
  store<u64>(STATE + MSTATUS, next);
}

/** Where the raw bits of a stored register stand, or 0: for faults, which know no WARL rules. */
export function csrAddress(number: u32): usize {
  switch (number) {
    case 0x001: return STATE + FFLAGS;
    case 0x002: return STATE + FRM;
    case 0x300: return STATE + MSTATUS;
    case 0x304: return STATE + MIE;
    case 0x305: return STATE + MTVEC;
    case 0x306: return STATE + MCOUNTEREN;
    case 0x30a: return STATE + MENVCFG;
    case 0x340: return STATE + MSCRATCH;
    case 0x341: return STATE + MEPC;
    case 0x342: return STATE + MCAUSE;
    case 0x343: return STATE + MTVAL;
    default: return 0;
  }
}
