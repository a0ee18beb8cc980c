import { writeThrough } from './caches';
import { invalidate } from './code';
import {
  CAUSE, LEAVE, MENVCFG, MSTATUS, RAM_AT, RAM_BASE, RAM_BYTES, SATP, STATE, TABLES, TABLES_MOST, TABLE_LIST, TLB_FAULTS, TLB_WRONG, VALUE,
  codeMap, dirtyOf, flagsOf, tableUseOf,
} from './layout';
import { pmpAllows } from './pmp';
import { forceMemory } from './stuck';
import { PAGE_IS_STUCK, PAGE_IS_TABLE, flushTranslations, forgetPage, leaveWriteTlbs } from './tlb';
import { NO_ENTRY, afterWalk, wrongAddress } from './tlb-faults';
import { DETAILED } from './variant';

// Translation: The RISC-V Instruction Set Manual, volume II, sections 4.3 to 4.5 (Sv39, Sv48), with the A and D bits
// as Svadu has them if menvcfg.ADUE is set, and as Svade has them if not.

export const READ: u32 = 1;
export const WRITE: u32 = 2;
export const FETCH: u32 = 4;

/** Instead of a physical address: CAUSE and VALUE say why there is none. */
export const NOWHERE: u64 = 0xffffffffffffffff;

export const V: u64 = 1;
const R: u64 = 2;
const W: u64 = 4;
const X: u64 = 8;
const U: u64 = 16;
export const A: u64 = 64;
export const D: u64 = 128;
const SUM: u64 = 1 << 18;
const MXR: u64 = 1 << 19;
export const ADUE: u64 = <u64>1 << 61;
export const PPN: u64 = (<u64>1 << 44) - 1;
const SUPERVISOR: u64 = 1;
const MACHINE: u64 = 3;
/** More than one walk can add. */
const WALK_TABLES: u32 = 8;

@inline export function isRam(address: u64, size: u64): bool {
  const bytes: u64 = load<u64>(RAM_BYTES);
  return address - RAM_BASE < bytes && address - RAM_BASE + size <= bytes;
}

@inline export function hostOf(address: u64): usize {
  return load<usize>(RAM_AT) + <usize>(address - RAM_BASE);
}

@inline export function pageOf(address: u64): usize {
  return <usize>(address - RAM_BASE) >> 12;
}

@inline export function raise(cause: u64, value: u64): void {
  store<u64>(CAUSE, cause);
  store<u64>(VALUE, value);
}

export function accessFault(va: u64, access: u32): u64 {
  raise(access == FETCH ? 1 : access == READ ? 5 : 7, va);
  return NOWHERE;
}

export function pageFault(va: u64, access: u32): u64 {
  raise(access == FETCH ? 12 : access == READ ? 13 : 15, va);
  return NOWHERE;
}

/** Instead of the addresses of a table that is used for several, or whose entries are for more than a page each. */
const MANY_USES: u64 = 0xffffffffffffffff;

/** From here on a store to the page is looked at for what it does to translation. `use`: the addresses of its entries, but for bits 20..0; 0 is none. */
function markTable(page: usize, use: u64): void {
  const flags = flagsOf(page);
  const place = tableUseOf(page);
  if ((load<u8>(flags) & PAGE_IS_TABLE) != 0) {
    if (load<u64>(place) != use) store<u64>(place, MANY_USES);
    return;
  }
  store<u64>(place, use);
  leaveWriteTlbs(page);
  store<u8>(flags, load<u8>(flags) | PAGE_IS_TABLE);
  const count = load<u32>(TABLES);
  store<u32>(TABLE_LIST + (<usize>count << 2), <u32>page);
  store<u32>(TABLES, count + 1);
}

/** Before a store of `size` bytes to RAM: if it changes a page-table entry that a TLB may know, they are emptied. */
@inline export function beforeStore(at: u64, size: u32): void {
  if ((load<u8>(flagsOf(pageOf(at))) & PAGE_IS_TABLE) != 0 || (load<u8>(flagsOf(pageOf(at + size - 1))) & PAGE_IS_TABLE) != 0) {
    storeToTable(at, size);
  }
}

function storeToTable(at: u64, size: u32): void {
  // No TLB holds anything that an invalid entry has said.
  for (let entry = at & ~7; entry < at + size; entry += 8) {
    if ((load<u8>(hostOf(entry)) & V) == 0) continue;
    // The next instruction may be one that is mapped otherwise now.
    store<u32>(LEAVE, 1);
    const use = load<u64>(tableUseOf(pageOf(entry)));
    if (use == MANY_USES) {
      flushTranslations();
      return;
    }
    if (use != 0) forgetPage(((use - 1) << 21) | ((entry & 4095) << 9));
  }
}

/** The physical address that an access to `va` at this privilege goes to, or NOWHERE. It may set A and D. */
export function translate(va: u64, access: u32, privilege: u64): u64 {
  const satp = load<u64>(STATE + SATP);
  const mode = satp >> 60;
  if (privilege == MACHINE || mode == 0) return va;
  // A fault can leave a mode in satp that no guest can write: it counts as Sv39.
  const levels: u64 = mode == 9 ? 4 : 3;
  const unused: u64 = 52 - 9 * levels;
  if (<u64>(<i64>(va << unused) >> unused) != va) return pageFault(va, access);
  if (load<u32>(TABLES) + WALK_TABLES > TABLES_MOST) flushTranslations();
  if (load<u32>(TLB_WRONG) != 0) {
    const at = wrongAddress(va, access, privilege);
    if (at != NO_ENTRY) return at;
  }
  let table = (satp & PPN) << 12;
  let shift: u64 = 12 + 9 * (levels - 1);
  while (shift >= 12) {
    const at = table + (((va >> shift) & 511) << 3);
    if (!isRam(at, 8) || !pmpAllows(at, 8, READ, SUPERVISOR)) return accessFault(va, access);
    markTable(pageOf(at), shift == 12 ? (va >> 21) + 1 : MANY_USES);
    const entry = load<u64>(hostOf(at));
    // Bits 63..54 belong to extensions that are not there.
    if ((entry & V) == 0 || (entry & (R | W)) == W || entry >> 54 != 0) return pageFault(va, access);
    table = ((entry >> 10) & PPN) << 12;
    if ((entry & (R | X)) != 0) {
      const mask: u64 = (<u64>1 << shift) - 1;
      if (!permits(entry, access, privilege) || (table & mask) != 0) return pageFault(va, access);
      const used: u64 = access == WRITE ? A | D : A;
      if ((entry & used) != used) {
        if ((load<u64>(STATE + MENVCFG) & ADUE) == 0) return pageFault(va, access);
        if (!pmpAllows(at, 8, WRITE, SUPERVISOR)) return accessFault(va, access);
        updateEntry(at, entry | used);
      }
      if (load<u32>(TLB_FAULTS) != 0) return afterWalk(va, entry | used, mask, access, privilege);
      return table | (va & mask);
    }
    if ((entry & (A | D | U)) != 0) return pageFault(va, access);
    shift -= 9;
  }
  return pageFault(va, access);
}

export function permits(entry: u64, access: u32, privilege: u64): bool {
  const mstatus = load<u64>(STATE + MSTATUS);
  if ((entry & U) == 0) {
    if (privilege != SUPERVISOR) return false;
  } else if (privilege == SUPERVISOR && (access == FETCH || (mstatus & SUM) == 0)) {
    return false;
  }
  if (access == FETCH) return (entry & X) != 0;
  if (access == WRITE) return (entry & W) != 0;
  return (entry & R) != 0 || ((mstatus & MXR) != 0 && (entry & X) != 0);
}

function updateEntry(at: u64, entry: u64): void {
  store<u64>(hostOf(at), entry);
  if (DETAILED) writeThrough(hostOf(at), 8);
  const page = pageOf(at);
  store<u8>(dirtyOf(page), 1);
  if ((load<u8>(flagsOf(page)) & PAGE_IS_STUCK) != 0) forceMemory(at, 8);
  if (load<usize>(codeMap() + (page << 2)) != 0 && invalidate(page, at, 8)) store<u32>(LEAVE, 1);
}
