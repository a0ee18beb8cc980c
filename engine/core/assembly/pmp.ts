import { PMPADDR, PMPCFG, PMP_FROM, PMP_RIGHTS, PMP_TO, STATE } from './layout';

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

/** Of PMP_RIGHTS: what machine mode may do, above what the others may. */
const MACHINE_RIGHTS: u32 = 3;

/** Nothing is known of any address. To be called when the regions change, and before another hart's turn. */
export function forgetPmp(): void {
  store<u64>(PMP_TO, 0);
}

/** Finds the addresses around one for which the same region decides, and what it allows. */
function lookAround(at: u64): void {
  let from: u64 = 0;
  let to: u64 = 0xffffffffffffffff;
  let rights: u32 = 7 << MACHINE_RIGHTS;
  for (let i: usize = 0; i < REGIONS; i++) {
    const own = configuration(i);
    const mode: u8 = (own >> 3) & 3;
    if (mode == OFF) continue;
    const low = first(i, mode);
    const high = end(i, mode);
    if (low >= high) continue;
    if (at < low) {
      to = min(to, low);
    } else if (at >= high) {
      from = max(from, high);
    } else {
      from = max(from, low);
      to = min(to, high);
      const allowed: u32 = own & 7;
      rights = allowed | ((own & LOCKED) != 0 ? allowed : 7) << MACHINE_RIGHTS;
      break;
    }
  }
  // Without any region only machine mode has rights, and so it is where no region matches.
  store<u64>(PMP_FROM, from);
  store<u64>(PMP_TO, to);
  store<u32>(PMP_RIGHTS, rights);
}

/** True if the access, with `access` 1 to read, 2 to write, 4 to fetch, may be made at this privilege. */
export function pmpAllows(at: u64, size: u64, access: u32, privilege: u64): bool {
  if (at < load<u64>(PMP_FROM) || at >= load<u64>(PMP_TO)) lookAround(at);
  // The lowest region that has any byte of the access has to have all of them.
  if (at + size > load<u64>(PMP_TO)) return false;
  const rights = load<u32>(PMP_RIGHTS) >> (privilege == MACHINE ? MACHINE_RIGHTS : 0);
  return (rights & access) == access;
}

/** True if every byte of the page is treated alike, so that one check holds for all. */
export function pmpUniform(page: u64): bool {
  if (page < load<u64>(PMP_FROM) || page >= load<u64>(PMP_TO)) lookAround(page);
  return page + 4096 <= load<u64>(PMP_TO);
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
