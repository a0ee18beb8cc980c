import {
  MSTATUS_MIE, MSTATUS_MPIE, MSTATUS_MPP, MSTATUS_MPRV, MSTATUS_SIE, MSTATUS_SPIE, MSTATUS_SPP, pendingHere,
} from './csr';
import {
  EXCEPTIONS, INTERRUPTS, LAST_CAUSE, LAST_PC, LAST_RETIRED, MCAUSE, MEDELEG, MEPC, MIDELEG, MIE, MSTATUS, MTVAL, MTVEC,
  PC, PRIVILEGE, RETIRED, SCAUSE, SEPC, STATE, STVAL, STVEC,
} from './layout';
import { previousPrivilege } from './tlb';
import { stuckPc } from './upset';

const SUPERVISOR: u64 = 1;
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

function enterSupervisor(cause: u64, value: u64, pc: u64, handler: u64): void {
  const mstatus = load<u64>(STATE + MSTATUS);
  let next = mstatus & ~(MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP);
  if ((mstatus & MSTATUS_SIE) != 0) next |= MSTATUS_SPIE;
  store<u64>(STATE + MSTATUS, next | ((load<u64>(STATE + PRIVILEGE) & 1) << 8));
  store<u64>(STATE + SEPC, pc);
  store<u64>(STATE + SCAUSE, cause);
  store<u64>(STATE + STVAL, value);
  store<u64>(STATE + PRIVILEGE, SUPERVISOR);
  store<u64>(STATE + PC, handler);
}

/**
 * Takes an exception at PC. False, with nothing changed, where that would go on
 * for ever: the handler's own first instruction failed, and no instruction has
 * retired since the hart's last exception, so all further ones would be this one again.
 */
export function takeException(cause: u64, value: u64): bool {
  const pc = load<u64>(STATE + PC);
  const retired = load<u64>(STATE + RETIRED);
  const delegated = load<u64>(STATE + PRIVILEGE) != MACHINE && ((load<u64>(STATE + MEDELEG) >> cause) & 1) != 0;
  const handler = stuckPc(load<u64>(STATE + (delegated ? STVEC : MTVEC)) & ~3);
  // The same address may be the handler of a higher mode too, which can do more.
  const inHandler = pc == handler && load<u64>(STATE + PRIVILEGE) == (delegated ? SUPERVISOR : MACHINE);
  if (inHandler && load<u64>(STATE + LAST_RETIRED) == retired) return false;
  store<u64>(STATE + EXCEPTIONS, load<u64>(STATE + EXCEPTIONS) + 1);
  store<u64>(STATE + LAST_CAUSE, cause);
  store<u64>(STATE + LAST_PC, pc);
  store<u64>(STATE + LAST_RETIRED, retired);
  if (delegated) enterSupervisor(cause, value, pc, handler);
  else enter(cause, value, pc, handler);
  return true;
}

/** The one of highest priority (volume II, sections 3.1.9 and 4.1.3): external, software, timer; machine first. */
function foremost(ready: u64): u64 {
  if ((ready & (1 << 11)) != 0) return 11;
  if ((ready & (1 << 3)) != 0) return 3;
  if ((ready & (1 << 7)) != 0) return 7;
  if ((ready & (1 << 9)) != 0) return 9;
  return (ready & (1 << 1)) != 0 ? 1 : 5;
}

@inline function handlerOf(vector: u64, cause: u64): u64 {
  return stuckPc((vector & ~3) + ((vector & 1) != 0 ? cause << 2 : 0));
}

const NO_INTERRUPT: u64 = 0xffffffffffffffff;
const TO_SUPERVISOR: u64 = 1 << 8;

/** The cause of the interrupt that comes before the next instruction, with TO_SUPERVISOR where it is delegated. */
function nextInterrupt(): u64 {
  const enabled = load<u64>(STATE + MIE);
  if (enabled == 0) return NO_INTERRUPT;
  const pending = pendingHere() & enabled;
  if (pending == 0) return NO_INTERRUPT;
  const privilege = load<u64>(STATE + PRIVILEGE);
  const mstatus = load<u64>(STATE + MSTATUS);
  const delegated = load<u64>(STATE + MIDELEG);
  let ready = pending & ~delegated;
  if (ready != 0 && (privilege != MACHINE || (mstatus & MSTATUS_MIE) != 0)) return foremost(ready);
  ready = pending & delegated;
  const masked = privilege > SUPERVISOR || (privilege == SUPERVISOR && (mstatus & MSTATUS_SIE) == 0);
  return ready == 0 || masked ? NO_INTERRUPT : foremost(ready) | TO_SUPERVISOR;
}

/** True if an interrupt comes before the next instruction. */
export function interruptDue(): bool {
  return nextInterrupt() != NO_INTERRUPT;
}

/** Takes the interrupt of highest priority that is pending and enabled, if there is one. */
export function takeInterrupt(): bool {
  const next = nextInterrupt();
  if (next == NO_INTERRUPT) return false;
  const cause = next & ~TO_SUPERVISOR;
  const pc = load<u64>(STATE + PC);
  if ((next & TO_SUPERVISOR) != 0) {
    enterSupervisor(INTERRUPT | cause, 0, pc, handlerOf(load<u64>(STATE + STVEC), cause));
  } else {
    enter(INTERRUPT | cause, 0, pc, handlerOf(load<u64>(STATE + MTVEC), cause));
  }
  store<u64>(INTERRUPTS, load<u64>(INTERRUPTS) + 1);
  return true;
}

/** mret: back to the privilege and interrupt enable of before. */
export function machineReturn(): void {
  const mstatus = load<u64>(STATE + MSTATUS);
  const previous = previousPrivilege(mstatus);
  let next = (mstatus & ~(MSTATUS_MIE | MSTATUS_MPP)) | MSTATUS_MPIE;
  if ((mstatus & MSTATUS_MPIE) != 0) next |= MSTATUS_MIE;
  // Leaving machine mode switches MPRV off.
  if (previous != MACHINE) next &= ~MSTATUS_MPRV;
  store<u64>(STATE + MSTATUS, next);
  store<u64>(STATE + PRIVILEGE, previous);
  // A fault may have set bit 0, which reads as 0: a pc is always even.
  store<u64>(STATE + PC, load<u64>(STATE + MEPC) & ~1);
}

/** sret: back to the privilege and interrupt enable of before. */
export function supervisorReturn(): void {
  const mstatus = load<u64>(STATE + MSTATUS);
  let next = (mstatus & ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV)) | MSTATUS_SPIE;
  if ((mstatus & MSTATUS_SPIE) != 0) next |= MSTATUS_SIE;
  store<u64>(STATE + MSTATUS, next);
  store<u64>(STATE + PRIVILEGE, (mstatus & MSTATUS_SPP) != 0 ? SUPERVISOR : 0);
  store<u64>(STATE + PC, load<u64>(STATE + SEPC) & ~1);
}
