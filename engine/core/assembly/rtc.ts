import { countClockRead, rtcTicks } from './clock';
import { RTC_ALARM, RTC_ARMED, RTC_ENABLED, RTC_HIGH, RTC_OFFSET, RTC_RUNG, STATE } from './layout';

// The goldfish real-time clock. It begins at a fixed date and goes with mtime,
// so that a guest's calendar is as deterministic as all else; or, where the host leaves it
// to the core, by the core's own clock.

export const RTC: u64 = 0x101000;

/** 2025-01-01T00:00:00Z in nanoseconds since 1970. */
const START: u64 = 1735689600000000000;
/** Registers. */
const TIME_LOW: u32 = 0x00;
const TIME_HIGH: u32 = 0x04;
const ALARM_LOW: u32 = 0x08;
const ALARM_HIGH: u32 = 0x0c;
const IRQ_ENABLED: u32 = 0x10;
const CLEAR_ALARM: u32 = 0x14;
const ALARM_STATUS: u32 = 0x18;
const CLEAR_INTERRUPT: u32 = 0x1c;

const NANOSECONDS_A_TICK: u64 = 100;

function now(): u64 {
  return START + rtcTicks() * NANOSECONDS_A_TICK + load<u64>(STATE + RTC_OFFSET);
}

/** A read of the low half latches the high one. */
export function readRtc(offset: u32): u32 {
  if (offset == TIME_LOW) {
    countClockRead();
    const time = now();
    store<u64>(STATE + RTC_HIGH, time >> 32);
    return <u32>time;
  }
  switch (offset) {
    case TIME_HIGH: return load<u32>(STATE + RTC_HIGH);
    case ALARM_LOW: return load<u32>(STATE + RTC_ALARM);
    case ALARM_HIGH: return load<u32>(STATE + RTC_ALARM, 4);
    case IRQ_ENABLED: return load<u8>(STATE + RTC_ENABLED);
    case ALARM_STATUS: return load<u8>(STATE + RTC_ARMED);
    default: return 0;
  }
}

/** The time is set by halves; writing the low half of the alarm sets it. */
export function writeRtc(offset: u32, value: u32): void {
  switch (offset) {
    case TIME_LOW: setTime((now() & ~0xffffffff) | value); break;
    case TIME_HIGH: setTime((now() & 0xffffffff) | (<u64>value << 32)); break;
    case ALARM_LOW: {
      store<u32>(STATE + RTC_ALARM, value);
      store<u8>(STATE + RTC_ARMED, 1);
      break;
    }
    case ALARM_HIGH: store<u32>(STATE + RTC_ALARM, value, 4); break;
    case IRQ_ENABLED: store<u8>(STATE + RTC_ENABLED, value & 1); break;
    case CLEAR_ALARM: store<u8>(STATE + RTC_ARMED, 0); break;
    case CLEAR_INTERRUPT: store<u8>(STATE + RTC_RUNG, 0); break;
    default: break;
  }
}

function setTime(time: u64): void {
  store<u64>(STATE + RTC_OFFSET, load<u64>(STATE + RTC_OFFSET) + time - now());
}

/** Ticks until the alarm rings, 0 where it is due, or `never` if it is not set. */
export function ticksToAlarm(never: u64): u64 {
  if (load<u8>(STATE + RTC_ARMED) == 0) return never;
  const left = <i64>(load<u64>(STATE + RTC_ALARM) - now());
  return left <= 0 ? 0 : (<u64>left + NANOSECONDS_A_TICK - 1) / NANOSECONDS_A_TICK;
}

/** True if the alarm is set and it is time for it. */
export function isAlarmDue(): bool {
  return load<u8>(STATE + RTC_ARMED) != 0 && <i64>(load<u64>(STATE + RTC_ALARM) - now()) <= 0;
}

/** Lets the alarm ring if it is time. True if it has. */
export function ringAlarm(): bool {
  if (!isAlarmDue()) return false;
  store<u8>(STATE + RTC_ARMED, 0);
  store<u8>(STATE + RTC_RUNG, 1);
  return true;
}

/** True if an alarm that rings raises the interrupt line. */
@inline export function rtcEnabled(): bool {
  return load<u8>(STATE + RTC_ENABLED) != 0;
}

/** True while the interrupt line is raised. */
@inline export function rtcInterrupt(): bool {
  return rtcEnabled() && load<u8>(STATE + RTC_RUNG) != 0;
}
