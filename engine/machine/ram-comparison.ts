import type { PageTree } from './page-tree';
import type { Ram } from './ram';
import { comparePages } from './threads/page-comparison';

/** A RAM that is compared with another one's. */
export interface Peer {
  readonly ram: Ram;
  /** Begins the comparison of some pages on a thread that has nothing else to do; what it returns ends it. Not where there is none. */
  readonly begin?: (pages: readonly number[]) => () => boolean;
}

/** A page's flag where it has not been written to since it was found to have changed, and to be the same in all of a group. */
const agreed = 2;

/** Pages for which it is worth to wake a thread. */
const worthwhile = 64;

/**
 * Whether all hold the same as the first one, and how many of the first one's pages hold something else than in a
 * tree. Only what one of them has changed, or what their trees say of, is looked at.
 */
export function compareRams(first: Ram, peers: readonly Peer[], since: PageTree): { equal: boolean; changedPages: number } {
  const all = [first, ...peers.map(({ ram }) => ram)];
  if (all.every(({ stored }) => stored === since)) {
    const changedPages = agree(first, peers);
    if (changedPages !== undefined) return { equal: true, changedPages };
  }
  return { equal: sameRam(first, all.slice(1)), changedPages: changedPages(first, since) };
}

/** How many pages hold something else than in a tree. */
export function changedPages(ram: Ram, since: PageTree): number {
  const changed = ram.changedIn(since);
  return ascending(ram.staleAgainst(since)).filter(changed).length;
}

function sameRam(first: Ram, others: readonly Ram[]): boolean {
  return others.every((other) => comparePages(first.bytes, other.bytes, ascending([...other.dirty(), ...first.staleAgainst(other.stored)])));
}

/**
 * Both at once for RAMs that were stored in the same tree, and in time linear in what has been written since the last time: pages in
 * which they agreed then are not looked at again until somebody writes to them.
 * Returns how many pages differ from the tree; undefined, with nothing changed, where the RAMs are not the same.
 */
function agree(first: Ram, peers: readonly Peer[]): number | undefined {
  const all = [first, ...peers.map(({ ram }) => ram)];
  const trusted = first.agreement !== undefined && all.every(({ agreement }) => agreement === first.agreement);
  const dirty = union(all.map((ram) => ram.dirty()));
  const pages = trusted ? dirty.filter((page) => !all.every(({ flags }) => flags[page] === agreed)) : dirty;

  const ends: (() => boolean)[] = [];
  let changed: boolean[] = [];
  let equal = true;
  try {
    for (const { ram, begin } of peers) ends.push((pages.length >= worthwhile ? begin?.(pages) : undefined) ?? (() => comparePages(first.bytes, ram.bytes, pages)));
    changed = pages.map(first.changedIn(first.stored));
  } finally {
    // Each thread comes to rest, whatever becomes of the others.
    equal = endAll(ends);
  }
  if (!equal) return undefined;

  for (const { flags } of all) pages.forEach((page, i) => (flags[page] = changed[i] ? agreed : 0));
  const agreement = Symbol();
  for (const ram of all) {
    ram.agreement = agreement;
    ram.watch();
  }
  return dirty.length - pages.length + changed.filter(Boolean).length;
}

/** Whether all comparisons found nothing that differs. All are ended before what one of them has thrown is. */
function endAll(ends: readonly (() => boolean)[]): boolean {
  const failures: unknown[] = [];
  const equal = ends.map((end) => {
    try {
      return end();
    } catch (error) {
      failures.push(error);
      return false;
    }
  });
  if (failures.length > 0) throw failures[0] as Error;
  return !equal.includes(false);
}

/** Of lists that ascend, mostly the same. */
function union([first = [], ...others]: readonly (readonly number[])[]): readonly number[] {
  if (others.every((other) => other.length === first.length && other.every((page, i) => page === first[i]))) return first;
  return ascending([...first, ...others.flat()]);
}

/** Each once. */
function ascending(pages: Iterable<number>): number[] {
  return [...new Set(pages)].sort((a, b) => a - b);
}
