/** Instructions as the translator looks at them. */
import { decodeInstruction, type DecodedInstruction } from '../isa/decode';
import { costs } from '../isa/instructions';

/** Who translates it; `nothing` has no effect, and `core` is left to the core, with everything that it looks at brought up to date. */
export type Kind = 'integer' | 'load' | 'store' | 'atomic' | 'float' | 'branch' | 'jal' | 'jalr' | 'nothing' | 'core';

export interface Operation extends DecodedInstruction {
  raw: number;
  kind: Kind;
  /** Cycles under `fast` timing. */
  cost: number;
  /** A bit for each register; x0 has none. */
  readsX: number;
  readsF: number;
  writesX: number;
  writesF: number;
}

/** Guests use few encodings over and over, and decoding from the table is slow. */
const known = new Map<number, Operation | undefined>();
const mostKnown = 1 << 16;

/** Undefined where the encoding is illegal. */
export function operationOf(raw: number): Operation | undefined {
  let operation = known.get(raw);
  if (operation !== undefined || known.has(raw)) return operation;
  if (known.size === mostKnown) known.clear();
  const decoded = decodeInstruction(raw);
  operation = decoded && complete(raw, decoded);
  known.set(raw, operation);
  return operation;
}

function complete(raw: number, decoded: DecodedInstruction): Operation {
  const { flags, rd, rs1, rs2, rs3 } = decoded;
  const { reads, writes } = flags;
  let [readsX, readsF] = [0, 0];
  for (let i = 0; i < reads.length; i++) {
    const bit = 1 << (i === 0 ? rs1 : i === 1 ? rs2 : rs3);
    if (reads[i] === 'x') readsX |= bit;
    else readsF |= bit;
  }
  return Object.assign(decoded, {
    raw,
    kind: kindOf(decoded),
    cost: costs[flags.cost],
    readsX: readsX & ~1,
    readsF,
    writesX: writes === 'x' ? (1 << rd) & ~1 : 0,
    writesF: writes === 'f' ? 1 << rd : 0,
  });
}

function kindOf({ mnemonic, flags, rd }: DecodedInstruction): Kind {
  const { control, extension, format, loads, stores } = flags;
  if (control === 'branch') return 'branch';
  if (control === 'jump') return mnemonic === 'jal' ? 'jal' : 'jalr';
  if (control !== 'next' || format === 'cbo') return 'core';
  if (mnemonic === 'fence') return 'nothing';
  if (extension === 'A') return 'atomic';
  if (loads) return 'load';
  if (stores) return 'store';
  if (extension === 'F' || extension === 'D') return 'float';
  return rd === 0 ? 'nothing' : 'integer';
}
