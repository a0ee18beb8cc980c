import { codeAt, dearest, fetchLine, haveStruck, isFetched, isHung, settleChanges, spent } from './caches';
import { NEVER, instructionsToTimers, noteTimers } from './clock';
import {
  OP_BREAK, OP_ENTRY, OP_STEPPED, OP_STRADDLE, OP_STUCK, decodeBlock, decodeRecord, giveChances, hasBreakpoint, recordsOf,
} from './code';
import { OP_EBREAK, OP_ECALL, opCycles } from './decode.generated';
import { beginEffects, endEffects, timeEffects, trapEffects } from './effects';
import { RUNNING, STALLED as HART_STALLED, anyStalled, passTurn } from './harts';
import { BUDGET, EXCEPTION, FAR, LEAVING, REFETCH, SYSTEM, interpret } from './interpret';
import {
  AWAITED, AWAITED_IN_X, CAUSE, COLLECT, CYCLES, CYCLE_LIMIT, EXITED, FETCH_CONTEXT, HARTS, HOT_AT, HOT_RETIRED, HOT_VA, INTERRUPTS_FROM_CORE, LATE_AT, LEAVE, LIMIT, LOOK_AT, PC, PRIVILEGE, RAM_BASE,
  RECORD_BYTES, RETIRED, SAMPLES, SAMPLES_MOST, SAMPLING, SCRATCH, STATE, STATUS, STUCK, SWITCH_AT, TIME_OFFSET, TRANSLATED, UPSETS_DONE, VALUE, WATCH_HIT,
} from './layout';
import { NONE, codeOf } from './memory';
import { FETCH, NOWHERE, accessFault, hostOf, isRam, pageOf, translate } from './mmu';
import { outputsWaiting } from './output';
import { lookAtSources } from './plic';
import { pmpAllows, pmpUniform } from './pmp';
import { ringAlarm } from './rtc';
import { forceRegisters, forceResult, isLookedAt, restoreOp } from './stuck';
import { forceCsrs } from './stuck-csrs';
import { systemOp } from './system';
import { chooseContext, fill, slot } from './tlb';
import { STEP, baseOf } from './translated';
import { takeException, takeInterrupt } from './trap';
import { FETCH as FETCH_UNIT, beginUpsets, endUpsets, forcePc, forcePcs, forgetUpsets, isAwaited, isCareful, stuckWord, placeUpsets, strike, upset, waits } from './upset';
import { DETAILED } from './variant';
import { giveBackLate } from './virtio';

// The outer loop: interrupts, exceptions, stops, and the way to the next block.

export const STOP_LIMIT: u32 = 0;
export const STOP_BREAKPOINT: u32 = 1;
export const STOP_WATCH: u32 = 2;
export const STOP_OUTPUT: u32 = 3;
export const STOP_EXIT: u32 = 4;
export const STOP_IDLE: u32 = 5;
export const STOP_STALLED: u32 = 6;
/** The last instruction has been struck by an upset, or a register has a value that is waited for. */
export const STOP_UPSET: u32 = 7;
export const STOP_AWAITED: u32 = 8;
/** Not for the guest's owner: the host may translate the code at HOT_VA, and then runs on. */
export const STOP_HOT: u32 = 9;

/** Runs until one of the stops. `stepOver`: do not stop at a breakpoint on the first instruction. */
export function run(stepOver: bool): u32 {
  if (load<u64>(STATE + EXITED) != 0) return STOP_EXIT;
  if (DETAILED && isHung()) return STOP_STALLED;
  const limit = load<u64>(LIMIT);
  let first = stepOver;
  // What has stalled it may have been mended from outside.
  if (load<u64>(STATE + STATUS) == HART_STALLED) store<u64>(STATE + STATUS, RUNNING);
  // Left over where another stop came first.
  store<u32>(WATCH_HIT, 0);
  while (load<u64>(STATE + RETIRED) < limit) {
    // Every rest at a count is before the interrupt that is due there, for whichever limit it is made.
    if (spent() >= load<u64>(CYCLE_LIMIT)) return STOP_LIMIT;
    if (load<u64>(STATE + STATUS) != RUNNING) {
      // All harts wait. Something may have come from outside in the meantime.
      if (!endTurn()) return anyStalled() ? STOP_STALLED : STOP_IDLE;
      first = false;
    }
    while (load<u64>(STATE + RETIRED) >= load<u64>(LATE_AT)) giveBackLate();
    if (ringAlarm()) lookAtSources();
    if (load<u32>(INTERRUPTS_FROM_CORE) != 0) noteTimers();
    if (takeInterrupt()) {
      // The instruction to step over is not the next one any more.
      first = false;
      forceCsrs();
      if (load<u32>(COLLECT) != 0) trapEffects();
    }
    chooseContext();
    const goal = horizon(limit);
    let event: u32;
    if (first || load<u32>(COLLECT) != 0 || isCareful() || (load<u32>(AWAITED) != 0 && ((load<u32>(AWAITED_IN_X) & 1) != 0 || isAwaited()))) {
      if (!first && breakpointHere()) return STOP_BREAKPOINT;
      event = step();
    } else {
      event = runBlocks(goal);
      if (event == BREAK) return STOP_BREAKPOINT;
    }
    first = false;
    forceCsrs();
    if (event == HOT) return STOP_HOT;
    if (DETAILED) settleChanges();
    if (event == STALLED) {
      if (load<u64>(STATE + HARTS) == 1 || (DETAILED && isHung())) return STOP_STALLED;
      store<u64>(STATE + STATUS, HART_STALLED);
    }
    if (load<u64>(STATE + EXITED) != 0) return STOP_EXIT;
    // At once, so that every rest shows the hart that goes on.
    if (load<u64>(STATE + STATUS) != RUNNING || load<u64>(STATE + RETIRED) >= load<u64>(STATE + SWITCH_AT)) endTurn();
    if (load<u32>(WATCH_HIT) != 0) {
      store<u32>(WATCH_HIT, 0);
      return STOP_WATCH;
    }
    if (outputsWaiting()) return STOP_OUTPUT;
    if (load<u32>(UPSETS_DONE) != 0 || (DETAILED && haveStruck())) return STOP_UPSET;
    if (load<u32>(AWAITED) != 0 && isAwaited()) return STOP_AWAITED;
  }
  return STOP_LIMIT;
}

// What `runBlocks` and `step` say.
const GO_ON: u32 = 0;
const BREAK: u32 = 1;
const STALLED: u32 = 2;
const HOT: u32 = 3;

/** Instructions between two looks at where the guest is; more than any block has. */
const SLICE: u64 = 4096;
/** How often a block is met before it counts as hot. */
const WARM: u16 = 48;
/** As how often met it counts when it has been reported: the host may have put it off. */
const STILL_WARM: u16 = 36;
/** Value of SAMPLING: every block is reported when it is met first. */
const EVERYTHING: u32 = 2;
/** Of the account that translated code gives back: instructions that may still be retired, and from bit 32 on cycles spent. */
const LEFT: u64 = 0x3fffffff;
const SPENT: u64 = 0xffffff;
/** Instructions that translated code, or the interpreter where nothing is translated, runs at most before it comes back, so that the host may replace it by better code of its own. */
const STRETCH: u64 = 200_000;

/** Gives the turn to the next hart that has something to do; false if there is none. */
function endTurn(): bool {
  const offset = load<u64>(STATE + TIME_OFFSET);
  const passed = passTurn();
  if (load<u32>(COLLECT) != 0 && load<u64>(STATE + TIME_OFFSET) != offset) timeEffects();
  return passed;
}

/** The retired count up to which nothing can happen that is not an instruction's doing. */
function horizon(limit: u64): u64 {
  const retired = load<u64>(STATE + RETIRED);
  let goal = min(limit, load<u64>(STATE + SWITCH_AT));
  const left = instructionsToTimers();
  if (left != NEVER && retired + left < goal) goal = retired + left;
  goal = min(goal, load<u64>(LATE_AT));
  const cycleLimit = load<u64>(CYCLE_LIMIT);
  if (cycleLimit != NEVER) {
    const sure = (cycleLimit - spent()) / dearest();
    goal = min(goal, retired + (sure > 0 ? sure : 1));
  }
  return goal;
}

/** The physical address that two bytes of an instruction are fetched from, or NOWHERE with CAUSE set. */
function fetchAddress(va: u64): u64 {
  const entry = load<usize>(FETCH_CONTEXT) + slot(va);
  if (load<u64>(entry) == (va & ~4095)) return RAM_BASE + ((<u64>load<u32>(entry, 12)) << 12) + (va & 4095);
  const privilege = load<u64>(STATE + PRIVILEGE);
  const at = translate(va, FETCH, privilege);
  if (at == NOWHERE) return NOWHERE;
  return isRam(at, 2) && pmpAllows(at, 2, FETCH, privilege) ? at : accessFault(va, FETCH);
}

/** Two bytes of code. */
@inline function code(at: u64): u32 {
  return DETAILED ? codeAt(hostOf(at)) : <u32>load<u16>(hostOf(at));
}

/** Fetches the instruction at PC through the caches; false where something comes before it: the core waits for ever, or the host is to be told of something. */
function fetchLines(): bool {
  const pc = load<u64>(STATE + PC);
  const at = fetchAddress(pc);
  if (at != NOWHERE) {
    const wasLong = reachesOn(at);
    fetchOnce(at);
    if (wasLong) fetchOnce(secondHalf(pc, at));
    // What that has brought may be another instruction.
    settleChanges();
    if (reachesOn(at)) fetchOnce(secondHalf(pc, at));
    settleChanges();
  }
  if (isHung()) return false;
  store<u64>(CAUSE, NONE);
  store<u32>(LEAVE, 0);
  return !haveStruck();
}

/** True if the instruction there goes on in the next line. */
function reachesOn(at: u64): bool {
  return (at & 63) == 62 && (code(at) & 3) == 3;
}

function secondHalf(pc: u64, at: u64): u64 {
  return (at & 4095) == 4094 ? fetchAddress(pc + 2) : at + 2;
}

function fetchOnce(at: u64): void {
  if (at == NOWHERE || isHung()) return;
  const line = <u32>((at - RAM_BASE) >> 6);
  if (!isFetched(line)) fetchLine(line);
}

/** The instruction at PC, which stands at `at`; its second half may be elsewhere, and fault by itself (CAUSE is set). */
function fetchRaw(pc: u64, at: u64): u32 {
  const low = code(at);
  const raw = (low & 3) == 3 ? withUpperHalf(pc, low) : low;
  return load<u64>(CAUSE) == NONE && waits(FETCH_UNIT) ? upsetRaw(pc, raw) : raw;
}

function withUpperHalf(pc: u64, low: u32): u32 {
  const next = fetchAddress(pc + 2);
  return next == NOWHERE ? 0 : low | (code(next) << 16);
}

/** What an upset makes of an instruction that has been fetched: it may be a longer or a shorter one. */
function upsetRaw(pc: u64, raw: u32): u32 {
  const isLong = (raw & 3) == 3;
  const word = <u32>upset(FETCH_UNIT, raw, isLong ? 0xffffffff : 0xffff);
  strike(FETCH_UNIT);
  if ((word & 3) != 3) return word & 0xffff;
  return isLong ? word : stuckWord(withUpperHalf(pc, word));
}

/** The records of the page around `va`, or 0 where a step has to see what is the matter. */
function pageRecords(va: u64): usize {
  const entry = load<usize>(FETCH_CONTEXT) + slot(va);
  if (load<u64>(entry) == (va & ~4095)) return load<usize>(entry, 8);
  const at = fetchAddress(va);
  if (at == NOWHERE || !pmpUniform(at & ~4095)) {
    store<u64>(CAUSE, NONE);
    return 0;
  }
  const records = recordsOf(pageOf(at));
  giveChances(records);
  fill(load<usize>(FETCH_CONTEXT), va, <u32>records);
  store<u32>(entry, <u32>pageOf(at), 12);
  return records;
}

/** The RAM page behind `va`, for which `pageRecords` has just found records. */
@inline function fetchPage(va: u64): usize {
  return load<u32>(load<usize>(FETCH_CONTEXT) + slot(va), 12);
}

/** Runs blocks until `goal` or something that the outer loop has to look at. */
function runBlocks(goal: u64): u32 {
  const sampling = load<u32>(SAMPLING) != 0;
  const forced = load<u32>(SAMPLING) == EVERYTHING;
  let slice = min(goal, sampling ? nextLook() : nextSlice(false));
  for (;;) {
    const pc = load<u64>(STATE + PC);
    const records = pageRecords(pc);
    // Fetch faults and everything odd happen in a step, where all is done slowly.
    if (records == 0 || (pc & 1) != 0) return step();
    const record = records + (<usize>(pc & 4095) << 3);
    let event: u32 = FAR;
    if (load<u16>(record, 12) == 0) {
      if (load<u8>(record) == 0) decodeBlock(records, pc, fetchPage(pc));
      const op: u32 = load<u8>(record);
      if (op == OP_BREAK) return hasBreakpoint(pc) ? BREAK : step();
      if (op == OP_STRADDLE) return step();
      if (op == OP_ENTRY) {
        const before = load<u64>(STATE + RETIRED);
        const most = min(goal - before, STRETCH);
        const where = load<u32>(record, 8);
        const account = call_indirect<u64>(where & 0xfffff, baseOf(record, pc), most, where >> 20);
        const done = most - (account & LEFT);
        store<u64>(STATE + RETIRED, before + done);
        store<u64>(CYCLES, load<u64>(CYCLES) + ((account >> 32) & SPENT));
        store<u64>(TRANSLATED, load<u64>(TRANSLATED) + done);
        if (before + done >= goal) return GO_ON;
        // What is looked at is where the interpreter is.
        if (sampling) {
          store<u64>(LOOK_AT, load<u64>(LOOK_AT) + done);
          slice = min(goal, slice + done);
        }
        if ((account & STEP) == 0) continue;
        event = fetch() ? interpretFetched() : EXCEPTION;
        if (event == FAR || event == BUDGET) {
          if (load<u64>(STATE + RETIRED) >= goal || isMet()) return GO_ON;
          continue;
        }
        return settle(event);
      }
    }
    if (forced) {
      // Asked for once: what cannot be translated is interpreted, up to the block's end.
      if (!isLookedAt(record) && ask(pc)) return HOT;
      slice = min(goal, load<u64>(STATE + RETIRED) + load<u16>(record, 12));
    } else if (load<u64>(STATE + RETIRED) >= slice) {
      slice = min(goal, nextSlice(sampling));
      if (sampling && sample()) return HOT;
    }
    event = interpret(record, pc & ~4095, records, slice, false);
    if (DETAILED && event == REFETCH) {
      store<u32>(LEAVE, 0);
      settleChanges();
      if (isHung()) return exceptNow();
      if (haveStruck()) return GO_ON;
      continue;
    }
    if (event == FAR) {
      if (load<u64>(STATE + RETIRED) >= goal) return GO_ON;
      continue;
    }
    if (event == BUDGET) {
      if (slice == goal) return load<u64>(STATE + RETIRED) < goal ? step() : GO_ON;
      if (forced) continue;
      slice = min(goal, nextSlice(sampling));
      if (sampling && sample()) return HOT;
      continue;
    }
    if (event == SYSTEM && (load<u32>(STUCK) | load<u32>(AWAITED_IN_X)) != 0) {
      // It may be one of those with stuck bits, to which nobody needs to look, or with a register that somebody waits for.
      event = fetch() ? interpretFetched() : EXCEPTION;
      if (event == FAR || event == BUDGET) {
        if (load<u64>(STATE + RETIRED) >= goal || isMet()) return GO_ON;
        continue;
      }
    }
    return settle(event);
  }
}

/** What is waited for has come, with the instruction that was executed alone. */
@inline function isMet(): bool {
  return load<u32>(AWAITED) != 0 && isAwaited();
}

/** The count up to which the interpreter runs before it comes back: to look where the guest is, or so that the host may replace it. */
function nextSlice(sampling: bool): u64 {
  return sampling ? lookLater() : load<u64>(STATE + RETIRED) + STRETCH;
}

/** The count of the next look at where the guest is. */
function nextLook(): u64 {
  const at = load<u64>(LOOK_AT);
  // After a way back in time it would be far off.
  return at <= load<u64>(STATE + RETIRED) + SLICE ? at : lookLater();
}

function lookLater(): u64 {
  const at = load<u64>(STATE + RETIRED) + SLICE;
  store<u64>(LOOK_AT, at);
  return at;
}

/** Reports the block at PC, unless that has been done and nothing come of it. */
function ask(pc: u64): bool {
  const retired = load<u64>(STATE + RETIRED);
  const entry = load<usize>(FETCH_CONTEXT) + slot(pc);
  if (load<u64>(entry) != (pc & ~4095) || (load<u64>(HOT_VA) == pc && load<u64>(HOT_RETIRED) == retired)) return false;
  store<u64>(HOT_RETIRED, retired);
  report(pc, entry);
  return true;
}

function report(pc: u64, entry: usize): void {
  store<u64>(HOT_VA, pc);
  store<u64>(HOT_AT, RAM_BASE + ((<u64>load<u32>(entry, 12)) << 12) + (pc & 4095));
}

/** A slice is over. True if the block at PC has been met often. */
function sample(): bool {
  const pc = load<u64>(STATE + PC);
  const entry = load<usize>(FETCH_CONTEXT) + slot(pc);
  if (load<u64>(entry) != (pc & ~4095)) return false;
  const at = RAM_BASE + ((<u64>load<u32>(entry, 12)) << 12) + (pc & 4095);
  const place = SAMPLES + ((<usize>(at >> 1) ^ <usize>(at >> 13)) & (SAMPLES_MOST - 1)) * 2;
  const count: u16 = load<u16>(place) + 1;
  store<u16>(place, count);
  if (count < WARM) return false;
  store<u16>(place, STILL_WARM);
  report(pc, entry);
  return true;
}

/** True if a breakpoint stands at PC. Used where decoded records are not. */
function breakpointHere(): bool {
  return hasBreakpoint(load<u64>(STATE + PC));
}

/** Executes the one instruction at PC, breakpoint or not. */
function step(): u32 {
  const collect = load<u32>(COLLECT) != 0;
  if (DETAILED && !fetchLines()) return isHung() ? exceptNow() : GO_ON;
  const careful = isCareful();
  if (careful) placeUpsets();
  if (!fetch()) {
    forgetUpsets();
    return exceptNow();
  }
  if (careful) beginUpsets(SCRATCH);
  if (collect) beginEffects(SCRATCH);
  const event = interpretFetched();
  const result = event == FAR || event == BUDGET ? GO_ON : settle(event);
  if (careful) forcePc();
  forceCsrs(!collect);
  if (collect) endEffects(SCRATCH);
  forgetUpsets();
  return result;
}

/** Decodes the instruction at PC to the scratch area; false if there is none, with CAUSE set. */
function fetch(): bool {
  const pc = load<u64>(STATE + PC);
  const at = fetchAddress(pc);
  if (at == NOWHERE) return false;
  if (!waits(FETCH_UNIT) && copyRecord(at)) return true;
  const raw = fetchRaw(pc, at);
  if (load<u64>(CAUSE) != NONE) return false;
  decodeRecord(raw, SCRATCH);
  return true;
}

function interpretFetched(): u32 {
  const pc = load<u64>(STATE + PC);
  const records = SCRATCH - (<usize>(pc & 4095) << 3);
  const event = interpret(SCRATCH, pc & ~4095, records, load<u64>(STATE + RETIRED) + 1, true);
  if (isCareful()) endUpsets(SCRATCH, event != SYSTEM && event != EXCEPTION, event == SYSTEM);
  if (load<u32>(STUCK) != 0 && event != SYSTEM && event != EXCEPTION) forceResult(SCRATCH);
  return event;
}

/** Copies the record of what stands at `at` to the scratch area, where it stands for itself alone; false where none is decoded. */
function copyRecord(at: u64): bool {
  const records = codeOf(pageOf(at));
  if (records == 0) return false;
  const record = records + (<usize>(at & 4095) << 3);
  if (load<u16>(record, 12) == 0) return false;
  store<u64>(SCRATCH, load<u64>(record));
  store<u32>(SCRATCH, load<u32>(record, 8), 8);
  if (load<u8>(record) == OP_STUCK) restoreOp(SCRATCH);
  store<u16>(SCRATCH, 1, 12);
  store<u16>(SCRATCH, opCycles(load<u8>(SCRATCH)), 14);
  return true;
}

/** Whatever the scratch record's length, behind it one step is over. */
export function prepareScratch(): void {
  store<u8>(SCRATCH + RECORD_BYTES, <u8>OP_STEPPED);
  store<u8>(SCRATCH + 2 * RECORD_BYTES, <u8>OP_STEPPED);
}

/** Does what an event of the interpreter calls for. */
function settle(event: u32): u32 {
  if (event == SYSTEM) {
    const pc = load<u64>(STATE + PC);
    const at = fetchAddress(pc);
    const raw = fetchRaw(pc, at);
    decodeRecord(raw, SCRATCH);
    systemOp(SCRATCH, raw, (raw & 3) == 3 ? 4 : 2, opCycles(load<u8>(SCRATCH)), at);
    store<u32>(LEAVE, 0);
    if (load<u32>(STUCK) != 0) forceAfterSystem();
    // It may have started other harts.
    forcePcs();
    if (load<u64>(CAUSE) == NONE) return GO_ON;
  } else if (event == LEAVING) {
    store<u32>(LEAVE, 0);
    return GO_ON;
  } else if (event != EXCEPTION) {
    return GO_ON;
  }
  return exceptNow();
}

/** What a call of the firmware or of the host writes is no instruction's result: it answers in a0 and a1, and starts other harts. */
function forceAfterSystem(): void {
  const op: u32 = load<u8>(SCRATCH);
  if (op == OP_ECALL || op == OP_EBREAK) forceRegisters();
  else forceResult(SCRATCH);
}

/** Takes the exception in CAUSE and VALUE. */
function exceptNow(): u32 {
  const cause = load<u64>(CAUSE);
  store<u64>(CAUSE, NONE);
  store<u32>(LEAVE, 0);
  if (DETAILED && isHung()) return STALLED;
  return takeException(cause, load<u64>(VALUE)) ? GO_ON : STALLED;
}
