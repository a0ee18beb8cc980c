/** Which code is translated together: blocks of one page that jump to one another. */
import { decodeInstruction, instructionLength, type DecodedInstruction } from '../isa/decode';
import { costs } from '../isa/instructions';

/** An instruction at an offset of its page, in bytes. */
export interface PlacedInstruction extends DecodedInstruction {
  at: number;
  raw: number;
  /** Cycles under `fast` timing. */
  cost: number;
}

export interface Block {
  at: number;
  instructions: PlacedInstruction[];
  /** Where control goes behind the last one, if that is not for it to say. */
  next: number;
  /** It may be entered from outside of the region. */
  isEntry: boolean;
}

export interface RegionLimits {
  blocks: number;
  instructions: number;
}

/** What cannot be translated: it ends a block before itself. */
export type Refusal = (instruction: DecodedInstruction) => boolean;

interface Line {
  instructions: PlacedInstruction[];
  /** Jump targets in the page. */
  targets: number[];
  /** Offsets that something may come back to. */
  returns: number[];
  next: number;
}

const pageBytes = 4096;

/**
 * The blocks that are reached from `start` without leaving the page, in the order
 * of their addresses. `isBoundary`: nobody goes on there (a breakpoint, or code that is translated already).
 */
export function findRegion(page: Uint8Array, start: number, limits: RegionLimits, refuses: Refusal, isBoundary: (at: number) => boolean): Block[] {
  const lines = new Map<number, Line>();
  const leaders = new Set<number>();
  const entries = new Set([start]);
  const waiting = [start];
  let count = 0;
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    if (lines.has(at) || isBoundary(at) || lines.size >= limits.blocks || count >= limits.instructions) continue;
    const line = readLine(page, at, refuses, isBoundary);
    if (line.instructions.length === 0) continue;
    lines.set(at, line);
    leaders.add(at);
    count += line.instructions.length;
    const last = line.instructions.at(-1)?.at ?? at;
    for (const target of line.targets) {
      if (target <= last) entries.add(target);
      waiting.push(target);
    }
    for (const target of line.returns) {
      entries.add(target);
      waiting.push(target);
    }
  }
  // A line that runs into another's start ends there: each instruction belongs to one block.
  const sorted = [...leaders].sort((a, b) => a - b);
  return sorted.flatMap((at) => {
    const line = lines.get(at);
    if (!line) return [];
    const cut = line.instructions.findIndex((instruction) => instruction.at !== at && leaders.has(instruction.at));
    const instructions = cut < 0 ? line.instructions : line.instructions.slice(0, cut);
    const next = cut < 0 ? line.next : (line.instructions[cut]?.at ?? line.next);
    return [{ at, instructions, next, isEntry: entries.has(at) }];
  });
}

function readLine(page: Uint8Array, start: number, refuses: Refusal, isBoundary: (at: number) => boolean): Line {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const line: Line = { instructions: [], targets: [], returns: [], next: start };
  for (let at = start; at < pageBytes; ) {
    line.next = at;
    if (at !== start && isBoundary(at)) break;
    const low = view.getUint16(at, true);
    const length = instructionLength(low);
    if (at + length > pageBytes) break;
    const raw = length === 2 ? low : view.getUint32(at, true);
    const decoded = decode(raw);
    if (!decoded || refuses(decoded)) {
      // The core executes it, and comes back behind it.
      if (decoded && decoded.flags.control !== 'return') inPage(at + length, line.returns);
      break;
    }
    line.instructions.push({ ...decoded, at, raw, cost: costs[decoded.flags.cost] });
    at += length;
    line.next = at;
    const { control } = decoded.flags;
    if (control === 'branch') {
      inPage(at - length + decoded.imm, line.targets);
      inPage(at, line.targets);
      break;
    }
    if (control === 'jump') {
      if (decoded.mnemonic === 'jal') inPage(at - length + decoded.imm, line.targets);
      if (decoded.rd !== 0) inPage(at, line.returns);
      break;
    }
  }
  return line;
}

/** Guests use few encodings over and over, and decoding from the table is slow. */
const known = new Map<number, DecodedInstruction | undefined>();
const mostKnown = 1 << 16;

function decode(raw: number): DecodedInstruction | undefined {
  if (known.has(raw)) return known.get(raw);
  if (known.size === mostKnown) known.clear();
  const decoded = decodeInstruction(raw);
  known.set(raw, decoded);
  return decoded;
}

function inPage(at: number, list: number[]): void {
  if (at >= 0 && at < pageBytes) list.push(at);
}
