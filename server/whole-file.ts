import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { count } from '../engine/covert/numbers';

/** No file that is read as a whole is larger: no guest has more memory. */
const mostBytes = 2 ** 31 - 1;

/** Bytes from which on a file is put where malloc is not asked. */
const large = 2 ** 20;
const wasmPageBytes = 65_536;

/**
 * Memory of the WebAssembly kind, which goes back to the system as soon as it is collected. glibc's malloc does not give it back: the
 * size of what was last freed is what its arenas may keep from then on, each, up to 64 MiB (mallopt(3), M_MMAP_THRESHOLD), and those of V8's compiler threads do.
 */
function roomFor(bytes: number): Buffer<ArrayBuffer> {
  const pages = Math.ceil(bytes / wasmPageBytes);
  try {
    return Buffer.from(new WebAssembly.Memory<ArrayBuffer>({ initial: pages, maximum: pages }).buffer, 0, bytes);
  } catch {
    // There is a bound on how much address space all of them may take.
    return Buffer.allocUnsafeSlow(bytes);
  }
}

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
    if (found.isFile() && found.size > most) throw new NoWholeFileError(`is too large: it has ${count(found.size)} bytes of at most ${count(most)}`);
    if (!found.isFile() || found.size < large) return await file.readFile();
    const bytes = roomFor(found.size);
    let read = 0;
    for (let more = 1; more > 0 && read < bytes.length; read += more) ({ bytesRead: more } = await file.read(bytes, read, bytes.length - read, read));
    return bytes.subarray(0, read);
  } finally {
    await file.close();
  }
}
