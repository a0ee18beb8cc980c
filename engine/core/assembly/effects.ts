import {
  OP_AMOMAXU_D, OP_CSRRC, OP_CSRRW, OP_FSD, OP_FSW, OP_LR_D, OP_LR_W, OP_SB, OP_SD, OP_SH, OP_SW,
  opWritesF, opWritesX,
} from './decode.generated';
import {
  EFFECTS, EXCEPTIONS, F, FFLAGS, FRM, HOST, INTERRUPTS, LAST_CAUSE, MCAUSE, MTVAL, PC, SCAUSE, SINK, STATE, STVAL,
} from './layout';

// A digest of what instructions do: the next pc, the register written, the
// address and value stored, CSRs written, traps. It is a prefix digest: each
// step mixes into what came before, so two runs that once differ stay different
// (but for a collision of 64 bits).

const EXCEPTIONS_BEFORE: usize = HOST + 0x200;
const STORE_ADDRESS: usize = HOST + 0x208;
const STORE_VALUE: usize = HOST + 0x210;
/** What the interrupt counter was when the last instruction was folded in. */
export const INTERRUPTS_BEFORE: usize = HOST + 0x218;

/** Multiply, xor-shift: the finaliser of a well-mixed 64-bit hash, with odd constants of its own. */
function fold(value: u64): void {
  let hash = (load<u64>(EFFECTS) ^ value) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 29;
  hash *= 0xd6e8feb86659fd93;
  store<u64>(EFFECTS, hash ^ (hash >> 32));
}

/** Before the instruction: what it will store can be read only now. */
export function beginEffects(record: usize): void {
  store<u64>(EXCEPTIONS_BEFORE, load<u64>(STATE + EXCEPTIONS));
  const op: u32 = load<u8>(record);
  const size = storedBytes(op);
  store<u64>(STORE_ADDRESS, 0);
  store<u64>(STORE_VALUE, 0);
  if (size == 0) return;
  const atomic = op >= OP_LR_W && op <= OP_AMOMAXU_D;
  const base = load<u64>(STATE + load<u16>(record, 4));
  store<u64>(STORE_ADDRESS, atomic ? base : base + <u64><i64>load<i32>(record, 8));
  const file: usize = op == OP_FSW || op == OP_FSD ? F : 0;
  const value = load<u64>(STATE + load<u16>(record, 6) + file);
  store<u64>(STORE_VALUE, size == 8 ? value : value & ((<u64>1 << (<u64>size << 3)) - 1));
}

export function endEffects(record: usize): void {
  const op: u32 = load<u8>(record);
  fold(load<u64>(STATE + PC));
  if (load<u64>(STATE + EXCEPTIONS) != load<u64>(EXCEPTIONS_BEFORE)) {
    fold(load<u64>(STATE + LAST_CAUSE));
    fold(load<u64>(STATE + MTVAL) ^ load<u64>(STATE + STVAL));
    return;
  }
  if (load<u64>(INTERRUPTS_BEFORE) != load<u64>(INTERRUPTS)) {
    store<u64>(INTERRUPTS_BEFORE, load<u64>(INTERRUPTS));
    fold(load<u64>(STATE + MCAUSE) ^ load<u64>(STATE + SCAUSE));
  }
  const rd: usize = load<u16>(record, 2);
  if (opWritesX(op) && rd != SINK) fold(load<u64>(STATE + rd));
  if (opWritesF(op)) fold(load<u64>(STATE + rd, F));
  if (storedBytes(op) != 0) {
    fold(load<u64>(STORE_ADDRESS));
    fold(load<u64>(STORE_VALUE));
  }
  // The register forms of CSR instructions change what nothing else here shows.
  if (op >= OP_CSRRW && op <= OP_CSRRC) fold(load<u64>(STATE + load<u16>(record, 4)));
  fold(load<u64>(STATE + FFLAGS) & 0xffffffff | (<u64>load<u32>(STATE + FRM) << 32));
}

/** Bytes that the instruction stores, 0 if none. */
function storedBytes(op: u32): u32 {
  switch (op) {
    case OP_SB: return 1;
    case OP_SH: return 2;
    case OP_SW: case OP_FSW: return 4;
    case OP_SD: case OP_FSD: return 8;
    default: break;
  }
  if (op == OP_LR_W || op == OP_LR_D) return 0;
  if (op >= OP_LR_W && op < OP_LR_D) return 4;
  return op > OP_LR_D && op <= OP_AMOMAXU_D ? 8 : 0;
}
