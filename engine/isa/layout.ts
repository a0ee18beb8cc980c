/**
 * How immediates are scattered over an encoding, in the notation of the RISC-V
 * manuals: `'s12|10:5@25|4:1|11@7'` is read as "from bit 31 downwards …".
 *
 * A layout is a list of groups, each `targetBits@lowestSourceBit`; the target
 * bits of a group are listed from the most significant source bit down. A
 * leading `s` sign-extends from the highest target bit.
 */

/** `width` bits of the encoding from bit `source` up go to bit `target` up of the immediate. */
export interface ImmediatePiece {
  source: number;
  width: number;
  target: number;
}

export interface ImmediateLayout {
  pieces: ImmediatePiece[];
  /** Number of the sign bit, or null for an unsigned immediate. */
  sign: number | null;
}

export function parseLayout(text: string): ImmediateLayout {
  const signed = text.startsWith('s');
  const pieces: ImmediatePiece[] = [];
  for (const group of (signed ? text.slice(1) : text).split(' ')) {
    const at = group.indexOf('@');
    let source = Number(group.slice(at + 1));
    for (const range of group.slice(0, at).split('|').reverse()) {
      const bounds = range.split(':').map(Number);
      const high = bounds[0] ?? 0;
      const low = bounds[1] ?? high;
      const width = high - low + 1;
      pieces.push({ source, width, target: low });
      source += width;
    }
  }
  const top = Math.max(...pieces.map((piece) => piece.target + piece.width - 1));
  return { pieces, sign: signed ? top : null };
}

/** The immediate as a signed 32-bit number. */
export function extractImmediate(layout: ImmediateLayout, raw: number): number {
  let value = 0;
  for (const { source, width, target } of layout.pieces) {
    const mask = width === 32 ? -1 : (1 << width) - 1;
    value |= ((raw >>> source) & mask) << target;
  }
  if (layout.sign !== null) {
    const shift = 31 - layout.sign;
    value = (value << shift) >> shift;
  }
  return value | 0;
}

/** An AssemblyScript expression of type i32 for the same, over a variable `raw: u32`. */
export function immediateExpression(layout: ImmediateLayout): string {
  const { pieces, sign } = layout;
  const parts = pieces.map(({ source, width, target }) => {
    const isSign = sign !== null && target + width - 1 === sign;
    if (isSign) {
      // Bring the sign to bit 31, then shift back arithmetically to the target.
      const up = 32 - source - width;
      const shifted = up === 0 ? '<i32>raw' : `(<i32>raw << ${up})`;
      const down = `(${shifted} >> ${32 - width})`;
      return target === 0 ? down : `(${down} << ${target})`;
    }
    const mask = (2 ** width - 1) * 2 ** target;
    const distance = source - target;
    const moved = distance === 0 ? 'raw' : distance > 0 ? `(raw >> ${distance})` : `(raw << ${-distance})`;
    return `<i32>(${moved} & 0x${mask.toString(16)})`;
  });
  return parts.join(' | ');
}
