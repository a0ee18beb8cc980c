/**
 * Debian's packages for riscv64, fetched by the host's apt with a state of its
 * own: neither root nor a change of the host's state is needed. apt checks the
 * signatures and the hashes, and continues a download that was cut off.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** What cannot go on; the message is one line for the user. */
export class GuestError extends Error {}

interface RunOptions {
  /** Let the command write to the terminal. Default false. */
  shown?: boolean;
  cwd?: string;
  /** What a command that is not there is part of, for the message. */
  from?: string;
  environment?: Record<string, string>;
}

/** Runs a command to its end and gives what it wrote to stdout. */
export function run(command: string, args: string[], { shown = false, cwd, from = 'a Debian machine', environment }: RunOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe'],
    maxBuffer: 2 ** 26,
    env: { ...process.env, LC_ALL: 'C', ...environment },
  });
  if (error) throw new GuestError(`${command} cannot be run (${error.message}): this needs ${from}`);
  if (status !== 0) {
    const lines = (stderr ?? '').trim().split('\n');
    // apt's first error is the cause; those after it only sum up.
    const cause = lines.find((line) => line.startsWith('E: ')) ?? lines.pop();
    throw new GuestError(`${command} failed: ${cause || `exit code ${status}`}`);
  }
  return stdout ?? '';
}

/** A folder that is there whole or not at all: `fill` makes its content, in another one. */
export function madeOnce(folder: string, fill: (part: string) => void): string {
  if (existsSync(folder)) return folder;
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  fill(part);
  renameSync(part, folder);
  return folder;
}

/** The mirror that this host uses already. */
function mirror(): string {
  const lines = run('apt-get', ['indextargets', '--format', '$(RELEASE) $(REPO_URI)']).split('\n');
  const found = lines.map((line) => line.split(' ')).find(([release, uri]) => uri && release && !release.includes('-'));
  if (!found?.[1]) throw new GuestError("this host's apt has no Debian mirror: add one to its sources and run apt-get update");
  return found[1];
}

/** Debian's archive for riscv64, with downloads and unpacked packages below a folder. */
export class Archive {
  readonly #options: string[];

  constructor(private readonly folder: string) {
    if (!existsSync(keyring)) throw new GuestError(`${keyring} is missing: install the package debian-archive-keyring`);
    const apt = join(folder, 'apt');
    for (const needed of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(apt, needed), { recursive: true });
    writeFileSync(join(apt, 'status'), '');
    writeFileSync(join(apt, 'sources.list'), `deb [arch=riscv64 signed-by=${keyring}] ${mirror()} trixie main\n`);
    this.#options = [
      'APT::Architecture=riscv64',
      'APT::Architectures=riscv64',
      `Dir::State::Lists=${apt}/lists`,
      `Dir::Etc::SourceList=${apt}/sources.list`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::status=${apt}/status`,
      `Dir::Cache=${apt}/cache`,
      'APT::Sandbox::User=',
    ].flatMap((option) => ['-o', option]);
  }

  /** Reads the package lists. Where that fails (a mirror in the middle of its own update, say), those of the last time will do. */
  update(): void {
    try {
      run('apt-get', [...this.#options, 'update']);
    } catch (error) {
      const before = readdirSync(join(this.folder, 'apt/lists')).some((name) => name.includes('_Packages'));
      if (!(error instanceof GuestError)) throw error;
      if (!before) throw new GuestError(`${error.message}; if that is the mirror's doing, try again later, or name another one in this host's apt sources`);
      console.log(`the package lists could not be read anew, so those of the last time are used (${error.message})`);
    }
  }

  /** What a package depends on, by name. */
  dependencies(name: string): string[] {
    const lines = run('apt-cache', [...this.#options, 'depends', name]).split('\n');
    return lines.map((line) => /Depends: (\S+)/.exec(line)?.[1]).filter((found) => found !== undefined);
  }

  /** Fetches packages and all that they need, and gives the folder of each, unpacked, by package name. */
  withDependencies(names: string[]): Map<string, string> {
    const install = [...this.#options, '--yes', '--no-install-recommends', 'install', ...names];
    const planned = run('apt-get', ['--simulate', ...install]);
    const chosen = [...planned.matchAll(/^Inst (\S+) \((\S+) .*\[(\S+)\]\)/gm)];
    run('apt-get', ['--download-only', ...install], { shown: true });
    return new Map(chosen.map(([, name = '', version = '', architecture = '']) => [name, this.#unpacked(name, version, architecture)]));
  }

  /** Fetches packages alone, without what they depend on. */
  alone(names: string[]): Map<string, string> {
    const found = names.map((name): [string, string] => {
      const record = run('apt-cache', [...this.#options, 'show', '--no-all-versions', name]);
      const field = (key: string): string => {
        const value = new RegExp(`^${key}: (.*)$`, 'm').exec(record)?.[1];
        if (value === undefined) throw new GuestError(`Debian has no package ${name} for riscv64`);
        return value;
      };
      const version = field('Version');
      const architecture = field('Architecture');
      const downloads = join(this.folder, 'apt/cache/archives');
      // `download` checks what is there and fetches it only if it is not the signed one.
      run('apt-get', [...this.#options, 'download', name], { cwd: downloads, shown: true });
      return [name, this.#unpacked(name, version, architecture)];
    });
    return new Map(found);
  }

  /** The package's files, in a folder whose name says which version it is. */
  #unpacked(name: string, version: string, architecture: string): string {
    const file = `${name}_${version.replaceAll(':', '%3a')}_${architecture}`;
    return madeOnce(join(this.folder, 'packages', file), (part) => {
      run('dpkg-deb', ['--extract', join(this.folder, 'apt/cache/archives', `${file}.deb`), part]);
    });
  }
}
