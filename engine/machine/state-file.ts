import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { mostHarts, pageBytes, stateBytes } from './layout';
import { PageTree, type Page } from './page-tree';
import { MachineSnapshot } from './snapshot';
import { isSoundState } from './sound-state';

/**
 * A machine's state as a file:
 *
 * | bytes | what |
 * | --- | --- |
 * | 8 | `COVERTST` |
 * | 4 | version, 1 |
 * | 4 | bytes of RAM |
 * | 4 | harts |
 * | 8 | where a guest may write to end itself (`tohost`), or 0 |
 * | 4 | pages of RAM that are not zero |
 * | 4 | different ones among them |
 * | 4 | devices beyond the board's own: 1, a source of random numbers |
 * | 32 | SHA-256 of all that is above and below |
 * | the rest | compressed (deflate, RFC 1951): the state block; for each page its number and which of the different ones it is, 4 bytes each; the different pages |
 *
 * All numbers are little-endian.
 */
export interface StateFile {
  snapshot: MachineSnapshot;
  tohost: bigint;
  /** It has a source of random numbers. */
  entropy: boolean;
}

/** A file that holds no state, or not a whole one: one clear line. */
export class StateFileError extends Error {}

const magic = Buffer.from('COVERTST');
const version = 1;
const headerBytes = 72;
const hashAt = 40;
const entropyDevice = 1;
const mostRam = 2 ** 31;
/** Level 1 is several times as fast as the default and little larger. */
const level = 1;

/** The file's bytes. Throws a RangeError for a machine with disks, whose images a file cannot hold. */
export function writeState({ snapshot, tohost, entropy }: StateFile): Buffer {
  if (snapshot.disks.length > 0) throw new RangeError('the state of a machine with disks cannot be kept in a file');
  const places: number[] = [];
  const different: Page[] = [];
  const numbers = new Map<string, number>();
  for (const [index, page] of snapshot.pages.used()) {
    const key = page.hash().toString('latin1');
    let number = numbers.get(key);
    if (number === undefined) {
      numbers.set(key, (number = different.length));
      different.push(page);
    }
    places.push(index, number);
  }
  const body = Buffer.concat([snapshot.state, Buffer.from(Uint32Array.from(places).buffer), ...different.map(({ bytes }) => bytes)]);
  const packed = deflateRawSync(body, { level });
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32LE(version, 8);
  header.writeUInt32LE(snapshot.ramBytes, 12);
  header.writeUInt32LE(snapshot.harts, 16);
  header.writeBigUInt64LE(tohost, 20);
  header.writeUInt32LE(places.length / 2, 28);
  header.writeUInt32LE(different.length, 32);
  header.writeUInt32LE(entropy ? entropyDevice : 0, 36);
  sumOf(header, packed).copy(header, hashAt);
  return Buffer.concat([header, packed]);
}

/**
 * Reads a file's bytes. Takes no more memory than the RAM that the file declares.
 * Throws {@link StateFileError}.
 */
export function readState(file: Uint8Array): StateFile {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < headerBytes || !bytes.subarray(0, 8).equals(magic)) throw new StateFileError('it holds no state of a guest, or only the start of one');
  const found = bytes.readUInt32LE(8);
  if (found !== version) throw new StateFileError(`it is of version ${found}, and this tool reads version ${version}`);
  const packed = bytes.subarray(headerBytes);
  if (!sumOf(bytes.subarray(0, headerBytes), packed).equals(bytes.subarray(hashAt, headerBytes))) {
    throw new StateFileError('its checksum is wrong: it was cut off or changed');
  }
  const word = (at: number): number => bytes.readUInt32LE(at);
  const [ramBytes, harts, used, different, devices] = [word(12), word(16), word(28), word(32), word(36)];
  const ramPages = ramBytes / pageBytes;
  const sound = ramBytes > 0 && ramBytes <= mostRam && Number.isInteger(ramPages) && harts >= 1 && harts <= mostHarts && used <= ramPages && different <= used && devices <= entropyDevice;
  if (!sound) throw new StateFileError('its header makes no sense');
  const body = unpacked(packed, stateBytes + used * 8 + different * pageBytes);
  const pagesAt = stateBytes + used * 8;
  const changes = new Map<number, Uint8Array>();
  for (let at = stateBytes; at < pagesAt; at += 8) {
    const [index, number] = [body.readUInt32LE(at), body.readUInt32LE(at + 4)];
    if (index >= ramPages || number >= different) throw new StateFileError('it names a page that it does not have');
    const from = pagesAt + number * pageBytes;
    changes.set(index, body.subarray(from, from + pageBytes));
  }
  const state = new Uint8Array(body.subarray(0, stateBytes));
  if (!isSoundState(state, harts)) throw new StateFileError('its state makes no sense');
  const pages = PageTree.zero(ramPages).with(changes);
  return { snapshot: new MachineSnapshot(state, pages, ramBytes, harts), tohost: bytes.readBigUInt64LE(20), entropy: devices === entropyDevice };
}

function unpacked(packed: Uint8Array, expected: number): Buffer {
  try {
    const body = inflateRawSync(packed, { maxOutputLength: expected });
    if (body.length === expected) return body;
  } catch (error) {
    throw new StateFileError('it cannot be unpacked', { cause: error });
  }
  throw new StateFileError('it has less in it than it says');
}

/** Over everything but the sum's own place. */
function sumOf(header: Buffer, packed: Uint8Array): Buffer {
  return createHash('sha256').update(header.subarray(0, hashAt)).update(packed).digest();
}
