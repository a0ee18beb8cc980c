const longest = 16_000_000;
const shortest = 64;
/** In two or three replicas, some tenths of a second. */
const mostReboots = 256;

/**
 * How many instructions to run between two looks at whether the run was
 * aborted. Reboots take long, and a guest may do nothing else. Nothing that a
 * guest can see depends on where a run is cut.
 */
export class Stride {
  #length = 1024;
  #reboots = 0;

  get length(): number {
    return this.#length;
  }

  /** Tells how many reboots there have been since the guest's start. */
  look(reboots: number): void {
    const made = Math.abs(reboots - this.#reboots);
    this.#reboots = reboots;
    this.#length = made > mostReboots ? Math.max(shortest, this.#length / 2) : made > 0 ? this.#length : Math.min(longest, this.#length * 2);
  }
}
