import { growth, leastSamples } from './memory';
import type { Soak } from './run-soak';

const mebibyte = 2 ** 20;
/** What medians of unequal quarters may differ by where nothing is kept for ever. */
const mostOwnGrowth = 8 * mebibyte;
/** Resident memory also has what the allocators hold back. */
const mostResidentGrowth = 96 * mebibyte;

export interface Check {
  name: string;
  /** Undefined where there is nothing to judge it by. */
  passed: boolean | undefined;
  /** The figure or the finding behind it. */
  found: string;
}

/** What a soak has shown. */
export function judge(soak: Soak): Check[] {
  const { load, divergence, ended } = soak;
  const grown = growth(soak.samples);
  const memory = (name: string, bytes: number | undefined, most: number): Check => ({
    name,
    passed: bytes === undefined ? undefined : bytes <= most,
    found:
      bytes === undefined
        ? `not judged: ${soak.samples.length} samples of the ${leastSamples} that it takes`
        : `${mebibytes(bytes)} from the second quarter to the last one, of ${mebibytes(most)} allowed`,
  });
  return [
    { name: 'no divergence of the replicas', passed: divergence === undefined, found: divergence ?? 'none' },
    { name: 'the guest runs on', passed: ended === undefined, found: ended ?? 'to the end' },
    {
      name: 'each kind of work comes out right',
      passed: load.failures.length > 0 ? false : load.rounds > 0 ? true : undefined,
      found: load.failures[0] ?? `${load.rounds} rounds of ${load.done.size} kinds`,
    },
    memory('no growth of what is held', grown?.own, mostOwnGrowth),
    memory('no growth of resident memory', grown?.rss, mostResidentGrowth),
  ];
}

/** `12.3 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
