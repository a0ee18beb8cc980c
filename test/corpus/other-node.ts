import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** The Node that the corpus is checked on besides the one that runs the tests. */
const version = '24.21.0';

/**
 * The path of another Node's binary, which npm has in a package for each platform; kept outside of the tree.
 * Where it cannot be had: why, in one line.
 */
export function otherNode(): { binary: string } | { obstacle: string } {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = path.join(process.env['COVERT_CACHE'] ?? path.join(homedir(), '.cache/covert'), `${name}-${version}`);
  const binary = path.join(folder, 'package/bin/node');
  if (existsSync(binary)) return { binary };
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const packed = spawnSync('npm', ['pack', '--silent', '--pack-destination', part, `${name}@${version}`], { encoding: 'utf8' });
  const archive = packed.stdout?.trim();
  if (packed.status !== 0 || !archive) return { obstacle: `npm has no ${name}@${version} here` };
  const unpacked = spawnSync('tar', ['--extract', '--file', path.join(part, archive), '--directory', part, 'package/bin/node']);
  if (unpacked.status !== 0) return { obstacle: `${archive} cannot be unpacked` };
  rmSync(path.join(part, archive));
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  return { binary };
}
