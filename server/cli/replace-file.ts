import type { Stats } from 'node:fs';
import { access, constants, lstat, open, rename, rm } from 'node:fs/promises';
import { BadInput } from './failure';

const systemErrors: Record<string, string> = {
  ENOENT: 'it has vanished',
  EACCES: 'no permission to write it',
  EPERM: 'no permission to write it',
  EROFS: 'nothing can be written there',
  ENOSPC: 'there is no room left',
  EDQUOT: 'there is no room left',
};

/**
 * Puts new content in the place of a file, whole or not at all. The file keeps
 * its mode and its owner. `was` is what it was like when it was read: if it is
 * another one by now, somebody else's work would be lost.
 *
 * @throws BadInput that says why nothing was written.
 */
export async function replaceFile(file: string, was: Stats, content: string): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  let isMade = false;
  try {
    const is = await lstat(file);
    if (is.ino !== was.ino || is.size !== was.size || is.mtimeMs !== was.mtimeMs) {
      throw new BadInput(`${file}: it was changed meanwhile, and so left as it is`);
    }
    // Who may do anything would be let through by the system.
    if ((is.mode & 0o222) === 0) throw new BadInput(`${file}: it is read-only`);
    await access(file, constants.W_OK);
    const target = await open(part, 'wx', is.mode & 0o777);
    isMade = true;
    try {
      await target.writeFile(content);
      const made = await target.stat();
      if (made.uid !== is.uid || made.gid !== is.gid) await target.chown(is.uid, is.gid);
      // After the owner, which takes set-user-id away; and the process's mask had a say before.
      await target.chmod(is.mode & 0o7777);
      await target.sync();
    } finally {
      await target.close();
    }
    await rename(part, file);
  } catch (error) {
    if (isMade) await rm(part, { force: true });
    throw asUnwritable(file, error);
  }
}

function asUnwritable(file: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? error : new BadInput(`${file}: ${systemErrors[code] ?? message}`, { cause: error });
}
