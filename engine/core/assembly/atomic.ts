import {
  OP_AMOADD_D, OP_AMOADD_W, OP_AMOAND_D, OP_AMOAND_W, OP_AMOMAXU_D, OP_AMOMAXU_W, OP_AMOMAX_D, OP_AMOMAX_W,
  OP_AMOMINU_D, OP_AMOMINU_W, OP_AMOMIN_D, OP_AMOMIN_W, OP_AMOOR_D, OP_AMOOR_W, OP_AMOXOR_D, OP_AMOXOR_W, OP_LR_D,
  OP_LR_W, OP_SC_D, OP_SC_W,
} from './decode.generated';
import { ATOMIC_AT, CAUSE, RESERVATION, STATE } from './layout';
import { NONE, atomicAddress, atomicDone } from './memory';
import { takeReservation } from './reservation';

// LR, SC and the AMOs. One hart at a time runs, so each is atomic as it is.
//
// The result goes to its register before the store is announced: a store to
// decoded code erases records, and that of the instruction itself may be among them.

/** Executes an atomic record; on an exception CAUSE is set and nothing is changed. */
export function atomicOp(op: u32, r: usize): void {
  const va = load<u64>(STATE + load<u16>(r, 4));
  if (op < OP_LR_D) atomicWord(op, r, va);
  else atomicDouble(op, r, va);
}

@inline function setX(r: usize, value: i64): void {
  store<i64>(STATE + load<u16>(r, 2), value);
}

@inline function source(r: usize): i64 {
  return load<i64>(STATE + load<u16>(r, 6));
}

function atomicWord(op: u32, r: usize, va: u64): void {
  const host = atomicAddress(va, 4, op != OP_LR_W);
  if (load<u64>(CAUSE) != NONE) return;
  const a = load<i32>(host);
  if (op == OP_LR_W) {
    setX(r, a);
    store<u64>(STATE + RESERVATION, load<u64>(ATOMIC_AT));
    return;
  }
  const b = <i32>source(r);
  if (op == OP_SC_W) {
    const held = takeReservation(load<u64>(ATOMIC_AT));
    setX(r, held ? 0 : 1);
    if (held) {
      store<i32>(host, b);
      atomicDone(va, 4);
    }
    return;
  }
  let result: i32;
  switch (op) {
    case OP_AMOADD_W: result = a + b; break;
    case OP_AMOXOR_W: result = a ^ b; break;
    case OP_AMOAND_W: result = a & b; break;
    case OP_AMOOR_W: result = a | b; break;
    case OP_AMOMIN_W: result = min(a, b); break;
    case OP_AMOMAX_W: result = max(a, b); break;
    case OP_AMOMINU_W: result = <i32>min(<u32>a, <u32>b); break;
    case OP_AMOMAXU_W: result = <i32>max(<u32>a, <u32>b); break;
    // amoswap
    default: result = b; break;
  }
  setX(r, a);
  store<i32>(host, result);
  atomicDone(va, 4);
}

function atomicDouble(op: u32, r: usize, va: u64): void {
  const host = atomicAddress(va, 8, op != OP_LR_D);
  if (load<u64>(CAUSE) != NONE) return;
  const a = load<i64>(host);
  if (op == OP_LR_D) {
    setX(r, a);
    store<u64>(STATE + RESERVATION, load<u64>(ATOMIC_AT));
    return;
  }
  const b = <i64>source(r);
  if (op == OP_SC_D) {
    const held = takeReservation(load<u64>(ATOMIC_AT));
    setX(r, held ? 0 : 1);
    if (held) {
      store<i64>(host, b);
      atomicDone(va, 8);
    }
    return;
  }
  let result: i64;
  switch (op) {
    case OP_AMOADD_D: result = a + b; break;
    case OP_AMOXOR_D: result = a ^ b; break;
    case OP_AMOAND_D: result = a & b; break;
    case OP_AMOOR_D: result = a | b; break;
    case OP_AMOMIN_D: result = min(a, b); break;
    case OP_AMOMAX_D: result = max(a, b); break;
    case OP_AMOMINU_D: result = <i64>min(<u64>a, <u64>b); break;
    case OP_AMOMAXU_D: result = <i64>max(<u64>a, <u64>b); break;
    // amoswap
    default: result = b; break;
  }
  setX(r, a);
  store<i64>(host, result);
  atomicDone(va, 8);
}
