/** What is stuck in the results of a machine's instructions (stuck-bits.ts there), and the code behind a write that forces it. */
import { at as layout } from '../core/layout';
import { op, type WasmCode } from './wasm-code';

/** A result becomes `(value & keep) | set`; both as signed numbers of 64 bits. */
interface Masks {
  keep: bigint;
  set: bigint;
}

const unchanged = (): undefined => undefined;

/** Of a machine without any there is nothing to write, and it is translated as ever. */
export const noneStuck: StuckResults = { x: unchanged, f: unchanged, alu: undefined };

export interface StuckResults {
  x: (register: number) => Masks | undefined;
  f: (register: number) => Masks | undefined;
  alu: Masks | undefined;
}

/** What the core's memory says. */
export function readStuck(view: DataView): StuckResults {
  if (view.getUint32(layout.stuck, true) === 0) return noneStuck;
  const masks = (at: number): Masks => ({ keep: view.getBigInt64(at, true), set: view.getBigInt64(at + 8, true) });
  const file = (mask: number, table: number) => {
    const bits = view.getUint32(mask, true);
    return (register: number): Masks | undefined => ((bits >>> register) & 1 ? masks(table + 16 * register) : undefined);
  };
  return {
    x: file(layout.stuckInX, layout.stuckX),
    f: file(layout.stuckInF, layout.stuckF),
    alu: view.getUint32(layout.stuckInAlu, true) === 0 ? undefined : masks(layout.stuckAlu),
  };
}

/** Forces the integer on the stack. */
export function writeForced(code: WasmCode, masks: Masks | undefined): void {
  if (!masks) return;
  code.i64(masks.keep).plain(op.i64_and);
  if (masks.set !== 0n) code.i64(masks.set).plain(op.i64_or);
}
