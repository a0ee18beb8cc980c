import { basename } from 'node:path';
import type { DiskOutside } from '../../engine/covert/disk-outside';
import type { Plan } from '../../engine/covert/plan';
import { DiskImageError } from '../../engine/machine/virtio/disk-image';
import { ImageInUse, lockImage } from './image-lock';
import { WrittenImage } from './written-image';

/** An image that cannot be written to; the message is one line for the user. */
export class WritableDiskError extends Error {}

interface OpenDisk {
  readonly name: string;
  readonly image: WrittenImage;
  readonly unlock: () => void;
  /** What could not be written, how often, and whether the guest has been told of all of it. */
  refused: { times: number; why: string } | undefined;
  untold: boolean;
}

/** SIGXFSZ, where there is a limit on the size of files, would end the process; with somebody who listens a write fails instead. */
const fileTooLarge = 'SIGXFSZ';
const listen = (): void => undefined;

/**
 * The writable disks of a run: their images, each locked and open, with what the guest writes going into them in place, sector by sector in
 * the order of its release, as it would on a disk.
 */
export class WritableDisks implements DiskOutside {
  readonly #disks = new Map<number, OpenDisk>();
  readonly #unlock = (): void => this.#disks.forEach(({ unlock }) => unlock());

  private constructor() {
    // Also where a second Ctrl-C ends the process at once.
    process.once('exit', this.#unlock);
    if (process.platform !== 'win32') process.on(fileTooLarge, listen);
  }

  /** The plan with its writable disks open, if it has any; they have to be closed. Throws {@link WritableDiskError}. */
  static open(plan: Plan): { plan: Plan; disks: WritableDisks } | undefined {
    const { disks = [] } = plan.guest;
    if (!disks.some(({ writable }) => writable)) return undefined;
    const open = new WritableDisks();
    try {
      const opened = disks.map((disk, number) => (disk.writable ? { ...disk, image: open.#open(number, disk.image.file?.path) } : disk));
      return { plan: { ...plan, guest: { ...plan.guest, disks: opened } }, disks: open };
    } catch (error) {
      open.close();
      throw error;
    }
  }

  write(disk: number, offset: number, data: Uint8Array): string | undefined {
    return this.#attempt(disk, ({ image }) => image.write(offset, data), true);
  }

  flush(disk: number): string | undefined {
    const why = this.#attempt(disk, ({ image }) => image.flush(), false);
    const open = this.#disks.get(disk);
    if (open) open.untold = false;
    return why;
  }

  /** What stood in the images that has been overwritten. */
  overwritten(): { disk: number; block: number; content: Uint8Array }[] {
    return [...this.#disks].flatMap(([disk, { image }]) => image.overwritten().map((each) => ({ disk, ...each })));
  }

  /** Puts all that was written on the medium. Gives a line for each disk with something that was not written and that the guest does not know of. */
  finish(): string[] {
    return [...this.#disks].flatMap(([number, disk]) => {
      const why = this.#attempt(number, ({ image }) => image.flush(), true);
      if (!disk.untold) return [];
      const { times, why: first } = disk.refused ?? { times: 1, why };
      return [`${disk.name}: ${times === 1 ? 'something' : `something, ${times} times,`} could not be written to it, and the guest ended before it heard of that: ${first}`];
    });
  }

  close(): void {
    for (const { image, unlock } of this.#disks.values()) {
      image.close();
      unlock();
    }
    this.#disks.clear();
    process.off('exit', this.#unlock);
    if (process.platform !== 'win32') process.off(fileTooLarge, listen);
  }

  #open(number: number, path: string | undefined): WrittenImage {
    if (path === undefined) throw new WritableDiskError(`disk ${number} has an image that is no file`);
    try {
      const unlock = lockImage(path);
      try {
        const image = new WrittenImage(path);
        this.#disks.set(number, { name: path, image, unlock, refused: undefined, untold: false });
        return image;
      } catch (error) {
        unlock();
        throw error;
      }
    } catch (error) {
      throw new WritableDiskError(`the disk ${path} ${reasonOf(path, error)}`, { cause: error });
    }
  }

  #attempt(number: number, work: (disk: OpenDisk) => void, isUntold: boolean): string | undefined {
    const disk = this.#disks.get(number);
    if (!disk) return 'there is no such disk';
    try {
      work(disk);
      return undefined;
    } catch (error) {
      // An image that is not what it was is nothing to go on with.
      if (error instanceof DiskImageError) throw error;
      const why = wordsOf(error);
      disk.refused = { times: (disk.refused?.times ?? 0) + 1, why: disk.refused?.why ?? why };
      disk.untold ||= isUntold;
      return why;
    }
  }
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no room left',
  EDQUOT: 'there is no room left',
  EFBIG: 'the file would be larger than is allowed',
  EIO: 'the medium has an error',
  EROFS: 'nothing can be written there',
};

function wordsOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return systemErrors[code ?? ''] ?? message;
}

function reasonOf(path: string, error: unknown): string {
  if (error instanceof ImageInUse || error instanceof DiskImageError) return error.message;
  const { code, path: file } = error as NodeJS.ErrnoException;
  // Of the lock beside it the file is named in the message.
  const lock = file !== undefined && file.endsWith('.lock') ? ` (no ${basename(path)}.lock can be made beside it)` : '';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return `cannot be written to${lock}: give permission, or leave \`writable\` out`;
  return `cannot be written to${lock}: ${wordsOf(error)}`;
}
