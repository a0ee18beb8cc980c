import { countClockRead, cycleCounter, hasStimecmp, mtime, timersDue, timersPending } from './clock';
import { floatDirty, floatOff } from './float';
import {
  CURRENT, CYCLE_OFFSET, FFLAGS, FRM, INSTRET_OFFSET, MCAUSE, MCOUNTEREN, MEDELEG, MENVCFG, MEPC, MIDELEG, MIE, MIP_SOFT,
  MSCRATCH, MSIP, MSTATUS, MTVAL, MTVEC, PMPADDR, PMPCFG, PRIVILEGE, RETIRED, SATP, SCAUSE, SCOUNTEREN, SENVCFG, SEPC,
  SSCRATCH, STATE, STIMECMP, STUCK_READS, STVAL, STVEC, TLB_WRONG,
} from './layout';
import { hartAt } from './harts';
import { externalPending, externalRaised } from './plic';
import { writePmpAddress, writePmpConfiguration } from './pmp';
import { stuckRead } from './stuck-csrs';
import { flushAll, flushOwnTranslations } from './tlb';
import { leaveWithSatp } from './tlb-faults';

// Control and status registers: The RISC-V Instruction Set Manual, volume II,
// chapters 2 to 4, with Sstc. 16 PMP regions; ASIDs of 16 bits, as `virt` has them.

export const MSTATUS_SIE: u64 = 1 << 1;
export const MSTATUS_MIE: u64 = 1 << 3;
export const MSTATUS_SPIE: u64 = 1 << 5;
export const MSTATUS_MPIE: u64 = 1 << 7;
export const MSTATUS_SPP: u64 = 1 << 8;
export const MSTATUS_MPP: u64 = 3 << 11;
export const MSTATUS_MPRV: u64 = 1 << 17;
const MSTATUS_SUM: u64 = 1 << 18;
const MSTATUS_MXR: u64 = 1 << 19;
export const MSTATUS_TVM: u64 = 1 << 20;
export const MSTATUS_TW: u64 = 1 << 21;
export const MSTATUS_TSR: u64 = 1 << 22;
const MSTATUS_FS: u64 = 3 << 13;
/** UXL and SXL: 64 bits. */
const MSTATUS_WIDTHS: u64 = <u64>10 << 32;
const MSTATUS_SD: u64 = <u64>1 << 63;
const SSTATUS_WRITABLE: u64 = MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR;
const SSTATUS_READABLE: u64 = SSTATUS_WRITABLE | MSTATUS_SD | (<u64>2 << 32);
const MSTATUS_WRITABLE: u64 =
  SSTATUS_WRITABLE | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR;

const SSIP: u64 = 1 << 1;
const STIP: u64 = 1 << 5;
const SEIP: u64 = 1 << 9;
const MIP_MSIP: u64 = 1 << 3;
/** The supervisor's interrupts: what may be delegated. */
const SUPERVISOR: u64 = SSIP | STIP | SEIP;
const MIE_WRITABLE: u64 = 0xaaa;
/** All exceptions that may be delegated: not a call from machine mode, and not the numbers that are reserved. */
const MEDELEG_WRITABLE: u64 = 0xb3ff;
/** FIOM and the cache-block operations; and STCE and ADUE for machine mode. */
const SENVCFG_WRITABLE: u64 = 0xf1;
const MENVCFG_WRITABLE: u64 = SENVCFG_WRITABLE | ((<u64>5) << 61);
/** Page number and ASID. What the TLBs hold is never visible, so an ASID has no effect but to be kept. */
const SATP_WRITABLE: u64 = (<u64>1 << 60) - 1;

/** RV64 with A, C, D, F, I, M, S and U. */
const MISA: u64 = (<u64>2 << 62) | 1 | (1 << 2) | (1 << 3) | (1 << 5) | (1 << 8) | (1 << 12) | (1 << 18) | (1 << 20);

/** The current hart's interrupts that are pending now, enabled or not. */
export function pendingHere(): u64 {
  const hart = load<u64>(STATE + CURRENT);
  return softPending(STATE) | timersPending() | externalPending(<usize>hart);
}

/** What wakes a hart that sleeps, likewise. */
export function wakingInterrupts(hart: u64): u64 {
  const base = hartAt(hart);
  return softPending(base) | timersDue(base) | externalRaised(<usize>hart);
}

/** What software has raised of the hart at `base`. */
function softPending(base: usize): u64 {
  const pending = load<u64>(base + MIP_SOFT);
  return load<u64>(base + MSIP) != 0 ? pending | MIP_MSIP : pending;
}

/** True if this CSR exists and the current privilege may read it. */
export function csrReadable(number: u32): bool {
  if (<u64>((number >> 8) & 3) > load<u64>(STATE + PRIVILEGE)) return false;
  if (number >= 0x001 && number <= 0x003) return !floatOff();
  const privilege = load<u64>(STATE + PRIVILEGE);
  if (number >= 0xc00 && number <= 0xc1f && privilege != 3) {
    const machine = load<u64>(STATE + MCOUNTEREN);
    const allowed = privilege == 1 ? machine : machine & load<u64>(STATE + SCOUNTEREN);
    return ((allowed >> (number & 31)) & 1) != 0;
  }
  if (number == 0x180 && privilege == 1) return (load<u64>(STATE + MSTATUS) & MSTATUS_TVM) == 0;
  // stimecmp needs what reading the time needs.
  if (number == 0x14d && privilege == 1) return hasStimecmp(STATE) && (load<u64>(STATE + MCOUNTEREN) & 2) != 0;
  return csrExists(number);
}

export function csrExists(number: u32): bool {
  switch (number) {
    case 0x001: case 0x002: case 0x003:
    case 0x100: case 0x104: case 0x105: case 0x106: case 0x10a:
    case 0x140: case 0x141: case 0x142: case 0x143: case 0x144: case 0x14d: case 0x180:
    case 0x300: case 0x301: case 0x302: case 0x303: case 0x304: case 0x305: case 0x306: case 0x30a:
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
  const value = valueOf(number, peek);
  return load<u32>(STUCK_READS) == 0 ? value : stuckRead(number, value);
}

function valueOf(number: u32, peek: bool): u64 {
  switch (number) {
    case 0x001: return load<u32>(STATE + FFLAGS);
    case 0x002: return load<u32>(STATE + FRM);
    case 0x003: return load<u32>(STATE + FFLAGS) | (load<u32>(STATE + FRM) << 5);
    case 0x100: return readMstatus() & SSTATUS_READABLE;
    case 0x104: return load<u64>(STATE + MIE) & load<u64>(STATE + MIDELEG);
    case 0x105: return load<u64>(STATE + STVEC);
    case 0x106: return load<u64>(STATE + SCOUNTEREN);
    case 0x10a: return load<u64>(STATE + SENVCFG);
    case 0x140: return load<u64>(STATE + SSCRATCH);
    case 0x141: return load<u64>(STATE + SEPC);
    case 0x142: return load<u64>(STATE + SCAUSE);
    case 0x143: return load<u64>(STATE + STVAL);
    case 0x144: return pendingHere() & load<u64>(STATE + MIDELEG);
    case 0x14d: return load<u64>(STATE + STIMECMP);
    case 0x180: return load<u64>(STATE + SATP);
    case 0x300: return readMstatus();
    case 0x301: return MISA;
    case 0x302: return load<u64>(STATE + MEDELEG);
    case 0x303: return load<u64>(STATE + MIDELEG);
    case 0x304: return load<u64>(STATE + MIE);
    case 0x305: return load<u64>(STATE + MTVEC);
    case 0x306: return load<u64>(STATE + MCOUNTEREN);
    case 0x30a: return load<u64>(STATE + MENVCFG);
    case 0x340: return load<u64>(STATE + MSCRATCH);
    case 0x341: return load<u64>(STATE + MEPC);
    case 0x342: return load<u64>(STATE + MCAUSE);
    case 0x343: return load<u64>(STATE + MTVAL);
    case 0x344: return pendingHere();
    case 0xb00: case 0xc00: {
      if (!peek) countClockRead();
      return cycleCounter();
    }
    case 0xc01: {
      if (!peek) countClockRead();
      return mtime();
    }
    case 0xb02: case 0xc02: return load<u64>(STATE + RETIRED) + load<u64>(STATE + INSTRET_OFFSET);
    case 0xf14: return load<u64>(STATE + CURRENT);
    case 0x3a0: return load<u64>(STATE + PMPCFG);
    case 0x3a2: return load<u64>(STATE + PMPCFG, 8);
    default: break;
  }
  if (number >= 0x3b0 && number <= 0x3bf) return load<u64>(STATE + PMPADDR + (<usize>(number - 0x3b0) << 3));
  // Identification registers, counters that count nothing, PMP regions that are not there.
  return 0;
}

function readMstatus(): u64 {
  const value = load<u64>(STATE + MSTATUS) | MSTATUS_WIDTHS;
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
    case 0x100: {
      const old = load<u64>(STATE + MSTATUS);
      writeMstatus((old & ~SSTATUS_WRITABLE) | (value & SSTATUS_WRITABLE));
      break;
    }
    case 0x104: {
      const delegated = load<u64>(STATE + MIDELEG);
      store<u64>(STATE + MIE, (load<u64>(STATE + MIE) & ~delegated) | (value & delegated));
      break;
    }
    case 0x105: store<u64>(STATE + STVEC, vector(load<u64>(STATE + STVEC), value)); break;
    case 0x106: store<u64>(STATE + SCOUNTEREN, value & 0xffffffff); break;
    case 0x10a: store<u64>(STATE + SENVCFG, value & SENVCFG_WRITABLE); break;
    case 0x140: store<u64>(STATE + SSCRATCH, value); break;
    case 0x141: store<u64>(STATE + SEPC, value & ~1); break;
    case 0x142: store<u64>(STATE + SCAUSE, value); break;
    case 0x143: store<u64>(STATE + STVAL, value); break;
    case 0x144: {
      const writable = SSIP & load<u64>(STATE + MIDELEG);
      store<u64>(STATE + MIP_SOFT, (load<u64>(STATE + MIP_SOFT) & ~writable) | (value & writable));
      break;
    }
    case 0x14d: store<u64>(STATE + STIMECMP, value); break;
    case 0x180: writeSatp(value); break;
    case 0x300: writeMstatus(value); break;
    case 0x302: store<u64>(STATE + MEDELEG, value & MEDELEG_WRITABLE); break;
    case 0x303: store<u64>(STATE + MIDELEG, value & SUPERVISOR); break;
    case 0x304: store<u64>(STATE + MIE, value & MIE_WRITABLE); break;
    case 0x305: store<u64>(STATE + MTVEC, vector(load<u64>(STATE + MTVEC), value)); break;
    case 0x306: store<u64>(STATE + MCOUNTEREN, value & 0xffffffff); break;
    case 0x30a: {
      store<u64>(STATE + MENVCFG, value & MENVCFG_WRITABLE);
      // STIP belongs to stimecmp then.
      if (hasStimecmp(STATE)) store<u64>(STATE + MIP_SOFT, load<u64>(STATE + MIP_SOFT) & ~STIP);
      break;
    }
    case 0x340: store<u64>(STATE + MSCRATCH, value); break;
    case 0x341: store<u64>(STATE + MEPC, value & ~1); break;
    case 0x342: store<u64>(STATE + MCAUSE, value); break;
    case 0x343: store<u64>(STATE + MTVAL, value); break;
    case 0x344: store<u64>(STATE + MIP_SOFT, value & (hasStimecmp(STATE) ? SSIP | SEIP : SUPERVISOR)); break;
    case 0x3a0: case 0x3a2: {
      writePmpConfiguration(number == 0x3a0 ? 0 : 1, value);
      flushAll();
      break;
    }
    // A write to a counter takes effect after the writing instruction has retired.
    case 0xb00: store<u64>(STATE + CYCLE_OFFSET, value - (cycleCounter() - load<u64>(STATE + CYCLE_OFFSET)) - 1); break;
    case 0xb02: store<u64>(STATE + INSTRET_OFFSET, value - load<u64>(STATE + RETIRED) - 1); break;
    default: {
      if (number >= 0x3b0 && number <= 0x3bf) {
        writePmpAddress(number - 0x3b0, value);
        flushAll();
      }
      break;
    }
  }
}

/** Modes 2 and 3 of a trap vector are reserved: the mode stays. */
function vector(old: u64, value: u64): u64 {
  return (value & ~3) | ((value & 2) != 0 ? old & 1 : value & 1);
}

function writeMstatus(value: u64): void {
  const old = load<u64>(STATE + MSTATUS);
  let next = value & MSTATUS_WRITABLE;
  // 2 is no privilege: MPP stays.
  if ((next & MSTATUS_MPP) >> 11 == 2) next = (next & ~MSTATUS_MPP) | (old & MSTATUS_MPP);
  store<u64>(STATE + MSTATUS, next);
  if (((next ^ old) & MSTATUS_MXR) != 0) flushOwnTranslations();
}

/** A mode that is not there leaves satp as it is. Bare, Sv39 and Sv48 are. */
function writeSatp(value: u64): void {
  const mode = value >> 60;
  if (mode != 0 && mode != 8 && mode != 9) return;
  const next = (value & SATP_WRITABLE) | (mode << 60);
  if (next == load<u64>(STATE + SATP)) return;
  store<u64>(STATE + SATP, next);
  if (load<u32>(TLB_WRONG) != 0) leaveWithSatp();
  flushOwnTranslations();
}

/** Where the raw bits of a stored register stand, or 0: for faults, which know no WARL rules. */
export function csrAddress(number: u32): usize {
  switch (number) {
    case 0x001: return STATE + FFLAGS;
    case 0x002: return STATE + FRM;
    case 0x105: return STATE + STVEC;
    case 0x106: return STATE + SCOUNTEREN;
    case 0x10a: return STATE + SENVCFG;
    case 0x140: return STATE + SSCRATCH;
    case 0x141: return STATE + SEPC;
    case 0x142: return STATE + SCAUSE;
    case 0x143: return STATE + STVAL;
    case 0x14d: return STATE + STIMECMP;
    case 0x180: return STATE + SATP;
    case 0x300: return STATE + MSTATUS;
    case 0x302: return STATE + MEDELEG;
    case 0x303: return STATE + MIDELEG;
    case 0x304: return STATE + MIE;
    case 0x305: return STATE + MTVEC;
    case 0x306: return STATE + MCOUNTEREN;
    case 0x30a: return STATE + MENVCFG;
    case 0x340: return STATE + MSCRATCH;
    case 0x341: return STATE + MEPC;
    case 0x342: return STATE + MCAUSE;
    case 0x343: return STATE + MTVAL;
    case 0x3a0: return STATE + PMPCFG;
    case 0x3a2: return STATE + PMPCFG + 8;
    default: break;
  }
  return number >= 0x3b0 && number <= 0x3bf ? STATE + PMPADDR + (<usize>(number - 0x3b0) << 3) : 0;
}
