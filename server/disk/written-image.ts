import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { blockBytes } from '../../engine/machine/virtio/disk';
import { checkedImageBytes, DiskImageError, hashOf, sectorBytes, type DiskImage } from '../../engine/machine/virtio/disk-image';

/** A block of what stood in the file before; one of zeros has no content. */
export interface Overwritten {
  block: number;
  content: Uint8Array;
}

const zeros = new Uint8Array(blockBytes);
/** Blocks of what stood there before that are kept in memory, zeros aside: 1 GiB. */
const mostKept = 2 ** 18;

/**
 * A raw image in a file that is written to, in place, while it is the image of disks: to them it
 * stays what it was when it was opened. What a write is going to destroy is kept before.
 */
export class WrittenImage implements DiskImage {
  readonly bytes: number;
  readonly file: { readonly path: string; readonly stamp: string };
  readonly #file: number;
  /** What blocks were that have been written to. */
  readonly #before = new Map<number, Uint8Array>();
  #kept = 0;
  #sha256: string | undefined;

  /** Throws {@link DiskImageError}, or the file system's error where it cannot be opened for writing. */
  constructor(path: string) {
    this.#file = openSync(path, constants.O_RDWR | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = fstatSync(this.#file);
      if (!stat.isFile()) throw new DiskImageError('is no file');
      this.bytes = checkedImageBytes(stat.size);
      // By its own writes it changes; what is known of it is that it was opened by this.
      this.file = { path: resolve(path), stamp: '' };
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** What stood in the file when it was opened. */
  read(offset: number, target: Uint8Array): void {
    this.#readNow(offset, target);
    if (this.#before.size === 0) return;
    for (let done = 0; done < target.length; ) {
      const from = (offset + done) % blockBytes;
      const count = Math.min(blockBytes - from, target.length - done);
      const before = this.#before.get(Math.floor((offset + done) / blockBytes));
      if (before) target.set(before.subarray(from, from + count), done);
      done += count;
    }
  }

  /** Of what stood in the file when it was opened. */
  sha256(): string {
    this.#sha256 ??= hashOf(this.bytes, (offset, target) => this.read(offset, target));
    return this.#sha256;
  }

  /** Blocks that have been written to, as they were when the file was opened. */
  overwritten(): Overwritten[] {
    return [...this.#before].map(([block, content]) => ({ block, content: content === zeros ? new Uint8Array() : content }));
  }

  /**
   * Writes whole sectors. Throws the file system's error where that cannot be done; then the first ones may have been written, each of them whole, and no other.
   */
  write(offset: number, data: Uint8Array): void {
    this.#keep(offset, data.length);
    const before = new Uint8Array(data.length);
    this.#readNow(offset, before);
    let done = 0;
    try {
      while (done < data.length) {
        const count = writeSync(this.#file, data, done, data.length - done, offset + done);
        if (count === 0) throw new Error('nothing more can be written');
        done += count;
      }
    } catch (error) {
      const sector = done - (done % sectorBytes);
      // No half a sector; where even that fails there is nobody left to tell but the guest, who is told.
      if (done > sector) writeSync(this.#file, before, sector, done - sector, offset + sector);
      throw error;
    }
  }

  /** All that was written is on the medium. Throws the file system's error. */
  flush(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  #keep(offset: number, bytes: number): void {
    for (let block = Math.floor(offset / blockBytes); block * blockBytes < offset + bytes; block++) {
      if (this.#before.has(block)) continue;
      const content = new Uint8Array(blockBytes);
      this.#readNow(block * blockBytes, content);
      const isZero = Buffer.compare(content, zeros) === 0;
      if (!isZero && this.#kept++ >= mostKept) throw new Error('more than 1 GiB of the image has been overwritten in one run');
      this.#before.set(block, isZero ? zeros : content);
    }
  }

  #readNow(offset: number, target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      const count = readSync(this.#file, target, done, target.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    if (offset + done < this.bytes && done < target.length) throw new DiskImageError(`${this.file.path} has become shorter while a guest used it`);
    target.fill(0, done);
  }
}
