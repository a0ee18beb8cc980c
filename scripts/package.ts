/** `npm run package`: the extension as covert.vsix, from what the build left in dist. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './workbench-server';

/** Bundled as it is, the extension stays far below this; a stray file would not. */
const mostBytes = 3_000_000;

/** Makes the .vsix; returns its path. Throws with vsce's own words if it cannot. */
export function packageExtension(file: string): string {
  const vsce = join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  const flags = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  const result = spawnSync(process.execPath, [vsce, 'package', ...flags, '--out', file], { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`vsce failed:\n${(result.error?.message ?? result.stdout + result.stderr).trim()}`);
  const { size } = statSync(file);
  if (size > mostBytes) throw new Error(`${file} has ${size} bytes, more than ${mostBytes}: what does .vscodeignore let in?`);
  return file;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const file = packageExtension(join(root, 'covert.vsix'));
    process.stdout.write(`${file}: ${Math.round(statSync(file).size / 1000)} kB\n`);
  } catch (error) {
    process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 3;
  }
}
