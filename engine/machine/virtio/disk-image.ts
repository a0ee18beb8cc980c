import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';

export const sectorBytes = 512;

/** What a disk holds before anybody has written to it. It must never change. */
export interface DiskImage {
  /** A multiple of 512. */
  readonly bytes: number;
  /** Where it is, if that is a file; the stamp is another one as soon as somebody has written to it. */
  readonly file?: { readonly path: string; readonly stamp: string } | undefined;
  /** The stamp that the file has now; of one that is no file, nothing. */
  stampNow?(): string;
  /** Fills `target` with what stands from `offset` on; past the end are zeros. */
  read(offset: number, target: Uint8Array): void;
  /** SHA-256 of the content, hex. Takes a second a gigabyte where it is not known yet. */
  sha256(): string;
}

/** An image that cannot be a disk: what is the matter with it, to be put behind its name. */
export class DiskImageError extends Error {}

/** The bytes of an image, if a disk can have so many. Throws {@link DiskImageError}. */
export function checkedImageBytes(bytes: number): number {
  if (bytes === 0) throw new DiskImageError('is empty: a disk image has at least one sector of 512 bytes');
  if (bytes % sectorBytes !== 0) throw new DiskImageError(`has ${bytes} bytes, which is no multiple of 512: is it a raw image?`);
  return bytes;
}

/** A disk whose content is in memory. Throws {@link DiskImageError}. */
export function imageOfBytes(content: Uint8Array): DiskImage {
  return {
    bytes: checkedImageBytes(content.length),
    read(offset, target) {
      const part = content.subarray(Math.min(offset, content.length), offset + target.length);
      target.set(part);
      target.fill(0, part.length);
    },
    sha256: () => createHash('sha256').update(content).digest('hex'),
  };
}

const chunkBytes = 2 ** 20;
const patchBytes = 4096;

/** An image in which some blocks of 4096 bytes are others; one without content is zeros. */
export function patchedImage(image: DiskImage, blocks: ReadonlyMap<number, Uint8Array>): DiskImage {
  const { bytes } = image;
  const read = (offset: number, target: Uint8Array): void => {
    image.read(offset, target);
    for (let done = 0; done < target.length; ) {
      const from = (offset + done) % patchBytes;
      const count = Math.min(patchBytes - from, target.length - done);
      const patch = blocks.get(Math.floor((offset + done) / patchBytes));
      if (patch) target.fill(0, done, done + count).set(patch.subarray(from, from + count), done);
      done += count;
    }
  };
  return { bytes, read, sha256: () => hashOf(bytes, read) };
}

/** SHA-256 over so many bytes, in hex. */
export function hashOf(bytes: number, read: DiskImage['read']): string {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(chunkBytes);
  for (let at = 0; at < bytes; at += chunkBytes) {
    const part = chunk.subarray(0, Math.min(chunkBytes, bytes - at));
    read(at, part);
    hash.update(part);
  }
  return hash.digest('hex');
}

/**
 * A raw disk image in a file, read as it is needed. `known` is what its hash was
 * when it had that stamp. Throws {@link DiskImageError}, or the file system's
 * error where it cannot be opened.
 */
export function imageOfFile(path: string, known?: { stamp: string; sha256: string }): DiskImage {
  // A pipe that nobody writes to would not even be opened; Windows has no such flag.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new DiskImageError('is no file');
    const bytes = checkedImageBytes(stat.size);
    const stamp = stampOf(file);
    let sha256 = known?.stamp === stamp ? known.sha256 : undefined;
    const read = (offset: number, target: Uint8Array): void => {
      let done = 0;
      while (done < target.length) {
        const count = readSync(file, target, done, target.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      // What the guest has seen of it is part of a state that could not be made again.
      if (offset + done < bytes && done < target.length) throw new DiskImageError(`${path} has become shorter while a guest used it`);
      target.fill(0, done);
    };
    return {
      bytes,
      file: { path: resolve(path), stamp },
      stampNow: () => stampOf(file),
      read,
      sha256() {
        sha256 ??= hashOf(bytes, read);
        // Also of a hash that was known: what it is now has to be what was opened.
        if (stampOf(file) !== stamp) throw new DiskImageError(`${path} has been changed while a guest used it`);
        return sha256;
      },
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** A file's identity and its times: a write changes them. */
function stampOf(file: number): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(file, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
