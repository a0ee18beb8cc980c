import { DiskImageError, imageOfFile, type DiskImage } from '../../engine/machine/virtio/disk-image';
import type { ImageOf } from '../../engine/machine/state-file';
import { asUnreadable, BadInput } from './failure';

const readOnlySuffix = ',readonly';

/** What `--disk` names: a raw image, and whether it can be written. */
export function openDisk(argument: string): { image: DiskImage; readOnly: boolean } {
  const readOnly = argument.endsWith(readOnlySuffix);
  return { image: open(readOnly ? argument.slice(0, -readOnlySuffix.length) : argument), readOnly };
}

/** The images of a state's disks: those that `--disk` names, in turn, or else the files that they were. */
export function imagesOfState(state: string, given: readonly string[]): ImageOf {
  return ({ file, sha256 }, number) => {
    const named = given[number];
    if (named?.endsWith(readOnlySuffix)) throw new BadInput(`--disk ${named}: whether it can be written is in the state: leave ${readOnlySuffix} out`);
    const path = named ?? file?.path;
    if (path === undefined) throw new BadInput(`${state}: nothing says where the image of disk ${number} is: name it with --disk`);
    try {
      return open(path, file && { stamp: file.stamp, sha256 });
    } catch (error) {
      if (named !== undefined || !(error instanceof BadInput)) throw error;
      throw new BadInput(`${state}: disk ${number}: ${error.message}; if the image is elsewhere now, name it with --disk`, { cause: error });
    }
  };
}

function open(file: string, known?: { stamp: string; sha256: string }): DiskImage {
  try {
    return imageOfFile(file, known);
  } catch (error) {
    if (error instanceof DiskImageError) throw new BadInput(`--disk ${file}: it ${error.message}`, { cause: error });
    throw asUnreadable(file, error);
  }
}
