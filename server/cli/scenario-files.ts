import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { asUnreadable, BadInput } from './failure';

/** What the arguments of a command come to. */
export interface ScenarioFiles {
  /** Each once, in the order of the arguments; those of a folder by name. */
  files: string[];
  /** Arguments and folders that lead to no file. */
  problems: BadInput[];
}

/**
 * The files that arguments name: files as they are, and of folders every
 * `*.covert` in them and below, but for `node_modules`, what is hidden behind a
 * dot, and symbolic links, which may go round.
 */
export async function scenarioFiles(paths: readonly string[]): Promise<ScenarioFiles> {
  const files = new Map<string, string>();
  const problems: BadInput[] = [];
  for (const one of paths) {
    const isFolder = await stat(one).then((found) => found.isDirectory(), () => false);
    const found = isFolder ? await filesBelow(one, problems) : [one];
    for (const file of found) if (!files.has(path.resolve(file))) files.set(path.resolve(file), file);
  }
  return { files: [...files.values()], problems };
}

async function filesBelow(top: string, problems: BadInput[]): Promise<string[]> {
  const files: string[] = [];
  const before = problems.length;
  const open = [top];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    try {
      for (const entry of await readdir(folder, { withFileTypes: true })) {
        const whole = path.join(folder, entry.name);
        if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) open.push(whole);
        else if (entry.isFile() && entry.name.endsWith('.covert')) files.push(whole);
      }
    } catch (error) {
      const problem = asUnreadable(folder, error);
      if (!(problem instanceof BadInput)) throw problem;
      problems.push(problem);
    }
  }
  if (files.length === 0 && problems.length === before) problems.push(new BadInput(`${top}: there is no scenario file (*.covert) in this folder or below`));
  // Separators before all else, so that a folder's files stay together on every platform.
  const key = (file: string): string => file.replaceAll(path.sep, '\0');
  return files.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
