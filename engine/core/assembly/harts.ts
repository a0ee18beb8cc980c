import { NEVER, sleepUntilTimer } from './clock';
import { wakingInterrupts } from './csr';
import {
  CURRENT, HARTS, HART_BYTES, INSTRET_OFFSET, LAST_RETIRED, MIE, NO_RESERVATION, RESERVATION, RETIRED, STATE, STATUS,
  SWITCH_AT, BANKS,
} from './layout';
import { forgetPmp } from './pmp';
import { giveBackLate } from './virtio';
import { emptyStale } from './tlb';

// One to four harts that take turns. A turn ends after QUANTUM instructions, or
// as soon as the hart has nothing to do; then it is the next one's that has.
//
// All of that is a function of the state alone: where a turn ends is part of it,
// and a turn is passed on with the instruction that ends it, so that at every
// rest the current hart is the one that executes the next instruction.
//
// The current hart's registers are where the interpreter expects them; those of
// the others wait in banks.

/** Values of STATUS. Those that the SBI knows have its numbers. */
export const RUNNING: u64 = 0;
/** Not started yet, or stopped by the SBI. */
export const STOPPED: u64 = 1;
/** In a wfi that has retired. */
export const WAITING: u64 = 2;
/** Takes traps without end and retires nothing. Another hart may yet store an instruction that helps. */
export const STALLED: u64 = 3;
/** Suspended by the SBI. */
export const SUSPENDED: u64 = 4;

/** Instructions of a turn: docs/harts.md has the measurements behind it. */
export const QUANTUM: u64 = 5000;

@inline function bankOf(hart: u64): usize {
  return STATE + BANKS + <usize>hart * HART_BYTES;
}

/** Where a hart's state stands. */
@inline export function hartAt(hart: u64): usize {
  return hart == load<u64>(STATE + CURRENT) ? STATE : bankOf(hart);
}

/** Makes a hart the current one, without giving it a turn. */
export function selectHart(hart: u64): void {
  const from = load<u64>(STATE + CURRENT);
  if (hart == from) return;
  // minstret stands still for a hart that has not the turn.
  const retired = load<u64>(STATE + RETIRED);
  store<u64>(STATE + INSTRET_OFFSET, load<u64>(STATE + INSTRET_OFFSET) + retired);
  memory.copy(bankOf(from), STATE, HART_BYTES);
  memory.copy(STATE, bankOf(hart), HART_BYTES);
  memory.fill(bankOf(hart), 0, HART_BYTES);
  store<u64>(STATE + INSTRET_OFFSET, load<u64>(STATE + INSTRET_OFFSET) - retired);
  store<u64>(STATE + CURRENT, hart);
  forgetPmp();
  emptyStale();
}

/** True if the hart waits for an interrupt. */
export function waits(status: u64): bool {
  return status == WAITING || status == SUSPENDED;
}

/** True if the hart would do something with a turn. */
function isReady(hart: u64): bool {
  const base = hartAt(hart);
  const status = load<u64>(base + STATUS);
  if (status == RUNNING) return true;
  // A stalled hart tries again when the others may have changed something.
  if (status == STALLED) return load<u64>(base + LAST_RETIRED) != load<u64>(STATE + RETIRED);
  return waits(status) && (wakingInterrupts(hart) & load<u64>(base + MIE)) != 0;
}

/** Begins a turn: when the one of a hart alone ends makes no difference. */
export function beginTurn(): void {
  store<u64>(STATE + SWITCH_AT, load<u64>(STATE + HARTS) > 1 ? load<u64>(STATE + RETIRED) + QUANTUM : NEVER);
}

/** Gives the turn to the next hart that is ready; false if none is. */
function giveTurn(): bool {
  const current = load<u64>(STATE + CURRENT);
  const harts = load<u64>(STATE + HARTS);
  for (let i: u64 = 1; i <= harts; i++) {
    const hart = (current + i) % harts;
    if (!isReady(hart)) continue;
    if (hart != current) {
      // So no other hart's store can come between LR and SC.
      store<u64>(STATE + RESERVATION, NO_RESERVATION);
      selectHart(hart);
    }
    store<u64>(STATE + STATUS, RUNNING);
    beginTurn();
    return true;
  }
  return false;
}

/** Passes the turn on. Where all harts wait, for late devices first, time passes until one has to go on; false if none ever will. */
export function passTurn(): bool {
  do {
    if (giveTurn()) return true;
  } while (giveBackLate() || sleepUntilTimer());
  return false;
}

/** True if a hart is stalled, and not just waiting. */
export function anyStalled(): bool {
  for (let hart: u64 = 0; hart < load<u64>(STATE + HARTS); hart++) {
    if (load<u64>(hartAt(hart) + STATUS) == STALLED) return true;
  }
  return false;
}
