import type { CoreExports } from '../core/core';
import { at, pageBytes, ramHostAddress } from '../core/layout';
import { PageTree } from './page-tree';

/** A machine's RAM as it is now, and what it held when all of it was last stored. */
export class Ram {
  readonly bytes: Buffer;
  /** For each page a byte that is not 0 if it may hold something else than was stored. Stores set it to 1. */
  readonly flags: Uint8Array;
  /** Of the comparison in which others were found to hold the same; nothing once a state was stored or given to it. */
  agreement: symbol | undefined;
  #stored: PageTree;

  constructor(
    private readonly core: Pick<CoreExports, 'nextDirty' | 'watchPages'>,
    memory: WebAssembly.Memory,
    readonly size: number,
  ) {
    const pages = size / pageBytes;
    this.bytes = Buffer.from(memory.buffer, ramHostAddress(size), size);
    this.flags = new Uint8Array(memory.buffer, at.dirty, pages);
    this.#stored = PageTree.zero(pages);
  }

  /** What was stored. */
  get stored(): PageTree {
    return this.#stored;
  }

  /** Indexes of the pages that may hold something else than was stored, ascending. */
  dirty(): number[] {
    const pages: number[] = [];
    for (let page = this.core.nextDirty(0); page < this.flags.length; page = this.core.nextDirty(page + 1)) pages.push(page);
    return pages;
  }

  /** Stores all of it; pages equal to `peer`'s at the same place are shared with it. */
  store(peer?: PageTree): PageTree {
    this.hold(this.#stored.with(this.#changes(), peer));
    return this.#stored;
  }

  /** Stores all of it in place of what was stored, which is no more unless it was kept: {@link PageTree.replace}. */
  replace(): PageTree {
    this.hold(this.#stored.replace(this.#changes()));
    return this.#stored;
  }

  /** To be called where it holds what the tree does. From here on the next store to any page is noticed. */
  hold(tree: PageTree): void {
    this.#stored = tree;
    this.flags.fill(0);
    this.agreement = undefined;
    this.watch();
  }

  watch(): void {
    this.core.watchPages();
  }

  /** Indexes of the pages that may differ from a tree's. */
  staleAgainst(tree: PageTree): Set<number> {
    return new Set([...this.dirty(), ...this.#stored.differing(tree)]);
  }

  /** For some of its pages, whether they hold something else than in a tree. Fast for indexes that ascend. */
  changedIn(tree: PageTree): (page: number) => boolean {
    const pageOf = tree.reader();
    return (page) => this.bytes.compare(pageOf(page).bytes, 0, pageBytes, page * pageBytes, (page + 1) * pageBytes) !== 0;
  }

  #changes(): Map<number, Uint8Array> {
    return new Map(this.dirty().map((page) => [page, this.bytes.subarray(page * pageBytes, (page + 1) * pageBytes)]));
  }
}
