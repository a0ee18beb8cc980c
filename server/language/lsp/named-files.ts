import { unwatchFile, watchFile, type Stats } from 'node:fs';
import type { LangiumDocument } from 'langium';
import * as ast from '../generated/ast';
import { fileOf, resolvedUri } from '../imports';

/** Milliseconds between two looks at a file. */
const interval = 500;

/**
 * Watches the files that scenarios name, wherever they are and whatever they
 * are called: no editor watches outside of its folders, and some watch nothing.
 * By looking at them, as a linker or a mount that tells nobody is seen as well.
 */
export class NamedFiles {
  readonly #watched = new Map<string, (now: Stats, before: Stats) => void>();

  constructor(private readonly changed: (path: string, how: 'created' | 'changed' | 'deleted') => void) {}

  /** Watches these from now on, and no others. */
  watch(paths: ReadonlySet<string>): void {
    for (const [path, listener] of this.#watched) {
      if (paths.has(path)) continue;
      unwatchFile(path, listener);
      this.#watched.delete(path);
    }
    for (const path of paths) {
      if (this.#watched.has(path)) continue;
      const listener = (now: Stats, before: Stats): void => {
        // What is not there when the watch begins is told once, though nothing has changed.
        if (now.nlink === 0 && before.nlink === 0) return;
        this.changed(path, before.nlink === 0 ? 'created' : now.nlink === 0 ? 'deleted' : 'changed');
      };
      this.#watched.set(path, listener);
      watchFile(path, { persistent: false, interval }, listener);
    }
  }
}

/** The paths of the files that a scenario file names: imports, guests' programs, firmware, disks. */
export function pathsNamedIn(document: LangiumDocument): string[] {
  const named = (fileOf(document)?.items ?? []).flatMap((item): (string | undefined)[] => {
    if (ast.isImport(item)) return [item.path];
    if (!ast.isGuest(item)) return [];
    return item.settings.flatMap((setting) => {
      // Other first words of `run` are the guest's own files.
      if (ast.isProgram(setting)) return setting.arguments.slice(0, 1).filter((word) => /^"[^/]+\//.test(word));
      return ast.isElf(setting) || ast.isDisk(setting) || ast.isFirmware(setting) ? [setting.path] : [];
    });
  });
  return named.flatMap((text) => resolvedUri(document, text)?.fsPath ?? []);
}
