import { closeSync, openSync, readFileSync, realpathSync, renameSync, linkSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

/** An image that somebody else writes to; the message is to be put behind its name. */
export class ImageInUse extends Error {}

/** By whom a lock is held: a process that ended without taking it away holds nothing any more. */
interface Holder {
  host: string;
  pid: number;
  /** When the process began, as its system says; a number may be given to another one later. */
  began: string | undefined;
}

/**
 * Takes an image for this process alone: the file `IMAGE.lock` beside it says so, which names the process. Gives
 * what takes it away again. Throws {@link ImageInUse}, or the file system's error where no such file can be made.
 */
export function lockImage(image: string): () => void {
  const lock = `${realpathSync(image)}.lock`;
  const own: Holder = { host: hostname(), pid: process.pid, began: beginOf(process.pid) };
  for (let attempt = 0; ; attempt++) {
    try {
      const file = openSync(lock, 'wx');
      try {
        writeSync(file, JSON.stringify(own));
      } finally {
        closeSync(file);
      }
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (attempt > 0 || !takeAway(lock)) throw new ImageInUse(`is written to by another run${holderOf(lock)}: let that end, or delete ${lock} if there is none`);
    }
  }
}

/** Takes a lock away that nobody holds any more. False if somebody does. */
function takeAway(lock: string): boolean {
  const text = readLock(lock);
  if (text === undefined) return true;
  if (!isStale(text)) return false;
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    // Somebody else was faster, and may have made another one.
    return true;
  }
  // Between the look and the move somebody may have taken the old one away and made another: that one is put back.
  const moved = readLock(aside);
  if (moved !== text) {
    try {
      linkSync(aside, lock);
    } catch {
      // One more has come in between: it is held all the same.
    }
  }
  rmSync(aside, { force: true });
  return moved === text;
}

function readLock(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parsed(text: string): Holder | undefined {
  try {
    const { host, pid, began } = JSON.parse(text) as Partial<Holder>;
    return typeof host === 'string' && typeof pid === 'number' && pid > 0 ? { host, pid, began } : undefined;
  } catch {
    return undefined;
  }
}

/** True if its process is no more. Of another machine's nobody knows, nor of one that is just being written. */
function isStale(text: string): boolean {
  const holder = parsed(text);
  if (holder?.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  return holder.began !== undefined && beginOf(holder.pid) !== holder.began;
}

function holderOf(lock: string): string {
  const holder = parsed(readLock(lock) ?? '');
  if (!holder) return '';
  return holder.host === hostname() ? ` (process ${holder.pid})` : ` (process ${holder.pid} on ${holder.host})`;
}

/** The start time of a process in Linux: field 22 of its `stat` (man 5 proc), behind a name that may have anything in it. */
function beginOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
