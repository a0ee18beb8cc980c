import {
  EXITED, EXIT_CODE, LEAVE, OUTPUTS, OUTPUTS_FULL, OUTPUT_BYTES, OUTPUT_MOST, OUTPUT_RING, OUTPUT_SEQUENCE, REBOOTS, RETIRED,
  STATE, STOP_ON_OUTPUT,
} from './layout';

export const CONSOLE: u32 = 0;
export const EXIT: u32 = 1;

/**
 * Sends something to the outside. The instruction that does so is the one being
 * executed, so it counts as retired. The host empties the ring at every stop;
 * a full ring makes the block end, and the machine comes back to the host.
 */
export function output(kind: u32, value: u32): void {
  const count = load<u32>(OUTPUTS);
  const entry = OUTPUT_RING + <usize>count * OUTPUT_BYTES;
  store<u64>(entry, load<u64>(STATE + RETIRED) + 1);
  store<u32>(entry, kind, 8);
  store<u32>(entry, value, 12);
  store<u32>(OUTPUTS, count + 1);
  store<u64>(STATE + OUTPUT_SEQUENCE, load<u64>(STATE + OUTPUT_SEQUENCE) + 1);
  if (load<u32>(STOP_ON_OUTPUT) != 0 || count + 1 >= OUTPUT_MOST / 2) store<u32>(LEAVE, 1);
}

/**
 * True if the ring must be emptied before more may be written. The core's own part
 * of one instruction writes at most half a ring; the host empties it before it adds to one that is half full.
 */
export function outputsWaiting(): bool {
  const count = load<u32>(OUTPUTS);
  return count >= OUTPUT_MOST / 2 || load<u32>(OUTPUTS_FULL) != 0 || (count > 0 && load<u32>(STOP_ON_OUTPUT) != 0);
}

/** Values of EXITED. */
const POWERED_OFF: u64 = 1;
/** Only until the host has carried the reboot out, which is before anybody sees the state. */
const REBOOTING: u64 = 2;

export function exit(code: u32): void {
  store<u64>(STATE + EXITED, POWERED_OFF);
  store<u64>(STATE + EXIT_CODE, code);
  output(EXIT, code);
  store<u32>(LEAVE, 1);
}

/** The guest asks for a reboot. The host has what it was loaded with. */
export function reboot(): void {
  store<u64>(STATE + EXITED, REBOOTING);
  store<u64>(STATE + REBOOTS, load<u64>(STATE + REBOOTS) + 1);
  store<u32>(LEAVE, 1);
}
