import { PMPADDR, PMPCFG, STATE } from './layout';

// Physical memory protection: The RISC-V Instruction Set Manual, volume II, section 3.7. 16 regions, of 4 bytes and more.

const REGIONS: usize = 16;
const LOCKED: u8 = 0x80;
const MACHINE: u64 = 3;
const OFF: u8 = 0;
const TOR: u8 = 1;
const NA4: u8 = 2;
/** pmpaddr has bits 55..2 of an address. */
const ADDRESS: u64 = ((<u64>1 << 54) - 1);

@inline function configuration(i: usize): u8 {
  return load<u8>(STATE + PMPCFG + i);
}
@inline function address(i: usize): u64 {
  return load<u64>(STATE + PMPADDR + (i << 3));
}

function first(i: usize, mode: u8): u64 {
  if (mode == TOR) return i == 0 ? 0 : address(i - 1) << 2;
  const value = address(i);
  return (mode == NA4 ? value : value & (value + 1)) << 2;
}

/** One past the region's last byte. The address space's whole needs 57 bits, which fit. */
function end(i: usize, mode: u8): u64 {
  const value = address(i);
  if (mode == TOR) return value << 2;
  if (mode == NA4) return (value << 2) + 4;
  return ((value & (value + 1)) << 2) + ((value ^ (value + 1)) + 1 << 2);
}

/** True if the access, with `access` 1 to read, 2 to write, 4 to fetch, may be made at this privilege. */
export function pmpAllows(at: u64, size: u64, access: u32, privilege: u64): bool {
  if ((load<u64>(STATE + PMPCFG) | load<u64>(STATE + PMPCFG + 8)) == 0) return privilege == MACHINE;
  for (let i: usize = 0; i < REGIONS; i++) {
    const own = configuration(i);
    const mode: u8 = (own >> 3) & 3;
    if (mode == OFF) continue;
    const from = first(i, mode);
    const to = end(i, mode);
    if (at >= to || at + size <= from) continue;
    // The lowest region that has any byte of the access has to have all of them.
    if (at < from || at + size > to) return false;
    if (privilege == MACHINE && (own & LOCKED) == 0) return true;
    return (own & access) == access;
  }
  return privilege == MACHINE;
}

/** True if every byte of the page is treated alike, so that one check holds for all. */
export function pmpUniform(page: u64): bool {
  if ((load<u64>(STATE + PMPCFG) | load<u64>(STATE + PMPCFG + 8)) == 0) return true;
  for (let i: usize = 0; i < REGIONS; i++) {
    const mode: u8 = (configuration(i) >> 3) & 3;
    if (mode == OFF) continue;
    const from = first(i, mode);
    const to = end(i, mode);
    if (page >= to || page + 4096 <= from) continue;
    return page >= from && page + 4096 <= to;
  }
  return true;
}

export function writePmpConfiguration(index: usize, value: u64): void {
  for (let i: usize = 0; i < 8; i++) {
    const at = STATE + PMPCFG + (index << 3) + i;
    if ((load<u8>(at) & LOCKED) != 0) continue;
    let byte = <u8>(value >> (<u64>i << 3)) & 0x9f;
    // Writable without readable is reserved: not writable then.
    if ((byte & 3) == 2) byte &= ~2;
    store<u8>(at, byte);
  }
}

export function writePmpAddress(i: usize, value: u64): void {
  if ((configuration(i) & LOCKED) != 0) return;
  // A locked top-of-range region locks the address below it, too.
  if (i + 1 < REGIONS) {
    const above = configuration(i + 1);
    if ((above & LOCKED) != 0 && ((above >> 3) & 3) == TOR) return;
  }
  store<u64>(STATE + PMPADDR + (i << 3), value & ADDRESS);
}
