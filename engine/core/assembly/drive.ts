import { instructionsToTimer, NEVER } from './clock';
import {
  OP_BREAK, OP_STEPPED, OP_STRADDLE, decodeBlock, decodeRecord, recordsOf,
} from './code';
import { opCycles } from './decode.generated';
import { beginEffects, endEffects, trapEffects } from './effects';
import { BUDGET, EXCEPTION, FAR, LEAVING, SYSTEM, interpret } from './interpret';
import {
  CAUSE, COLLECT, CYCLES, CYCLE_LIMIT, EXITED, FETCH_TLB, LEAVE, LIMIT, MIE, PC, RAM_BASE, RECORD_BYTES, RETIRED,
  SCRATCH, STATE, VALUE, WATCH_HIT,
} from './layout';
import { NONE, codeOf, hostOf, isRam } from './memory';
import { outputsWaiting } from './output';
import { ASLEEP, systemOp } from './system';
import { fill, slot } from './tlb';
import { interruptsOn, takeException, takeInterrupt } from './trap';

// The outer loop: interrupts, exceptions, stops, and the way to the next block.

export const STOP_LIMIT: u32 = 0;
export const STOP_BREAKPOINT: u32 = 1;
export const STOP_WATCH: u32 = 2;
export const STOP_OUTPUT: u32 = 3;
export const STOP_EXIT: u32 = 4;
export const STOP_IDLE: u32 = 5;
export const STOP_STALLED: u32 = 6;

const FETCH_FAULT: u64 = 1;
/** No instruction costs more, with room to spare: bounds how many surely fit below a cycle limit. */
const DEAREST: u64 = 32;
const TIMER: u64 = 1 << 7;

/** Runs until one of the stops. `stepOver`: do not stop at a breakpoint on the first instruction. */
export function run(stepOver: bool): u32 {
  if (load<u64>(STATE + EXITED) != 0) return STOP_EXIT;
  const limit = load<u64>(LIMIT);
  let first = stepOver;
  // Left over where another stop came first.
  store<u32>(WATCH_HIT, 0);
  while (load<u64>(STATE + RETIRED) < limit) {
    if (takeInterrupt()) {
      // The instruction to step over is not the next one any more.
      first = false;
      if (load<u32>(COLLECT) != 0) trapEffects();
    }
    const goal = horizon(limit);
    if (goal == 0) return STOP_LIMIT;
    let event: u32;
    if (first || load<u32>(COLLECT) != 0) {
      if (!first && breakpointHere()) return STOP_BREAKPOINT;
      event = step();
    } else {
      event = runBlocks(goal);
      if (event == BREAK) return STOP_BREAKPOINT;
    }
    first = false;
    if (event == STALLED) return STOP_STALLED;
    if (event == SLEEPING) return STOP_IDLE;
    if (load<u64>(STATE + EXITED) != 0) return STOP_EXIT;
    if (load<u32>(WATCH_HIT) != 0) {
      store<u32>(WATCH_HIT, 0);
      return STOP_WATCH;
    }
    if (outputsWaiting()) return STOP_OUTPUT;
  }
  return STOP_LIMIT;
}

// What `runBlocks` and `step` say.
const GO_ON: u32 = 0;
const BREAK: u32 = 1;
const STALLED: u32 = 2;
const SLEEPING: u32 = 3;

/** The retired count up to which nothing can happen that is not an instruction's doing; 0 at a cycle limit. */
function horizon(limit: u64): u64 {
  const retired = load<u64>(STATE + RETIRED);
  let goal = limit;
  if ((load<u64>(STATE + MIE) & TIMER) != 0 && interruptsOn()) {
    const left = instructionsToTimer();
    if (left != NEVER && retired + left < goal) goal = retired + left;
  }
  const cycleLimit = load<u64>(CYCLE_LIMIT);
  if (cycleLimit != NEVER) {
    const cycles = load<u64>(CYCLES);
    if (cycles >= cycleLimit) return 0;
    const sure = (cycleLimit - cycles) / DEAREST;
    goal = min(goal, retired + (sure > 0 ? sure : 1));
  }
  return goal;
}

/** The records of the page around `va`, or 0 where no instruction can be fetched. */
function pageRecords(va: u64): usize {
  const entry = FETCH_TLB + slot(va);
  if (load<u64>(entry) == (va & ~4095)) return load<usize>(entry, 8);
  if (!isRam(va, 2)) return 0;
  const records = recordsOf(<usize>(va - RAM_BASE) >> 12);
  fill(FETCH_TLB, va, <u32>records);
  return records;
}

/** Runs translated blocks until `goal` or something that the outer loop has to look at. */
function runBlocks(goal: u64): u32 {
  for (;;) {
    const pc = load<u64>(STATE + PC);
    const records = pageRecords(pc);
    // Fetch faults and everything odd happen in a step, where all is done slowly.
    if (records == 0 || (pc & 1) != 0) return step();
    const record = records + (<usize>(pc & 4095) << 3);
    if (load<u16>(record, 12) == 0) {
      if (load<u8>(record) == 0) decodeBlock(records, pc, <usize>(pc - RAM_BASE) >> 12);
      const op: u32 = load<u8>(record);
      if (op == OP_BREAK) return BREAK;
      if (op == OP_STRADDLE) return step();
    }
    const event = interpret(record, pc & ~4095, records, goal, false);
    if (event == FAR) {
      if (load<u64>(STATE + RETIRED) >= goal) return GO_ON;
      continue;
    }
    if (event == BUDGET) return load<u64>(STATE + RETIRED) < goal ? step() : GO_ON;
    return settle(event);
  }
}

/** True if a breakpoint stands at PC. Used where decoded records are not. */
function breakpointHere(): bool {
  const pc = load<u64>(STATE + PC);
  const records = pageRecords(pc);
  if (records == 0) return false;
  const record = records + (<usize>(pc & 4095) << 3);
  if (load<u8>(record) == 0 && load<u16>(record, 12) == 0) decodeBlock(records, pc, <usize>(pc - RAM_BASE) >> 12);
  return load<u8>(record) == <u8>OP_BREAK;
}

/** Executes the one instruction at PC, breakpoint or not. */
function step(): u32 {
  const pc = load<u64>(STATE + PC);
  if (!isRam(pc, 2)) return except(FETCH_FAULT, pc);
  if (!copyRecord(pc)) {
    let raw: u32 = load<u16>(hostOf(pc));
    if ((raw & 3) == 3) {
      // The second half faults by itself, at its own address.
      if (!isRam(pc + 2, 2)) return except(FETCH_FAULT, pc + 2);
      raw |= <u32>load<u16>(hostOf(pc + 2)) << 16;
    }
    decodeRecord(raw, SCRATCH);
  }
  const collect = load<u32>(COLLECT) != 0;
  if (collect) beginEffects(SCRATCH);
  const records = SCRATCH - (<usize>(pc & 4095) << 3);
  const event = interpret(SCRATCH, pc & ~4095, records, load<u64>(STATE + RETIRED) + 1, true);
  const result = event == FAR || event == BUDGET ? GO_ON : settle(event);
  if (collect) endEffects(SCRATCH);
  return result;
}

/** Copies the record at `pc` to the scratch area, where it stands for itself alone; false where none is decoded. */
function copyRecord(pc: u64): bool {
  const records = codeOf(<usize>(pc - RAM_BASE) >> 12);
  if (records == 0) return false;
  const record = records + (<usize>(pc & 4095) << 3);
  if (load<u16>(record, 12) == 0) return false;
  store<u64>(SCRATCH, load<u64>(record));
  store<u32>(SCRATCH, load<u32>(record, 8), 8);
  store<u16>(SCRATCH, 1, 12);
  store<u16>(SCRATCH, opCycles(load<u8>(record)), 14);
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
    const low: u32 = load<u16>(hostOf(pc));
    const wide = (low & 3) == 3;
    const raw = wide ? low | (<u32>load<u16>(hostOf(pc + 2)) << 16) : low;
    decodeRecord(raw, SCRATCH);
    const outcome = systemOp(SCRATCH, raw, wide ? 4 : 2, opCycles(load<u8>(SCRATCH)));
    store<u32>(LEAVE, 0);
    if (outcome == ASLEEP) return SLEEPING;
    if (load<u64>(CAUSE) == NONE) return GO_ON;
  } else if (event == LEAVING) {
    store<u32>(LEAVE, 0);
    return GO_ON;
  } else if (event != EXCEPTION) {
    return GO_ON;
  }
  const cause = load<u64>(CAUSE);
  store<u64>(CAUSE, NONE);
  store<u32>(LEAVE, 0);
  return except(cause, load<u64>(VALUE));
}

function except(cause: u64, value: u64): u32 {
  return takeException(cause, value) ? GO_ON : STALLED;
}
