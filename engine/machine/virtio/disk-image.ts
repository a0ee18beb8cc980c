import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

export const sectorBytes = 512;

/** What a disk holds before anybody has written to it. It must never change. */
export interface DiskImage {
  /** A multiple of 512. */
  readonly bytes: number;
  /** Fills `target` with what stands from `offset` on; past the end are zeros. */
  read(offset: number, target: Uint8Array): void;
}

/** An image that cannot be a disk: what is the matter with it, to be put behind its name. */
export class DiskImageError extends Error {}

function checked(bytes: number): number {
  if (bytes === 0) throw new DiskImageError('is empty: a disk image has at least one sector of 512 bytes');
  if (bytes % sectorBytes !== 0) throw new DiskImageError(`has ${bytes} bytes, which is no multiple of 512: is it a raw image?`);
  return bytes;
}

/** A disk whose content is in memory. Throws {@link DiskImageError}. */
export function imageOfBytes(content: Uint8Array): DiskImage {
  return {
    bytes: checked(content.length),
    read(offset, target) {
      const part = content.subarray(Math.min(offset, content.length), offset + target.length);
      target.set(part);
      target.fill(0, part.length);
    },
  };
}

/**
 * A raw disk image in a file, read as it is needed. Throws {@link DiskImageError},
 * or the file system's error where it cannot be opened.
 */
export function imageOfFile(path: string): DiskImage {
  // A pipe that nobody writes to would not even be opened; Windows has no such flag.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new DiskImageError('is no file');
    const bytes = checked(stat.size);
    return {
      bytes,
      read(offset, target) {
        let done = 0;
        while (done < target.length) {
          const count = readSync(file, target, done, target.length - done, offset + done);
          if (count === 0) break;
          done += count;
        }
        // What the guest has seen of it is part of a state that could not be made again.
        if (offset + done < bytes && done < target.length) throw new DiskImageError(`${path} has become shorter while a guest used it`);
        target.fill(0, done);
      },
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
