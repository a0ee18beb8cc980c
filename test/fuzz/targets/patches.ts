import type { ByteReader } from './byte-reader';

/** A part of a file that readers look at closely. */
export interface Region {
  start: number;
  bytes: number;
}

/** Values at which readers of files err. */
const values = [
  0n, 1n, 2n, 3n, 4n, 7n, 8n, 16n, 24n, 32n, 63n, 64n, 127n, 128n, 255n, 256n, 4095n, 4096n, 0x7fffn, 0x8000n, 0xffffn, 0x10000n, 0x10_0000n,
  0x7fff_ffffn, 0x8000_0000n, 0x8000_1000n, 0xffff_ffffn, 0x1_0000_0000n, 0x1f_ffff_ffff_ffffn, 0x20_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n, 0xffff_ffff_ffff_f000n, 0xffff_ffff_ffff_ffffn,
];
const mostPatches = 32;

/** One of the values, or any. */
export function value64(program: ByteReader): bigint {
  return values[program.byte() % (values.length + 2)] ?? (BigInt(program.word()) << 32n) | BigInt(program.word());
}

/**
 * A sound file with changes: the input is a program of them, so that a small one
 * makes another large file. What is left of the program makes none.
 */
export function patched(base: Uint8Array, regions: readonly Region[], program: ByteReader): Uint8Array {
  let file = Buffer.from(base);
  for (let count = 0; !program.done && count < mostPatches && file.length > 0; count++) {
    const kind = program.byte() % 10;
    const region = regions[program.byte() % Math.max(1, regions.length)] ?? { start: 0, bytes: file.length };
    const at = Math.min(region.start + (program.half() % Math.max(1, region.bytes)), file.length - 1);
    const width = Math.min([1, 2, 4, 8][program.byte() & 3] ?? 1, file.length - at);
    switch (kind) {
      case 0:
      case 1:
        little(file, at, width, value64(program));
        break;
      case 2:
        little(file, at, width, read(file, at, width) + BigInt(program.byte() - 128));
        break;
      case 3:
        file[at] = (file[at] ?? 0) ^ (1 << (program.byte() & 7));
        break;
      case 4:
        file.set(program.take(Math.min(program.byte() & 31, file.length - at)), at);
        break;
      case 5:
        file.fill(program.byte(), at, Math.min(file.length, at + program.half()));
        break;
      case 6: {
        // Something that stands elsewhere.
        const other = regions[program.byte() % Math.max(1, regions.length)] ?? region;
        const from = other.start + (program.half() % Math.max(1, other.bytes));
        file.copyWithin(at, from, Math.min(from + program.byte(), from + file.length - at));
        break;
      }
      case 7:
        file = Buffer.concat([file.subarray(0, at), program.take(program.byte() & 15), file.subarray(at)]);
        break;
      case 8:
        file = Buffer.concat([file.subarray(0, at), file.subarray(at + program.byte())]);
        break;
      default:
        // Most should stay whole.
        if ((program.byte() & 7) === 7) file = file.subarray(0, at);
    }
  }
  return new Uint8Array(file);
}

function read(file: Buffer, at: number, width: number): bigint {
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(file[at + i] ?? 0);
  return value;
}

function little(file: Buffer, at: number, width: number, value: bigint): void {
  for (let i = 0; i < width; i++) file[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}
