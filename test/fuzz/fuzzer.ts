import { Random } from '../../engine/isa/random.test-support';
import { mutate } from './mutate';
import type { FuzzTarget } from './target';

export interface FuzzOptions {
  runs: number;
  seed: number;
  /** Inputs known to be interesting. */
  corpus: readonly Uint8Array[];
  /** Called with each input that made something new happen. */
  onNew?: (input: Uint8Array, label: string) => void;
  onProgress?: (run: number, labels: number) => void;
}

/** An input that the subject did not bear, as short as it could be made. */
export class FuzzFailure extends Error {
  constructor(
    readonly input: Uint8Array,
    readonly run: number,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/**
 * Feeds a target the corpus, its seeds, and then mutations of both and of what
 * turned out to be new on the way. The same seed and corpus give the same
 * inputs. Returns how many different things happened. Throws {@link FuzzFailure}.
 */
export function fuzz(target: FuzzTarget, { runs, seed, corpus, onNew, onProgress }: FuzzOptions): number {
  const random = new Random(seed);
  const pool: Uint8Array[] = [...corpus, ...target.seeds()];
  const labels = new Set<string>();
  const known = pool.length;
  for (let run = 0; run < known + runs; run++) {
    const input = pool[run < known ? run : -1] ?? mutate(pool, random);
    let label: string;
    try {
      label = target.run(input);
    } catch (error) {
      throw new FuzzFailure(shorten(target, input), run, error);
    }
    if (!labels.has(label)) {
      labels.add(label);
      if (run >= corpus.length) onNew?.(input, label);
      if (run >= known) pool.push(input);
    }
    onProgress?.(run, labels.size);
  }
  return labels.size;
}

const mostAttempts = 400;

/** Leaves out pieces of an input, large ones first, for as long as it still fails. */
function shorten(target: FuzzTarget, input: Uint8Array): Uint8Array {
  let best = input;
  let attempts = 0;
  for (let piece = best.length >> 1; piece > 0; piece >>= 1) {
    for (let at = 0; at < best.length && attempts < mostAttempts; attempts++) {
      const shorter = Uint8Array.of(...best.subarray(0, at), ...best.subarray(at + piece));
      if (fails(target, shorter)) best = shorter;
      else at += piece;
    }
  }
  return best;
}

function fails(target: FuzzTarget, input: Uint8Array): boolean {
  try {
    target.run(input);
    return false;
  } catch {
    return true;
  }
}
