import { FETCH_TLB, READ_TLB, TLB_ENTRIES, WRITE_TLB } from './layout';

// Direct-mapped software TLBs, 16 bytes an entry: the page's first virtual
// address, and what to add to the low half of a virtual address to get the host
// address (in the fetch TLB: where the page's decoded records stand).
//
// Hits are decided by (va ^ tag) & (~4095 | size - 1) == 0, which also sends
// misaligned accesses the slow way. An empty entry carries the tag of the
// neighbouring entry's pages, which can never be looked up here.

@inline export function slot(va: u64): usize {
  return (<usize>(va >> 12) & (TLB_ENTRIES - 1)) << 4;
}

export function flush(tlb: usize): void {
  for (let i: usize = 0; i < TLB_ENTRIES; i++) {
    store<u64>(tlb + (i << 4), <u64>(i ^ 1) << 12);
    store<u64>(tlb + (i << 4), 0, 8);
  }
}

export function flushAll(): void {
  flush(READ_TLB);
  flush(WRITE_TLB);
  flush(FETCH_TLB);
}

@inline export function fill(tlb: usize, va: u64, addend: u32): void {
  const entry = tlb + slot(va);
  store<u64>(entry, va & ~4095);
  store<u32>(entry, addend, 8);
}
