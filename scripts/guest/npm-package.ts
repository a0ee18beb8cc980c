import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { madeOnce, run } from './apt';

/**
 * One file of an npm package, by its path inside of it; npm checks the package's
 * integrity. The package is unpacked into a folder of the caller's, once.
 */
export function npmFile(name: string, version: string, file: string, folder: string): string {
  madeOnce(folder, (part) => {
    const packed = run('npm', ['pack', '--silent', '--pack-destination', part, `${name}@${version}`], { from: 'npm' }).trim();
    const archive = join(part, packed);
    run('tar', ['--extract', '--file', archive, '--directory', part, `package/${file}`]);
    rmSync(archive);
  });
  return join(folder, 'package', file);
}
