import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/**
 * Finds the files that debug information names. Guests are built with paths
 * that mean nothing on this machine, so a relative name is looked for below
 * the ELF's folder and each folder above it, longest trailing part first.
 */
export class SourceFinder {
  readonly #folder: string;
  readonly #found = new Map<string, string | undefined>();

  constructor(elfPath: string) {
    this.#folder = dirname(resolve(elfPath));
  }

  /** The absolute path of a file that exists, or undefined. */
  find(name: string): string | undefined {
    if (!this.#found.has(name)) this.#found.set(name, this.#search(name));
    return this.#found.get(name);
  }

  /** True if an editor's path and a name in the debug information are the same file. */
  same(path: string, name: string): boolean {
    const found = this.find(name);
    return found !== undefined && relative(found, path) === '';
  }

  #search(name: string): string | undefined {
    if (isAbsolute(name) && existsSync(name)) return name;
    const parts = name.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
    for (let folder = this.#folder; ; folder = dirname(folder)) {
      for (let skip = 0; skip < parts.length; skip++) {
        const candidate = join(folder, parts.slice(skip).join(sep));
        // Above the ELF's own folder a bare file name would match strangers.
        if (skip === parts.length - 1 && folder !== this.#folder) break;
        if (existsSync(candidate)) return candidate;
      }
      if (dirname(folder) === folder) return undefined;
    }
  }
}

/** `{ name, path }` as the protocol wants it, or a name alone where there is no such file. */
export function protocolSource(finder: SourceFinder, name: string): { name: string; path?: string } {
  const path = finder.find(name);
  return path === undefined ? { name: basename(name) } : { name: basename(path), path };
}
