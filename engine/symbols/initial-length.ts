import type { Reader } from './reader';
import { ElfError } from './types';

/** The length that starts every unit, list and table, and with it the choice of 32- or 64-bit DWARF (DWARF 5, 7.4). */
export function readInitialLength(reader: Reader): { length: number; wide: boolean } {
  const length = reader.u32();
  if (length < 0xfffffff0) return { length, wide: false };
  if (length !== 0xffffffff) throw new ElfError(`${reader.what} is damaged: a length of 0x${length.toString(16)}`);
  return { length: reader.offset(true), wide: true };
}
