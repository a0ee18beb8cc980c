import { touch, writeThrough } from './caches';
import { invalidate } from './code';
import { isDevice, readDevice, writeDevice } from './devices';
import {
  ATOMIC_AT, CAUSE, DATA_TLB, LEAVE, RAM_AT, RAM_BASE, TOHOST, WATCHES, WATCH_BYTES, WATCH_HIT, WATCH_LIST, WRITE_SET,
  codeMap, dirtyOf, flagsOf,
} from './layout';
import { NOWHERE, READ, WRITE, accessFault, beforeStore, hostOf, isRam, pageOf, raise, translate } from './mmu';
import { exit } from './output';
import { pmpAllows, pmpUniform } from './pmp';
import { forceMemory } from './stuck';
import { PAGE_IS_STUCK, PAGE_IS_TABLE, PAGE_IS_WRITTEN, dataPrivilege, fill, slot } from './tlb';
import { DETAILED } from './variant';

// The slow side of memory: everything that a TLB hit does not cover. `va` is an
// address as the instruction has it, `at` a physical one.

/** CAUSE when there is no exception. */
export const NONE: u64 = 0xffffffffffffffff;

const LOAD_MISALIGNED: u64 = 4;
const STORE_MISALIGNED: u64 = 6;

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

export function lookForWatch(address: u64, size: u32, access: u32): void {
  const count = load<u32>(WATCHES);
  for (let i: u32 = 0; i < count; i++) {
    const entry = WATCH_LIST + <usize>i * WATCH_BYTES;
    const start = load<u64>(entry);
    if (address < start + load<u64>(entry, 8) && start < address + size && (load<u32>(entry, 16) & access) != 0) {
      store<u32>(entry, 1, 20);
      store<u32>(WATCH_HIT, 1);
      store<u32>(LEAVE, 1);
    }
  }
}

/** The physical address of an access within one page, or NOWHERE with CAUSE set. */
function locate(va: u64, size: u32, access: u32): u64 {
  const privilege = dataPrivilege();
  const at = translate(va, access, privilege);
  if (at == NOWHERE) return NOWHERE;
  return pmpAllows(at, size, access, privilege) && (isRam(at, size) || isDevice(at, size)) ? at : accessFault(va, access);
}

/** Bytes of [va, va + size) on the first of its pages. */
@inline function before(va: u64, size: u32): u32 {
  return min(size, 4096 - <u32>(va & 4095));
}

/** Loads `size` bytes, zero-extended. On an exception CAUSE is set and the result means nothing. */
export function slowLoad(va: u64, size: u32): u64 {
  if (DETAILED) {
    const entry = load<usize>(DATA_TLB) + slot(va);
    if ((va ^ load<u64>(entry)) < <u64>(4097 - size)) {
      const host = <usize>va + load<u32>(entry, 8);
      return touch(host, size, false) ? loadBytes(host, size) : 0;
    }
  }
  const near = before(va, size);
  const at = locate(va, near, READ);
  if (at == NOWHERE) return 0;
  if (near < size) {
    const far = locate(va + near, size - near, READ);
    if (far == NOWHERE) return 0;
    if (!isRam(at, near) || !isRam(far, size - near)) {
      raise(LOAD_MISALIGNED, va);
      return 0;
    }
    if (DETAILED && !(touch(hostOf(at), near, false) && touch(hostOf(far), size - near, false))) return 0;
    return loadPiece(at, near) | (loadPiece(far, size - near) << (<u64>near << 3));
  }
  if (isRam(at, size)) {
    if (load<u32>(WATCHES) == 0 || !isWatched(at & ~4095)) {
      if (pmpUniform(at & ~4095)) fill(load<usize>(DATA_TLB), va, <u32>hostOf(at) - <u32>va);
    } else {
      lookForWatch(at, size, READ);
    }
    if (DETAILED && !touch(hostOf(at), size, false)) return 0;
    return loadBytes(hostOf(at), size);
  }
  // A device's register is read whole or not at all.
  if ((at & (size - 1)) != 0) {
    raise(LOAD_MISALIGNED, va);
    return 0;
  }
  return readDevice(at, size);
}

/** A part of a misaligned value; nothing outside of RAM has parts. */
function loadPiece(at: u64, bytes: u32): u64 {
  if (!isRam(at, bytes)) return 0;
  if (load<u32>(WATCHES) != 0) lookForWatch(at, bytes, READ);
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) value |= <u64>load<u8>(hostOf(at + i)) << (<u64>i << 3);
  return value;
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
  if (DETAILED) {
    const entry = load<usize>(DATA_TLB) + slot(va);
    if ((va ^ load<u64>(entry, WRITE_SET)) < <u64>(4097 - size)) {
      const host = <usize>va + load<u32>(entry, WRITE_SET + 8);
      if (touch(host, size, true)) storeBytes(host, size, value);
      return;
    }
  }
  const near = before(va, size);
  const at = locate(va, near, WRITE);
  if (at == NOWHERE) return;
  if (near < size) {
    const far = locate(va + near, size - near, WRITE);
    if (far == NOWHERE) return;
    // Nothing is stored to RAM if the other half is a device's.
    if (!isRam(at, near) || !isRam(far, size - near)) {
      raise(STORE_MISALIGNED, va);
      return;
    }
    if (DETAILED && !(touch(hostOf(at), near, true) && touch(hostOf(far), size - near, true))) return;
    storePiece(at, near, value);
    storePiece(far, size - near, value >> (<u64>near << 3));
    return;
  }
  if (isRam(at, size)) {
    if (DETAILED && !touch(hostOf(at), size, true)) return;
    beforeStore(at, size);
    storeBytes(hostOf(at), size, value);
    written(at, size);
    remember(va, at);
    return;
  }
  if ((at & (size - 1)) != 0) raise(STORE_MISALIGNED, va);
  else writeDevice(at, size, value);
}

@inline function storeBytes(host: usize, size: u32, value: u64): void {
  switch (size) {
    case 1: store<u8>(host, <u8>value); break;
    case 2: store<u16>(host, <u16>value); break;
    case 4: store<u32>(host, <u32>value); break;
    default: store<u64>(host, value); break;
  }
}

function storePiece(at: u64, bytes: u32, value: u64): void {
  if (!isRam(at, bytes)) return;
  beforeStore(at, bytes);
  for (let i: u32 = 0; i < bytes; i++) store<u8>(hostOf(at + i), <u8>(value >> (<u64>i << 3)));
  written(at, bytes);
}

/** Stores a byte for the firmware, by its physical address in RAM. */
export function storeByte(at: u64, value: u8): void {
  storePiece(at, 1, value);
  if (DETAILED && isRam(at, 1)) writeThrough(hostOf(at), 1);
}

/** All that has to follow a store to RAM within one page which the write TLB did not cover. */
function written(at: u64, size: u32): void {
  const page = pageOf(at);
  store<u8>(dirtyOf(page), 1);
  if ((load<u8>(flagsOf(page)) & PAGE_IS_STUCK) != 0) forceMemory(at, size);
  if (codeOf(page) != 0 && invalidate(page, at, size)) store<u32>(LEAVE, 1);
  if (load<u32>(WATCHES) != 0) lookForWatch(at, size, WRITE);
  const tohost = load<u64>(TOHOST);
  if (tohost != 0 && at < tohost + 8 && tohost < at + size) {
    const command = load<u64>(hostOf(tohost));
    if ((command & 1) != 0) exit(<u32>(command >> 1));
  }
}

/** Puts the page of a store into the write TLB, unless each store to it has to come here. */
function remember(va: u64, at: u64): void {
  const page = pageOf(at);
  const tohost = load<u64>(TOHOST);
  if (codeOf(page) != 0 || (load<u8>(flagsOf(page)) & (PAGE_IS_TABLE | PAGE_IS_STUCK)) != 0) return;
  if (tohost != 0 && ((tohost ^ at) & ~4095) == 0) return;
  if (load<u32>(WATCHES) != 0 && isWatched(at & ~4095)) return;
  if (!pmpUniform(at & ~4095)) return;
  store<u8>(flagsOf(page), load<u8>(flagsOf(page)) | PAGE_IS_WRITTEN);
  fill(load<usize>(DATA_TLB) + WRITE_SET, va, <u32>hostOf(at) - <u32>va);
}

/**
 * Puts the page of an access into the TLB, for translated code; false where it does not belong there, or the access needs
 * more than a TLB hit: then the interpreter makes it. The walk is the one of the access, which follows.
 */
export function fillFor(va: u64, size: u32, access: u32): bool {
  if (before(va, size) != size) return false;
  const at = locate(va, size, access);
  if (at == NOWHERE) {
    store<u64>(CAUSE, NONE);
    return false;
  }
  // The walk may have written to a page of code.
  if (load<u32>(LEAVE) != 0 || !isRam(at, size)) return false;
  if (access == READ) {
    if ((load<u32>(WATCHES) != 0 && isWatched(at & ~4095)) || !pmpUniform(at & ~4095)) return false;
    fill(load<usize>(DATA_TLB), va, <u32>hostOf(at) - <u32>va);
    return true;
  }
  const page = pageOf(at);
  if ((load<u8>(flagsOf(page)) & (PAGE_IS_TABLE | PAGE_IS_STUCK)) != 0 || codeOf(page) != 0) return false;
  remember(va, at);
  if (load<u64>(load<usize>(DATA_TLB) + slot(va), WRITE_SET) != (va & ~4095)) return false;
  store<u8>(dirtyOf(page), 1);
  return true;
}

/**
 * The host address for an atomic access, aligned and in RAM, whose physical
 * address is then in ATOMIC_AT; 0 with CAUSE set where there is none.
 * `isStore`: it will be written (then call `atomicDone`).
 */
export function atomicAddress(va: u64, size: u32, isStore: bool): usize {
  const access = isStore ? WRITE : READ;
  if ((va & (size - 1)) != 0) {
    raise(isStore ? STORE_MISALIGNED : LOAD_MISALIGNED, va);
    return 0;
  }
  // A page in the write TLB needs no care before the store, nor after it.
  const entry = load<usize>(DATA_TLB) + slot(va);
  if (isStore && load<u64>(entry, WRITE_SET) == (va & ~4095)) {
    const host = <usize>va + load<u32>(entry, WRITE_SET + 8);
    if (DETAILED && !touch(host, size, true)) return 0;
    store<u64>(ATOMIC_AT, RAM_BASE + <u64>(host - load<u32>(RAM_AT)));
    return host;
  }
  const at = locate(va, size, access);
  if (at == NOWHERE) return 0;
  if (!isRam(at, size)) {
    accessFault(va, access);
    return 0;
  }
  if (DETAILED && !touch(hostOf(at), size, isStore)) return 0;
  store<u64>(ATOMIC_AT, at);
  if (load<u32>(WATCHES) != 0) lookForWatch(at, size, READ);
  if (isStore) beforeStore(at, size);
  return hostOf(at);
}

@inline export function atomicDone(va: u64, size: u32): void {
  const at = load<u64>(ATOMIC_AT);
  written(at, size);
  remember(va, at);
}

/** Zeroes the 64-byte block around `va` (cbo.zero). */
export function zeroBlock(va: u64): void {
  const block = locate(va & ~63, 64, WRITE);
  if (block == NOWHERE || !isRam(block, 64)) {
    raise(block == NOWHERE ? load<u64>(CAUSE) : 7, va);
    return;
  }
  if (DETAILED && !touch(hostOf(block), 64, true)) return;
  beforeStore(block, 64);
  memory.fill(hostOf(block), 0, 64);
  written(block, 64);
}

/** Checks what a cache-block operation that changes nothing needs: to read or to write the block. */
export function checkBlock(va: u64): void {
  if (locate(va & ~63, 64, READ) != NOWHERE) return;
  store<u64>(CAUSE, NONE);
  if (locate(va & ~63, 64, WRITE) == NOWHERE) raise(load<u64>(CAUSE), va);
}
