import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'corpus');

/** The inputs kept for a target, in a fixed order. */
export function readCorpus(target: string): { name: string; input: Uint8Array }[] {
  const own = join(folder, target);
  if (!existsSync(own)) return [];
  const names = readdirSync(own).filter((name) => name.endsWith('.bin')).sort();
  return names.map((name) => ({ name, input: new Uint8Array(readFileSync(join(own, name))) }));
}

/** Keeps an input, and gives its path. */
export function keep(target: string, input: Uint8Array): string {
  const own = join(folder, target);
  mkdirSync(own, { recursive: true });
  const path = join(own, `${createHash('sha256').update(input).digest('hex').slice(0, 12)}.bin`);
  writeFileSync(`${path}.part`, input);
  renameSync(`${path}.part`, path);
  return path;
}
