import { Random } from '../../engine/isa/random.test-support';
import { mutate } from './mutate';
import type { FuzzTarget } from './target';

export interface FuzzOptions {
  runs: number;
  seed: number;
  /** Inputs known to be interesting. */
  corpus: readonly Uint8Array[];
  /** Called with each input, but for those of the corpus, that made things happen which none before did, and with these. */
  onNew?: (input: Uint8Array, words: readonly string[]) => void | Promise<void>;
  onProgress?: (run: number, labels: number) => void;
  /** Called before each input is tried, and after it was. May throw: then the input has failed. */
  guard?: { before(input: Uint8Array): void; after(): void };
}

/** An input that the subject did not bear, as short as it could be made. */
export class FuzzFailure extends Error {
  constructor(
    readonly input: Uint8Array,
    run: number,
    seed: number,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`run ${run} from seed ${seed}: ${why}; input ${Buffer.from(input).toString('base64')}`, { cause });
  }
}

/**
 * Feeds a target the corpus, its seeds, and then mutations of both and of what
 * turned out to be new on the way. The same seed and corpus give the same
 * inputs. Gives how many different things happened. Rejects with {@link FuzzFailure}.
 */
export async function fuzz(target: FuzzTarget, { runs, seed, corpus, onNew, onProgress, guard }: FuzzOptions): Promise<number> {
  const random = new Random(seed);
  const pool: Uint8Array[] = [...corpus, ...target.seeds()];
  const labels = new Set<string>();
  const words = new Set<string>();
  const known = pool.length;
  for (let run = 0; run < known + runs; run++) {
    const input = pool[run < known ? run : -1] ?? mutate(pool, random);
    let label: string;
    try {
      guard?.before(input);
      label = await target.run(input);
      guard?.after();
    } catch (error) {
      throw new FuzzFailure(await shorten(input, (shorter) => fails(target, shorter)), run, seed, error);
    }
    if (!labels.has(label)) {
      labels.add(label);
      const news = wordsOf(label).filter((word) => !words.has(word));
      for (const word of news) words.add(word);
      if (run >= corpus.length && news.length > 0) await onNew?.(input, news);
      if (run >= known) pool.push(input);
    }
    onProgress?.(run, labels.size);
  }
  return labels.size;
}

/** The single things that a label says. */
function wordsOf(label: string): string[] {
  return label.split(', ');
}

/** An input without what it does not need for all of these things to happen. */
export function shortenFor(target: FuzzTarget, input: Uint8Array, words: readonly string[]): Promise<Uint8Array> {
  return shorten(input, async (shorter) => {
    try {
      const happened = wordsOf(await target.run(shorter));
      return words.every((word) => happened.includes(word));
    } catch {
      return false;
    }
  });
}

const mostAttempts = 400;

/** Leaves out pieces of an input, large ones first, for as long as it still is what it was. */
async function shorten(input: Uint8Array, still: (shorter: Uint8Array) => Promise<boolean>): Promise<Uint8Array> {
  let best = input;
  let attempts = 0;
  for (let piece = best.length >> 1; piece > 0; piece >>= 1) {
    for (let at = 0; at < best.length && attempts < mostAttempts; attempts++) {
      const shorter = Uint8Array.of(...best.subarray(0, at), ...best.subarray(at + piece));
      if (await still(shorter)) best = shorter;
      else at += piece;
    }
  }
  return best;
}

async function fails(target: FuzzTarget, input: Uint8Array): Promise<boolean> {
  try {
    await target.run(input);
    return false;
  } catch {
    return true;
  }
}
