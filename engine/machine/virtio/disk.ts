import { PageTree } from '../page-tree';
import type { DiskImage } from './disk-image';
import { sectorBytes } from './disk-image';

/** Bytes of a block, the unit in which what was written is kept. */
export const blockBytes = 4096;
const zeros = new Uint8Array(blockBytes);

/** Blocks of a disk that may differ from its image: 1 GiB, which bounds what a guest that fills a sparse image takes of the host's memory. */
export const mostWrittenBlocks = 2 ** 18;

/**
 * A disk: an image that never changes, and over it what the guest has written.
 * That is kept for snapshots as a tree of the differences (exclusive or) from
 * the image, in which a block that is as in the image is a block of zeros: so
 * equal contents are equal trees, however they came about.
 */
export class Disk {
  readonly sectors: number;
  /** Blocks that may differ from the image, as they are now. */
  readonly #written = new Map<number, Uint8Array>();
  /** Blocks among the written that may be as in the image; all others are known to differ. */
  readonly #unsure = new Set<number>();
  /** Blocks that may differ from the tree. */
  readonly #changed = new Set<number>();
  #tree: PageTree;

  constructor(
    readonly image: DiskImage,
    readonly readOnly: boolean,
    /** Blocks that may differ from the image. */
    private readonly mostBlocks = mostWrittenBlocks,
    /** What is written is to reach the image's file. To a guest its image is what it was when the guest began, all the same. */
    readonly writable = false,
  ) {
    this.sectors = image.bytes / sectorBytes;
    this.#tree = PageTree.zero(Math.ceil(image.bytes / blockBytes));
  }

  /** Fills `target` from a byte offset on; the range must be within the disk. */
  read(offset: number, target: Uint8Array): void {
    // Whatever the guest has not written comes from the image in one piece.
    let pending = 0;
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const from = at % blockBytes;
      const count = Math.min(blockBytes - from, target.length - done);
      const own = this.#written.get(Math.floor(at / blockBytes));
      if (own) {
        if (pending < done) this.image.read(offset + pending, target.subarray(pending, done));
        target.set(own.subarray(from, from + count), done);
        pending = done + count;
      }
      done += count;
    }
    if (pending < target.length) this.image.read(offset + pending, target.subarray(pending));
  }

  /**
   * Writes from a byte offset on; the range must be within the disk. False, and
   * nothing is written, where more blocks than may be could then differ from the
   * image. That is a function of contents and request alone, so it is the same
   * in every replica, however often one was restored.
   */
  write(offset: number, data: Uint8Array): boolean {
    if (!this.#hasRoom(Math.floor(offset / blockBytes), Math.ceil((offset + data.length) / blockBytes))) return false;
    for (let done = 0; done < data.length; ) {
      const at = offset + done;
      const block = Math.floor(at / blockBytes);
      const from = at % blockBytes;
      const count = Math.min(blockBytes - from, data.length - done);
      this.#own(block).set(data.subarray(done, done + count), from);
      this.#changed.add(block);
      this.#unsure.add(block);
      done += count;
    }
    return true;
  }

  /** Whether blocks [from, to) may be written. */
  #hasRoom(from: number, to: number): boolean {
    // A block is kept though the guest has put back what is in the image. Those count only here, where it matters, so each is
    // looked at once for each time that it was written.
    if (this.#written.size + (to - from) <= this.mostBlocks) return true;
    for (const block of this.#unsure) {
      const own = this.#written.get(block);
      if (own && Buffer.compare(own, this.#imageBlock(block)) === 0) this.#written.delete(block);
    }
    this.#unsure.clear();
    let fresh = 0;
    for (let block = from; block < to; block++) if (!this.#written.has(block)) fresh++;
    return fresh === 0 || this.#written.size + fresh <= this.mostBlocks;
  }

  /** What differs from the image; blocks equal to `peer`'s share its storage. */
  snapshot(peer?: PageTree): PageTree {
    const changes = new Map<number, Uint8Array>();
    for (const block of this.#changed) changes.set(block, this.#difference(block));
    this.#tree = this.#tree.with(changes, peer);
    this.#changed.clear();
    return this.#tree;
  }

  restore(tree: PageTree): void {
    const stale = new Set(this.#changed);
    for (const block of this.#tree.differing(tree)) stale.add(block);
    for (const block of stale) {
      const difference = tree.page(block).bytes;
      if (Buffer.compare(difference, zeros) === 0) this.#written.delete(block);
      else this.#written.set(block, exclusiveOr(this.#imageBlock(block), difference));
    }
    for (const block of stale) this.#unsure.delete(block);
    this.#changed.clear();
    this.#tree = tree;
  }

  #own(block: number): Uint8Array {
    let own = this.#written.get(block);
    if (!own) this.#written.set(block, (own = this.#imageBlock(block)));
    return own;
  }

  #difference(block: number): Uint8Array {
    const own = this.#written.get(block);
    return own ? exclusiveOr(this.#imageBlock(block), own) : zeros;
  }

  #imageBlock(block: number): Uint8Array {
    return diskBlock(this.image, block);
  }
}

/** `a` ^ `b`, in `a`, which is a block of its own. */
function exclusiveOr(a: Uint8Array, b: Uint8Array): Uint8Array {
  for (let i = 0; i < a.length; i++) a[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
  return a;
}

/** A block of an image, or with a snapshot's tree of differences a block as it was then. */
export function diskBlock(image: DiskImage, block: number, tree?: PageTree): Uint8Array {
  const bytes = new Uint8Array(blockBytes);
  image.read(block * blockBytes, bytes);
  return tree ? exclusiveOr(bytes, tree.page(block).bytes) : bytes;
}
