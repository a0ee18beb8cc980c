/**
 * The Debian packages that some tests need. Installed where that is possible
 * (root, apt); elsewhere the tests that need them are reported as skipped. With
 * them, stock Debian as a guest.
 */
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { inModules, isMain, runScript, SetupError, step } from './setup.mjs';

/** Package, and what is not tested without it. */
const packages = new Map([
  ['qemu-system-misc', 'output and exit codes against qemu-system-riscv64'],
  ['qemu-user', 'floating point and instructions against qemu-riscv64'],
  ['gdb-multiarch', 'lines, frames and variables against gdb'],
  ['gcc-riscv64-unknown-elf', 'guests that tests compile'],
  ['picolibc-riscv64-unknown-elf', 'guests that tests compile'],
  ['binutils-riscv64-unknown-elf', 'disassembly and symbols against objdump and readelf'],
  ['debian-archive-keyring', 'stock Debian as a guest'],
  ['e2fsprogs', 'stock Debian as a guest'],
  ['xz-utils', 'stock Debian as a guest'],
  ['curl', 'a web server in a guest'],
  ['device-tree-compiler', 'device trees against dtc'],
  ['neovim', 'the language server in Neovim'],
  ['chromium', 'the extension in a real VS Code workbench'],
  ['fonts-dejavu-core', 'readable screenshots of the workbench'],
  ['ripgrep', 'search in the workbench'],
  ['libkrb5-dev', "the workbench's native parts"],
  ['libx11-dev', "the workbench's native parts"],
  ['libxkbfile-dev', "the workbench's native parts"],
  ['libsecret-1-dev', "the workbench's native parts"],
  ['pkg-config', "the workbench's native parts"],
  ['build-essential', "the workbench's native parts"],
  ['python3', "the workbench's native parts"],
]);

/**
 * Installs what is missing, if it can.
 * @returns {Promise<string | undefined>} why tests may be skipped, in one line
 */
async function installTestPackages() {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-query')) {
    return `no Debian packages on this system (wanted: ${[...packages.keys()].join(' ')})`;
  }
  const missing = missingPackages();
  if (missing.length === 0) return undefined;
  const byHand = `apt-get install ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) return `not installed, and only root can: ${byHand}`;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await step('package lists (apt-get update)', ['apt-get', ['update']], { env });
    await step(
      `Debian packages (apt-get install ${missing.length})`,
      ['apt-get', ['install', '-y', '--no-install-recommends', ...missing]],
      { env },
    );
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`covert: ${error.message}\n`);
    return `apt-get failed; by hand: ${byHand}`;
  }
  return undefined;
}

/** Debian for riscv64, which is kept outside of the tree: the second time this only asks apt what is new. */
async function fetchDebianGuest() {
  try {
    await step('stock Debian for riscv64 (guest:debian)', [process.execPath, [inModules('tsx/dist/cli.mjs'), 'scripts/guest/debian.ts']]);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`covert: ${error.message}\n`);
    return 'stock Debian could not be fetched: npm run guest:debian says why';
  }
  return undefined;
}

/** Installs what is missing, or says on stderr what cannot be tested. Returns why, if so. */
export async function provideTestPackages() {
  const obstacle = (await installTestPackages()) ?? (await fetchDebianGuest());
  if (obstacle === undefined) return undefined;
  process.stderr.write(`covert: some tests will be skipped: ${obstacle}\n`);
  for (const name of missingPackages()) process.stderr.write(`covert:   without ${name}: ${packages.get(name)}\n`);
  return obstacle;
}

function missingPackages() {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...packages.keys()], {
    encoding: 'utf8',
  });
  if (query.error) return [...packages.keys()];
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return [...packages.keys()].filter((name) => !installed.has(name));
}

if (isMain(import.meta.url)) await runScript(async () => void (await provideTestPackages()));
