import {
  CLOCK_READS, CORE_PHASE, CORE_PPM, CYCLES, CYCLE_FROM_CORE, CYCLE_OFFSET, MTIMECMP, PER_TICK, RETIRED, STATE,
  TIME_FROM_CORE, TIME_OFFSET,
} from './layout';

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

@inline export function timerPending(): bool {
  return mtime() >= load<u64>(STATE + MTIMECMP);
}

/** How many instructions may surely run before the timer's interrupt is due; 0 if it is due now. */
export function instructionsToTimer(): u64 {
  const now = mtime();
  const due = load<u64>(STATE + MTIMECMP);
  if (now >= due) return 0;
  const ticks = due - load<u64>(STATE + TIME_OFFSET);
  const perTick = load<u64>(PER_TICK);
  if (ticks > (<u64>1 << 62) / perTick) return NEVER;
  if (load<u32>(TIME_FROM_CORE) == 0) return ticks * perTick - load<u64>(STATE + RETIRED);
  // The clock advances by at most 32 cycles an instruction (20 for the dearest, and a clock no more than 10 % fast).
  const left = (ticks * perTick - coreClock()) / 32;
  return left > 0 ? left : 1;
}

/** The guest sleeps until the timer is due: time passes, instructions do not. */
export function sleepUntilTimer(): void {
  const ticks = load<u64>(STATE + MTIMECMP) - mtime();
  store<u64>(STATE + TIME_OFFSET, load<u64>(STATE + TIME_OFFSET) + ticks);
  store<u64>(STATE + CYCLE_OFFSET, load<u64>(STATE + CYCLE_OFFSET) + ticks * load<u64>(PER_TICK));
}
