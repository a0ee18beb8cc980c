import {
  CONTEXTS, CONTEXT_BYTES, CURRENT, DATA_TLB, DIRECT_BYTES, FETCH_CONTEXT, FETCH_SET, HARTS, HART_TLBS, MSTATUS, PMPCFG, PRIVILEGE, RAM_AT, RAM_BYTES,
  STALE, STATE, TABLES, TABLE_LIST, TLBS, TLB_BYTES, TLB_ENTRIES, WATCHES, WRITE_SET, flagsOf, tableUseOf,
} from './layout';
import { forgetPmp } from './pmp';

// Direct-mapped software TLBs, 16 bytes an entry: the page's first virtual
// address, and what to add to the low half of a virtual address to get the host
// address. In the fetch TLB: where the page's decoded records stand, and the
// number of its RAM page.
//
// There is a set of them for each context that decides otherwise about the same
// page: machine mode, supervisor mode without and with SUM, user mode. So
// neither a system call nor the kernel's access to user memory flushes anything.
// Each hart has its own; those of the others are emptied before their next turn.
//
// A TLB is never visible to the guest: pages that a walk has read as page
// tables are marked, stores to them go the slow way, and one that changes a
// valid entry takes out what came from it: a page, or where that is not known,
// everything. The guest sees memory as if every access
// walked, whatever was run, stopped or restored in between; sfence.vma has
// nothing left to do.
//
// Hits are decided by (va ^ tag) < 4097 - size: what the tag leaves is the offset in
// the page, so an access that goes on into the next page takes the slow way.

/** A walk has read entries from this page. It is in no write TLB. */
export const PAGE_IS_TABLE: u8 = 1;
/** The page may be in a write TLB. */
export const PAGE_IS_WRITTEN: u8 = 2;
/** The page has stuck bits: see stuck.ts. It is in no write TLB. */
export const PAGE_IS_STUCK: u8 = 4;

const EMPTY: u8 = 0x7f;
/** The one slot in which a tag of all EMPTY bytes could be looked up. */
const EMPTY_SLOT: usize = 0x17f;

const MACHINE: u64 = 3;
/** The lock bits of eight PMP regions. */
const PMP_LOCKS: u64 = 0x8080808080808080;
const MPRV: u64 = 1 << 17;
const SUM: u64 = 1 << 18;

@inline export function slot(va: u64): usize {
  return (<usize>(va >> 12) & (TLB_ENTRIES - 1)) << 4;
}

function empty(tlb: usize): void {
  memory.fill(tlb, EMPTY, TLB_BYTES);
  store<u64>(tlb + (EMPTY_SLOT << 4), 0);
}

/** The current hart's. */
@inline function own(): usize {
  return TLBS + <usize>load<u64>(STATE + CURRENT) * HART_TLBS;
}

/** What is stale in the TLBs of a hart without the turn. */
const TRANSLATIONS: u8 = 1;
const EVERYTHING: u8 = 2;

function makeStale(hart: usize, what: u8): void {
  store<u8>(STALE + hart, max(load<u8>(STALE + hart), what));
}

function makeOthersStale(what: u8): void {
  const harts = <usize>load<u64>(STATE + HARTS);
  const current = <usize>load<u64>(STATE + CURRENT);
  for (let hart: usize = 0; hart < harts; hart++) {
    if (hart != current) makeStale(hart, what);
  }
}

/** Another hart's satp has been changed for it. */
export function forgetTranslationsOf(hart: usize): void {
  makeStale(hart, TRANSLATIONS);
}

/** Before a hart's turn. */
export function emptyStale(): void {
  const at = STALE + <usize>load<u64>(STATE + CURRENT);
  const what = load<u8>(at);
  if (what == 0) return;
  store<u8>(at, 0);
  if (what == EVERYTHING) emptyContext(own());
  emptyTranslations();
}

function emptyContext(context: usize): void {
  for (let set: usize = 0; set < CONTEXT_BYTES; set += TLB_BYTES) empty(context + set);
}

/** Machine mode has none. */
function emptyTranslations(): void {
  for (let i: usize = 1; i < CONTEXTS; i++) emptyContext(own() + i * CONTEXT_BYTES);
}

/** Empties one of the three kinds, in every context. */
export function flush(set: usize): void {
  for (let i: usize = 0; i < CONTEXTS; i++) empty(own() + i * CONTEXT_BYTES + set);
  makeOthersStale(EVERYTHING);
}

/** Forgets what translation has found for the current hart. */
export function flushOwnTranslations(): void {
  // The marks of page tables hold for what the other harts have found, too.
  if (load<u64>(STATE + HARTS) > 1) emptyTranslations();
  else flushTranslations();
}

/** Forgets what translation has found. */
export function flushTranslations(): void {
  emptyTranslations();
  makeOthersStale(TRANSLATIONS);
  const count = load<u32>(TABLES);
  for (let i: u32 = 0; i < count; i++) {
    const page = load<u32>(TABLE_LIST + (<usize>i << 2));
    const flags = flagsOf(page);
    store<u8>(flags, load<u8>(flags) & ~PAGE_IS_TABLE);
    store<u64>(tableUseOf(page), 0);
  }
  store<u32>(TABLES, 0);
}

/** Forgets what translation has found for one page. */
export function forgetPage(va: u64): void {
  makeOthersStale(TRANSLATIONS);
  const page = va & ~4095;
  for (let i: usize = 1; i < CONTEXTS; i++) {
    const context = own() + i * CONTEXT_BYTES;
    for (let set: usize = 0; set < CONTEXT_BYTES; set += TLB_BYTES) {
      const entry = context + set + slot(va);
      // Neither address is ever looked up there.
      if (load<u64>(entry) == page) store<u64>(entry, slot(va) == 0 ? 0x1000 : 0);
    }
  }
}

export function flushAll(): void {
  forgetPmp();
  flushTranslations();
  emptyContext(own());
  makeOthersStale(EVERYTHING);
}

@inline export function fill(tlb: usize, va: u64, addend: u32): void {
  const entry = tlb + slot(va);
  store<u64>(entry, va & ~4095);
  store<u32>(entry, addend, 8);
}

/** Makes sure that the next store to a RAM page goes the slow way, in every context of every hart. */
export function leaveWriteTlbs(page: usize): void {
  const flags = flagsOf(page);
  if ((load<u8>(flags) & PAGE_IS_WRITTEN) == 0) return;
  store<u8>(flags, load<u8>(flags) & ~PAGE_IS_WRITTEN);
  const host: u32 = load<u32>(RAM_AT) + (<u32>page << 12);
  const contexts = <usize>load<u64>(STATE + HARTS) * CONTEXTS;
  for (let i: usize = 0; i < contexts; i++) {
    const tlb = TLBS + i * CONTEXT_BYTES + WRITE_SET;
    for (let entry = tlb; entry < tlb + TLB_BYTES; entry += 16) {
      if (load<u32>(entry) + load<u32>(entry, 8) == host) store<u64>(entry, entry == tlb ? 0x1000 : 0);
    }
  }
}

/** The privilege in MPP. A fault can leave 2 there, which is none: it counts as user mode. */
@inline export function previousPrivilege(mstatus: u64): u64 {
  const previous = (mstatus >> 11) & 3;
  return previous == 2 ? 0 : previous;
}

/** Takes decoded records out of the TLBs of fetches, in every context of every hart. */
export function leaveFetchTlbs(records: usize): void {
  const contexts = <usize>load<u64>(STATE + HARTS) * CONTEXTS;
  for (let i: usize = 0; i < contexts; i++) {
    const tlb = TLBS + i * CONTEXT_BYTES + FETCH_SET;
    for (let entry = tlb; entry < tlb + TLB_BYTES; entry += 16) {
      if (load<usize>(entry, 8) == records) store<u64>(entry, entry == tlb ? 0x1000 : 0);
    }
  }
}

/** The privilege that loads and stores have. */
@inline export function dataPrivilege(): u64 {
  const privilege = load<u64>(STATE + PRIVILEGE);
  const mstatus = load<u64>(STATE + MSTATUS);
  return privilege == MACHINE && (mstatus & MPRV) != 0 ? previousPrivilege(mstatus) : privilege;
}

function contextOf(privilege: u64, mstatus: u64): usize {
  if (privilege == MACHINE) return own();
  if (privilege == 0) return own() + 3 * CONTEXT_BYTES;
  return own() + ((mstatus & SUM) != 0 ? 2 : 1) * CONTEXT_BYTES;
}

/** After anything that may have changed the privilege or mstatus. */
export function chooseContext(): void {
  const mstatus = load<u64>(STATE + MSTATUS);
  const privilege = dataPrivilege();
  store<usize>(DATA_TLB, contextOf(privilege, mstatus));
  // In machine mode only locked regions have a say.
  const free = privilege == MACHINE && load<u32>(WATCHES) == 0 && ((load<u64>(STATE + PMPCFG) | load<u64>(STATE + PMPCFG, 8)) & PMP_LOCKS) == 0;
  store<u64>(DIRECT_BYTES, free ? load<u64>(RAM_BYTES) - 7 : 0);
  store<usize>(FETCH_CONTEXT, contextOf(load<u64>(STATE + PRIVILEGE), mstatus) + FETCH_SET);
}
