import type { SystemState } from '../covert/system';

/** States kept before every second one is given up. */
const capacity = 256;
const firstInterval = 131_072;

/**
 * The saved states of a session, ordered by moment. Their spacing doubles
 * whenever the shelf is full, so that a long run keeps a bounded number of
 * states evenly spread; pages that did not change between them are shared.
 */
export class StateShelf {
  #states: SystemState[] = [];
  #interval = firstInterval;

  /** The next moment after `moment` at which a state is wanted. */
  nextBoundary(moment: number): number {
    return (Math.floor(moment / this.#interval) + 1) * this.#interval;
  }

  /** True if `moment` is one to save and has not been saved. */
  wants(moment: number): boolean {
    return moment % this.#interval === 0 && this.before(moment, false)?.moment !== moment;
  }

  put(state: SystemState): void {
    const index = this.#states.findLastIndex(({ moment }) => moment < state.moment) + 1;
    this.#states.splice(index, 0, state);
    if (this.#states.length <= capacity) return;
    this.#interval *= 2;
    this.#states = this.#states.filter(({ moment }) => moment % this.#interval === 0);
  }

  /** The newest state at or before `moment`; `strictly`: before it. */
  before(moment: number, strictly: boolean): SystemState | undefined {
    let low = 0;
    let high = this.#states.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = this.#states[middle]?.moment ?? Infinity;
      if (at < moment || (!strictly && at === moment)) low = middle + 1;
      else high = middle;
    }
    return this.#states[low - 1];
  }
}
