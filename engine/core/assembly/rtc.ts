import { countClockRead, mtime } from './clock';
import { RTC_HIGH, RTC_OFFSET, STATE } from './layout';

// The goldfish real-time clock. It begins at a fixed date and goes with mtime,
// so that a guest's calendar is as deterministic as all else. It has no alarm.

export const RTC: u64 = 0x101000;

/** 2025-01-01T00:00:00Z in nanoseconds since 1970. */
const START: u64 = 1735689600000000000;
const NANOSECONDS_A_TICK: u64 = 100;

function now(): u64 {
  return START + mtime() * NANOSECONDS_A_TICK + load<u64>(STATE + RTC_OFFSET);
}

/** A read of the low half latches the high one. */
export function readRtc(offset: u32): u32 {
  if (offset == 0) {
    countClockRead();
    const time = now();
    store<u64>(STATE + RTC_HIGH, time >> 32);
    return <u32>time;
  }
  return offset == 4 ? load<u32>(STATE + RTC_HIGH) : 0;
}

/** Each half is set by itself. */
export function writeRtc(offset: u32, value: u32): void {
  const time = now();
  let next = time;
  if (offset == 0) next = (time & ~0xffffffff) | value;
  else if (offset == 4) next = (time & 0xffffffff) | (<u64>value << 32);
  store<u64>(STATE + RTC_OFFSET, load<u64>(STATE + RTC_OFFSET) + next - time);
}
