import { hartAt } from './harts';
import {
  FFLAGS, FRM, HARTS, MSTATUS, PMPCFG, SATP, STATE, STUCK_CSRS, STUCK_CSR_BYTES, STUCK_CSR_LIST, STUCK_READS, STUCK_READ_LIST,
} from './layout';
import { flushAll } from './tlb';

// Bits of control and status registers that read as 0 or 1 however often they are written. Those of a register with bits of its own are
// forced where these are kept, so that all that leans on them, traps, translation, interrupts, sees them: when they are set, and after
// every event of the outer loop, since nothing else writes such registers but floating point. Where its flags or its state have stuck
// bits, instructions are executed one at a time (STUCK_UNITS). A register that is worked out anew at each read is forced there.

/** Those of all harts, which take turns on the core. `flags`: also those that floating point raises. */
@inline export function forceCsrs(flags: bool = true): void {
  if (load<u32>(STUCK_CSRS) != 0) forceKept(flags);
}

function forceKept(flags: bool): void {
  const count = load<u32>(STUCK_CSRS);
  let translates = false;
  for (let i: u32 = 0; i < count; i++) {
    const entry = STUCK_CSR_LIST + <usize>i * STUCK_CSR_BYTES;
    const place = load<u32>(entry);
    if (place == FFLAGS && !flags) continue;
    for (let hart: u64 = 0; hart < load<u64>(STATE + HARTS); hart++) {
      const changed = force(hartAt(hart) + place, place == FFLAGS || place == FRM, load<u64>(entry, 8), load<u64>(entry, 16));
      if (changed && (place == SATP || place == MSTATUS || place >= PMPCFG)) translates = true;
    }
  }
  if (translates) flushAll();
}

function force(at: usize, narrow: bool, keep: u64, set: u64): bool {
  const old = narrow ? <u64>load<u32>(at) : load<u64>(at);
  const now = (old & keep) | set;
  if (now == old) return false;
  if (narrow) store<u32>(at, <u32>now);
  else store<u64>(at, now);
  return true;
}

/** What is read of a register that keeps nothing. */
export function stuckRead(number: u32, value: u64): u64 {
  const count = load<u32>(STUCK_READS);
  for (let i: u32 = 0; i < count; i++) {
    const entry = STUCK_READ_LIST + <usize>i * STUCK_CSR_BYTES;
    if (load<u32>(entry) == number) return (value & load<u64>(entry, 8)) | load<u64>(entry, 16);
  }
  return value;
}
