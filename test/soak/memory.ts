/** The host memory of a soak, and whether it grows. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { System } from '../../engine/covert/system';
import { Machine } from '../../engine/machine/machine';
import { machineSnapshot } from '../../engine/machine/snapshot';
import type { Computer } from '../../engine/machine/types';
import { median } from '../bench/statistics';

/** What the process holds after a collection, in bytes. */
export interface Sample {
  instructions: number;
  /** Of JavaScript objects. */
  heap: number;
  /** Outside of that heap: the machines' memories, and the pages of their states. */
  external: number;
  rss: number;
  /** What the guest's own states need of heap and external memory: its pages of RAM, and its blocks of disks, that are not as they were. */
  states: number;
  /** The pages of the machines' RAM that the guest has come to touch, in all replicas. */
  touched: number;
  /** What decoded code has taken in the machines since the sample before. */
  decoded: number;
}

let collect: (() => void) | undefined;

/** Collects garbage, in a process that was not started with `--expose-gc` as well. */
function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  // What the first one frees may be what kept external memory; the second one sees it.
  collect();
  collect();
}

const pageBytes = 4096;
/** A page is an object, an array and its buffer, a digest at times, and a share of the tree above it. */
const pageOverhead = 256;

/**
 * Samples a system that stands at a checkpoint. There each page has one version:
 * what the replicas have now is what the checkpoint has.
 */
export function sample(system: System): Sample {
  const snapshot = system.replicas[0]?.computer.snapshot();
  if (!snapshot) throw new Error('a system without replicas');
  const { pages, disks } = machineSnapshot(snapshot);
  const replicas = system.replicas.length;
  const ram = countOf(pages.used());
  // Each replica's disk has the blocks that were written once more.
  const blocks = disks.reduce((sum, { tree }) => sum + countOf(tree.used()) * (1 + replicas), 0);
  const decoded = system.replicas.reduce((sum, { computer }) => sum + forgetDecoded(computer), 0);
  collectGarbage();
  const { heapUsed: heap, external, rss } = process.memoryUsage();
  return { instructions: system.count, heap, external, rss, states: (ram + blocks) * (pageBytes + pageOverhead), touched: ram * pageBytes * replicas, decoded };
}

/**
 * Has a machine forget its decoded code, and says how much that was. Forgetting
 * fills it with zeros, so all of it is resident then: before, only what had been written was.
 */
function forgetDecoded(computer: Computer): number {
  if (!(computer instanceof Machine)) throw new Error('a replica that is no machine');
  const { decodedBytes } = computer;
  computer.forgetDecoded();
  return decodedBytes;
}

function countOf(things: Iterable<unknown>): number {
  let count = 0;
  for (const thing of things) count += thing ? 1 : 0;
  return count;
}

/** Fewer samples than this say nothing about growth. */
export const leastSamples = 8;

export interface Growth {
  /** Bytes by which the median of the last quarter is above that of the second one. */
  own: number;
  rss: number;
}

/** The most that decoded code has taken up to a sample: that much stays resident. */
function mostDecoded(samples: readonly Sample[], { instructions }: Sample): number {
  return Math.max(...samples.filter((sample) => sample.instructions <= instructions).map(({ decoded }) => decoded));
}

/** How much more is held than the guest has come to need; undefined where there are too few samples. */
export function growth(samples: readonly Sample[]): Growth | undefined {
  if (samples.length < leastSamples) return undefined;
  const quarter = Math.floor(samples.length / 4);
  const between = (value: (sample: Sample) => number): number =>
    median(samples.slice(-quarter).map(value)) - median(samples.slice(quarter, 2 * quarter).map(value));
  return {
    own: between(({ heap, external, states }) => heap + external - states),
    // A machine's memory becomes resident as the guest first touches it, and as code is first decoded into it.
    rss: between((one) => one.rss - one.states - one.touched - mostDecoded(samples, one)),
  };
}
