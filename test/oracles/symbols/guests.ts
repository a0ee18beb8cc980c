import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Compiles the guest of this folder as the tests want it. */

const here = __dirname;
const prefix = 'riscv64-unknown-elf-';

export function has(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Why tests that compile are skipped, or undefined where they are not. */
export const noCompiler = has(`${prefix}gcc`) ? undefined : `${prefix}gcc is missing`;

/** A name for a suite or test: its own, with the reason where it is skipped. */
export function named(name: string, reason: string | undefined): string {
  return reason === undefined ? name : `${name} (skipped: ${reason})`;
}

export interface Guest {
  name: string;
  path: string;
  bytes: Uint8Array;
}

const variants = [4, 5].flatMap((dwarf) => ['0', 'g', '2'].map((level) => ({ dwarf, level })));

/** Names of the guests that {@link compileGuests} makes, known before it runs. */
export const guestNames = variants.map(({ dwarf, level }) => `dwarf ${dwarf} -O${level}`);

/** One guest for each DWARF version and optimisation level, in a temporary folder that `remove` deletes. */
export function compileGuests(): { folder: string; guests: Guest[]; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'covert-symbols-'));
  const guests = variants.map(({ dwarf, level }) => {
    const path = join(folder, `guest-${dwarf}-O${level}.elf`);
    compile(path, [`-gdwarf-${dwarf}`, `-O${level}`]);
    return { name: `dwarf ${dwarf} -O${level}`, path, bytes: readFileSync(path) };
  });
  return { folder, guests, remove: () => rmSync(folder, { recursive: true }) };
}

export function compile(output: string, flags: readonly string[]): void {
  const fixed = ['-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-ffreestanding', '-nostdlib', '-nostartfiles', '-Wl,--no-warn-rwx-segments'];
  execFileSync(`${prefix}gcc`, [...fixed, ...flags, '-T', join(here, 'guest.ld'), join(here, 'guest.c'), join(here, 'guest.S'), '-o', output, '-lgcc']);
}

/** Output of a program of the RISC-V binutils. */
export function binutils(tool: string, args: readonly string[], input = ''): string {
  return execFileSync(`${prefix}${tool}`, args, { input, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] });
}
