import {
  ARMED_LINES, ARMED_MESSAGES, BANKS_AT, BANK_BYTES, BANK_CYCLES, BANK_REPLY, BANK_REQUEST, CACHE_AGES, CACHE_DATA, CACHE_L1D, CACHE_L1I, CACHE_L2, CACHE_SETS, CACHE_TAGS, CACHE_WAYS,
  CONTROLLERS, EVENTS, EVENTS_MOST, EVENT_BYTES, EVENT_LIST, HUNG, L1D_ACCESSES, L1D_MISSES, L1D_WRITE_BACKS, L1I_ACCESSES, L1I_MISSES, L2_ACCESSES, L2_BANKS, L2_MISSES, L2_WRITE_BACKS,
  LAST_DATA, LAST_FETCH, LAST_SLOT, LINE_FAULT_BYTES, LINE_LIST, MESSAGE_BYTES, MESSAGE_LIST, NO_LINE, OVERLAYS, PENDING, PENDING_LIST, PREVIOUS_FETCH, ROUTES_AT, STALL, WORST,
} from './cache-layout';
import { invalidate } from './code';
import { CACHES_AT, CAUSE, CYCLES, LEAVE, RAM_AT, RAM_BASE, dirtyOf, flagsOf } from './layout';
import { codeOf } from './memory';
import { forceMemory } from './stuck';
import { PAGE_IS_STUCK, PAGE_IS_TABLE, flushTranslations } from './tlb';
import { DETAILED } from './variant';

// The caches of the core that runs this guest, under `detailed` timing: a first level for instructions and one for data,
// and behind them the second level that the core's domain has, in banks, which has all that the first level has. What was
// used longest ago goes first. Only one of the two variants of the core has them: see variant.ts.
//
// What RAM holds is what loads of the core see: L1D's copy of a line if it has one, else L2's, else memory's. Beside a line a
// cache keeps what the level below has where that differs, because the line was stored to or struck. Nothing is stored to
// L1I: of a line that differs from what loads see it has the exclusive or. So a struck bit lasts as long as its copy of the
// line, and a write-back that is lost leaves what was there before.

const VALID: u32 = 1;
const DIRTY: u32 = 2;
/** What the level below has (of L1I: what loads see) is something else. */
const DIFFERS: u32 = 4;
const TAG_SHIFT: u32 = 4;

const LINE: usize = 64;
/** Lines are numbered from where RAM begins; which bank has one goes by its address. */
const FIRST_LINE: u32 = <u32>(RAM_BASE >> 6);

/** CAUSE where the core waits for an answer that never comes. No trap has it. */
const HANG: u64 = 0xfffffffffffffffe;

// What has met a fault.
const LINE_STRUCK: u32 = 0;
const MESSAGE_STRUCK: u32 = 1;
// Kinds of messages. Between a core and a bank, or, with the bit, between a bank and a memory controller.
const REQUEST: u32 = 0;
const FILL: u32 = 1;
const WRITE_BACK: u32 = 2;
const OF_MEMORY: u32 = 4;
// What becomes of a message, and bits above it say which bit of its line flips.
const AS_SENT: u32 = 0;
const LOST: u32 = 1;
const FLIPPED: u32 = 3;

@inline function caches(): usize {
  return load<usize>(CACHES_AT);
}
@inline function u(field: usize): u32 {
  return load<u32>(caches() + field);
}
@inline function setU(field: usize, value: u32): void {
  store<u32>(caches() + field, value);
}
@inline function count(field: usize): void {
  store<u64>(caches() + field, load<u64>(caches() + field) + 1);
}
@inline function stall(cycles: u32): void {
  store<u64>(caches() + STALL, load<u64>(caches() + STALL) + cycles);
}

/** All cycles that the core has spent. */
@inline export function spent(): u64 {
  return DETAILED ? load<u64>(CYCLES) + load<u64>(caches() + STALL) : load<u64>(CYCLES);
}
/** No instruction costs more, with room to spare. */
@inline export function dearest(): u64 {
  return DETAILED ? 32 + 2 * <u64>u(WORST) : 32;
}
/** The core waits for ever. */
@inline export function isHung(): bool {
  return u(HUNG) != 0;
}
/** A fault has met what it waited for, and the host is to be told. */
@inline export function haveStruck(): bool {
  return u(EVENTS) != 0;
}

@inline function hostOfLine(line: u32): usize {
  return load<usize>(RAM_AT) + (<usize>line << 6);
}
@inline function lineOf(host: usize): u32 {
  return <u32>((host - load<usize>(RAM_AT)) >> 6);
}
@inline function tagAt(cache: usize, slot: i32): usize {
  return load<usize>(caches() + cache, CACHE_TAGS) + (<usize>slot << 2);
}
@inline function tagOf(cache: usize, slot: i32): u32 {
  return load<u32>(tagAt(cache, slot));
}
@inline function dataAt(cache: usize, slot: i32): usize {
  return load<usize>(caches() + cache, CACHE_DATA) + (<usize>slot << 6);
}
@inline function flag(cache: usize, slot: i32, flags: u32): void {
  store<u32>(tagAt(cache, slot), tagOf(cache, slot) | flags);
}

/** The first slot of the set that a line belongs to. */
@inline function setOf(cache: usize, line: u32): i32 {
  const ways = load<u32>(caches() + cache, CACHE_WAYS);
  const sets = load<u32>(caches() + cache, CACHE_SETS);
  // Those of the first level are powers of two.
  if (cache != CACHE_L2) return (line & (sets - 1)) * ways;
  const banks = u(L2_BANKS);
  const number = line + FIRST_LINE;
  return ((number % banks) * sets + (number / banks) % sets) * ways;
}

/** The slot that has a line, or -1. */
function find(cache: usize, line: u32): i32 {
  const ways = load<u32>(caches() + cache, CACHE_WAYS);
  const first = setOf(cache, line);
  const tags = tagAt(cache, first);
  for (let way: u32 = 0; way < ways; way++) {
    const tag = load<u32>(tags + (<usize>way << 2));
    if ((tag & VALID) != 0 && tag >> TAG_SHIFT == line) return first + way;
  }
  return -1;
}

/** It is the last one of its set to go, from now on. The ages of a set are the numbers from 0 on, each once. */
function promote(cache: usize, slot: i32): void {
  const ages = load<usize>(caches() + cache, CACHE_AGES);
  const age: u32 = load<u8>(ages + slot);
  if (age == 0) return;
  const ways = load<u32>(caches() + cache, CACHE_WAYS);
  const first = ages + slot - <u32>slot % ways;
  for (let way: u32 = 0; way < ways; way++) {
    const other: u32 = load<u8>(first + way);
    if (other < age) store<u8>(first + way, <u8>(other + 1));
  }
  store<u8>(ages + slot, 0);
}

/** Where a line that comes in goes: to a free slot of its set, or that of the line used longest ago. */
function victim(cache: usize, line: u32): i32 {
  const ways = load<u32>(caches() + cache, CACHE_WAYS);
  const first = setOf(cache, line);
  const ages = load<usize>(caches() + cache, CACHE_AGES) + first;
  let oldest = first;
  for (let way: u32 = 0; way < ways; way++) {
    if ((tagOf(cache, first + way) & VALID) == 0) return first + way;
    if (load<u8>(ages + way) == ways - 1) oldest = first + way;
  }
  return oldest;
}

function install(cache: usize, slot: i32, line: u32): void {
  store<u32>(tagAt(cache, slot), (line << TAG_SHIFT) | VALID);
  promote(cache, slot);
}

/** Keeps what the level below has of a line that is going to be another one. */
@inline function keepBelow(cache: usize, slot: i32, from: usize): void {
  if ((tagOf(cache, slot) & DIFFERS) != 0) return;
  memory.copy(dataAt(cache, slot), from, LINE);
  flag(cache, slot, DIFFERS);
}

/** What loads see of a line, or fetches, has changed without a store: what has been made of it is not to be used for another instruction. */
function changed(line: u32): void {
  const pending = u(PENDING);
  const list = load<usize>(caches() + PENDING_LIST);
  store<u32>(LEAVE, 1);
  if (pending > 0 && load<u32>(list + (<usize>(pending - 1) << 2)) == line) return;
  store<u32>(list + (<usize>pending << 2), line);
  setU(PENDING, pending + 1);
}

/** Between two instructions: forgets what was made of lines that have changed, as code or as page tables. */
export function settleChanges(): void {
  const pending = u(PENDING);
  if (pending == 0) return;
  setU(PENDING, 0);
  for (let i: u32 = 0; i < pending; i++) {
    const line = load<u32>(load<usize>(caches() + PENDING_LIST) + (<usize>i << 2));
    const page = <usize>line >> 6;
    if (codeOf(page) != 0) invalidate(page, RAM_BASE + (<u64>line << 6), 64);
    if ((load<u8>(flagsOf(page)) & PAGE_IS_TABLE) != 0) flushTranslations();
  }
}

/** Bits of L1I's copy are others than loads see; where none are any more, that is forgotten. */
function overlay(slot: i32, offset: usize, bits: u64): void {
  const data = dataAt(CACHE_L1I, slot);
  const had = (tagOf(CACHE_L1I, slot) & DIFFERS) != 0;
  if (!had) memory.fill(data, 0, LINE);
  store<u64>(data + offset, load<u64>(data + offset) ^ bits);
  let any: u64 = 0;
  for (let i: usize = 0; i < LINE; i += 8) any |= load<u64>(data + i);
  if ((any != 0) == had) return;
  setU(OVERLAYS, u(OVERLAYS) + (had ? -1 : 1));
  store<u32>(tagAt(CACHE_L1I, slot), tagOf(CACHE_L1I, slot) ^ DIFFERS);
}

/** What loads see of eight bytes becomes something else; what L1I has of them stays. */
function see(host: usize, value: u64): void {
  const bits = load<u64>(host) ^ value;
  if (bits == 0) return;
  const line = lineOf(host);
  const fetched = find(CACHE_L1I, line);
  if (fetched >= 0) overlay(fetched, host & (LINE - 8), bits);
  store<u64>(host, value);
  const page = <usize>line >> 6;
  store<u8>(dirtyOf(page), 1);
  if ((load<u8>(flagsOf(page)) & PAGE_IS_STUCK) != 0) forceMemory(RAM_BASE + (<u64>line << 6) + (host & (LINE - 8)), 8);
  changed(line);
}

function seeLine(line: u32, from: usize): void {
  const host = hostOfLine(line);
  for (let i: usize = 0; i < LINE; i += 8) see(host + i, load<u64>(from + i));
}

@inline function seeFlipped(line: u32, bit: u32): void {
  const host = hostOfLine(line) + ((<usize>bit >> 3) & ~7);
  see(host, load<u64>(host) ^ (<u64>1 << (bit & 63)));
}

function tell(kind: u32, number: u32, a: u32, b: u32): void {
  const events = u(EVENTS);
  if (events == EVENTS_MOST) return;
  const event = load<usize>(caches() + EVENT_LIST) + events * EVENT_BYTES;
  store<u32>(event, kind);
  store<u32>(event, number, 4);
  store<u32>(event, a, 8);
  store<u32>(event, b, 12);
  setU(EVENTS, events + 1);
  store<u32>(LEAVE, 1);
}

/** Sends a message over links that the faults in `crossed` wait at. Gives what becomes of it. */
function send(crossed: u32, kind: u32, line: u32): u32 {
  const waiting = u(ARMED_MESSAGES) & crossed;
  if (waiting == 0) return AS_SENT;
  for (let number: u32 = 0; number < 32; number++) {
    if ((waiting & (1 << number)) == 0) continue;
    const fault = load<usize>(caches() + MESSAGE_LIST) + number * MESSAGE_BYTES;
    const how = load<u32>(fault);
    // A request has no line with it.
    if (how == FLIPPED && (kind & 3) == REQUEST) continue;
    setU(ARMED_MESSAGES, u(ARMED_MESSAGES) & ~(1 << number));
    tell(MESSAGE_STRUCK, number, kind, line);
    return how | (load<u32>(fault, 4) << 2);
  }
  return AS_SENT;
}

/** The core waits for ever. */
function hang(): i32 {
  setU(HUNG, 1);
  store<u64>(CAUSE, HANG);
  store<u32>(LEAVE, 1);
  return -1;
}

@inline function bankOf(line: u32): usize {
  return load<usize>(caches() + BANKS_AT) + ((line + FIRST_LINE) % u(L2_BANKS)) * BANK_BYTES;
}
/** Pages go round the memory controllers. */
@inline function routeOf(line: u32): usize {
  const controllers = u(CONTROLLERS);
  return load<usize>(caches() + ROUTES_AT) + (((line + FIRST_LINE) % u(L2_BANKS)) * controllers + ((line + FIRST_LINE) >> 6) % controllers) * BANK_BYTES;
}

function evictFetched(slot: i32): void {
  const tag = tagOf(CACHE_L1I, slot);
  store<u32>(tagAt(CACHE_L1I, slot), 0);
  if ((tag & DIFFERS) == 0) return;
  setU(OVERLAYS, u(OVERLAYS) - 1);
  changed(tag >> TAG_SHIFT);
}

function evictData(slot: i32): void {
  const tag = tagOf(CACHE_L1D, slot);
  const line = tag >> TAG_SHIFT;
  const below = dataAt(CACHE_L1D, slot);
  store<u32>(tagAt(CACHE_L1D, slot), 0);
  if (line == u(LAST_DATA)) setU(LAST_DATA, NO_LINE);
  if ((tag & DIRTY) == 0) {
    if ((tag & DIFFERS) != 0) seeLine(line, below);
    return;
  }
  count(L1D_WRITE_BACKS);
  const sent = send(load<u32>(bankOf(line), BANK_REQUEST), WRITE_BACK, line);
  if ((sent & 3) == LOST) {
    seeLine(line, below);
    return;
  }
  const home = find(CACHE_L2, line);
  keepBelow(CACHE_L2, home, below);
  flag(CACHE_L2, home, DIRTY);
  if ((sent & 3) == FLIPPED) seeFlipped(line, sent >> 2);
}

function evictHome(slot: i32): void {
  const line = tagOf(CACHE_L2, slot) >> TAG_SHIFT;
  const data = find(CACHE_L1D, line);
  if (data >= 0) evictData(data);
  const fetched = find(CACHE_L1I, line);
  if (fetched >= 0) evictFetched(fetched);
  const tag = tagOf(CACHE_L2, slot);
  const below = dataAt(CACHE_L2, slot);
  store<u32>(tagAt(CACHE_L2, slot), 0);
  if ((tag & DIRTY) == 0) {
    if ((tag & DIFFERS) != 0) seeLine(line, below);
    return;
  }
  count(L2_WRITE_BACKS);
  const sent = send(load<u32>(routeOf(line), BANK_REQUEST), WRITE_BACK | OF_MEMORY, line);
  if ((sent & 3) == LOST) seeLine(line, below);
  else if ((sent & 3) == FLIPPED) seeFlipped(line, sent >> 2);
}

/** Has a line in L2, and the core wait for it; false where it waits for ever. */
function reach(line: u32): bool {
  const bank = bankOf(line);
  count(L2_ACCESSES);
  stall(load<u32>(bank, BANK_CYCLES));
  if ((send(load<u32>(bank, BANK_REQUEST), REQUEST, line) & 3) == LOST) return false;
  const known = find(CACHE_L2, line);
  if (known >= 0) {
    promote(CACHE_L2, known);
    return true;
  }
  const route = routeOf(line);
  count(L2_MISSES);
  stall(load<u32>(route, BANK_CYCLES));
  if ((send(load<u32>(route, BANK_REQUEST), REQUEST | OF_MEMORY, line) & 3) == LOST) return false;
  const sent = send(load<u32>(route, BANK_REPLY), FILL | OF_MEMORY, line);
  if ((sent & 3) == LOST) return false;
  const slot = victim(CACHE_L2, line);
  if ((tagOf(CACHE_L2, slot) & VALID) != 0) evictHome(slot);
  install(CACHE_L2, slot, line);
  if ((sent & 3) == FLIPPED) {
    keepBelow(CACHE_L2, slot, hostOfLine(line));
    seeFlipped(line, sent >> 2);
  }
  if (u(ARMED_LINES) != 0) strikeLine(CACHE_L2, slot, line);
  return true;
}

/** Has a line in L1D; gives its slot, or -1 where the core waits for ever. */
function fillData(line: u32): i32 {
  count(L1D_MISSES);
  if (!reach(line)) return hang();
  const sent = send(load<u32>(bankOf(line), BANK_REPLY), FILL, line);
  if ((sent & 3) == LOST) return hang();
  const slot = victim(CACHE_L1D, line);
  if ((tagOf(CACHE_L1D, slot) & VALID) != 0) evictData(slot);
  install(CACHE_L1D, slot, line);
  if ((sent & 3) == FLIPPED) {
    keepBelow(CACHE_L1D, slot, hostOfLine(line));
    seeFlipped(line, sent >> 2);
  }
  if (u(ARMED_LINES) != 0) strikeLine(CACHE_L1D, slot, line);
  return slot;
}

function touchLine(line: u32, isStore: bool): bool {
  count(L1D_ACCESSES);
  let slot: i32;
  if (line == u(LAST_DATA)) {
    slot = u(LAST_SLOT);
  } else {
    slot = find(CACHE_L1D, line);
    if (slot >= 0) promote(CACHE_L1D, slot);
    else slot = fillData(line);
    if (slot < 0) return false;
    setU(LAST_DATA, line);
    setU(LAST_SLOT, slot);
  }
  if (isStore && (tagOf(CACHE_L1D, slot) & DIRTY) == 0) {
    keepBelow(CACHE_L1D, slot, hostOfLine(line));
    flag(CACHE_L1D, slot, DIRTY);
  }
  return true;
}

/** Before a load or a store of the core, of bytes within one page at a host address. False where the core waits for ever, with CAUSE set. */
export function touch(host: usize, size: u32, isStore: bool): bool {
  const first = lineOf(host);
  const last = lineOf(host + size - 1);
  if (!touchLine(first, isStore)) return false;
  if (first == last) return true;
  if (!touchLine(last, isStore)) return false;
  // In an L2 of one set the second may have thrown out the first.
  return find(CACHE_L1D, first) >= 0 || touchLine(first, isStore);
}

/** True if a line is one of the two that were fetched last. */
@inline export function isFetched(line: u32): bool {
  return line == u(LAST_FETCH) || line == u(PREVIOUS_FETCH);
}

/** Before an instruction of a line that is not: fetches the line. True if the instruction may be another one than has been decoded, or the core waits for ever, or the host is to be told of something. */
export function fetchLine(line: u32): bool {
  count(L1I_ACCESSES);
  let slot = find(CACHE_L1I, line);
  if (slot >= 0) {
    promote(CACHE_L1I, slot);
  } else {
    count(L1I_MISSES);
    if (!reach(line)) return hang() < 0;
    const sent = send(load<u32>(bankOf(line), BANK_REPLY), FILL, line);
    if ((sent & 3) == LOST) return hang() < 0;
    slot = victim(CACHE_L1I, line);
    if ((tagOf(CACHE_L1I, slot) & VALID) != 0) evictFetched(slot);
    install(CACHE_L1I, slot, line);
    // It is L2's copy, unless L1D has stored to it.
    const data = find(CACHE_L1D, line);
    if (data >= 0 && (tagOf(CACHE_L1D, data) & (DIRTY | DIFFERS)) == DIFFERS) {
      const host = hostOfLine(line);
      for (let i: usize = 0; i < LINE; i += 8) overlay(slot, i, load<u64>(host + i) ^ load<u64>(dataAt(CACHE_L1D, data) + i));
      changed(line);
    }
    if ((sent & 3) == FLIPPED) {
      const bit = sent >> 2;
      overlay(slot, (<usize>bit >> 3) & ~7, <u64>1 << (bit & 63));
      changed(line);
    }
    if (u(ARMED_LINES) != 0) strikeLine(CACHE_L1I, slot, line);
  }
  setU(PREVIOUS_FETCH, u(LAST_FETCH));
  setU(LAST_FETCH, line);
  return (u(PENDING) | u(EVENTS)) != 0;
}

/** Two bytes of code at a host address, as fetches see them. */
export function codeAt(host: usize): u32 {
  const seen: u32 = load<u16>(host);
  if (u(OVERLAYS) == 0) return seen;
  const slot = find(CACHE_L1I, lineOf(host));
  if (slot < 0 || (tagOf(CACHE_L1I, slot) & DIFFERS) == 0) return seen;
  return seen ^ load<u16>(dataAt(CACHE_L1I, slot) + (host & (LINE - 1)));
}

/** fence.i: fetches see what has been stored. */
export function forgetFetched(): void {
  const slots = load<u32>(caches() + CACHE_L1I, CACHE_SETS) * load<u32>(caches() + CACHE_L1I, CACHE_WAYS);
  for (let slot: u32 = 0; slot < slots; slot++) if ((tagOf(CACHE_L1I, slot) & VALID) != 0) evictFetched(slot);
  setU(LAST_FETCH, NO_LINE);
  setU(PREVIOUS_FETCH, NO_LINE);
}

/** Something else than the core has written [host, host + size): a device, the firmware, a page walk, a fault. All copies have it. */
export function writeThrough(host: usize, size: usize): void {
  // Nobody has said yet what caches there are.
  if (u(L2_BANKS) == 0) return;
  for (let at = host; at < host + size; ) {
    const end = min((at | (LINE - 1)) + 1, host + size);
    const line = lineOf(at);
    const offset = at & (LINE - 1);
    const home = find(CACHE_L2, line);
    if (home >= 0) {
      if ((tagOf(CACHE_L2, home) & DIFFERS) != 0) memory.copy(dataAt(CACHE_L2, home) + offset, at, end - at);
      const data = find(CACHE_L1D, line);
      if (data >= 0 && (tagOf(CACHE_L1D, data) & DIFFERS) != 0) memory.copy(dataAt(CACHE_L1D, data) + offset, at, end - at);
      const fetched = find(CACHE_L1I, line);
      if (fetched >= 0 && (tagOf(CACHE_L1I, fetched) & DIFFERS) != 0) {
        memory.fill(dataAt(CACHE_L1I, fetched) + offset, 0, end - at);
        overlay(fetched, 0, 0);
        changed(line);
      }
    }
    at = end;
  }
}

/** Strikes a byte that loads may see. */
function strikeSeen(host: usize, after: u32): void {
  const word = host & ~7;
  const shift = <u64>(host & 7) << 3;
  see(word, (load<u64>(word) & ~(<u64>0xff << shift)) | (<u64>after << shift));
}

/** Does what armed faults do to a line that a cache has; they wait no more. */
function strikeLine(cache: usize, slot: i32, line: u32): void {
  const level: u32 = cache == CACHE_L1I ? 0 : cache == CACHE_L1D ? 1 : 2;
  const armed = u(ARMED_LINES);
  for (let number: u32 = 0; number < armed; number++) {
    const fault = load<usize>(caches() + LINE_LIST) + number * LINE_FAULT_BYTES;
    if (load<u32>(fault) != level || load<u32>(fault, 4) != line) continue;
    // No cache has this number.
    store<u32>(fault, 3);
    const offset = <usize>load<u32>(fault, 8);
    const host = hostOfLine(line) + offset;
    // Where L1D has a copy of its own, L2's is what stands beside it.
    const data = cache == CACHE_L2 ? find(CACHE_L1D, line) : -1;
    if (data >= 0) keepBelow(CACHE_L1D, data, hostOfLine(line));
    const hidden = data >= 0 ? dataAt(CACHE_L1D, data) + offset : 0;
    const mask: u32 = cache == CACHE_L1I && (tagOf(cache, slot) & DIFFERS) != 0 ? load<u8>(dataAt(cache, slot) + offset) : 0;
    const before: u32 = hidden != 0 ? load<u8>(hidden) : load<u8>(host) ^ mask;
    const after: u32 = (before & load<u32>(fault, 12)) ^ load<u32>(fault, 16);
    tell(LINE_STRUCK, number, before, after);
    if (before == after) continue;
    if (cache == CACHE_L1I) {
      overlay(slot, offset & ~7, <u64>(before ^ after) << (<u64>(offset & 7) << 3));
      changed(line);
      continue;
    }
    keepBelow(cache, slot, hidden != 0 ? dataAt(CACHE_L1D, data) : hostOfLine(line));
    if (hidden != 0) store<u8>(hidden, <u8>after);
    else strikeSeen(host, after);
  }
}

/** The host has armed faults of lines: those that are there now are struck. */
export function strikeLines(): void {
  const armed = u(ARMED_LINES);
  for (let number: u32 = 0; number < armed; number++) {
    const fault = load<usize>(caches() + LINE_LIST) + number * LINE_FAULT_BYTES;
    const level = load<u32>(fault);
    if (level > 2) continue;
    const cache = level == 0 ? CACHE_L1I : level == 1 ? CACHE_L1D : CACHE_L2;
    const slot = find(cache, load<u32>(fault, 4));
    if (slot >= 0) strikeLine(cache, slot, load<u32>(fault, 4));
  }
  settleChanges();
  store<u32>(LEAVE, 0);
}

/** The number of a cache's slots. */
@inline function slotsOf(cache: usize): i32 {
  return load<u32>(caches() + cache, CACHE_SETS) * load<u32>(caches() + cache, CACHE_WAYS) * (cache == CACHE_L2 ? u(L2_BANKS) : 1);
}

/** Empties all caches, as it were with an instruction: what is dirty is written back. */
export function flushCaches(): void {
  const armed = u(ARMED_MESSAGES);
  setU(ARMED_MESSAGES, 0);
  for (let slot = slotsOf(CACHE_L2) - 1; slot >= 0; slot--) {
    if ((tagOf(CACHE_L2, slot) & VALID) != 0) evictHome(slot);
    settleChanges();
  }
  setU(ARMED_MESSAGES, armed);
  dropCaches();
}

/** All caches are empty, and nothing of what was in them matters any more: RAM is what it is. */
export function dropCaches(): void {
  if (u(OVERLAYS) != 0) {
    forgetFetched();
    settleChanges();
  }
  clear(CACHE_L1I);
  clear(CACHE_L1D);
  clear(CACHE_L2);
  setU(OVERLAYS, 0);
  setU(LAST_DATA, NO_LINE);
  setU(LAST_FETCH, NO_LINE);
  setU(PREVIOUS_FETCH, NO_LINE);
  setU(HUNG, 0);
  setU(PENDING, 0);
  store<u32>(LEAVE, 0);
}

function clear(cache: usize): void {
  const slots = slotsOf(cache);
  const ways = load<u32>(caches() + cache, CACHE_WAYS);
  memory.fill(tagAt(cache, 0), 0, <usize>slots << 2);
  const ages = load<usize>(caches() + cache, CACHE_AGES);
  for (let slot = 0; slot < slots; slot++) store<u8>(ages + slot, <u8>(<u32>slot % ways));
}

/** The host has put the caches into a state that they had before, with RAM. */
export function cachesLoaded(): void {
  setU(LAST_DATA, NO_LINE);
  let overlays: u32 = 0;
  for (let slot = slotsOf(CACHE_L1I) - 1; slot >= 0; slot--) {
    const tag = tagOf(CACHE_L1I, slot);
    if ((tag & DIFFERS) == 0) continue;
    overlays++;
    changed(tag >> TAG_SHIFT);
    settleChanges();
  }
  setU(OVERLAYS, overlays);
  store<u32>(LEAVE, 0);
}

/** For the host. */
export function cacheLayoutOf(index: u32): usize {
  switch (index) {
    case 0: return EVENTS;
    case 1: return ARMED_LINES;
    case 2: return ARMED_MESSAGES;
    case 3: return WORST;
    case 4: return CACHE_L1I;
    case 5: return CACHE_L1D;
    case 6: return CACHE_L2;
    case 7: return L2_BANKS;
    case 8: return CONTROLLERS;
    case 9: return BANKS_AT;
    case 10: return ROUTES_AT;
    case 11: return MESSAGE_LIST;
    case 12: return LINE_LIST;
    case 13: return EVENT_LIST;
    case 14: return PENDING_LIST;
    case 15: return CACHES_AT;
    case 16: return LAST_FETCH;
    case 17: return HUNG;
    default: return 0;
  }
}
