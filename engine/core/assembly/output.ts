import {
  EXITED, EXIT_CODE, LEAVE, OUTPUTS, OUTPUTS_FULL, OUTPUT_BYTES, OUTPUT_MOST, OUTPUT_RING, OUTPUT_SEQUENCE, RETIRED, STATE,
  STOP_ON_OUTPUT,
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

/** Values of EXITED, once the guest has ended. */
const POWERED_OFF: u64 = 1;
const REBOOTED: u64 = 2;

export function exit(code: u32): void {
  end(POWERED_OFF, code);
}

/** The guest has asked for a reboot, which is whoever runs it to do: the image it began with is no part of the state. */
export function reboot(code: u32): void {
  end(REBOOTED, code);
}

function end(how: u64, code: u32): void {
  store<u64>(STATE + EXITED, how);
  store<u64>(STATE + EXIT_CODE, code);
  output(EXIT, code);
  store<u32>(LEAVE, 1);
}
