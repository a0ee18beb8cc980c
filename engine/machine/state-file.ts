import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { mostHarts, pageBytes, stateBytes } from '../core/layout';
import { Page, PageTree } from './page-tree';
import { MachineSnapshot } from './snapshot';
import { isSoundState } from './sound-state';
import { blockBytes } from './virtio/disk';
import { sectorBytes, type DiskImage } from './virtio/disk-image';
import { slots } from './virtio/transport';

/**
 * A machine's state as a file:
 *
 * | bytes | what |
 * | --- | --- |
 * | 8 | `COVERTST` |
 * | 4 | version, 2 |
 * | 4 | bytes of RAM |
 * | 4 | harts |
 * | 8 | where a guest may write to end itself (`tohost`), or 0 |
 * | 4 | pages of RAM that are not zero |
 * | 4 | pages that were not zero when the guest was loaded |
 * | 4 | different ones among those, and among blocks written to disks |
 * | 4 | devices beyond the board's own, a bit each: source of random numbers, console, network card |
 * | 4 | disks |
 * | 8 | the network card's address, and two bytes of zero |
 * | 32 | SHA-256 of all that is above and below |
 * | each disk | 8: its bytes; 4: 1 if it is read-only, 2 if it is writable; 4: blocks that differ from the image; 32: SHA-256 of the image; 4 each and then the text: the image's file and its stamp |
 * | the rest | compressed (deflate, RFC 1951): the state block; that of a guest just loaded; for each page of RAM, of RAM at loading, and of each disk in turn its number and which of the different ones it is, 4 bytes each; the different ones |
 *
 * All numbers are little-endian. A block of a disk is the exclusive or with the image.
 */
export interface StateFile {
  snapshot: MachineSnapshot;
  /** What a reboot goes back to. */
  start: MachineSnapshot;
  tohost: bigint;
  /** Of each disk. */
  readOnly: readonly boolean[];
  writable: readonly boolean[];
  /** It has a source of random numbers; a virtio console. */
  entropy: boolean;
  console: boolean;
  /** The address of its network card, if it has one. */
  mac: Uint8Array | undefined;
}

/** A disk as a state file has it: what the image has to be, and where it was. */
export interface SavedDisk {
  bytes: number;
  readOnly: boolean;
  writable: boolean;
  /** Of the image, hex. */
  sha256: string;
  file: DiskImage['file'];
}

/** Finds a disk's image again. That it is the right one is checked by whoever asks. */
export type ImageOf = (disk: SavedDisk, number: number) => DiskImage;

/** A file that holds no state, or not a whole one, or one of other disks: one clear line. */
export class StateFileError extends Error {}

export const noImages: ImageOf = () => {
  throw new StateFileError('it needs images of disks');
};

const magic = Buffer.from('COVERTST');
const version = 2;
const headerBytes = 88;
const hashAt = 56;
const diskBytes = 48;
const [entropyDevice, consoleDevice, networkDevice] = [1, 2, 4];
const [readOnlyDisk, writableDisk] = [1, 2];
const mostRam = 2 ** 31;
/** What zlib packs and unpacks in one piece. */
const mostUnpacked = 2 ** 32 - 1;
const mostText = 4096;
/** Level 1 is several times as fast as the default and little larger. */
const level = 1;

/** The file's bytes. Throws a RangeError for a state of more than 4 GiB. */
export function writeState(state: StateFile): Buffer {
  const { snapshot, start, tohost, readOnly, writable, entropy, console, mac } = state;
  const different: Page[] = [];
  const numbers = new Map<string, number>();
  const placesOf = (tree: PageTree): Buffer => {
    const places: number[] = [];
    for (const [index, page] of tree.used()) {
      const key = page.hash().toString('latin1');
      let number = numbers.get(key);
      if (number === undefined) {
        numbers.set(key, (number = different.length));
        different.push(page);
      }
      places.push(index, number);
    }
    return Buffer.from(Uint32Array.from(places).buffer);
  };
  const trees = [snapshot.pages, start.pages, ...snapshot.disks.map(({ tree }) => tree)].map(placesOf);
  const pieces = [snapshot.state, start.state, ...trees, ...different.map(({ bytes }) => bytes)];
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  if (total > mostUnpacked) throw new RangeError('the state is larger than 4 GiB, which is more than a file can hold');
  const packed = deflateRawSync(Buffer.concat(pieces), { level });

  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  const devices = (entropy ? entropyDevice : 0) | (console ? consoleDevice : 0) | (mac ? networkDevice : 0);
  const [used = 0, usedAtStart = 0, ...blocks] = trees.map(({ length }) => length / 8);
  header.writeUInt32LE(version, 8);
  header.writeUInt32LE(snapshot.ramBytes, 12);
  header.writeUInt32LE(snapshot.harts, 16);
  header.writeBigUInt64LE(tohost, 20);
  [used, usedAtStart, different.length, devices, snapshot.disks.length].forEach((word, i) => header.writeUInt32LE(word, 28 + i * 4));
  if (mac) header.set(mac, 48);
  const disks = snapshot.disks.map(({ image }, i) => writeDisk(image, (readOnly[i] ? readOnlyDisk : 0) | (writable[i] ? writableDisk : 0), blocks[i] ?? 0));
  const rest = Buffer.concat([...disks, packed]);
  sumOf(header, rest).copy(header, hashAt);
  return Buffer.concat([header, rest]);
}

function writeDisk(image: DiskImage, flags: number, blocks: number): Buffer {
  const [path, stamp] = [Buffer.from(image.file?.path ?? ''), Buffer.from(image.file?.stamp ?? '')];
  const entry = Buffer.alloc(diskBytes + 8);
  entry.writeBigUInt64LE(BigInt(image.bytes), 0);
  entry.writeUInt32LE(flags, 8);
  entry.writeUInt32LE(blocks, 12);
  entry.set(Buffer.from(image.sha256(), 'hex'), 16);
  entry.writeUInt32LE(path.length, diskBytes);
  entry.writeUInt32LE(stamp.length, diskBytes + 4);
  return Buffer.concat([entry, path, stamp]);
}

/**
 * Reads a file's bytes. Images of disks are asked for and checked before anything is
 * unpacked, so it takes no more memory than the RAM that the file declares and disks that are there.
 * Throws {@link StateFileError}.
 */
export function readState(file: Uint8Array, imageOf: ImageOf): StateFile {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 12 || !bytes.subarray(0, 8).equals(magic)) throw new StateFileError('it holds no state of a guest, or only the start of one');
  const found = bytes.readUInt32LE(8);
  if (found !== version) throw new StateFileError(`it is of version ${found}, and this tool reads version ${version}`);
  const rest = bytes.subarray(headerBytes);
  if (bytes.length < headerBytes || !sumOf(bytes.subarray(0, headerBytes), rest).equals(bytes.subarray(hashAt, headerBytes))) {
    throw new StateFileError('its checksum is wrong: it was cut off or changed');
  }
  const word = (at: number): number => bytes.readUInt32LE(at);
  const [ramBytes, harts, used, usedAtStart, different, devices, count] = [12, 16, 28, 32, 36, 40, 44].map(word) as [number, number, number, number, number, number, number];
  const ramPages = ramBytes / pageBytes;
  const sizes = ramBytes > 0 && ramBytes <= mostRam && Number.isInteger(ramPages) && harts >= 1 && harts <= mostHarts;
  const counts = used <= ramPages && usedAtStart <= ramPages && devices < 8 && count + [...devices.toString(2)].filter((bit) => bit === '1').length <= slots;
  if (!sizes || !counts) throw new StateFileError('its header makes no sense');

  const { disks, end } = readDisks(rest, count);
  const images = disks.map((disk, number) => checkedImage(disk, imageOf(disk, number)));
  const places = [used, usedAtStart, ...disks.map(({ blocks }) => blocks)];
  const placesBytes = 8 * places.reduce((sum, entries) => sum + entries, 0);
  if (different * 8 > placesBytes) throw new StateFileError('its header makes no sense');
  const body = unpacked(rest.subarray(end), 2 * stateBytes + placesBytes + different * pageBytes);

  const pages = Array.from({ length: different }, (_, i) => {
    const from = 2 * stateBytes + placesBytes + i * pageBytes;
    return new Page(body.subarray(from, from + pageBytes));
  });
  let at = 2 * stateBytes;
  const tree = (size: number, entries: number): PageTree => {
    const changes = new Map<number, Page>();
    for (const last = at + entries * 8; at < last; at += 8) {
      const [index, page] = [body.readUInt32LE(at), pages[body.readUInt32LE(at + 4)]];
      if (index >= size || !page) throw new StateFileError('it names a page that it does not have');
      changes.set(index, page);
    }
    return PageTree.zero(size).with(changes);
  };
  const ram = tree(ramPages, used);
  const startRam = tree(ramPages, usedAtStart);
  const diskStates = images.map((image, i) => ({ image, tree: tree(Math.ceil(image.bytes / blockBytes), disks[i]?.blocks ?? 0) }));
  const block = (number: number): Uint8Array => {
    const state = new Uint8Array(body.subarray(number * stateBytes, (number + 1) * stateBytes));
    if (!isSoundState(state, harts)) throw new StateFileError('its state makes no sense');
    return state;
  };
  return {
    snapshot: new MachineSnapshot(block(0), ram, ramBytes, harts, diskStates),
    start: new MachineSnapshot(block(1), startRam, ramBytes, harts),
    tohost: bytes.readBigUInt64LE(20),
    readOnly: disks.map(({ readOnly }) => readOnly),
    writable: disks.map(({ writable }) => writable),
    entropy: (devices & entropyDevice) !== 0,
    console: (devices & consoleDevice) !== 0,
    mac: (devices & networkDevice) === 0 ? undefined : new Uint8Array(bytes.subarray(48, 54)),
  };
}

function readDisks(from: Buffer, count: number): { disks: (SavedDisk & { blocks: number })[]; end: number } {
  const disks: (SavedDisk & { blocks: number })[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (from.length < at + diskBytes + 8) throw new StateFileError('it has fewer disks than it says');
    const bytes = Number(from.readBigUInt64LE(at));
    const [flags, blocks] = [from.readUInt32LE(at + 8), from.readUInt32LE(at + 12)];
    const [pathBytes, stampBytes] = [from.readUInt32LE(at + diskBytes), from.readUInt32LE(at + diskBytes + 4)];
    const text = at + diskBytes + 8;
    const sound = bytes > 0 && bytes % sectorBytes === 0 && Number.isSafeInteger(bytes) && flags <= (readOnlyDisk | writableDisk) && blocks <= Math.ceil(bytes / blockBytes);
    if (!sound || pathBytes > mostText || stampBytes > mostText || text + pathBytes + stampBytes > from.length) throw new StateFileError('it has a disk that makes no sense');
    const sha256 = from.toString('hex', at + 16, at + diskBytes);
    const [path, stamp] = [from.toString('utf8', text, text + pathBytes), from.toString('utf8', text + pathBytes, text + pathBytes + stampBytes)];
    disks.push({ bytes, readOnly: (flags & readOnlyDisk) !== 0, writable: (flags & writableDisk) !== 0, sha256, file: path === '' ? undefined : { path, stamp }, blocks });
    at = text + pathBytes + stampBytes;
  }
  return { disks, end: at };
}

function checkedImage({ bytes, sha256 }: SavedDisk, image: DiskImage): DiskImage {
  const name = image.file?.path ?? 'the image';
  if (image.bytes !== bytes) throw new StateFileError(`${name} has ${image.bytes} bytes, and its disk ${bytes}: it is another image`);
  if (image.sha256() !== sha256) throw new StateFileError(`${name} is another image than the state's, or has been changed`);
  return image;
}

function unpacked(packed: Uint8Array, expected: number): Buffer {
  try {
    // In one piece, which spares a copy; what is not filled of it takes no memory.
    const body = inflateRawSync(packed, { maxOutputLength: expected, chunkSize: expected });
    if (body.length === expected) return body;
  } catch (error) {
    throw new StateFileError('it cannot be unpacked', { cause: error });
  }
  throw new StateFileError('it has less in it than it says');
}

/** Over everything but the sum's own place. */
function sumOf(header: Buffer, rest: Buffer): Buffer {
  return createHash('sha256').update(header.subarray(0, hashAt)).update(rest).digest();
}
