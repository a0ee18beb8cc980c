import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readElf } from '../elf';
import type { FrameReader } from '../types';

/** The guests that are committed with the project: built with DWARF 5 and -Og. */

const folder = join(__dirname, '../../../examples');

export interface Example {
  name: string;
  path: string;
  bytes: Uint8Array;
}

export const examples: Example[] = readdirSync(folder)
  .map((name) => ({ name, path: join(folder, name, `${name}.elf`) }))
  .flatMap(({ name, path }) => {
    try {
      return [{ name, path, bytes: readFileSync(path) }];
    } catch {
      return []; // a folder without a guest of its own
    }
  });

/** The lines of a C source of an example, the first at index 1. */
export function sourceLines(name: string): string[] {
  return ['', ...readFileSync(join(folder, name, `${name}.c`), 'utf8').split('\n')];
}

/** A guest that has just been loaded: no register set, memory as in the file. */
export function loaded(bytes: Uint8Array, pc: bigint): FrameReader {
  const { segments } = readElf(bytes);
  return {
    pc,
    x: () => 0n,
    f: () => 0n,
    read(address, size) {
      const segment = segments.find(({ virtual, memoryBytes }) => address >= virtual && address + BigInt(size) <= virtual + BigInt(memoryBytes));
      if (!segment) return undefined;
      const offset = Number(address - segment.virtual);
      const found = new Uint8Array(size);
      found.set(segment.data.subarray(offset, offset + size));
      return found;
    },
  };
}
