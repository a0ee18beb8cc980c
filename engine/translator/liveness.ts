/**
 * Which registers are in locals where. Registers are in memory while a function is not running.
 * An entry loads what is read, or written back, before it is written on some way from there; what
 * has been written since may be dirty, and is written back wherever control leaves.
 */
export interface BlockUse {
  /** Bits of registers: read before they are written; written; written before the first place where control may leave in the middle. */
  reads: number;
  writes: number;
  writesBeforeLeaving: number;
  mayLeave: boolean;
  /** Blocks that it goes on to with its locals. Behind a call all is in memory, and loaded again. */
  successors: readonly number[];
}

export interface Liveness {
  /** Dirty at a block's beginning, and at or before its end. */
  dirtyBefore: Int32Array;
  dirtyAfter: Int32Array;
  /** To be loaded where the block is entered from outside. */
  live: Int32Array;
}

export function liveness(blocks: readonly BlockUse[]): Liveness {
  const count = blocks.length;
  const dirtyBefore = new Int32Array(count);
  const dirtyAfter = new Int32Array(count);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < count; i++) {
      const block = blocks[i];
      if (!block) continue;
      const after = (dirtyBefore[i] ?? 0) | block.writes;
      dirtyAfter[i] = after;
      for (const to of block.successors) {
        const before = dirtyBefore[to] ?? 0;
        if ((before | after) === before) continue;
        dirtyBefore[to] = before | after;
        changed = true;
      }
    }
  }
  const live = new Int32Array(count);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = count - 1; i >= 0; i--) {
      const block = blocks[i];
      if (!block) continue;
      let out = 0;
      for (const to of block.successors) out |= live[to] ?? 0;
      // A block may be left at its beginning, too, for want of budget.
      const leaving = block.mayLeave ? (dirtyAfter[i] ?? 0) & ~block.writesBeforeLeaving : 0;
      const now = block.reads | (dirtyBefore[i] ?? 0) | leaving | (out & ~block.writes);
      if (now === live[i]) continue;
      live[i] = now;
      changed = true;
    }
  }
  return { dirtyBefore, dirtyAfter, live };
}
