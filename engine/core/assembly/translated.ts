import { atomicOp } from './atomic';
import { OP_LD, OP_SD, opCycles } from './decode.generated';
import { floatDirty, floatOp } from './float';
import { EXCEPTION, LEAVING, SYSTEM } from './interpret';
import { CAUSE, CYCLES, EVENT, F, LEAVE, PENDING, PENDING_VALUE, RETIRED, STATE } from './layout';
import { NONE, slowLoad, slowStore } from './memory';

/** Cycles of all loads and stores. */
const LOAD_COST: u32 = opCycles(OP_LD);
const STORE_COST: u32 = opCycles(OP_SD);

// What translated code calls for what it does not do itself. Where it must not go on, EVENT says
// why, with RETIRED and CYCLES as `interpret` leaves them for that event.

/** `left`: instructions, and above 16 bits cycles, by which the block that has been paid for is not over yet. */
function begin(paid: u64, cycles: u64, left: u32): void {
  store<u64>(STATE + RETIRED, paid - (left & 0xffff));
  store<u64>(CYCLES, cycles - (left >> 16));
}

function end(cost: u32): bool {
  if (load<u64>(CAUSE) != NONE) {
    store<u32>(EVENT, EXCEPTION);
  } else if (load<u32>(LEAVE) != 0) {
    store<u64>(STATE + RETIRED, load<u64>(STATE + RETIRED) + 1);
    store<u64>(CYCLES, load<u64>(CYCLES) + cost);
    store<u32>(EVENT, LEAVING);
    return true;
  }
  return false;
}

/** `kind`: the size in bytes, 16 if the sign is extended, and from bit 8 on which register gets it: an f register from 32 on. */
export function loadFor(va: u64, kind: u32, paid: u64, cycles: u64, left: u32): i64 {
  begin(paid, cycles, left);
  const size = kind & 15;
  let value = <i64>slowLoad(va, size);
  if ((kind & 16) != 0) {
    const unused: i64 = 64 - (<i64>size << 3);
    value = value << unused >> unused;
  }
  if (end(LOAD_COST)) {
    store<u32>(PENDING, kind);
    store<i64>(PENDING_VALUE, value);
  }
  return value;
}

/** After translated code has left with a load's event: the load has retired, so its register has the value. */
export function finishLoad(): void {
  const kind = load<u32>(PENDING);
  if (kind == 0) return;
  store<u32>(PENDING, 0);
  const register: usize = kind >> 8;
  const value = load<i64>(PENDING_VALUE);
  if (register >= 32) {
    store<i64>(STATE + F + ((register - 32) << 3), (kind & 15) == 4 ? value | 0xffffffff00000000 : value);
    floatDirty();
  } else if (register != 0) {
    store<i64>(STATE + (register << 3), value);
  }
}

export function storeFor(va: u64, size: u32, value: u64, paid: u64, cycles: u64, left: u32): void {
  begin(paid, cycles, left);
  slowStore(va, size, value);
  end(STORE_COST);
}

export function atomicFor(op: u32, record: usize, paid: u64, cycles: u64, left: u32): void {
  begin(paid, cycles, left);
  atomicOp(op, record);
  end(opCycles(op));
}

/** Where the instruction is not allowed, system.ts finds out why. */
export function floatFor(op: u32, record: usize, paid: u64, cycles: u64, left: u32): void {
  if (!floatOp(op, record)) floatUse(paid, cycles, left);
}

/** Instead of a load or store of an f register while floating point is off. */
export function floatUse(paid: u64, cycles: u64, left: u32): void {
  begin(paid, cycles, left);
  store<u32>(EVENT, SYSTEM);
}
