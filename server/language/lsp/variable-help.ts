import type { Variable } from '../../../engine/symbols/types';

/** How wide a variable is and how its bits are read: `32 bits, unsigned`. */
export function numberTypeOf({ size, encoding, type }: Variable): string {
  if (size === undefined) return /: (\d+)$/.test(type) ? 'A bit-field: its bits share bytes with others.' : 'Its size is not known.';
  if (encoding === undefined) return `${size} ${size === 1 ? 'byte' : 'bytes'}`;
  return `${8 * size} bits, ${{ signed: 'signed', unsigned: 'unsigned', float: 'floating point' }[encoding]}`;
}

/** `uint32_t[256]`, and what that is. */
export function typeText(variable: Variable): string {
  return `\`${variable.type}\` · ${numberTypeOf(variable)}`;
}
