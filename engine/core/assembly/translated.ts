import { OP_ENTRY } from './code';
import { floatOp } from './float';
import { FETCH_CONTEXT, FFLAGS, FRM, PC, STATE } from './layout';
import { NX, RNE } from './softfloat-format';
import { fuseDouble } from './softfloat-host';
import { fillFor } from './memory';
import { READ, WRITE } from './mmu';
import { slot } from './tlb';

// What translated code calls. A function of it takes the address of its base page, the account and
// the number of an entry, and gives the account back. The account: in the low 30 bits the
// instructions that may still be retired, from bit 32 on the cycles spent, from bit 56 on the
// depth of calls, and two flags. Registers and PC are in memory whenever control changes hands.

/** The instruction at PC is for the interpreter. */
export const STEP: u64 = 1 << 31;
/** A call has not come back to where it should: PC says where the guest is. */
export const AWAY: u64 = 1 << 30;
const DEPTH: u64 = 1 << 56;
/** The host's stack is not the guest's business: no guest gets deeper. */
const DEEPEST: u64 = 100;

/** The base page that the function behind an entry's record has, if it is entered at `va`. */
@inline export function baseOf(record: usize, va: u64): u64 {
  return (va & ~4095) - (<u64>(<i64>load<i16>(record, 2) << 12));
}

/** Enters the function that begins at `va`; where there is none, the guest is there and that is all. */
export function enter(va: u64, account: u64): u64 {
  const entry = load<usize>(FETCH_CONTEXT) + slot(va);
  if (load<u64>(entry) == (va & ~4095) && account >> 56 < DEEPEST) {
    const record = load<usize>(entry, 8) + (<usize>(va & 4095) << 3);
    if (load<u8>(record) == OP_ENTRY) {
      const where = load<u32>(record, 8);
      return call_indirect<u64>(where & 0xfffff, baseOf(record, va), account + DEPTH, where >> 20) - DEPTH;
    }
  }
  store<u64>(STATE + PC, va);
  return account;
}

/** A call of the guest's that comes back to `back`. Whoever brings the guest there, all of its state is in memory. */
export function callGuest(va: u64, account: u64, back: u64): u64 {
  const result = enter(va, account);
  if ((result & STEP) != 0) return result;
  return load<u64>(STATE + PC) == back ? result & ~AWAY : result | AWAY;
}

/** The number of the entry at `va` if it is one of the function `index` with this base page, or -1. */
export function ownEntry(va: u64, base: u64, index: u32): i32 {
  const entry = load<usize>(FETCH_CONTEXT) + slot(va);
  if (load<u64>(entry) != (va & ~4095)) return -1;
  const record = load<usize>(entry, 8) + (<usize>(va & 4095) << 3);
  if (load<u8>(record) != OP_ENTRY || baseOf(record, va) != base) return -1;
  const where = load<u32>(record, 8);
  return (where & 0xfffff) == index ? <i32>(where >> 20) : -1;
}

/**
 * Executes a floating-point record on registers in memory. 0 where it is illegal, and nothing has been
 * done; else bit 0 is set, and bit 1 if the next one may be left to the host's arithmetic.
 */
export function floatFor(op: u32, record: usize): u32 {
  if (!floatOp(op, record)) return 0;
  return (load<u32>(STATE + FFLAGS) & NX) != 0 && load<u32>(STATE + FRM) == RNE ? 3 : 1;
}

/** a · b + c with one rounding to nearest even, or 0 where that is not certain. */
export function fusedDouble(a: f64, b: f64, c: f64): f64 {
  return fuseDouble(a, b, c);
}

/** Called on a TLB miss. `kind`: the size in bytes, 16 for a store. True if it is a hit now. */
export function fillTlb(va: u64, kind: u32): bool {
  return fillFor(va, kind & 15, (kind & 16) != 0 ? WRITE : READ);
}

/** The RAM page that the guest executes from at `va`, as far as that is known without a walk, or -1. */
export function codePage(va: u64): i32 {
  const entry = load<usize>(FETCH_CONTEXT) + slot(va);
  return load<u64>(entry) == (va & ~4095) ? load<i32>(entry, 12) : -1;
}
