import { at, banksOffset, hartBytes, stateAt, uartFifoBytes } from './layout';

const mostStatus = 4;

/**
 * True if a state block from outside is one that a machine of so many harts can
 * be in, as far as the core leans on it: everything else may be anything, as
 * after a fault.
 */
export function isSoundState(state: Uint8Array, harts: number): boolean {
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const field = (address: number): bigint => view.getBigUint64(address - stateAt, true);
  const current = field(at.hart);
  if (field(at.harts) !== BigInt(harts) || current >= BigInt(harts) || field(at.exited) > 1n) return false;
  const counts = [at.retired, at.outputSequence, at.reboots, at.exceptions];
  if (counts.some((count) => field(count) > BigInt(Number.MAX_SAFE_INTEGER))) return false;
  if (view.getUint8(at.uartCount - stateAt) > uartFifoBytes) return false;
  return Array.from({ length: harts }, (_, hart) => (BigInt(hart) === current ? 0 : banksOffset + hart * hartBytes)).every(
    (base) =>
      field(at.x + base) === 0n &&
      (field(at.pc + base) & 1n) === 0n &&
      field(at.status + base) <= mostStatus &&
      [0n, 1n, 3n].includes(field(at.privilege + base)) &&
      view.getUint32(at.fflags - stateAt + base, true) < 32 &&
      view.getUint32(at.frm - stateAt + base, true) < 8,
  );
}
