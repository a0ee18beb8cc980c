import { at, awaitedBytes, mostAwaited, upsetBytes } from '../core/layout';
import type { AwaitedValue, StruckUnit, UnitUpset } from './types';

/** The units that the core knows, by their numbers there (core/assembly/upset.ts). */
export const units = ['alu', 'load', 'store', 'store address', 'branch', 'fetch'] as const;

/** The bit beside theirs, for a transfer of a disk's: the core only stops for it. The next one is that of translations (tlb-faults.ts). */
const transfer = 1 << units.length;
const ofUnits = transfer - 1;

const all = 0xffff_ffff_ffff_ffffn;

/** Tells the core what upsets wait, in place of those that waited before; of several of one unit, each changes what the one before has made of it. */
export function writeUpsets(view: DataView, upsets: readonly UnitUpset[]): void {
  units.forEach((unit, i) => {
    const own = upsets.filter((upset) => upset.unit === unit);
    const keep = own.reduce((mask, upset) => mask & upset.keep, all);
    const flip = own.reduce((mask, upset) => (mask & upset.keep) ^ upset.flip, 0n);
    view.setBigUint64(at.upsetList + i * upsetBytes, keep, true);
    view.setBigUint64(at.upsetList + i * upsetBytes + 8, flip, true);
  });
  view.setUint32(at.upsets, units.reduce((mask, unit, i) => (upsets.some((upset) => upset.unit === unit) ? mask | (1 << i) : mask), 0), true);
}

/** What upsets have struck since the last call. */
export function takeStruck(view: DataView): StruckUnit[] {
  const done = view.getUint32(at.upsetsDone, true);
  if ((done & ofUnits) === 0) return [];
  view.setUint32(at.upsetsDone, done & ~ofUnits, true);
  const retired = Number(view.getBigUint64(at.upsetAt, true));
  const pc = view.getBigUint64(at.upsetPc, true);
  return units.flatMap((unit, i) => {
    if ((done & (1 << i)) === 0) return [];
    const entry = at.upsetList + i * upsetBytes;
    return [{ unit, before: view.getBigUint64(entry + 16, true), bits: view.getBigUint64(entry + 32, true), retired, pc }];
  });
}

/** A transfer has been struck: the core is to stop. */
export function noteTransfer(view: DataView): void {
  view.setUint32(at.upsetsDone, view.getUint32(at.upsetsDone, true) | transfer, true);
}

/** True if that has been noted since the last call. */
export function takeTransfer(view: DataView): boolean {
  const done = view.getUint32(at.upsetsDone, true);
  view.setUint32(at.upsetsDone, done & ~transfer, true);
  return (done & transfer) !== 0;
}

/** Tells the core which values of registers are waited for. */
export function writeAwaited(view: DataView, values: readonly AwaitedValue[]): void {
  if (values.length > mostAwaited) throw new RangeError(`at most ${mostAwaited} values can be waited for`);
  view.setUint32(at.awaited, values.length, true);
  // x0 is never written, so it is one of those that are looked at after each instruction.
  view.setUint32(at.awaitedInX, values.reduce((mask, { register }) => mask | (register.kind === 'x' ? 1 << register.index : 1), 0), true);
  values.forEach(({ register, value }, i) => {
    const entry = at.awaitedList + i * awaitedBytes;
    view.setBigUint64(entry, value, true);
    view.setUint32(entry + 8, placeOf(register), true);
    view.setUint32(entry + 12, register.kind === 'csr' ? 1 : 0, true);
  });
}

/** A CSR's number, or an offset in the state of the hart whose turn it is. */
function placeOf(register: AwaitedValue['register']): number {
  switch (register.kind) {
    case 'x':
      return 8 * register.index;
    case 'f':
      return at.f - at.x + 8 * register.index;
    case 'pc':
      return at.pc - at.x;
    case 'csr':
      return register.number;
  }
}
