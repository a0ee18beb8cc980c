import { invalidate } from './code';
import { isDevice, readDevice, writeDevice } from './devices';
import {
  CAUSE, LEAVE, RAM_AT, RAM_BASE, RAM_BYTES, READ_TLB, TOHOST, VALUE, WATCHES, WATCH_BYTES, WATCH_HIT, WATCH_LIST,
  WRITE_TLB, codeMap, dirtyOf,
} from './layout';
import { exit } from './output';
import { fill } from './tlb';

// The slow side of memory: everything that a TLB hit does not cover. Virtual
// addresses are physical ones until there is translation.

/** CAUSE when there is no exception. */
export const NONE: u64 = 0xffffffffffffffff;

const READ: u32 = 1;
const WRITE: u32 = 2;

const LOAD_FAULT: u64 = 5;
const STORE_FAULT: u64 = 7;
const STORE_MISALIGNED: u64 = 6;
const LOAD_MISALIGNED: u64 = 4;

@inline function raise(cause: u64, value: u64): void {
  store<u64>(CAUSE, cause);
  store<u64>(VALUE, value);
}

@inline export function isRam(address: u64, size: u64): bool {
  const bytes: u64 = load<u64>(RAM_BYTES);
  return address - RAM_BASE < bytes && address - RAM_BASE + size <= bytes;
}

@inline export function hostOf(address: u64): usize {
  return load<usize>(RAM_AT) + <usize>(address - RAM_BASE);
}

@inline function pageOf(address: u64): usize {
  return <usize>(address - RAM_BASE) >> 12;
}

@inline export function codeOf(page: usize): usize {
  return load<usize>(codeMap() + (page << 2));
}

/** True if a watch touches the page. Such a page is never in a TLB. */
function isWatched(page: u64): bool {
  const count = load<u32>(WATCHES);
  for (let i: u32 = 0; i < count; i++) {
    const entry = WATCH_LIST + <usize>i * WATCH_BYTES;
    const first = load<u64>(entry) & ~4095;
    const last = (load<u64>(entry) + load<u64>(entry, 8) - 1) & ~4095;
    if (page >= first && page <= last) return true;
  }
  return false;
}

/** True if a page with a byte of the access is watched. */
@inline function touchesWatched(va: u64, size: u32): bool {
  return load<u32>(WATCHES) != 0 && (isWatched(va & ~4095) || isWatched((va + size - 1) & ~4095));
}

function lookForWatch(address: u64, size: u32, access: u32): void {
  const count = load<u32>(WATCHES);
  for (let i: u32 = 0; i < count; i++) {
    const entry = WATCH_LIST + <usize>i * WATCH_BYTES;
    const start = load<u64>(entry);
    if (address < start + load<u64>(entry, 8) && start < address + size && (load<u32>(entry, 16) & access) != 0) {
      store<u32>(WATCH_HIT, 1);
      store<u32>(LEAVE, 1);
    }
  }
}

/** Loads `size` bytes, zero-extended. On an exception CAUSE is set and the result means nothing. */
export function slowLoad(va: u64, size: u32): u64 {
  if (isRam(va, size)) {
    if (touchesWatched(va, size)) lookForWatch(va, size, READ);
    else if ((va & 4095) + size <= 4096) fill(READ_TLB, va, load<u32>(RAM_AT) - <u32>RAM_BASE);
    return loadBytes(hostOf(va), size);
  }
  if (isDevice(va, size)) {
    // A device's register is read whole or not at all: reading has side effects.
    if ((va & (size - 1)) == 0) return readDevice(va, size);
    raise(LOAD_MISALIGNED, va);
    return 0;
  }
  raise(LOAD_FAULT, va);
  return 0;
}

@inline function loadBytes(host: usize, size: u32): u64 {
  switch (size) {
    case 1: return load<u8>(host);
    case 2: return load<u16>(host);
    case 4: return load<u32>(host);
    default: return load<u64>(host);
  }
}

/** Stores the low `size` bytes. On an exception CAUSE is set and nothing is stored. */
export function slowStore(va: u64, size: u32, value: u64): void {
  if (isRam(va, size)) {
    const host = hostOf(va);
    switch (size) {
      case 1: store<u8>(host, <u8>value); break;
      case 2: store<u16>(host, <u16>value); break;
      case 4: store<u32>(host, <u32>value); break;
      default: store<u64>(host, value); break;
    }
    written(va, size);
    return;
  }
  if (isDevice(va, size)) {
    if ((va & (size - 1)) != 0) raise(STORE_MISALIGNED, va);
    else writeDevice(va, size, value);
    return;
  }
  raise(STORE_FAULT, va);
}

/** All that has to follow a store to RAM which the write TLB did not cover. */
function written(va: u64, size: u32): void {
  const first = pageOf(va);
  const last = pageOf(va + size - 1);
  for (let page = first; page <= last; page++) {
    store<u8>(dirtyOf(page), 1);
    if (codeOf(page) != 0 && invalidate(page, va, size)) store<u32>(LEAVE, 1);
  }
  const tohost = load<u64>(TOHOST);
  const watched = touchesWatched(va, size);
  if (watched) lookForWatch(va, size, WRITE);
  if (tohost != 0 && va < tohost + 8 && tohost < va + size) {
    const command = load<u64>(hostOf(tohost));
    if ((command & 1) != 0) exit(<u32>(command >> 1));
  }
  // tohost's page and pages with decoded code stay out, so that each store to them comes here.
  const special = watched || codeOf(first) != 0 || (tohost != 0 && ((tohost ^ va) & ~4095) == 0);
  if (!special && first == last) fill(WRITE_TLB, va, load<u32>(RAM_AT) - <u32>RAM_BASE);
}

/**
 * The host address for an atomic access, aligned and in RAM; 0 with CAUSE set
 * where there is none. `isStore`: it will be written (then call `atomicDone`).
 */
export function atomicAddress(va: u64, size: u32, isStore: bool): usize {
  if ((va & (size - 1)) != 0) {
    raise(isStore ? STORE_MISALIGNED : LOAD_MISALIGNED, va);
    return 0;
  }
  if (!isRam(va, size)) {
    raise(isStore ? STORE_FAULT : LOAD_FAULT, va);
    return 0;
  }
  if (load<u32>(WATCHES) != 0) lookForWatch(va, size, READ);
  return hostOf(va);
}

@inline export function atomicDone(va: u64, size: u32): void {
  written(va, size);
}

/** Zeroes the 64-byte block around `va` (cbo.zero). */
export function zeroBlock(va: u64): void {
  const block = va & ~63;
  if (!isRam(block, 64)) {
    raise(STORE_FAULT, va);
    return;
  }
  memory.fill(hostOf(block), 0, 64);
  written(block, 64);
}
