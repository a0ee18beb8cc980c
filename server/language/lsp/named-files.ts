import { unwatchFile, watchFile, type Stats } from 'node:fs';
import type { AstNode, CstNode, LangiumDocument } from 'langium';
import { part } from '../diagnostic';
import * as ast from '../generated/ast';
import { fileOf, resolvedUri } from '../imports';
import { isOwnProgram } from '../linux-guests';
import { decodeString } from '../values';

/** Milliseconds between two looks at a file. */
const interval = 500;
/** More files are not looked at, so that a folder full of nonsense costs nobody a processor; those named first are. */
const mostFiles = 1000;

/**
 * Watches the files that scenarios name, wherever they are and whatever they
 * are called: no editor watches outside of its folders, and some watch nothing.
 * By looking at them, as a linker or a mount that tells nobody is seen as well.
 */
export class NamedFiles {
  readonly #watched = new Map<string, (now: Stats, before: Stats) => void>();

  constructor(private readonly changed: (path: string, how: 'created' | 'changed' | 'deleted') => void) {}

  /** Watches these from now on, and no others. */
  watch(named: Iterable<string>): void {
    const paths = new Set<string>();
    for (const path of named) {
      paths.add(path);
      if (paths.size === mostFiles) break;
    }
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

/** A file that a scenario file names. */
export interface NamedFile {
  /** Absolute. */
  path: string;
  /** The string that names it, as it is written. */
  text: string;
  place: CstNode | undefined;
  /** A program of the user's own: in `run`, a name without a slash is one of the guest's. */
  isProgram: boolean;
}

/** What a statement names: an import, a guest's program, firmware or disk. */
export function fileNamedBy(node: AstNode, document: LangiumDocument): NamedFile | undefined {
  const named = (text: string | undefined, place: CstNode | undefined, isProgram = false): NamedFile | undefined => {
    const uri = resolvedUri(document, text);
    return text !== undefined && uri ? { path: uri.fsPath, text, place, isProgram } : undefined;
  };
  if (ast.isImport(node)) return named(node.path, part(node, 'path'));
  if (ast.isElf(node)) return named(node.path, part(node, 'path'));
  if (ast.isDisk(node)) return named(node.path, part(node, 'path'));
  if (ast.isFirmware(node)) return named(node.path, part(node, 'path'));
  if (!ast.isProgram(node)) return undefined;
  const [first] = node.arguments;
  const name = first === undefined ? undefined : decodeString(first).value;
  return name !== undefined && isOwnProgram(name) ? named(first, part(node, 'arguments', 0), true) : undefined;
}

/** All of a file. */
export function filesNamedIn(document: LangiumDocument): NamedFile[] {
  const items = fileOf(document)?.items ?? [];
  return items.flatMap((item): readonly AstNode[] => (ast.isGuest(item) ? item.settings : [item])).flatMap((node) => fileNamedBy(node, document) ?? []);
}
