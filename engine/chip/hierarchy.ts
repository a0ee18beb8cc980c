import type { CacheRoom } from '../machine/caches';
import type { Hierarchy, Hop, Route } from '../machine/cache-types';
import { lineBytes, nodesOf, type Domain } from './domains';
import { linkName, type Health } from './health';
import { defaultTiming, type MemoryTiming } from './memory-timing';
import type { ChipPlan } from './plan';

/** What of a chip under `detailed` timing lies between a core and its memory: the parameters that it gives, the defaults for others. */
export function timingOf(chip: ChipPlan): MemoryTiming {
  return { ...defaultTiming, ...chip.memoryTiming };
}

/** Sets of a first-level cache; no whole number, or no power of two, where there cannot be such a cache. */
export function setsOf(bytes: number, ways: number): number {
  return bytes / (ways * lineBytes);
}

/** True if a cache has a whole number of sets, of which bits of an address can choose one. */
export function canBeIndexed(bytes: number, ways: number): boolean {
  const sets = setsOf(bytes, ways);
  return Number.isInteger(sets) && sets >= 1 && Number.isInteger(Math.log2(sets));
}

/** What a machine has to have room for, whatever domain of the chip it runs in. */
export function cacheRoom(chip: ChipPlan): CacheRoom {
  const { l1i, l1d, l2 } = shapes(chip);
  return { l1i, l1d, l2Lines: l2.sets * l2.ways * chip.l2Banks, banks: chip.l2Banks, controllers: chip.memoryControllers };
}

function shapes(chip: ChipPlan): Pick<Hierarchy, 'l1i' | 'l1d' | 'l2'> {
  const { l1iBytes, l1iWays, l1dBytes, l1dWays, l2Ways } = timingOf(chip);
  // A bank of fewer lines than ways has as many ways as lines.
  const ways = Math.max(1, Math.min(l2Ways, Math.floor(chip.l2BankBytes / lineBytes)));
  return {
    l1i: { sets: setsOf(l1iBytes, l1iWays), ways: l1iWays },
    l1d: { sets: setsOf(l1dBytes, l1dWays), ways: l1dWays },
    l2: { sets: Math.max(1, Math.floor(chip.l2BankBytes / (lineBytes * ways))), ways },
  };
}

/**
 * The caches of a core in its domain. Messages go the shortest way that cut and dead links leave; of two as short as each other the one to higher
 * numbers. What an isolation leaves shared may lie beyond a cut, whose configuration unit lets through what goes there.
 */
export function hierarchyOf(chip: ChipPlan, health: Health, domain: Domain, cuts: readonly number[]): Hierarchy {
  const { bank, link, memory } = timingOf(chip);
  const isWhole = (link: number): boolean => health.isWhole(linkName(link, chip.cores));
  const ways = (from: number, nodes: readonly number[], isOpen: (link: number) => boolean): { node: number; route: Hop[] }[] =>
    nodes.flatMap((node) => {
      const route = routeBetween(from, node, chip, isOpen);
      return route ? [{ node, route }] : [];
    }).sort((a, b) => a.route.length - b.route.length);
  const nearest = (from: number, nodes: readonly number[]): { node: number; route: Hop[] } => {
    const [best] = [...ways(from, nodes, (link) => !cuts.includes(link) && isWhole(link)), ...ways(from, nodes, isWhole)];
    if (!best) throw new Error(`no way from node ${from} to ${nodes.join(', ')}`);
    return best;
  };
  const there = (cycles: number, route: readonly Hop[]): Route => ({ cycles: cycles + 2 * link * (chip.ring ? route.length : 1), route });
  const banks = domain.banks.map((index) => nearest(domain.core, nodesOf(index, chip.l2Banks, chip.cores)));
  return {
    ...shapes(chip),
    banks: banks.map(({ route }) => there(bank, route)),
    routes: banks.map(({ node }) => domain.controllers.map((index) => there(memory, nearest(node, nodesOf(index, chip.memoryControllers, chip.cores)).route))),
  };
}

/** The hops from one node to another; undefined where there is no way. Without a ring a crossbar joins all, which has no links. */
function routeBetween(from: number, to: number, chip: ChipPlan, isOpen: (link: number) => boolean): Hop[] | undefined {
  if (!chip.ring) return [];
  const walk = (step: 1 | -1): Hop[] | undefined => {
    const route: Hop[] = [];
    for (let node = from; node !== to; ) {
      const next = (node + step + chip.cores) % chip.cores;
      if (!isOpen(step > 0 ? node : next)) return undefined;
      route.push({ from: node, to: next });
      node = next;
    }
    return route;
  };
  const [up, down] = [walk(1), walk(-1)];
  return up && down ? (down.length < up.length ? down : up) : (up ?? down);
}
