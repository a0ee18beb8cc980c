import { archive, type ArchiveEntry } from './archive';

/** What a Linux guest does once it is up. */
export interface StartOptions {
  /** The command: a program and its arguments. Without one a shell starts on the console. */
  run?: readonly string[];
  /** A program of the user's own, put into the guest and run in place of `run`'s first word. */
  program?: Uint8Array;
  /** Make the disk of programs the root. Default false. */
  root?: boolean;
  /** Mount the guest's own disk at /disk. Default false. */
  disk?: boolean;
}

/** An archive that, behind the initial RAM disk, tells its init script what to do. */
export function startArchive({ run, program, root = false, disk = false }: StartOptions): Uint8Array {
  const entries: ArchiveEntry[] = [{ path: 'covert', mode: 0o40755 }];
  if (root) entries.push({ path: 'covert/root', mode: 0o100644 });
  if (disk) entries.push({ path: 'covert/disk', mode: 0o100644 });
  if (program) entries.push({ path: 'covert/program', mode: 0o100755, data: program });
  if (run) {
    const [name = '', ...rest] = run;
    // The script stands beside the program wherever both have been moved to.
    const first = program ? '"${0%/*}/program"' : quoted(name);
    const script = `exec ${[first, ...rest.map(quoted)].join(' ')}\n`;
    entries.push({ path: 'covert/run', mode: 0o100644, data: Buffer.from(script) });
  }
  return archive(entries);
}

/** One word of a POSIX shell, whatever is in it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
