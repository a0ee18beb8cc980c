import { codeAt } from './caches';
import { OP_COUNT, decode, opCycles, opEndsBlock, opWritesX } from './decode.generated';
import {
  AWAITED_IN_X, FETCH_SET, FREE_RECORDS, PAGES_USED, PAGE_BITMAP, PAGE_DROPS, PAGE_CHANCES, PAGE_NEXT, PAGE_OWNER, PAGE_STRIDE, POOL, POOL_HAND, POOL_PAGES, RAM_AT, RAM_BASE, RAM_BYTES, RECORD_BYTES, SINK, STUCK, TRANSLATED_CHANCES, TRANSLATED_PAGE,
  codeMap,
} from './layout';
import { instrument } from './stuck';
import { flush, leaveFetchTlbs, leaveWriteTlbs } from './tlb';
import { DETAILED } from './variant';

// Records of the core's own, besides those of instructions. Their `run` is 0,
// which is how a block's entry tells them apart; so is that of a slot that has
// not been decoded, which is all zero.
export const OP_PAGE_END: u16 = OP_COUNT;
/** A breakpoint stands here. */
export const OP_BREAK: u16 = OP_COUNT + 1;
/** An instruction of four bytes with two of them on the next page. */
export const OP_STRADDLE: u16 = OP_COUNT + 2;
/** Behind the scratch record: one step has been made. */
export const OP_STEPPED: u16 = OP_COUNT + 3;

/**
 * Translated code begins here: the immediate has the function's place in the table and from bit 20 on the
 * entry's number; the field of rd, how many pages this one is behind the function's base page.
 */
export const OP_ENTRY: u16 = OP_COUNT + 4;
/** An instruction with a result that has stuck bits, or that somebody waits for; its own operation stands above rd: see stuck.ts. */
export const OP_STUCK: u16 = OP_COUNT + 5;

const SLOTS: usize = 2048;

/** Breakpoints: a count, then addresses of 8 bytes, ascending. */
export const BREAKPOINTS: usize = 0x30000;

export function hasBreakpoint(va: u64): bool {
  const count = load<u32>(BREAKPOINTS);
  if (count == 0) return false;
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = load<u64>(BREAKPOINTS + 8 + (<usize>middle << 3));
    if (at == va) return true;
    if (at < va) low = middle + 1;
    else high = middle;
  }
  return false;
}

/**
 * True if a breakpoint may stand in this slot of a page. Records belong to a
 * physical page, which may have several virtual addresses: the one that is
 * executed decides, when a breakpoint's record is met.
 */
function mayHaveBreakpoint(offset: usize): bool {
  const count = load<u32>(BREAKPOINTS);
  for (let i: u32 = 0; i < count; i++) {
    if (<usize>(load<u64>(BREAKPOINTS + 8 + (<usize>i << 3)) & 4095) == offset) return true;
  }
  return false;
}

/** Forgets all decoded code. */
export function dropCode(): void {
  const pages = load<usize>(RAM_BYTES) >> 12;
  memory.fill(codeMap(), 0, pages << 2);
  const used = load<u32>(PAGES_USED);
  memory.fill(POOL, 0, <usize>used * PAGE_STRIDE);
  store<u32>(PAGES_USED, 0);
  store<usize>(FREE_RECORDS, 0);
  store<u32>(POOL_HAND, 0);
  flush(FETCH_SET);
}

/**
 * The records of a RAM page; another's have to make room where the pool is full. So this is only for the outer loop, between
 * blocks: there neither the interpreter nor translated code holds records, or leans on what drops would tell of.
 */
export function recordsOf(page: usize): usize {
  const known = load<usize>(codeMap() + (page << 2));
  if (known != 0) return known;
  const used = load<u32>(PAGES_USED);
  if (load<usize>(FREE_RECORDS) == 0 && used == POOL_PAGES) makeRoom();
  let records = load<usize>(FREE_RECORDS);
  if (records != 0) {
    store<usize>(FREE_RECORDS, load<usize>(records + PAGE_NEXT));
  } else {
    records = POOL + <usize>used * PAGE_STRIDE;
    store<u32>(PAGES_USED, used + 1);
  }
  store<usize>(codeMap() + (page << 2), records);
  store<u32>(records + PAGE_OWNER, <u32>page);
  store<u16>(records + SLOTS * RECORD_BYTES, OP_PAGE_END);
  // Stores to this page have to be seen from now on.
  leaveWriteTlbs(page);
  return records;
}

/** The page is met, and stays for a while. */
export function giveChances(records: usize): void {
  const at = records + PAGE_CHANCES;
  store<u8>(at, load<u8>(at) >= TRANSLATED_PAGE ? TRANSLATED_PAGE | TRANSLATED_CHANCES : 1);
}

/**
 * In a full pool, of which all pages have an owner: the records of the next one are dropped that has no chances left. So
 * translations stay while they are met, and go some rounds after nobody enters them any more.
 */
function makeRoom(): void {
  let hand = load<u32>(POOL_HAND);
  let records = POOL + <usize>hand * PAGE_STRIDE;
  while ((load<u8>(records + PAGE_CHANCES) & ~TRANSLATED_PAGE) != 0) {
    store<u8>(records + PAGE_CHANCES, load<u8>(records + PAGE_CHANCES) - 1);
    hand = (hand + 1) % POOL_PAGES;
    records = POOL + <usize>hand * PAGE_STRIDE;
  }
  drop(records);
  store<u32>(POOL_HAND, (hand + 1) % POOL_PAGES);
}

/** Frees a page's records. What has been translated of them becomes unreachable. */
function drop(records: usize): void {
  memory.fill(records, 0, SLOTS * RECORD_BYTES);
  memory.fill(records + PAGE_BITMAP, 0, SLOTS >> 3);
  store<u32>(records + PAGE_DROPS, load<u32>(records + PAGE_DROPS) + 1);
  store<u8>(records + PAGE_CHANCES, 0);
  store<usize>(codeMap() + (<usize>load<u32>(records + PAGE_OWNER) << 2), 0);
  leaveFetchTlbs(records);
  store<usize>(records + PAGE_NEXT, load<usize>(FREE_RECORDS));
  store<usize>(FREE_RECORDS, records);
}

/** A store hit the physical [va, va + size) of a page with decoded code. True if it hit decoded slots, which are then forgotten. */
export function invalidate(page: usize, va: u64, size: u32): bool {
  const records = load<usize>(codeMap() + (page << 2));
  const start = RAM_BASE + (<u64>page << 12);
  const from = va > start ? <usize>(va - start) >> 1 : 0;
  const end = va + size - 1 - start;
  const last = end < 4096 ? <usize>end >> 1 : SLOTS - 1;
  let hit = false;
  for (let i = from; i <= last; i++) {
    if ((load<u8>(records + PAGE_BITMAP + (i >> 3)) & (1 << <u8>(i & 7))) != 0) hit = true;
  }
  // A page that is written to is mostly one of data from now on, and as such may be in the TLBs of writes.
  if (hit) drop(records);
  return hit;
}

@inline function mark(records: usize, slot: usize): void {
  const at = records + PAGE_BITMAP + (slot >> 3);
  store<u8>(at, load<u8>(at) | (1 << <u8>(slot & 7)));
}

/** Writes the record of one instruction. Returns its length in bytes. */
export function decodeRecord(raw: u32, record: usize): u32 {
  const length = decode(raw, record);
  const op: u32 = load<u16>(record);
  // x0 stays zero because writes to it go where nobody reads.
  if (opWritesX(op) && load<u16>(record, 2) == 0) store<u16>(record, <u16>SINK, 2);
  // Numbers of operations fit a byte: the one above it has room for the step.
  store<u8>(record, length << 3, 1);
  store<u16>(record, 1, 12);
  store<u16>(record, opCycles(op), 14);
  return length;
}

/**
 * Decodes the straight line from a slot to its end: an instruction that may
 * leave it, a breakpoint, the page's end. `run` and `cycles` are sums over the
 * rest of the line, so that a jump into the middle finds its own remainder.
 */
export function decodeBlock(records: usize, va: u64, page: usize): void {
  const bytes = load<usize>(RAM_AT) + (page << 12);
  const first = <usize>(va & 4095) >> 1;
  let slot = first;
  let count: u32 = 0;
  let cycles: u32 = 0;
  while (slot < SLOTS) {
    const record = records + slot * RECORD_BYTES;
    if (mayHaveBreakpoint(slot << 1)) {
      store<u16>(record, OP_BREAK);
      store<u32>(record, 0, 12);
      mark(records, slot);
      break;
    }
    if (load<u8>(record) == OP_ENTRY) break;
    const at = bytes + (slot << 1);
    let raw: u32 = DETAILED ? codeAt(at) : load<u16>(at);
    if ((raw & 3) == 3) {
      if (slot == SLOTS - 1) {
        store<u16>(record, OP_STRADDLE);
        store<u32>(record, 0, 12);
        mark(records, slot);
        break;
      }
      raw |= (DETAILED ? codeAt(at + 2) : <u32>load<u16>(at, 2)) << 16;
    }
    const length = decodeRecord(raw, record);
    mark(records, slot);
    if (length == 4) mark(records, slot + 1);
    slot += length >> 1;
    count++;
    cycles += load<u16>(record, 14);
    const ends = opEndsBlock(load<u8>(record));
    if ((load<u32>(STUCK) | load<u32>(AWAITED_IN_X)) != 0) instrument(record);
    if (ends) break;
  }
  // Each record learns what remains from it on.
  for (let s = first, run = count; run > 0; run--) {
    const record = records + s * RECORD_BYTES;
    const own: u32 = load<u16>(record, 14);
    store<u16>(record, run, 12);
    store<u16>(record, cycles, 14);
    cycles -= own;
    s += load<u8>(record, 1) >> 4;
  }
}
