/** Which code is translated together: about what the guest's compiler had as a function. */
import { instructionLength } from '../isa/decode';
import { operationOf, type Operation } from './operation';

/** How a block ends. Numbers are offsets in bytes from the start of the function's base page. */
export type End =
  | { kind: 'next' | 'jump'; to: number }
  | { kind: 'branch'; taken: number; to: number }
  /** `to`: unknown where a register says it. It comes back to `back`. */
  | { kind: 'call'; to: number | undefined; back: number }
  | { kind: 'register' | 'return' }
  /** What stands there is not translated. */
  | { kind: 'core'; at: number };

/** A straight line; `places` are the offsets of its operations. */
export interface Block {
  at: number;
  operations: Operation[];
  places: number[];
  end: End;
}

export interface GuestFunction {
  /** In the order of their addresses. */
  blocks: Block[];
  /** Offsets at which it may be entered, each a block's: first the starts, then those that something may come back to. */
  entries: number[];
}

export interface Limits {
  blocks: number;
  instructions: number;
  /** No bits of results are stuck, so that code alone says where it goes. */
  computesRightly: boolean;
  /** Conditional stores are left to the core, which may make them fail. */
  losesReservations: boolean;
  /** What writes one of these x registers, a mask, is left to the core. */
  awaited: number;
}

/** What code is looked at: the bytes of the page at so many pages from the base, or undefined where the guest has none there now. */
export type PageAt = (delta: number) => Uint8Array | undefined;

interface Line {
  operations: Operation[];
  places: number[];
  end: End;
  /** Where something comes back to after it. */
  back: number | undefined;
}

const pageBytes = 4096;

export function pageOf(at: number): number {
  return Math.floor(at / pageBytes);
}

/**
 * The blocks that are reached from `start` by branches and jumps, not by calls, within the
 * pages. `isBoundary`: nobody goes on there, for a breakpoint or because another function begins there.
 */
export function explore(start: number, pageAt: PageAt, limits: Limits, isBoundary: (at: number) => boolean): GuestFunction {
  const lines = new Map<number, Line>();
  const entries = new Set([start]);
  const waiting = [start];
  let instructions = 0;
  for (let i = 0; i < waiting.length; i++) {
    const at = waiting[i] ?? 0;
    if (lines.has(at) || lines.size >= limits.blocks || instructions >= limits.instructions || isBoundary(at)) continue;
    const line = readLine(at, pageAt, isBoundary, limits);
    if (!line || line.operations.length === 0) continue;
    lines.set(at, line);
    instructions += line.operations.length;
    const { end, back } = line;
    if (end.kind === 'branch') waiting.push(end.to, end.taken);
    else if (end.kind === 'next' || end.kind === 'jump') waiting.push(end.to);
    if (back !== undefined) {
      entries.add(back);
      waiting.push(back);
    }
  }
  const leaders = [...lines.keys()].sort((a, b) => a - b);
  const blocks = leaders.map((at, i) => cut(at, lines.get(at), leaders[i + 1]));
  return { blocks, entries: [...entries].filter((at) => lines.has(at)) };
}

/** A line that runs into another's start ends there: each instruction belongs to one block. */
function cut(at: number, line: Line | undefined, following: number | undefined): Block {
  if (!line) throw new Error(`no line at ${at}`);
  const { operations, places, end } = line;
  const index = following === undefined ? -1 : places.indexOf(following);
  if (index <= 0 || following === undefined) return { at, operations, places, end };
  return { at, operations: operations.slice(0, index), places: places.slice(0, index), end: { kind: 'next', to: following } };
}

function isConditionalStore({ mnemonic }: Operation): boolean {
  return mnemonic === 'sc.w' || mnemonic === 'sc.d';
}

function readLine(start: number, pageAt: PageAt, isBoundary: (at: number) => boolean, { computesRightly, losesReservations, awaited }: Limits): Line | undefined {
  const first = pageOf(start) * pageBytes;
  const page = pageAt(pageOf(start));
  if (!page) return undefined;
  const operations: Operation[] = [];
  const places: number[] = [];
  const line = (end: End, back?: number): Line => ({ operations, places, end, back });
  for (let at = start; ; ) {
    const offset = at - first;
    if (offset >= pageBytes) return line({ kind: 'next', to: at });
    if (at !== start && isBoundary(at)) return line({ kind: 'next', to: at });
    const low = (page[offset] ?? 0) | ((page[offset + 1] ?? 0) << 8);
    const length = instructionLength(low);
    // An instruction across two pages may fault in the middle.
    if (offset + length > pageBytes) return line({ kind: 'core', at }, at + length);
    const raw = length === 2 ? low : (low | ((page[offset + 2] ?? 0) << 16) | ((page[offset + 3] ?? 0) << 24)) >>> 0;
    const operation = operationOf(raw);
    if (!operation) return line({ kind: 'core', at });
    const { kind, rd, rs1, imm } = operation;
    // The core executes it, and comes back behind it.
    const isAwaited = operation.flags.writes === 'x' && ((awaited >>> rd) & 1) !== 0;
    if (kind === 'core' || isAwaited || (losesReservations && isConditionalStore(operation))) return line({ kind: 'core', at }, operation.flags.control === 'return' ? undefined : at + length);
    operations.push(operation);
    places.push(at);
    at += length;
    if (kind === 'branch') return line({ kind: 'branch', taken: at - length + imm, to: at });
    if (kind === 'jal') {
      const to = at - length + imm;
      return rd === 0 ? line({ kind: 'jump', to }) : line({ kind: 'call', to, back: at }, at);
    }
    if (kind === 'jalr') {
      // An auipc right before it says where.
      const base = operations.at(-2);
      const sum = computesRightly && base?.mnemonic === 'auipc' && base.rd === rs1 ? (places.at(-2) ?? 0) + base.imm + imm : undefined;
      // The lowest bit does not count.
      const to = sum === undefined ? undefined : 2 * Math.floor(sum / 2);
      if (rd !== 0) return line({ kind: 'call', to, back: at }, at);
      if (to !== undefined) return line({ kind: 'jump', to });
      // ra and t0 are what calls leave the way back in (volume I, table 2.1).
      return line({ kind: rs1 === 1 || rs1 === 5 ? 'return' : 'register' });
    }
  }
}
