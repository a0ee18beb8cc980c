import {
  CLOCK_READS, CORE_PHASE, CORE_PPM, CYCLE_FROM_CORE, CYCLE_OFFSET, CURRENT, HARTS, INTERRUPTS_FROM_CORE, MENVCFG, MIE, MTIMECMP,
  PER_TICK, RETIRED, RTC_FROM_CORE, SEEN_AT, STATE, STATUS, STIMECMP, TIMER_SEEN_AT, TIME_FROM_CORE, TIME_OFFSET, WAKEFUL,
} from './layout';
import { dearest, spent } from './caches';
import { hartAt, waits } from './harts';
import { ticksToAlarm } from './rtc';

/** No deadline. */
export const NEVER: u64 = 0xffffffffffffffff;

/** This core's clock: its cycles with its phase and its oscillator's error, floor(c * (1 + ppm / 10^6)) for c = cycles + phase. */
export function coreClock(): u64 {
  const cycles = <i64>(spent() + load<u64>(CORE_PHASE));
  const ppm = load<i64>(CORE_PPM);
  // Split so that the product cannot overflow: |ppm| < 10^6.
  return <u64>(cycles + (cycles / 1000000) * ppm + ((cycles % 1000000) * ppm) / 1000000);
}

/** Ticks at this instruction: by the core's own clock, or as all replicas have them. RETIRED and CYCLES must be in memory. */
function ticksBy(own: bool): u64 {
  const base = own ? coreClock() : load<u64>(STATE + RETIRED);
  return base / load<u64>(PER_TICK) + load<u64>(STATE + TIME_OFFSET);
}

// What is read as the time, what timers are compared with, and what the real-time clock goes by. They are one
// but where the host leaves what is read, or the real-time clock, to the core.

/** mtime as it is read. */
export function mtime(): u64 {
  return ticksBy(load<u32>(TIME_FROM_CORE) != 0);
}

@inline function timerTicks(): u64 {
  return ticksBy(false);
}

export function rtcTicks(): u64 {
  return ticksBy(load<u32>(RTC_FROM_CORE) != 0);
}

/** All replicas set the same. */
export function writeMtime(value: u64): void {
  store<u64>(STATE + TIME_OFFSET, load<u64>(STATE + TIME_OFFSET) + value - timerTicks());
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

/** True if stimecmp raises STIP (Sstc) on the hart whose state is at `base`. */
@inline export function hasStimecmp(base: usize): bool {
  return load<i64>(base + MENVCFG) < 0;
}

/** MTIP and STIP of the current hart as the core sees them. */
export function timersPending(): u64 {
  const due = timersDue(STATE);
  if (due == 0 || load<u32>(INTERRUPTS_FROM_CORE) == 0) return due;
  const seen = load<u64>(timerSeenAt(load<u64>(STATE + CURRENT)));
  return seen != 0 && coreClock() >= seen ? due : 0;
}

/** The same of the hart at `base`, as the clock has them. */
export function timersDue(base: usize): u64 {
  const now = timerTicks();
  let pending: u64 = now >= load<u64>(base + MTIMECMP) ? MACHINE_TIMER : 0;
  if (hasStimecmp(base) && now >= load<u64>(base + STIMECMP)) pending |= SUPERVISOR_TIMER;
  return pending;
}

/** The next time at which an enabled timer of the hart at `base` becomes pending that is not; NEVER if there is none. */
function nextTimer(base: usize, now: u64): u64 {
  const enabled = load<u64>(base + MIE);
  let due = NEVER;
  const machine = load<u64>(base + MTIMECMP);
  if ((enabled & MACHINE_TIMER) != 0 && machine > now) due = machine;
  const supervisor = load<u64>(base + STIMECMP);
  if ((enabled & SUPERVISOR_TIMER) != 0 && hasStimecmp(base) && supervisor > now) due = min(due, supervisor);
  return due;
}

/** Ticks until then. From now on, not from reset: the offset wraps where a guest has set its clock back. */
@inline function ticksToTimer(base: usize, now: u64): u64 {
  const due = nextTimer(base, now);
  return due == NEVER ? NEVER : due - now;
}

/** The same for the clock's alarm, unless it is due already. */
function ticksToNextAlarm(): u64 {
  const ticks = ticksToAlarm(NEVER);
  return ticks > 0 ? ticks : NEVER;
}

/** How many instructions may surely run before an enabled timer of the current hart becomes pending, the alarm rings, or a request is seen. */
export function instructionsToTimers(): u64 {
  const left = min(
    instructionsTo(ticksToTimer(STATE, timerTicks()), false),
    instructionsTo(ticksToNextAlarm(), load<u32>(RTC_FROM_CORE) != 0),
  );
  return load<u32>(INTERRUPTS_FROM_CORE) == 0 ? left : min(left, instructionsToSeen());
}

// Where the host leaves interrupts to the core, it looks at its wires at the ticks of its own clock: what is raised is seen
// at the next one. A hart that sleeps is woken at once.

/** The core's clock at the next tick of its own. */
export function nextOwnTick(): u64 {
  const perTick = load<u64>(PER_TICK);
  return (coreClock() / perTick + 1) * perTick;
}

@inline function timerSeenAt(hart: u64): usize {
  return TIMER_SEEN_AT + <usize>(hart << 3);
}

/**
 * Notes when the core will see a timer of the current hart that is due and enabled. To be called at each boundary; there is one
 * where such a timer becomes due, and behind each instruction that may make it so, or no more.
 */
export function noteTimers(): void {
  const seen = timerSeenAt(load<u64>(STATE + CURRENT));
  if ((timersDue(STATE) & load<u64>(STATE + MIE)) == 0) store<u64>(seen, 0);
  else if (load<u64>(seen) == 0) store<u64>(seen, nextOwnTick());
}

/** How many instructions may surely run before the core sees something that is raised. */
function instructionsToSeen(): u64 {
  const now = coreClock();
  const wires = load<u64>(SEEN_AT);
  const timers = load<u64>(timerSeenAt(load<u64>(STATE + CURRENT)));
  let left = NEVER;
  if (wires > now) left = instructionsIn(wires - now);
  if (timers > now) left = min(left, instructionsIn(timers - now));
  return left;
}

/** How many instructions may surely run before so many ticks have passed, by the core's own clock or not. */
function instructionsTo(ticks: u64, own: bool): u64 {
  if (ticks == NEVER) return NEVER;
  const perTick = load<u64>(PER_TICK);
  if (ticks > (<u64>1 << 62) / perTick) return NEVER;
  return own ? instructionsIn(ticks * perTick - coreClock() % perTick) : ticks * perTick - load<u64>(STATE + RETIRED) % perTick;
}

/** How many surely run in so many cycles of the core's clock, which is no more than 10 % fast. */
function instructionsIn(cycles: u64): u64 {
  const left = cycles / dearest();
  return left > 0 ? left : 1;
}

/** No hart is ready: time passes, instructions do not, until a timer that one waits for is due. False if none ever will be, or if that is the host's to do. */
export function sleepUntilTimer(): bool {
  if (load<u32>(WAKEFUL) != 0) return false;
  const ticks = ticksToWake();
  if (ticks == NEVER) return false;
  passTime(ticks);
  return true;
}

/** Lets so many ticks pass in which no hart does anything, or fewer, where a timer that one waits for is due before. False if no such timer is set. */
export function nap(most: u64): bool {
  const ticks = ticksToWake();
  passTime(min(most, ticks));
  return ticks != NEVER;
}

/** Ticks until a timer that a hart waits for is due; NEVER if there is none. */
function ticksToWake(): u64 {
  const now = timerTicks();
  const alarm = ticksToNextAlarm();
  let ticks = NEVER;
  for (let hart: u64 = 0; hart < load<u64>(STATE + HARTS); hart++) {
    const base = hartAt(hart);
    if (waits(load<u64>(base + STATUS))) ticks = min(ticks, min(ticksToTimer(base, now), alarm));
  }
  return ticks;
}

function passTime(ticks: u64): void {
  store<u64>(STATE + TIME_OFFSET, load<u64>(STATE + TIME_OFFSET) + ticks);
  // The harts share a core, whose cycles each of them counts.
  for (let hart: u64 = 0; hart < load<u64>(STATE + HARTS); hart++) {
    const offset = hartAt(hart) + CYCLE_OFFSET;
    store<u64>(offset, load<u64>(offset) + ticks * load<u64>(PER_TICK));
  }
}
