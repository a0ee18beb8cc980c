import { pageBytes } from '../core/layout';
import type { PageTree } from './page-tree';

/** A RAM as it is now: what it held when it was last looked at as a whole, and a byte for each page that is 1 if it may hold something else. */
export interface LiveRam {
  readonly bytes: Buffer;
  readonly pages: PageTree;
  readonly dirty: Uint8Array;
}

/** Indexes of the pages that may hold something else than the tree says, ascending. */
export function* dirtyPages({ dirty }: Pick<LiveRam, 'dirty'>): Generator<number> {
  for (let page = dirty.indexOf(1); page >= 0; page = dirty.indexOf(1, page + 1)) yield page;
}

/** Whether two RAMs of one size hold the same. Only what one of them has changed, or what their trees say of, is looked at. */
export function sameRam(a: LiveRam, b: LiveRam): boolean {
  // Pages in a row are compared at once.
  const same = (from: number, end: number): boolean => a.bytes.compare(b.bytes, from * pageBytes, end * pageBytes, from * pageBytes, end * pageBytes) === 0;
  for (const pages of [dirtyPages(a), dirtyPages(b), a.pages.differing(b.pages)]) {
    let [from, end] = [0, 0];
    for (const page of pages) {
      if (page === end) {
        end++;
        continue;
      }
      if (from < end && !same(from, end)) return false;
      [from, end] = [page, page + 1];
    }
    if (from < end && !same(from, end)) return false;
  }
  return true;
}

/** How many pages hold something else than they did then. */
export function changedPages(ram: LiveRam, then: PageTree): number {
  let count = 0;
  for (const page of ram.pages.differing(then)) if (ram.dirty[page] !== 1) count++;
  for (const page of dirtyPages(ram)) {
    if (ram.bytes.compare(then.page(page).bytes, 0, pageBytes, page * pageBytes, (page + 1) * pageBytes) !== 0) count++;
  }
  return count;
}
