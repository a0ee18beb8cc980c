import { banksOffset, hartBytes, hartFields, mostHarts, sharedFields, stateBytes, uartFifoBytes } from '../core/layout';

/** Far above what any run retires, and far below where numbers become inexact. */
const mostCounted = 2n ** 52n;
const never = 2n ** 64n - 1n;
/** Running, stopped, waiting, stalled, suspended: core/assembly/harts.ts. */
const mostStatus = 4n;
const privileges = [0n, 1n, 3n];
const registersBytes = 0x200;

/**
 * Whether a state block could be a machine's with so many harts. Registers may
 * hold anything, as a fault may put anything into them; but what the core counts
 * with, and what it finds its own places by, it believes.
 */
export function isSoundState(state: Uint8Array, harts: number): boolean {
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const word = (at: number): bigint => view.getBigUint64(at, true);
  const shared = (name: string): bigint => word(offsetOf(sharedFields, name));
  const current = shared('current hart');
  const retired = shared('instret');
  const counted =
    retired <= mostCounted &&
    shared('outputs sent') <= mostCounted &&
    shared('exceptions taken') <= mostCounted &&
    shared('exited') <= 1n &&
    shared('reboots') <= mostCounted &&
    shared('exit code') < 2n ** 32n &&
    shared('built-in firmware') <= 1n &&
    shared('uart fifo count') <= BigInt(uartFifoBytes) &&
    shared('harts') === BigInt(harts) &&
    current < harts;
  if (!counted || !unusedIsZero(state, Number(current), harts)) return false;
  for (let hart = 0; hart < harts; hart++) {
    const base = BigInt(hart) === current ? 0 : banksOffset + hart * hartBytes;
    const field = (name: string): bigint => word(base + offsetOf(hartFields, name));
    const exception = field('last exception instret');
    const sound =
      word(base) === 0n &&
      (field('pc') & 1n) === 0n &&
      field('hart status') <= mostStatus &&
      privileges.includes(field('privilege')) &&
      (exception <= retired || exception === never);
    if (!sound) return false;
  }
  return true;
}

function offsetOf(fields: readonly { name: string; offset: number }[], name: string): number {
  const field = fields.find((one) => one.name === name);
  if (!field) throw new Error(`no field ${name}`);
  return field.offset;
}

/** Nothing stands where no field is, nor in the banks of the current hart and of harts that are not there. */
function unusedIsZero(state: Uint8Array, current: number, harts: number): boolean {
  const used = new Uint8Array(stateBytes);
  const mark = (base: number, fields: readonly { offset: number; bytes: number }[]): void => {
    for (const { offset, bytes } of fields) used.fill(1, base + offset, base + offset + bytes);
  };
  for (let hart = 0; hart < Math.min(harts, mostHarts); hart++) {
    const base = hart === current ? 0 : banksOffset + hart * hartBytes;
    used.fill(1, base, base + registersBytes);
    mark(base, hartFields);
  }
  mark(0, sharedFields);
  return state.every((byte, i) => byte === 0 || used[i] === 1);
}
