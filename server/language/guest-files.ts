import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { readElf } from '../../engine/symbols/elf';
import { readSymbols } from '../../engine/symbols/symbols';
import { ElfError, type ElfImage, type Symbols } from '../../engine/symbols/types';
import { NoWholeFileError, readWhole } from '../whole-file';

/** A guest's program, an ELF or a kernel, and everything that it names. */
export interface GuestFile {
  path: string;
  image: Uint8Array;
  symbols: Symbols;
  /** Absent for a flat kernel. */
  elf?: ElfImage;
  /** Where in RAM something stands that the symbols name; absent where that is the same address. */
  physical?(address: bigint): bigint;
}

/** Why an ELF cannot be used, in words that follow its path. */
export interface Unusable {
  unusable: string;
}

/** Another one as soon as a file is another: also if it was put in the other's place, with its size and its time. */
export function markOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
}

/** Reads ELF files and keeps them as long as they stay the same: an editor asks at every keystroke. */
export class GuestFiles {
  readonly #kept = new Map<string, { mark: string; file: Promise<GuestFile | Unusable> }>();

  async read(path: string): Promise<GuestFile | Unusable> {
    let mark: string;
    try {
      const found = await stat(path);
      if (!found.isFile()) return { unusable: found.isDirectory() ? 'is a folder' : 'is no file' };
      mark = markOf(found);
    } catch (error) {
      return { unusable: reasonOf(error) };
    }
    const kept = this.#kept.get(path);
    if (kept?.mark === mark) return kept.file;
    const file = load(path);
    this.#kept.set(path, { mark, file });
    return file;
  }
}

async function load(path: string): Promise<GuestFile | Unusable> {
  try {
    const { buffer, byteOffset, length } = await readWhole(path);
    const image = new Uint8Array(buffer, byteOffset, length);
    return { path, image, elf: readElf(image), symbols: readSymbols(image) };
  } catch (error) {
    return { unusable: error instanceof ElfError ? `cannot be used: ${error.message}` : reasonOf(error) };
  }
}

/** Why a file could not be read, without the path, which the caller says. */
export function reasonOf(error: unknown): string {
  if (error instanceof NoWholeFileError) return error.message;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read';
    case 'EISDIR':
      return 'is a folder';
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
