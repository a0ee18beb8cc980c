import path from 'node:path';
import { GuestError } from '../../scripts/guest/apt';
import { npmFile } from '../../scripts/guest/npm-package';
import { guestCache } from '../../server/guest/debian';

/** The Node that the corpus is checked on besides the one that runs the tests. */
const version = '24.21.0';

/**
 * The path of another Node's binary, which npm has in a package for each platform; kept outside of the tree.
 * Where it cannot be had: why, in one line.
 */
export function otherNode(): { binary: string } | { obstacle: string } {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    return { binary: npmFile(name, version, 'bin/node', path.join(guestCache(), `${name}-${version}`)) };
  } catch (error) {
    if (error instanceof GuestError) return { obstacle: `${name}@${version} cannot be had: ${error.message}` };
    throw error;
  }
}
