/**
 * `npm run guest:debian`: fetches what stock Debian guests consist of, and makes
 *
 *   vmlinux              the kernel, as it is in Debian's package
 *   System.map           its symbols, as it lists them itself
 *   initramfs.cpio       busybox and an init script: boots to a shell
 *   modules.cpio         the kernel's modules for virtio devices
 *   programs.ext4        a root file system with real programs
 *   fw_dynamic.bin, fw_jump.bin   OpenSBI
 *
 * Everything is kept outside of the tree, in $COVERT_CACHE/debian or
 * ~/.cache/covert/debian; what is there already is not fetched again.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { archive, type ArchiveEntry } from '../../server/guest/archive';
import { debianFolder } from '../../server/guest/debian';
import { Archive, GuestError, run } from './apt';
import { kernelSymbols } from './kernel-symbols';
import { moduleEntries } from './modules';
import { makeRootDisk } from './root-disk';

/** What the root file system has, with all that these need. */
const programs = [
  'base-files', 'base-passwd', 'bash', 'coreutils', 'dash', 'grep', 'sed',
  'openssl', 'sqlite3', 'xz-utils', '7zip', 'redis-server', 'redis-tools', 'nginx-light', 'sysbench',
];
/** A Go program that npm has for riscv64, and its version. */
const esbuild = { name: '@esbuild/linux-riscv64', version: '0.28.2' };

const cache = debianFolder();

function main(): void {
  mkdirSync(cache, { recursive: true });
  const debian = new Archive(cache);
  say("reading Debian's package lists");
  debian.update();
  const kernelName = debian.dependencies('linux-image-riscv64').find((name) => /^linux-image-\d/.test(name));
  if (kernelName === undefined) throw new GuestError('the package linux-image-riscv64 names no kernel');

  say('kernel, busybox and firmware');
  const base = debian.alone([kernelName, 'busybox-static', 'opensbi']);
  const folderOf = (name: string): string => {
    const folder = base.get(name);
    if (folder === undefined) throw new GuestError(`the package ${name} was not fetched`);
    return folder;
  };
  const boot = join(folderOf(kernelName), 'boot');
  const file = (start: string): Buffer => {
    const name = readdirSync(boot).find((entry) => entry.startsWith(start));
    if (name === undefined) throw new GuestError(`${kernelName} has no boot/${start}…`);
    return readFileSync(join(boot, name));
  };
  for (const name of ['fw_dynamic.bin', 'fw_jump.bin']) {
    write(name, readFileSync(join(folderOf('opensbi'), 'usr/lib/riscv64-linux-gnu/opensbi/generic', name)));
  }
  const kernel = file('vmlinux-');
  const disk = archive(initialDisk(join(folderOf('busybox-static'), 'usr/bin/busybox')));
  write('vmlinux', kernel);
  write('initramfs.cpio', disk);
  write('modules.cpio', archive(moduleEntries(folderOf(kernelName))));

  // Told by the kernel's hash, so that it need not be booted again.
  const mapMark = join(cache, 'System.map.recipe');
  const kernelHash = sha256(kernel);
  if (!existsSync(join(cache, 'System.map')) || !existsSync(mapMark) || readFileSync(mapMark, 'utf8') !== kernelHash) {
    say('booting the kernel for its symbols');
    write('System.map', kernelSymbols(kernel, disk));
    writeFileSync(mapMark, kernelHash);
  }

  say('programs');
  const folders = [...debian.withDependencies(programs).values()];
  const made = join(cache, 'programs.ext4');
  // Made of the same packages in the same way, it need not be made again.
  const recipe = createHash('sha256').update(JSON.stringify([folders, esbuild])).update(readFileSync(join(__dirname, 'root-disk.ts'))).digest('hex');
  const mark = join(cache, 'programs.recipe');
  if (!existsSync(made) || !existsSync(mark) || readFileSync(mark, 'utf8') !== recipe) {
    say('making the root file system');
    rmSync(mark, { force: true });
    makeRootDisk(made, folders, [{ from: npmBinary(), to: 'opt/esbuild/bin/esbuild' }]);
    writeFileSync(mark, recipe);
  }
  say(`${made}  ready`);
  console.log(`boot it: node dist/covert.cjs exec --linux --ram 512MiB ${join(cache, 'vmlinux')} --initrd ${join(cache, 'initramfs.cpio')}`);
}

function initialDisk(busybox: string): ArchiveEntry[] {
  return [
    ...['bin', 'dev', 'etc', 'mnt', 'proc', 'sbin', 'sys', 'tmp'].map((path) => ({ path, mode: 0o40755 })),
    { path: 'bin/busybox', mode: 0o100755, data: readFileSync(busybox) },
    { path: 'dev/console', mode: 0o20600, device: [5, 1] },
    { path: 'init', mode: 0o100755, data: readFileSync(join(__dirname, 'init')) },
  ];
}

/** esbuild for riscv64 from npm, which checks the package's integrity. */
function npmBinary(): string {
  const folder = join(cache, 'packages', `esbuild_${esbuild.version}_riscv64`);
  const binary = join(folder, 'package/bin/esbuild');
  if (existsSync(binary)) return binary;
  const downloads = join(cache, 'npm');
  mkdirSync(downloads, { recursive: true });
  const packed = run('npm', ['pack', '--silent', '--pack-destination', downloads, `${esbuild.name}@${esbuild.version}`], { from: 'npm' }).trim();
  rmSync(`${folder}.part`, { recursive: true, force: true });
  mkdirSync(`${folder}.part`, { recursive: true });
  run('tar', ['--extract', '--file', resolve(downloads, packed), '--directory', `${folder}.part`]);
  renameSync(`${folder}.part`, folder);
  return binary;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function say(what: string): void {
  console.log(what);
}

function write(name: string, bytes: Uint8Array): void {
  const path = join(cache, name);
  const digest = sha256(bytes);
  if (!existsSync(path) || sha256(readFileSync(path)) !== digest) {
    writeFileSync(`${path}.part`, bytes);
    renameSync(`${path}.part`, path);
  }
  say(`${path}  ${bytes.length} bytes, sha256 ${digest}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof GuestError)) throw error;
  console.error(`guest:debian: ${error.message}`);
  process.exitCode = 2;
}
