import {
  CLOCK_READS, CORE_PHASE, CORE_PPM, CYCLES, CYCLE_FROM_CORE, CYCLE_OFFSET, MENVCFG, MIE, MTIMECMP, PER_TICK, RETIRED,
  STATE, STIMECMP, TIME_FROM_CORE, TIME_OFFSET,
} from './layout';
import { alarmTick } from './rtc';

/** No deadline. */
export const NEVER: u64 = 0xffffffffffffffff;

/** This core's clock: its cycles with its phase and its oscillator's error, floor(c * (1 + ppm / 10^6)) for c = cycles + phase. */
export function coreClock(): u64 {
  const cycles = <i64>(load<u64>(CYCLES) + load<u64>(CORE_PHASE));
  const ppm = load<i64>(CORE_PPM);
  // Split so that the product cannot overflow: |ppm| < 10^6.
  return <u64>(cycles + (cycles / 1000000) * ppm + ((cycles % 1000000) * ppm) / 1000000);
}

/** mtime at this instruction. RETIRED and CYCLES must be in memory. */
export function mtime(): u64 {
  const base = load<u32>(TIME_FROM_CORE) != 0 ? coreClock() : load<u64>(STATE + RETIRED);
  return base / load<u64>(PER_TICK) + load<u64>(STATE + TIME_OFFSET);
}

export function writeMtime(value: u64): void {
  store<u64>(STATE + TIME_OFFSET, load<u64>(STATE + TIME_OFFSET) + value - mtime());
}

export function cycleCounter(): u64 {
  const base = load<u32>(CYCLE_FROM_CORE) != 0 ? coreClock() : load<u64>(STATE + RETIRED);
  return base + load<u64>(STATE + CYCLE_OFFSET);
}

@inline export function countClockRead(): void {
  store<u64>(CLOCK_READS, load<u64>(CLOCK_READS) + 1);
}

const MACHINE_TIMER: u64 = 1 << 7;
const SUPERVISOR_TIMER: u64 = 1 << 5;

/** True if stimecmp raises STIP (Sstc). */
@inline export function hasStimecmp(): bool {
  return load<i64>(STATE + MENVCFG) < 0;
}

/** MTIP and STIP as the clock has them. */
export function timersPending(): u64 {
  const now = mtime();
  let pending: u64 = now >= load<u64>(STATE + MTIMECMP) ? MACHINE_TIMER : 0;
  if (hasStimecmp() && now >= load<u64>(STATE + STIMECMP)) pending |= SUPERVISOR_TIMER;
  return pending;
}

/** The next time at which an enabled timer becomes pending that is not, or the alarm rings; NEVER if there is none. */
function nextDeadline(now: u64): u64 {
  const enabled = load<u64>(STATE + MIE);
  let due = NEVER;
  const machine = load<u64>(STATE + MTIMECMP);
  if ((enabled & MACHINE_TIMER) != 0 && machine > now) due = machine;
  const supervisor = load<u64>(STATE + STIMECMP);
  if ((enabled & SUPERVISOR_TIMER) != 0 && hasStimecmp() && supervisor > now) due = min(due, supervisor);
  const alarm = alarmTick(NEVER);
  return alarm > now ? min(due, alarm) : due;
}

/** How many instructions may surely run before an enabled timer becomes pending. */
export function instructionsToTimers(): u64 {
  const due = nextDeadline(mtime());
  if (due == NEVER) return NEVER;
  const ticks = due - load<u64>(STATE + TIME_OFFSET);
  const perTick = load<u64>(PER_TICK);
  if (ticks > (<u64>1 << 62) / perTick) return NEVER;
  if (load<u32>(TIME_FROM_CORE) == 0) return ticks * perTick - load<u64>(STATE + RETIRED);
  // The clock advances by at most 32 cycles an instruction (20 for the dearest, and a clock no more than 10 % fast).
  const left = (ticks * perTick - coreClock()) / 32;
  return left > 0 ? left : 1;
}

/** The guest sleeps until an enabled timer is due: time passes, instructions do not. False if none ever will be. */
export function sleepUntilTimer(): bool {
  const now = mtime();
  const due = nextDeadline(now);
  if (due == NEVER) return false;
  const ticks = due - now;
  store<u64>(STATE + TIME_OFFSET, load<u64>(STATE + TIME_OFFSET) + ticks);
  store<u64>(STATE + CYCLE_OFFSET, load<u64>(STATE + CYCLE_OFFSET) + ticks * load<u64>(PER_TICK));
  return true;
}
