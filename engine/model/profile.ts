/** Pages that a guest changes in a stretch of its run. */
export interface DirtyPages {
  /** Length of the stretch in retired instructions. */
  instructions: number;
  /** Distinct pages of 4 KiB (RAM and disks) whose content is another one at its end, on average. */
  pages: number;
}

/**
 * How often a guest does what costs the VMM something, over its whole run or a
 * part of it, alone and unprotected: all that the model knows of a program.
 * Counts, of which rates are these through {@link cycles}.
 */
export interface Profile {
  name: string;
  /** Retired instructions. */
  instructions: number;
  /** Core cycles. */
  cycles: number;
  /** Reads of clocks and counters, which have to be agreed on. */
  clockReads: number;
  interrupts: number;
  /** Pieces that are compared and released as one: a byte of console, a disk request, a frame, the exit. */
  outputs: number;
  outputBytes: number;
  /** Pieces of input that are handed over. */
  inputs: number;
  inputBytes: number;
  /** By length, ascending. Empty where nothing is known: then no pages are dirtied. */
  dirtyPages: readonly DirtyPages[];
}

/**
 * Pages dirtied in a stretch of so many instructions: what was measured, and
 * between two lengths that were measured a power of the length (a line on paper with two logarithmic scales).
 * Beyond the longest and below the shortest the power of the nearest two goes on, as far as it is one that can be: no fewer than
 * in a shorter stretch, and no more than in proportion to the length.
 */
export function dirtyPagesIn(dirty: readonly DirtyPages[], instructions: number): number {
  const known = dirty.filter((point) => point.pages > 0);
  const [first] = known;
  if (!first) return 0;
  const above = known.findIndex((point) => point.instructions >= instructions);
  const upper = above < 0 ? known.length - 1 : Math.max(1, above);
  const [left, right] = [known[upper - 1], known[upper]];
  // One point says nothing of how it goes on: in proportion below it, and no more above it than there.
  if (!left || !right) return first.pages * Math.min(1, instructions / first.instructions);
  const power = Math.log(right.pages / left.pages) / Math.log(right.instructions / left.instructions);
  const between = instructions >= left.instructions && instructions <= right.instructions;
  const anchor = instructions > right.instructions ? right : left;
  return anchor.pages * (instructions / anchor.instructions) ** (between ? power : Math.min(1, Math.max(0, power)));
}
