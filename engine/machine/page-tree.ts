import { createHash } from 'node:crypto';
import { pageBytes } from '../core/layout';

const fanout = 16;
const fanoutBits = 4;

/**
 * The right to write into pages where they are, which a tree and those that it replaces have
 * together: for as long as nobody else has been given one of them.
 */
class Lease {
  /** Over once the tree is kept by somebody: its pages never change any more. */
  isOver = false;
}

/** 4096 bytes that never change once their lease is over; shared by every state that has them at any place. */
export class Page {
  #hash: Buffer | undefined;

  constructor(
    readonly bytes: Uint8Array,
    private readonly lease?: Lease,
  ) {}

  hash(): Buffer {
    return (this.#hash ??= createHash('sha256').update(this.bytes).digest());
  }

  /** Takes other contents, if it is lent for that. */
  rewrite(bytes: Uint8Array, lease: Lease | undefined): boolean {
    if (!lease || this.lease !== lease) return false;
    this.bytes.set(bytes);
    this.#hash = undefined;
    return true;
  }
}

class Node {
  #hash: Buffer | undefined;

  constructor(readonly children: readonly (Node | Page)[]) {}

  hash(): Buffer {
    if (!this.#hash) {
      const hash = createHash('sha256');
      for (const child of this.children) hash.update(child.hash());
      this.#hash = hash.digest();
    }
    return this.#hash;
  }
}

const zeroPage = new Page(new Uint8Array(pageBytes));

/**
 * The pages of a RAM as a persistent tree of hashes: a change copies the path to
 * it and shares all else, so two trees are compared in time logarithmic in their
 * size and linear in what differs. Pages past the end of RAM are zero pages.
 */
export class PageTree {
  private constructor(
    private readonly root: Node,
    private readonly levels: number,
    private readonly lease?: Lease,
  ) {}

  static zero(pages: number): PageTree {
    let node = new Node(Array.from({ length: fanout }, () => zeroPage));
    let levels = 1;
    for (let covered = fanout; covered < pages; covered *= fanout, levels++) {
      const child = node;
      node = new Node(Array.from({ length: fanout }, () => child));
    }
    return new PageTree(node, levels);
  }

  hash(): Buffer {
    return this.root.hash();
  }

  page(index: number): Page {
    const page = this.#lowest(index).children[index & (fanout - 1)];
    if (!(page instanceof Page)) throw new Error(`page ${index} is outside of the tree`);
    return page;
  }

  /** {@link page}, fast for indexes that are near the one before. */
  reader(): (index: number) => Page {
    let first = -fanout;
    let pages: readonly (Node | Page)[] = [];
    return (index) => {
      if (index - first >= fanout || index < first) {
        first = index & ~(fanout - 1);
        pages = this.#lowest(index).children;
      }
      return pages[index - first] as Page;
    };
  }

  /** The node of the pages around `index`. */
  #lowest(index: number): Node {
    let node = this.root;
    for (let level = this.levels - 1; level > 0; level--) {
      const child: Node | Page | undefined = node.children[(index >>> (fanoutBits * level)) & (fanout - 1)];
      if (!(child instanceof Node)) throw new Error(`page ${index} is outside of the tree`);
      node = child;
    }
    return node;
  }

  /** From now on the tree lasts, whatever is stored after it. */
  keep(): void {
    if (this.lease) this.lease.isOver = true;
  }

  /**
   * The tree that comes after this one and replaces it, with other contents at some places. Nothing may be asked of this one any
   * more, unless it was kept: if not, pages that this and the trees it has replaced had stored are written over where they are, which
   * costs neither memory nor the collector's time.
   */
  replace(changes: ReadonlyMap<number, Uint8Array>): PageTree {
    const lease = this.lease && !this.lease.isOver ? this.lease : new Lease();
    return this.#rebuilt(changes, undefined, lease);
  }

  /**
   * The tree with other contents at some places; both last. A page that equals what is
   * there already, or `peer`'s page at the same place, is not stored again; nor
   * is a node whose children are all the peer's.
   */
  with(changes: ReadonlyMap<number, Uint8Array | Page>, peer?: PageTree): PageTree {
    this.keep();
    peer?.keep();
    return this.#rebuilt(changes, peer, undefined);
  }

  #rebuilt(changes: ReadonlyMap<number, Uint8Array | Page>, peer: PageTree | undefined, lease: Lease | undefined): PageTree {
    if (changes.size === 0) return this;
    const indexes = [...changes.keys()].sort((a, b) => a - b);
    const rebuild = (node: Node, twin: Node | undefined, level: number, first: number, from: number, to: number): Node => {
      const span = fanout ** level;
      const children = [...node.children];
      let changed = false;
      for (let i = from; i < to; ) {
        const slot = Math.floor(((indexes[i] ?? 0) - first) / span);
        const end = first + (slot + 1) * span;
        let next = i;
        while (next < to && (indexes[next] ?? Infinity) < end) next++;
        const old = node.children[slot];
        const other = twin?.children[slot];
        const child: Node | Page | undefined =
          old instanceof Node
            ? rebuild(old, other instanceof Node ? other : undefined, level - 1, first + slot * span, i, next)
            : pick(changes.get(indexes[i] ?? 0), old, other instanceof Page ? other : undefined, lease);
        // A page that stands where it stood has been written over.
        if (child instanceof Page || (child && child !== old)) {
          children[slot] = child;
          changed = true;
        }
        i = next;
      }
      if (!changed) return node;
      return twin?.children.every((child, slot) => child === children[slot]) ? twin : new Node(children);
    };
    const root = rebuild(this.root, peer?.root, this.levels - 1, 0, 0, indexes.length);
    return root === this.root ? this : new PageTree(root, this.levels, lease);
  }

  /** The pages that are not the zero page, with their indexes, ascending. */
  *used(): Generator<[index: number, page: Page]> {
    yield* used(this.root, this.levels - 1, 0);
  }

  /** Indexes of the pages whose contents differ, ascending. Trees of RAMs of equal size only. */
  *differing(other: PageTree): Generator<number> {
    yield* differing(this.root, other.root, this.levels - 1, 0);
  }
}

/** What stands at a place from now on; undefined where nothing has changed. */
function pick(change: Uint8Array | Page | undefined, old: Page | undefined, other: Page | undefined, lease: Lease | undefined): Page | undefined {
  if (!change) return undefined;
  const bytes = change instanceof Page ? change.bytes : change;
  if (old && Buffer.compare(old.bytes, bytes) === 0) return undefined;
  for (const known of [other, zeroPage]) if (known && Buffer.compare(known.bytes, bytes) === 0) return known;
  if (old?.rewrite(bytes, lease)) return old;
  return change instanceof Page ? change : new Page(new Uint8Array(bytes), lease);
}

function* differing(a: Node | Page, b: Node | Page, level: number, first: number): Generator<number> {
  if (a === b) return;
  if (a instanceof Node && b instanceof Node) {
    const span = fanout ** level;
    for (let slot = 0; slot < fanout; slot++) {
      const [childA, childB] = [a.children[slot], b.children[slot]];
      if (childA && childB) yield* differing(childA, childB, level - 1, first + slot * span);
    }
  } else if (a instanceof Page && b instanceof Page && Buffer.compare(a.bytes, b.bytes) !== 0) {
    yield first;
  }
}

function* used(node: Node | Page, level: number, first: number): Generator<[number, Page]> {
  if (isZero(node)) return;
  if (node instanceof Page) {
    yield [first, node];
    return;
  }
  const span = fanout ** level;
  for (const [slot, child] of node.children.entries()) yield* used(child, level - 1, first + slot * span);
}

/** True of the zero page, and of a subtree that nobody has changed since it was made of it. */
function isZero(node: Node | Page): boolean {
  let below: Node | Page | undefined = node;
  while (below instanceof Node) {
    const [child]: readonly (Node | Page)[] = below.children;
    if (!below.children.every((other) => other === child)) return false;
    below = child;
  }
  return below === zeroPage;
}
