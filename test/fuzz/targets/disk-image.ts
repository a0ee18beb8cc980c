import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { PageTree } from '../../../engine/machine/page-tree';
import { Disk } from '../../../engine/machine/virtio/disk';
import { DiskImageError, imageOfBytes, imageOfFile, type DiskImage } from '../../../engine/machine/virtio/disk-image';
import type { FuzzTarget } from '../target';
import { ByteReader } from './byte-reader';

/** Bytes of the files that are images: some are, some are too odd for it, and two are far too large to be read as a whole. */
const sizes = [0, 1, 511, 512, 513, 4096, 4608, 12_288, 65_536, 2 ** 31, 2 ** 40];
const mostSteps = 100;
/** What stands at the start of each file, as far as it goes. */
const content = Uint8Array.from({ length: 8192 }, (_, i) => (i * 13 + 7) & 0xff);

/**
 * Disk images of any size in files and in memory, and what is written over them,
 * beside a plain list of bytes. The files must stay as they are.
 */
export const diskImageTarget: FuzzTarget = {
  what: 'disk images, and what a guest writes over them',
  seeds: () => programs,
  run(input) {
    const bytes = new ByteReader(input);
    const which = bytes.byte() % (sizes.length * 2);
    const size = sizes[which % sizes.length] ?? 0;
    const image = which < sizes.length ? fileImage(size) : memoryImage(size);
    if (!image) return `refused ${Math.min(size, 513)}`;
    const happened = new Writing(new Disk(image, false), bytes).run();
    const { size: after, mtimeMs } = statSync(pathOf(size));
    if (after !== size || mtimeMs !== made().times.get(size)) throw new Error('the file has changed');
    if (size < 2 ** 20 && Buffer.compare(readFileSync(pathOf(size)), expected(size)) !== 0) throw new Error('what is in the file has changed');
    return [`size ${size}`, ...[...happened].sort()].join(', ');
  },
};

/** A disk under a program of reads, writes, snapshots and returns to them. */
class Writing {
  /** Bytes that were written, by their offset; all others are the image's. */
  #written = new Map<number, number>();
  readonly #kept: { tree: PageTree; written: Map<number, number> }[] = [];
  readonly #happened = new Set<string>();

  constructor(
    private readonly disk: Disk,
    private readonly bytes: ByteReader,
  ) {}

  run(): Set<string> {
    for (let steps = 0; !this.bytes.done && steps < mostSteps; steps++) this.#step();
    // Equal contents are equal trees, however they came about.
    const last = this.disk.snapshot();
    const twin = new Disk(this.disk.image, false);
    for (const [offset, value] of this.#written) twin.write(offset, Uint8Array.of(value));
    if (!twin.snapshot().hash().equals(last.hash())) throw new Error('equal contents, and another tree');
    return this.#happened;
  }

  #step(): void {
    const { disk, bytes } = this;
    const end = disk.image.bytes;
    switch (bytes.byte() % 5) {
      case 0: {
        const [offset, length] = this.#range();
        const target = new Uint8Array(length).fill(0xee);
        disk.read(offset, target);
        for (let i = 0; i < length; i++) {
          const due = this.#written.get(offset + i) ?? content[offset + i] ?? 0;
          if (target[i] !== due) throw new Error(`byte ${offset + i} of ${end} is ${target[i]} where ${due} is due`);
        }
        this.#happened.add('read');
        break;
      }
      case 1:
      case 2: {
        const [offset, length] = this.#range();
        const value = bytes.byte();
        // Zero is what it was before.
        const data = Uint8Array.from({ length }, (_, i) => (value === 0 ? (content[offset + i] ?? 0) : (value + i) & 0xff));
        disk.write(offset, data);
        data.forEach((byte, i) => this.#written.set(offset + i, byte));
        this.#happened.add('written');
        break;
      }
      case 3:
        this.#kept.push({ tree: disk.snapshot(this.#kept.at(-1)?.tree), written: new Map(this.#written) });
        this.#happened.add('kept');
        break;
      default: {
        const before = this.#kept[bytes.byte() % Math.max(1, this.#kept.length)];
        if (!before) break;
        disk.restore(before.tree);
        this.#written = new Map(before.written);
        this.#happened.add('restored');
      }
    }
  }

  /** A range of the disk: as a device asks for it, in whole sectors; near a block's or the disk's end. */
  #range(): [offset: number, length: number] {
    const sectors = this.disk.sectors;
    const from = [0, 1, 7, 8, sectors - 1, sectors - 8, Math.floor(sectors / 2)][this.bytes.byte() & 7] ?? this.bytes.half();
    const first = Math.min(Math.max(0, from), sectors - 1);
    const count = Math.min(1 + (this.bytes.byte() % 20), sectors - first);
    return [first * 512, count * 512];
  }
}

interface Made {
  folder: string;
  images: Map<number, DiskImage | undefined>;
  times: Map<number, number>;
}
let folder: Made | undefined;

const pathOf = (size: number): string => join(made().folder, `${size}.img`);
const expected = (size: number): Uint8Array => Buffer.concat([content.subarray(0, size), Buffer.alloc(Math.max(0, size - content.length))]);

/** The files, made once, and as images opened once. */
function made(): Made {
  if (folder) return folder;
  const path = mkdtempSync(join(tmpdir(), 'covert-fuzz-'));
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  folder = { folder: path, images: new Map(), times: new Map() };
  for (const size of sizes) {
    const file = openSync(pathOf(size), 'w');
    writeSync(file, content.subarray(0, Math.min(size, content.length)));
    // The rest is a hole.
    ftruncateSync(file, size);
    closeSync(file);
    folder.times.set(size, statSync(pathOf(size)).mtimeMs);
    folder.images.set(size, opened(size, () => imageOfFile(pathOf(size))));
  }
  return folder;
}

const fileImage = (size: number): DiskImage | undefined => made().images.get(size);
const memoryImage = (size: number): DiskImage | undefined => (size > 2 ** 20 ? fileImage(size) : opened(size, () => imageOfBytes(expected(size))));

/** Undefined where it is refused, which it must be just for odd sizes. */
function opened(size: number, open: () => DiskImage): DiskImage | undefined {
  const sound = size > 0 && size % 512 === 0;
  try {
    const image = open();
    if (!sound) throw new Error(`${size} bytes were taken for a disk`);
    return image;
  } catch (error) {
    if (sound || !(error instanceof DiskImageError) || /\n/.test(error.message)) throw error;
    return undefined;
  }
}

const ofEachSize = (...steps: number[]): Uint8Array[] => Array.from({ length: sizes.length * 2 }, (_, which) => Uint8Array.of(which, ...steps));
const programs = ofEachSize(0, 0, 3, 1, 4, 9, 55, 3, 2, 2, 0, 0, 0, 2, 8, 4, 0, 0, 4, 9, 3);
