/** Encoding, for tests: the table's formats run backwards. */

import type { Operands } from './reference-model.test-support';
import { formats, type Instruction } from './instructions';
import type { ImmediateLayout } from './layout';
import type { Random } from './random.test-support';

function encodeImmediate(layout: ImmediateLayout, value: number): number {
  return layout.pieces.reduce((raw, { source, width, target }) => {
    const mask = width === 32 ? -1 : (1 << width) - 1;
    return raw | (((value >> target) & mask) << source);
  }, 0);
}

/** The 32-bit encoding with these operands; those that the format lacks are ignored. */
export function encode(row: Instruction, operands: Partial<Operands>): number {
  const format = formats[row.format];
  const { rd = 0, rs1 = 0, rs2 = 0, rs3 = 0, rm = 0, imm = 0 } = operands;
  let raw = row.match;
  if (format.rd) raw |= rd << 7;
  if (format.rs1) raw |= rs1 << 15;
  if (format.rs2) raw |= rs2 << 20;
  if (format.rs3) raw |= rs3 << 27;
  if (format.rm) raw |= rm << 12;
  if (format.immediate !== null) raw |= encodeImmediate(format.immediate, imm);
  return raw >>> 0;
}

/** A value that the immediate of this format can have; the ends of its range are likely. */
export function randomImmediate(row: Instruction, random: Random): number {
  const layout = formats[row.format].immediate;
  if (layout === null) return 0;
  const top = Math.max(...layout.pieces.map(({ target, width }) => target + width));
  const low = Math.min(...layout.pieces.map(({ target }) => target));
  const sign = layout.sign === null ? 0 : 32 - top;
  const ends = [0, 2 ** low, -(2 ** low), -(2 ** (top - 1)), 2 ** (top - 1) - 2 ** low];
  const value = random.below(3) === 0 ? (ends[random.below(ends.length)] ?? 0) : random.word();
  const step = ((value >> low) << low) | 0;
  if (layout.sign !== null) return (step << sign) >> sign;
  return top === 32 ? step : step & (2 ** top - 1);
}
