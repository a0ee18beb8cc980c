import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** No file that is read as a whole is larger: no guest has more memory. */
const mostBytes = 2 ** 31 - 1;

/** A path that leads to something that cannot be read as a whole: what is the matter, to be put behind its name. */
export class NoWholeFileError extends Error {}

/**
 * Reads a file as a whole. Rejects with {@link NoWholeFileError} for pipes and
 * devices, which may have no end, and for more than `most` bytes; else as readFile does.
 */
export async function readWhole(path: string, most = mostBytes): Promise<Buffer<ArrayBuffer>> {
  // A pipe that nobody writes to would not even be opened; Windows has no such flag.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat();
    if (!found.isFile() && !found.isDirectory()) throw new NoWholeFileError('is no file');
    if (found.isFile() && found.size > most) throw new NoWholeFileError(`is too large: it has ${found.size} bytes of at most ${most}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
