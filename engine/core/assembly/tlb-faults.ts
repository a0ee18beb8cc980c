import {
  CURRENT, LEAVE, MENVCFG, SATP, STATE, TLB_FAULTS, TLB_LISTED, TLB_STUCK, TLB_STUCK_BYTES, TLB_STUCK_LIST, TLB_WAITING, TLB_WAITING_BYTES, TLB_WAITING_LIST,
  TLB_WRONG, TLB_WRONG_BYTES, TLB_WRONG_LIST, TLB_WRONG_MOST, UPSETS_DONE,
} from './layout';
import { A, ADUE, D, PPN, V, WRITE, pageFault, permits } from './mmu';
import { flushTranslations } from './tlb';

// Faults of the translations that a core keeps. tlb.ts never shows the guest anything but what its page tables say, so the entries that are
// wrong stand here, beside it, and have their say where a page walk would: before it, where such an entry is kept, and behind it, where what
// it has found is about to be. What they make of an address then goes into the TLBs like any other.
//
// A fault that waits for a page changes what the next walk for it finds, as it is taken in. That stays until the guest fences it off, as the
// manual has it (volume II, sections 4.2.1 and 10.3.1): an entry belongs to the address space, by its ASID, and to the hart that it was made for, one with G to
// all address spaces. Other entries never drive it out. Where a page has stuck bits, each entry for it has them.

/** Instead of an address: no such entry, so a walk has to say. */
export const NO_ENTRY: u64 = 0xfffffffffffffffe;
/** Instead of an ASID. */
export const ANY_ASID: u64 = 0xffffffffffffffff;
/** The bit of UPSETS_DONE. */
const STRUCK: u32 = 1 << 7;
const GLOBAL: u64 = 32;

@inline function waitingAt(index: u32): usize {
  return TLB_WAITING_LIST + <usize>index * TLB_WAITING_BYTES;
}
@inline function wrongAt(index: u32): usize {
  return TLB_WRONG_LIST + <usize>index * TLB_WRONG_BYTES;
}

@inline function asidOf(satp: u64): u64 {
  return (satp >> 44) & 0xffff;
}

/** Of the current hart's address space. */
function tagNow(): u64 {
  return asidOf(load<u64>(STATE + SATP)) | (load<u64>(STATE + CURRENT) << 16);
}

export function countTlbFaults(): void {
  store<u32>(TLB_FAULTS, load<u32>(TLB_WAITING) | load<u32>(TLB_WRONG) | load<u32>(TLB_STUCK));
}

function remove(index: u32): void {
  const last = load<u32>(TLB_WRONG) - 1;
  memory.copy(wrongAt(index), wrongAt(index + 1), <usize>(last - index) * TLB_WRONG_BYTES);
  store<u32>(TLB_WRONG, last);
  countTlbFaults();
}

/** The oldest one makes room. */
function add(va: u64, mask: u64, entry: u64): void {
  if (load<u32>(TLB_WRONG) == TLB_WRONG_MOST) remove(0);
  const at = wrongAt(load<u32>(TLB_WRONG));
  store<u64>(at, va & ~mask);
  store<u64>(at, mask, 8);
  store<u64>(at, entry, 16);
  store<u64>(at, tagNow(), 24);
  store<u32>(TLB_WRONG, load<u32>(TLB_WRONG) + 1);
  countTlbFaults();
}

/** What faults that wait for one of its addresses make of an entry: that of `va`, whose addresses differ in the bits of `mask`. */
function struck(va: u64, mask: u64, entry: u64): u64 {
  if (load<u32>(TLB_WAITING) == 0) return entry;
  const count = load<u32>(TLB_LISTED);
  for (let i: u32 = 0; i < count; i++) {
    const at = waitingAt(i);
    if (((load<u64>(at) ^ va) & ~mask) != 0 || load<u64>(at, 32) != 0) continue;
    store<u64>(at, entry, 24);
    store<u64>(at, 1, 32);
    entry = (entry & load<u64>(at, 8)) ^ load<u64>(at, 16);
    store<u32>(TLB_WAITING, load<u32>(TLB_WAITING) - 1);
    store<u32>(UPSETS_DONE, load<u32>(UPSETS_DONE) | STRUCK);
    // The next instruction is looked at by whoever waited for this.
    store<u32>(LEAVE, 1);
  }
  countTlbFaults();
  return entry;
}

/** With the bits that are stuck in it. */
function withStuck(va: u64, mask: u64, entry: u64): u64 {
  const count = load<u32>(TLB_STUCK);
  for (let i: u32 = 0; i < count; i++) {
    const at = TLB_STUCK_LIST + <usize>i * TLB_STUCK_BYTES;
    if (((load<u64>(at) ^ va) & ~mask) == 0) entry = (entry & load<u64>(at, 8)) | load<u64>(at, 16);
  }
  return entry;
}

/** Where an entry leads: as after a walk, but that no bit is looked at twice. NO_ENTRY where hardware would walk anew. */
function resolve(va: u64, mask: u64, entry: u64, access: u32, privilege: u64): u64 {
  if ((entry & V) == 0) return NO_ENTRY;
  if (!permits(entry, access, privilege)) return pageFault(va, access);
  const used: u64 = access == WRITE ? A | D : A;
  if ((entry & used) != used) return (load<u64>(STATE + MENVCFG) & ADUE) == 0 ? pageFault(va, access) : NO_ENTRY;
  return ((((entry >> 10) & PPN) << 12) & ~mask) | (va & mask);
}

/** What an entry that is wrong says of an address, or NO_ENTRY. */
export function wrongAddress(va: u64, access: u32, privilege: u64): u64 {
  const tag = tagNow();
  for (let i: u32 = 0; i < load<u32>(TLB_WRONG); i++) {
    const at = wrongAt(i);
    const mask = load<u64>(at, 8);
    let entry = load<u64>(at, 16);
    if (load<u64>(at) != (va & ~mask)) continue;
    const same = (entry & GLOBAL) != 0 ? (tag ^ load<u64>(at, 24)) >> 16 == 0 : tag == load<u64>(at, 24);
    if (!same) continue;
    entry = struck(va, mask, entry);
    store<u64>(at, entry, 16);
    const address = resolve(va, mask, withStuck(va, mask, entry), access, privilege);
    if (address != NO_ENTRY) return address;
    remove(i);
    return NO_ENTRY;
  }
  return NO_ENTRY;
}

/** A walk has found an entry, for the addresses that differ from `va` in the bits of `mask`. Where the address is then. */
export function afterWalk(va: u64, found: u64, mask: u64, access: u32, privilege: u64): u64 {
  const entry = struck(va, mask, found);
  const address = entry == found && load<u32>(TLB_STUCK) == 0 ? NO_ENTRY : resolve(va, mask, withStuck(va, mask, entry), access, privilege);
  if (address == NO_ENTRY) return (((found >> 10) & PPN) << 12) | (va & mask);
  if (entry != found) {
    add(va, mask, entry);
    // The addresses beside this one, too.
    if (mask > 4095) flushTranslations();
  }
  return address;
}

/** A hart fences off what it knows of [first, last], of one address space or of all. */
export function leaveWithFence(hart: u64, first: u64, last: u64, asid: u64): void {
  let left = false;
  for (let i = load<u32>(TLB_WRONG); i > 0; ) {
    const at = wrongAt(--i);
    const tag = load<u64>(at, 24);
    if (tag >> 16 != hart || load<u64>(at) > last || load<u64>(at) + load<u64>(at, 8) < first) continue;
    if (asid != ANY_ASID && ((load<u64>(at, 16) & GLOBAL) != 0 || (tag & 0xffff) != asid)) continue;
    remove(i);
    left = true;
  }
  if (left) flushTranslations();
}

/** satp has been written. Without an ASID a core cannot tell address spaces apart, and keeps nothing that is not of all of them. */
export function leaveWithSatp(): void {
  if (asidOf(load<u64>(STATE + SATP)) == 0) leaveWithFence(load<u64>(STATE + CURRENT), 0, <u64>-1, 0);
}
