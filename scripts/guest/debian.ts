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
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { archive, type ArchiveEntry } from '../../server/guest/archive';
import { debianFolder } from '../../server/guest/debian';
import { Archive, GuestError } from './apt';
import { kernelSymbols } from './kernel-symbols';
import { moduleEntries } from './modules';
import { npmFile } from './npm-package';
import { makeRootDisk } from './root-disk';

/** What the root file system has, with all that these need. */
const programs = [
  'base-files', 'base-passwd', 'bash', 'coreutils', 'dash', 'grep', 'sed',
  'openssl', 'sqlite3', 'xz-utils', '7zip', 'redis-server', 'redis-tools', 'nginx-light', 'stress', 'sysbench',
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
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinux-'));
  if (image === undefined) throw new GuestError(`${kernelName} has no boot/vmlinux-…`);
  for (const name of ['fw_dynamic.bin', 'fw_jump.bin']) {
    write(name, readFileSync(join(folderOf('opensbi'), 'usr/lib/riscv64-linux-gnu/opensbi/generic', name)));
  }
  const kernel = readFileSync(join(boot, image));
  const disk = archive(initialDisk(join(folderOf('busybox-static'), 'usr/bin/busybox')));
  write('vmlinux', kernel);
  write('initramfs.cpio', disk);
  write('modules.cpio', archive(moduleEntries(folderOf(kernelName))));

  // The kernel's hash is all that its symbols depend on.
  remade('System.map', sha256(kernel), () => {
    say('booting the kernel for its symbols');
    write('System.map', kernelSymbols(kernel, disk));
  });

  say('programs');
  const folders = [...debian.withDependencies(programs).values()];
  const made = join(cache, 'programs.ext4');
  const recipe = createHash('sha256').update(JSON.stringify([folders, esbuild])).update(readFileSync(join(__dirname, 'root-disk.ts'))).digest('hex');
  remade('programs.ext4', recipe, () => {
    say('making the root file system');
    const binary = npmFile(esbuild.name, esbuild.version, 'bin/esbuild', join(cache, 'packages', `esbuild_${esbuild.version}_riscv64`));
    makeRootDisk(made, folders, [{ from: binary, to: 'opt/esbuild/bin/esbuild' }]);
  });
  say(`${made}  ready`);
  console.log(`boot it: node dist/covert.cjs exec --linux ${join(cache, 'vmlinux')} --initrd ${join(cache, 'initramfs.cpio')}`);
}

function initialDisk(busybox: string): ArchiveEntry[] {
  return [
    ...['bin', 'dev', 'etc', 'mnt', 'proc', 'sbin', 'sys', 'tmp'].map((path) => ({ path, mode: 0o40755 })),
    { path: 'bin/busybox', mode: 0o100755, data: readFileSync(busybox) },
    { path: 'dev/console', mode: 0o20600, device: [5, 1] },
    { path: 'init', mode: 0o100755, data: readFileSync(join(__dirname, 'init')) },
  ];
}

/** Makes a file anew unless it was made by the same recipe, which stands beside it. */
function remade(name: string, recipe: string, make: () => void): void {
  const mark = join(cache, `${name}.recipe`);
  if (existsSync(join(cache, name)) && existsSync(mark) && readFileSync(mark, 'utf8') === recipe) return;
  rmSync(mark, { force: true });
  make();
  writeFileSync(mark, recipe);
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

const command = new Command('npm run guest:debian')
  .description("Fetches stock Debian's kernel, firmware and programs for riscv64, and makes what guests consist of.")
  .addHelpText('after', `
All is kept in ${cache};
COVERT_CACHE names another folder for it. What is there is not fetched again.
Exits with 0 if all is there, 2 if an option is wrong or something could not be had.

Example:
  COVERT_CACHE=/var/cache/covert npm run guest:debian`)
  .allowExcessArguments(false)
  .exitOverride();

try {
  command.parse();
  main();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof GuestError) {
    console.error(`guest:debian: ${error.message}`);
    process.exitCode = 2;
  } else throw error;
}
