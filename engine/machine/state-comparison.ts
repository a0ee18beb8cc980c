import { pageBytes } from '../core/layout';
import type { PageTree } from './page-tree';

/** A RAM as it is now: what it held when all of it was stored, and for each page a byte that is not 0 if it may hold something else. */
export interface LiveRam {
  readonly bytes: Buffer;
  readonly pages: PageTree;
  readonly dirty: Uint8Array;
}

/** A page's dirty byte where it has not been written to since it was found to have changed, and to be the same in all of a group; what is written to has 1. */
const agreed = 2;

/** Indexes of the pages that may hold something else than the tree says, ascending. */
export function* dirtyPages({ dirty }: Pick<LiveRam, 'dirty'>): Generator<number> {
  const words = wordsOf(dirty);
  for (let word = 0; word < words.length; word++) {
    if (words[word] !== 0) for (let page = 4 * word; page < 4 * word + 4; page++) if (dirty[page] !== 0) yield page;
  }
  for (let page = 4 * words.length; page < dirty.length; page++) if (dirty[page] !== 0) yield page;
}

/** Four at a time, since most are 0: as many as there are whole words, which the layout aligns. */
function wordsOf(dirty: Uint8Array): Uint32Array {
  return new Uint32Array(dirty.buffer, dirty.byteOffset, dirty.length >>> 2);
}

/** Whether all hold the same as the first one. Only what one of them has changed, or what their trees say of, is looked at. */
export function sameRam(first: LiveRam, others: readonly LiveRam[]): boolean {
  for (const other of others) {
    for (const pages of [dirtyPages(first), dirtyPages(other), first.pages.differing(other.pages)]) {
      for (const page of pages) if (!samePage(first, other, page)) return false;
    }
  }
  return true;
}

/** How many pages hold something else than they did then. */
export function changedPages(ram: LiveRam, then: PageTree): number {
  let count = 0;
  for (const page of ram.pages.differing(then)) if (ram.dirty[page] === 0) count++;
  for (const page of dirtyPages(ram)) if (hasChanged(ram, then, page)) count++;
  return count;
}

/**
 * Both at once for RAMs that were stored in the same tree, and in time linear in what has been written since the last time: pages in
 * which they agreed then are not looked at again until somebody writes to them. `trusted`: no other state has been given to one of them since.
 * Returns how many pages differ from the tree; undefined, with nothing changed, where the RAMs are not the same.
 */
export function agree(first: LiveRam, others: readonly LiveRam[], trusted: boolean): number | undefined {
  const all = [first, ...others];
  const looked: number[] = [];
  const changed: boolean[] = [];
  let count = 0;
  for (const page of dirtyInAny(all)) {
    if (trusted && all.every(({ dirty }) => dirty[page] === agreed)) {
      count++;
      continue;
    }
    if (!others.every((other) => samePage(first, other, page))) return undefined;
    const has = hasChanged(first, first.pages, page);
    if (has) count++;
    looked.push(page);
    changed.push(has);
  }
  for (const { dirty } of all) looked.forEach((page, i) => (dirty[page] = changed[i] ? agreed : 0));
  return count;
}

function* dirtyInAny(rams: readonly LiveRam[]): Generator<number> {
  const words = rams.map(({ dirty }) => wordsOf(dirty));
  const [one, two] = [words[0], words[1] ?? words[0]];
  const pages = rams[0]?.dirty.length ?? 0;
  if (!one || !two) return;
  for (let word = 0; word <= one.length; word++) {
    if (one[word] === 0 && two[word] === 0 && (rams.length < 3 || words.every((each) => each[word] === 0))) continue;
    for (let page = 4 * word; page < Math.min(pages, 4 * word + 4); page++) if (rams.some(({ dirty }) => dirty[page] !== 0)) yield page;
  }
}

function samePage(a: LiveRam, b: LiveRam, page: number): boolean {
  const [from, end] = [page * pageBytes, (page + 1) * pageBytes];
  return a.bytes.compare(b.bytes, from, end, from, end) === 0;
}

function hasChanged({ bytes }: LiveRam, then: PageTree, page: number): boolean {
  return bytes.compare(then.page(page).bytes, 0, pageBytes, page * pageBytes, (page + 1) * pageBytes) !== 0;
}
