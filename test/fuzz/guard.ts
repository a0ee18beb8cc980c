import { join } from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { mostBytes } from './mutate';

/** What one input may add to the memory of the process before it has failed, in MiB. */
const mostGrowth = 768;
/** How long one input may take, in seconds. */
const mostSeconds = 10;

/** What the two threads share: how many inputs were begun, how many bytes the newest has, and these. */
export interface Watched {
  name: string;
  numbers: Int32Array;
  input: Uint8Array;
}

/**
 * Watches how long inputs take and how much memory. One that never ends is
 * noticed by a thread of its own, which keeps it and ends the process.
 */
export class Guard {
  readonly #watched: Watched;
  readonly #thread: Worker;
  #began = 0;
  #slowest = 0;
  #memory = process.resourceUsage().maxRSS;

  constructor(name: string) {
    this.#watched = { name, numbers: new Int32Array(new SharedArrayBuffer(8)), input: new Uint8Array(new SharedArrayBuffer(mostBytes)) };
    // A thread begins without what understands TypeScript.
    const script = `require('tsx/cjs'); require(${JSON.stringify(join(import.meta.dirname, 'watchdog.ts'))})`;
    this.#thread = new Worker(script, { eval: true, workerData: this.#watched });
    this.#thread.unref();
  }

  before(input: Uint8Array): void {
    const { numbers, input: shared } = this.#watched;
    shared.set(input.subarray(0, mostBytes));
    Atomics.store(numbers, 1, Math.min(input.length, mostBytes));
    Atomics.add(numbers, 0, 1);
    this.#began = performance.now();
  }

  after(): void {
    const seconds = (performance.now() - this.#began) / 1000;
    this.#slowest = Math.max(this.#slowest, seconds);
    if (seconds > mostSeconds) throw new Error(`it took ${seconds.toFixed(1)} s`);
    const memory = process.resourceUsage().maxRSS;
    const growth = (memory - this.#memory) / 1024;
    this.#memory = memory;
    if (growth > mostGrowth) throw new Error(`it took ${Math.round(growth)} MiB of memory`);
  }

  get summary(): string {
    return `the slowest took ${this.#slowest.toFixed(2)} s, and there were never more than ${Math.round(this.#memory / 1024)} MiB`;
  }

  close(): void {
    void this.#thread.terminate();
  }
}
