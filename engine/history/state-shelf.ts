import { pageBytes } from '../core/layout';
import type { SystemState } from '../covert/system';
import type { CacheState } from '../machine/cache-types';

/** States kept before every second one is given up. */
const capacity = 256;
const firstInterval = 131_072;
/** Pages that the states may have beyond what they share: a gibibyte. */
const mostPages = 2 ** 18;

function bytesOf({ parts, data }: CacheState): number {
  return [...parts.flatMap(({ tags, ages }) => [tags, ages]), ...data].reduce((sum, { length }) => sum + length, 0);
}

interface Entry {
  readonly state: SystemState;
  /** Pages that it does not share with the state before it. */
  readonly pages: number;
}

/**
 * The saved states of a session, ordered by moment. Their spacing doubles
 * whenever the shelf is full, by their number or by what they take, so that a
 * long run keeps a bounded number of states evenly spread; pages that did not
 * change between them are shared.
 */
export class StateShelf {
  #entries: Entry[] = [];
  #interval = firstInterval;

  constructor(private readonly room = mostPages) {}

  /** The next moment after `moment` at which a state is wanted. */
  nextBoundary(moment: number): number {
    return (Math.floor(moment / this.#interval) + 1) * this.#interval;
  }

  /** True if `moment` is one to save and has not been saved. */
  wants(moment: number): boolean {
    return moment % this.#interval === 0 && this.before(moment, false)?.moment !== moment;
  }

  /** True if there is no state yet of the stretch that a moment is in. */
  lacks(moment: number): boolean {
    const before = this.before(moment, false);
    return !before || this.#stretchOf(before.moment) < this.#stretchOf(moment);
  }

  #stretchOf(moment: number): number {
    return Math.floor(moment / this.#interval);
  }

  put(state: SystemState): void {
    const index = this.#entries.findLastIndex((entry) => entry.state.moment < state.moment) + 1;
    const [earlier, later] = [this.#entries[index - 1], this.#entries[index]];
    const fresh = [this.#entry(state, earlier)];
    // The one behind it has another one before it now.
    if (later) fresh.push(this.#entry(later.state, { state }));
    this.#entries.splice(index, later ? 1 : 0, ...fresh);
    while (this.#full && this.#entries.length > 1) this.#thin();
  }

  /** The newest state at or before `moment`; `strictly`: before it. */
  before(moment: number, strictly: boolean): SystemState | undefined {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = this.#entries[middle]?.state.moment ?? Infinity;
      if (at < moment || (!strictly && at === moment)) low = middle + 1;
      else high = middle;
    }
    return this.#entries[low - 1]?.state;
  }

  get #full(): boolean {
    return this.#entries.length > capacity || this.#entries.reduce((sum, { pages }) => sum + pages, 0) > this.room;
  }

  /** Gives up all but the first state of each stretch of the doubled interval. */
  #thin(): void {
    this.#interval *= 2;
    const kept: Entry[] = [];
    for (const [i, entry] of this.#entries.entries()) {
      const before = kept.at(-1);
      if (before && this.#stretchOf(before.state.moment) === this.#stretchOf(entry.state.moment)) continue;
      kept.push(before?.state === this.#entries[i - 1]?.state ? entry : this.#entry(entry.state, before));
    }
    this.#entries = kept;
  }

  #entry(state: SystemState, before?: Pick<Entry, 'state'>): Entry {
    const [first, ...others] = state.replicas.map(({ snapshot }) => snapshot);
    const earlier = before?.state.replicas[0]?.snapshot;
    const changed = first && earlier ? first.changedPages(earlier) : 0;
    // Replicas that agree share their pages; each has caches of its own.
    const caches = state.replicas.reduce((sum, replica) => sum + (replica.caches ? bytesOf(replica.caches) : 0), 0) / pageBytes;
    return { state, pages: others.reduce((sum, other) => sum + (first ? other.changedPages(first) : 0), changed + caches) };
  }
}
