/**
 * `npm run guest:debian`: fetches Debian's riscv64 kernel and busybox with apt,
 * signatures checked, and makes an initial RAM disk that boots to a shell.
 *
 * Everything is kept outside of the tree, in $COVERT_CACHE/debian or
 * ~/.cache/covert/debian; what is there and whose SHA-256 is right is not
 * fetched again, and apt continues a download that was cut off. Neither root
 * nor a change of the host's own apt state is needed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { archive, type ArchiveEntry } from './guest-archive';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const cache = join(process.env.COVERT_CACHE ?? join(homedir(), '.cache/covert'), 'debian');

/** What cannot go on; the message is one line for the user. */
class GuestError extends Error {}

function run(command: string, args: string[], options: { quiet?: boolean; cwd?: string } = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: options.cwd ?? cache,
    stdio: ['ignore', options.quiet === false ? 'inherit' : 'pipe', options.quiet === false ? 'inherit' : 'pipe'],
    maxBuffer: 2 ** 26,
  });
  if (error) throw new GuestError(`${command} cannot be run (${error.message}): this needs a Debian machine with apt`);
  if (status !== 0) throw new GuestError(`${command} failed: ${(stderr ?? '').trim().split('\n').pop() ?? `exit code ${status}`}`);
  return stdout ?? '';
}

/** The mirror that this host uses already. */
function mirror(): string {
  const lines = run('apt-get', ['indextargets', '--format', '$(RELEASE) $(REPO_URI)']).split('\n');
  const found = lines.map((line) => line.split(' ')).find(([release, uri]) => uri && release && !release.includes('-'));
  if (!found?.[1]) throw new GuestError("this host's apt has no Debian mirror: add one to its sources and run apt-get update");
  return found[1];
}

/** Options that give apt a state of its own, for riscv64. */
function aptOptions(): string[] {
  const apt = join(cache, 'apt');
  for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(apt, folder), { recursive: true });
  writeFileSync(join(apt, 'status'), '');
  writeFileSync(join(apt, 'sources.list'), `deb [arch=riscv64 signed-by=${keyring}] ${mirror()} trixie main\n`);
  return [
    'APT::Architecture=riscv64',
    'APT::Architectures=riscv64',
    `Dir::State::Lists=${apt}/lists`,
    `Dir::Etc::SourceList=${apt}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}/cache`,
  ].flatMap((option) => ['-o', option]);
}

interface Package {
  name: string;
  file: string;
  sha256: string;
}

function describe(options: string[], name: string): Package {
  const record = run('apt-cache', [...options, 'show', '--no-all-versions', name]);
  const field = (key: string): string => {
    const value = new RegExp(`^${key}: (.*)$`, 'm').exec(record)?.[1];
    if (value === undefined) throw new GuestError(`Debian has no package ${name} for riscv64`);
    return value;
  };
  const version = field('Version').replaceAll(':', '%3a');
  return { name, file: `${name}_${version}_${field('Architecture')}.deb`, sha256: field('SHA256') };
}

const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** The package's files, in a folder whose name says which version it is. */
function unpacked(options: string[], name: string): string {
  const { file, sha256 } = describe(options, name);
  const downloads = join(cache, 'debs');
  const folder = join(cache, 'packages', file.replace(/\.deb$/, ''));
  if (existsSync(folder)) return folder;
  mkdirSync(downloads, { recursive: true });
  const path = join(downloads, file);
  if (!existsSync(path) || digest(path) !== sha256) {
    console.log(`fetching ${name}`);
    rmSync(path, { force: true });
    run('apt-get', [...options, 'download', name], { cwd: downloads, quiet: false });
    if (!existsSync(path) || digest(path) !== sha256) throw new GuestError(`${file}: its SHA-256 is not the one that Debian signed: run this again`);
  }
  console.log(`unpacking ${file}`);
  rmSync(`${folder}.part`, { recursive: true, force: true });
  mkdirSync(`${folder}.part`, { recursive: true });
  run('dpkg', ['-x', path, `${folder}.part`]);
  renameSync(`${folder}.part`, folder);
  return folder;
}

const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
uname -a
setsid cttyhack sh
poweroff -f
`;

function write(name: string, bytes: Uint8Array): void {
  const path = join(cache, name);
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
  console.log(`${path}  ${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}`);
}

function main(): void {
  if (!existsSync(keyring)) throw new GuestError(`${keyring} is missing: install the package debian-archive-keyring`);
  mkdirSync(cache, { recursive: true });
  const options = aptOptions();
  console.log('reading the package lists');
  run('apt-get', [...options, 'update']);
  const kernel = /Depends: (linux-image-\S+)/.exec(run('apt-cache', [...options, 'depends', 'linux-image-riscv64']))?.[1];
  if (kernel === undefined) throw new GuestError('the package linux-image-riscv64 names no kernel');
  const boot = join(unpacked(options, kernel), 'boot');
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinux-'));
  if (image === undefined) throw new GuestError(`${kernel} has no boot/vmlinux-…`);
  const busybox = join(unpacked(options, 'busybox-static'), 'usr/bin/busybox');
  const entries: ArchiveEntry[] = [
    ...['bin', 'dev', 'etc', 'proc', 'sbin', 'sys', 'tmp'].map((path) => ({ path, mode: 0o40755 })),
    { path: 'bin/busybox', mode: 0o100755, data: readFileSync(busybox) },
    { path: 'dev/console', mode: 0o20600, device: [5, 1] },
    { path: 'init', mode: 0o100755, data: Buffer.from(init) },
  ];
  write('vmlinux', readFileSync(join(boot, image)));
  write('initramfs.cpio.gz', gzipSync(archive(entries)));
  console.log(`boot it: covert exec --linux --ram 512MiB ${join(cache, 'vmlinux')} --initrd ${join(cache, 'initramfs.cpio.gz')}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof GuestError)) throw error;
  console.error(`guest:debian: ${error.message}`);
  process.exitCode = 2;
}
