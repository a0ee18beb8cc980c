import { MIP_MSIP, MSTATUS_MIE, MSTATUS_MPIE, MSTATUS_MPP, pendingInterrupts } from './csr';
import {
  EXCEPTIONS, INTERRUPTS, LAST_CAUSE, LAST_PC, LAST_RETIRED, MCAUSE, MEPC, MIE, MSTATUS, MTVAL, MTVEC, PC, PRIVILEGE,
  RETIRED, STATE,
} from './layout';

const MACHINE: u64 = 3;
const INTERRUPT: u64 = <u64>1 << 63;

function enter(cause: u64, value: u64, pc: u64, handler: u64): void {
  const mstatus = load<u64>(STATE + MSTATUS);
  let next = mstatus & ~(MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP);
  if ((mstatus & MSTATUS_MIE) != 0) next |= MSTATUS_MPIE;
  store<u64>(STATE + MSTATUS, next | (load<u64>(STATE + PRIVILEGE) << 11));
  store<u64>(STATE + MEPC, pc);
  store<u64>(STATE + MCAUSE, cause);
  store<u64>(STATE + MTVAL, value);
  store<u64>(STATE + PRIVILEGE, MACHINE);
  store<u64>(STATE + PC, handler);
}

/**
 * Takes an exception at PC. False, with nothing changed, where that would go on
 * for ever: the handler's own first instruction failed, and no instruction has
 * retired since the last exception, so all further ones would be this one again.
 */
export function takeException(cause: u64, value: u64): bool {
  const pc = load<u64>(STATE + PC);
  const retired = load<u64>(STATE + RETIRED);
  const handler = load<u64>(STATE + MTVEC) & ~3;
  if (load<u64>(STATE + EXCEPTIONS) != 0 && load<u64>(STATE + LAST_RETIRED) == retired && pc == handler) return false;
  store<u64>(STATE + EXCEPTIONS, load<u64>(STATE + EXCEPTIONS) + 1);
  store<u64>(STATE + LAST_CAUSE, cause);
  store<u64>(STATE + LAST_PC, pc);
  store<u64>(STATE + LAST_RETIRED, retired);
  enter(cause, value, pc, handler);
  return true;
}

/** True if an interrupt would be taken if it were pending. */
@inline export function interruptsOn(): bool {
  return load<u64>(STATE + PRIVILEGE) != MACHINE || (load<u64>(STATE + MSTATUS) & MSTATUS_MIE) != 0;
}

/** Takes the interrupt of highest priority that is pending and enabled, if there is one. */
export function takeInterrupt(): bool {
  const enabled = load<u64>(STATE + MIE);
  if (enabled == 0 || !interruptsOn()) return false;
  const ready = pendingInterrupts() & enabled;
  if (ready == 0) return false;
  // Software before timer (volume II, section 3.1.9).
  const cause: u64 = (ready & MIP_MSIP) != 0 ? 3 : 7;
  const vector = load<u64>(STATE + MTVEC);
  const handler = (vector & ~3) + ((vector & 1) != 0 ? cause << 2 : 0);
  store<u64>(INTERRUPTS, load<u64>(INTERRUPTS) + 1);
  enter(INTERRUPT | cause, 0, load<u64>(STATE + PC), handler);
  return true;
}

/** mret: back to the privilege and interrupt enable of before. */
export function machineReturn(): void {
  const mstatus = load<u64>(STATE + MSTATUS);
  const previous = (mstatus & MSTATUS_MPP) >> 11;
  let next = (mstatus & ~(MSTATUS_MIE | MSTATUS_MPP)) | MSTATUS_MPIE;
  if ((mstatus & MSTATUS_MPIE) != 0) next |= MSTATUS_MIE;
  // Leaving machine mode switches MPRV off.
  if (previous != MACHINE) next &= ~(<u64>1 << 17);
  store<u64>(STATE + MSTATUS, next);
  store<u64>(STATE + PRIVILEGE, previous);
  // A fault may have set bit 0, which reads as 0: a pc is always even.
  store<u64>(STATE + PC, load<u64>(STATE + MEPC) & ~1);
}
