// What the host calls. Everything else goes through the memory, whose layout is in layout.ts.
import { writeThrough } from './caches';
import { BREAKPOINTS, OP_ENTRY, dropCode, invalidate } from './code';
import { NEVER, nap } from './clock';
import { csrAddress, csrExists, csrRead, csrWrite } from './csr';
import { STOPPED, beginTurn, selectHart } from './harts';
import {
  AWAITED, AWAITED_BYTES, AWAITED_IN_X, AWAITED_LIST, CALLED, CALLED_MOST, CAUSE, COLLECT, CYCLES, DATA_TLB, DIRECT_BYTES, DIRTY, EFFECTS, FETCH_CONTEXT, FFLAGS, FIRMWARE, FRM, HARTS, HOT_AT, HOT_VA, INTERRUPTS_FROM_CORE, LAST_RETIRED, LATE_AT, LOSES_RESERVATIONS, OWN_SEED, RTC_FROM_CORE, SEEN_AT, TIMER_SEEN_AT,
  MTIMECMP, NO_EXCEPTION, NO_RESERVATION, OUTPUTS, OUTPUTS_FULL, OUTPUT_RING, PAGES_USED, PAGE_BITMAP, PAGE_DROPS, PAGE_CHANCES, PAGE_STRIDE, PC, POOL_PAGES, PRIVILEGE, RAM_BASE, RAM_BYTES,
  RESERVATION, SAMPLING, STATE, STATUS, STIMECMP, STUCK, STUCK_ALU, STUCK_BYTES, STUCK_F, STUCK_IN_X, STUCK_LIST, STUCK_WORDS, STUCK_X, TOHOST, TRANSLATED, UART_LOOKS, UPSETS, UPSETS_DONE, UPSET_AT, UPSET_BYTES, UPSET_LIST, UPSET_PC, VIRTIO, VIRTIO_RAISED, WAKEFUL, WATCHES, WATCH_LIST,
  STUCK_CSRS, STUCK_CSR_BYTES, STUCK_CSR_LIST, STUCK_READS, STUCK_READ_LIST, STUCK_UNITS, STUCK_UNIT_LIST, TLB_FAULTS, TLB_LISTED, TLB_STUCK, TLB_STUCK_BYTES, TLB_STUCK_LIST, TLB_WAITING,
  TLB_WAITING_BYTES, TLB_WAITING_LIST, TLB_WRONG, TLB_WRONG_BYTES, TLB_WRONG_LIST, TLB_WRONG_MOST, TRANSLATED_CHANCES, TRANSLATED_PAGE, WRITE_SET, dirtyOf, flagsOf,
} from './layout';
import { prepareScratch } from './drive';
import { deviceEffects } from './effects';
import { NONE, codeOf, lookForWatch } from './memory';
import { WRITE, hostOf, pageOf } from './mmu';
import { lookAtSources } from './plic';
import { forceMemory, forceRegisters, markStuckPages } from './stuck';
import { forceCsrs } from './stuck-csrs';
import { forcePcs } from './upset';
import { PAGE_IS_STUCK, PAGE_IS_TABLE, flush, flushAll, flushTranslations } from './tlb';
import { countTlbFaults } from './tlb-faults';
import { POLLER_LOOKS, receiveUart } from './uart';
import { DETAILED } from './variant';

export { run } from './drive';
export { callGuest, codePage, enter, fillTlb, floatFor, fusedDouble, ownEntry } from './translated';
export { decodeRecord } from './code';
export { mulh, mulhsu, orcb } from './arithmetic';
export { csrAddress, csrExists };
export { nap };
export { selectHart } from './harts';
export { output } from './output';
export { lookAtSources };
export { interruptDue } from './trap';

/** The state of so many harts after reset, all with PC at `entry`; it is the turn of hart 0. */
export function reset(entry: u64, harts: u32): void {
  store<u64>(STATE + HARTS, harts);
  for (let hart = harts; hart > 0; ) {
    selectHart(--hart);
    store<u64>(STATE + PC, entry);
    store<u64>(STATE + PRIVILEGE, 3);
    store<u64>(STATE + RESERVATION, NO_RESERVATION);
    store<u64>(STATE + MTIMECMP, NEVER);
    store<u64>(STATE + STIMECMP, NEVER);
    store<u64>(STATE + LAST_RETIRED, NO_EXCEPTION);
    store<u64>(STATE + 80, hart);
  }
  beginTurn();
  store<u64>(CAUSE, NONE);
  store<u64>(LATE_AT, NEVER);
  prepareScratch();
  flushAll();
  dropCode();
}

/**
 * The state that firmware leaves to a supervisor, with the core as that
 * firmware: all that can be delegated is, all of memory may be used, and the
 * counters, Sstc, Svadu and the cache-block operations are on. Hart 0 runs, and
 * the others wait for being started.
 */
export function startSupervisor(): void {
  store<u64>(STATE + FIRMWARE, 1);
  for (let hart = load<u64>(STATE + HARTS); hart > 0; ) {
    selectHart(--hart);
    if (hart != 0) store<u64>(STATE + STATUS, STOPPED);
    delegate();
  }
}

function delegate(): void {
  store<u64>(STATE + PRIVILEGE, 1);
  // A call from supervisor mode is the firmware's.
  csrWrite(0x302, 0xb1ff);
  csrWrite(0x303, 0x222);
  // Both kinds of counter enables: no driver of Linux opens `time` to user mode, for which its vDSO reads it.
  csrWrite(0x306, 7);
  csrWrite(0x106, 7);
  csrWrite(0x30a, (<u64>5 << 61) | 0xf1);
  // One region, of all addresses: readable, writable, executable.
  csrWrite(0x3b0, 0x3fffffffffffff);
  csrWrite(0x3a0, 0x1f);
}

/** For translated code. */
export function rev8(value: u64): u64 {
  return bswap(value);
}

/** Reads a CSR without side effects. */
export function peekCsr(number: u32): u64 {
  return csrRead(number, true);
}

/** True if the byte found room in the UART's FIFO. */
export function receive(byte: u32): bool {
  const taken = receiveUart(byte);
  lookAtSources();
  return taken;
}

/** The host has written RAM: its pages are dirty, and decoded code and translations made from them stale. */
export function hostWrote(address: u64, size: u32): void {
  if (DETAILED) writeThrough(hostOf(address), size);
  for (let at = address; at < address + size; ) {
    const bytes = <u32>(min((at | 4095) + 1, address + size) - at);
    const page = pageOf(at);
    store<u8>(dirtyOf(page), 1);
    if ((load<u8>(flagsOf(page)) & PAGE_IS_STUCK) != 0) forceMemory(at, bytes);
    if (codeOf(page) != 0) invalidate(page, at, bytes);
    if ((load<u8>(flagsOf(page)) & PAGE_IS_TABLE) != 0) flushTranslations();
    at += bytes;
  }
}

/** A device has written RAM: like a store of the instruction that has asked for it. */
export function deviceWrote(address: u64, size: u32): void {
  hostWrote(address, size);
  if (load<u32>(WATCHES) != 0) lookForWatch(address, size, WRITE);
  if (load<u32>(COLLECT) != 0) deviceEffects(address, size);
}

/** Before the host changes what bits are stuck. */
export function releaseStuck(): void {
  markStuckPages(false);
}

/** The host has changed what bits are stuck. */
export function stick(): void {
  markStuckPages(true);
  // Some are of translations, and some of what decides about them.
  tlbFaultsChanged();
  forceStuck();
}

/** Forces all stuck bits: the host has changed registers, or the whole state. */
export function forceStuck(): void {
  if (load<u32>(STUCK) != 0) forceRegisters();
  forcePcs();
  forceCsrs();
  const count = load<u32>(STUCK_WORDS);
  for (let i: u32 = 0; i < count; i++) hostWrote(load<u64>(STUCK_LIST + <usize>i * STUCK_BYTES), 8);
}

/** After a snapshot: the next store to each page is to be noticed. */
export function watchPages(): void {
  flush(WRITE_SET);
}

/** The first page from one on that may have been written to since its byte was cleared; where there is none, a number past the last one's. */
export function nextDirty(from: u32): u32 {
  const pages = <u32>(load<usize>(RAM_BYTES) >> 12);
  let page = from;
  for (; page < pages; page++) {
    // DIRTY is aligned, and most bytes are 0.
    if ((page & 7) == 0) while (page + 8 <= pages && load<u64>(dirtyOf(page)) == 0) page += 8;
    if (page < pages && load<u8>(dirtyOf(page)) != 0) break;
  }
  return page;
}

/** The host has changed what faults of translations there are. */
export function tlbFaultsChanged(): void {
  countTlbFaults();
  flushAll();
}

/** The host has changed registers that decide about memory: after a restore, or a fault's change of one. */
export function forgetTranslations(): void {
  flushAll();
}

/** Nothing derived from memory is valid. */
export function forget(): void {
  flushAll();
  dropCode();
}

/**
 * After a breakpoint at a virtual address has come or gone: as if the instruction there had been
 * overwritten, on whichever page it is, since a physical page may have any virtual address.
 */
export function forgetCodeAt(va: u64): void {
  const pages = load<usize>(RAM_BYTES) >> 12;
  for (let page: usize = 0; page < pages; page++) {
    if (codeOf(page) != 0) invalidate(page, RAM_BASE + (<u64>page << 12) + (va & 4094), 2);
  }
}

/** For the host's test that its copy of the layout is this one. */
export function layoutOf(index: u32): usize {
  switch (index) {
    case 0: return STATE;
    case 1: return CYCLES;
    case 2: return EFFECTS;
    case 3: return OUTPUT_RING;
    case 4: return WATCH_LIST;
    case 5: return BREAKPOINTS;
    case 6: return DIRTY;
    case 7: return TOHOST;
    case 8: return OUTPUTS;
    case 9: return WATCHES;
    case 10: return STATE + VIRTIO;
    case 11: return STATE + VIRTIO_RAISED;
    case 12: return OUTPUTS_FULL;
    case 13: return PAGES_USED;
    case 14: return PAGE_STRIDE;
    case 15: return DATA_TLB;
    case 16: return SAMPLING;
    case 17: return HOT_VA;
    case 18: return HOT_AT;
    case 19: return FETCH_CONTEXT;
    case 20: return TRANSLATED;
    case 21: return CALLED;
    case 22: return PAGE_BITMAP;
    case 23: return CALLED_MOST;
    case 24: return OP_ENTRY;
    case 25: return STATE + UART_LOOKS;
    case 26: return <usize>POLLER_LOOKS;
    case 27: return PAGE_DROPS;
    case 28: return STATE + FFLAGS;
    case 29: return STATE + FRM;
    case 30: return STATE + RESERVATION;
    case 31: return STUCK;
    case 32: return STUCK_WORDS;
    case 33: return STUCK_IN_X;
    case 34: return STUCK_X;
    case 35: return STUCK_F;
    case 36: return STUCK_ALU;
    case 37: return STUCK_LIST;
    case 38: return STUCK_BYTES;
    case 39: return DIRECT_BYTES;
    case 40: return PAGE_CHANCES;
    case 41: return POOL_PAGES;
    case 42: return TRANSLATED_PAGE | TRANSLATED_CHANCES;
    case 43: return WAKEFUL;
    case 44: return UPSETS;
    case 45: return UPSETS_DONE;
    case 46: return UPSET_AT;
    case 47: return UPSET_PC;
    case 48: return UPSET_LIST;
    case 49: return UPSET_BYTES;
    case 50: return AWAITED;
    case 51: return AWAITED_LIST;
    case 52: return AWAITED_BYTES;
    case 53: return RTC_FROM_CORE;
    case 54: return INTERRUPTS_FROM_CORE;
    case 55: return LOSES_RESERVATIONS;
    case 56: return OWN_SEED;
    case 57: return SEEN_AT;
    case 58: return LATE_AT;
    case 59: return STUCK_UNITS;
    case 60: return STUCK_CSRS;
    case 61: return STUCK_READS;
    case 62: return TLB_LISTED;
    case 63: return TLB_WAITING;
    case 64: return TLB_WRONG;
    case 65: return TLB_STUCK;
    case 66: return TLB_FAULTS;
    case 67: return STUCK_UNIT_LIST;
    case 68: return STUCK_CSR_LIST;
    case 69: return STUCK_READ_LIST;
    case 70: return TLB_WAITING_LIST;
    case 71: return TLB_WRONG_LIST;
    case 72: return TLB_STUCK_LIST;
    case 73: return STUCK_CSR_BYTES;
    case 74: return TLB_WAITING_BYTES;
    case 75: return TLB_WRONG_BYTES;
    case 76: return TLB_WRONG_MOST;
    case 77: return TLB_STUCK_BYTES;
    case 78: return AWAITED_IN_X;
    case 79: return TIMER_SEEN_AT;
    default: return 0;
  }
}
