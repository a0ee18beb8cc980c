import type { CacheAccount, CacheCounts } from '../../engine/machine/cache-types';
import type { NeighbourReport } from '../../engine/covert/report';
import { table } from './layout';
import { count, percent } from './numbers';

/** Under `detailed` timing: how often each cache did not have what it was asked for, and how long the core waited. */
export function memoryLines({ memory }: NeighbourReport): string[] {
  if (!memory) return [];
  const rows = [
    ...memory.replicas.map(({ replica, core, ...account }) => rowOf(`replica ${replica} on core ${core}`, account)),
    ...(memory.unprotected ? [rowOf('unprotected', memory.unprotected)] : []),
  ];
  return table([['misses', 'L1I', 'L1D', 'L2', 'waited'], ...rows], [false, true, true, true, true]);
}

function rowOf(who: string, { cycles, l1i, l1d, l2 }: CacheAccount): string[] {
  return [who, misses(l1i), misses(l1d), misses(l2), `${count(cycles)} cycles`];
}

/** How many, and which share of what the cache was asked for. */
function misses({ accesses, misses: missed }: CacheCounts): string {
  return accesses === 0 ? '0' : `${count(missed)} (${percent(missed / accesses)})`;
}
