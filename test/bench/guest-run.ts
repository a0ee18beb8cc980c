/** One run of Debian with the programs of the benchmark, on this engine or under qemu, timed from outside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Tier } from '../../engine/machine/tier';
import type { DebianFiles } from '../../server/guest/debian';
import { startArchive } from '../../server/guest/start-archive';
import { root } from '../cli/covert';
import { initialDisk, qemuArguments } from '../oracles/debian';
import { Marks, type Seen } from './marks';
import { scriptOf, type Program } from './programs';

export interface Guest {
  files: DebianFiles;
  /** The file with its initial RAM disk. */
  initrd: string;
  programs: readonly Program[];
}

/** What the guests of one benchmark are told to do, as files in a folder. */
export function writeGuests(files: DebianFiles, folder: string, programs: readonly Program[], quick: boolean): { boot: Guest; load: Guest } {
  const boot = path.join(folder, 'boot.cpio');
  writeFileSync(boot, Buffer.concat([readFileSync(files.initialDisk), startArchive({ run: ['uname', '-a'] })]));
  const load = path.join(folder, 'load.cpio');
  writeFileSync(load, initialDisk(files, scriptOf(programs, quick), true));
  return { boot: { files, initrd: boot, programs: [] }, load: { files, initrd: load, programs } };
}

/** The executors that are compared: tiers of `covert exec`, and the peer. */
export type Side = Tier | 'qemu';

function commandOf(side: Side, { files, initrd }: Guest): [string, string[]] {
  if (side === 'qemu') return ['qemu-system-riscv64', qemuArguments(files, initrd, '256M', `file=${files.programs},snapshot=on`)];
  return [
    process.execPath,
    [
      path.join(root, 'dist/covert.cjs'), 'exec', '--linux', '--tier', side, '--ram', '256MiB', files.kernel, '--initrd', initrd,
      '--append', 'console=ttyS0 quiet', '--disk', files.programs, '--max-instructions', '1_000_000_000_000',
    ],
  ];
}

export interface GuestRun {
  /** From the start of the process to its end. */
  seconds: number;
  seen: ReadonlyMap<string, Seen>;
}

const now = (): number => Number(process.hrtime.bigint()) / 1e9;

/** Throws where the guest does not come to its end, or a program does not run. */
export async function runGuest(side: Side, guest: Guest, signal: AbortSignal, onProgress: (program: string | undefined) => void): Promise<GuestRun> {
  const [command, args] = commandOf(side, guest);
  const marks = new Marks(guest.programs);
  const start = now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let complaints = '';
  let last = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    marks.read(text, { seconds: now(), instructions: 0 });
    last = `${last}${text}`.slice(-400);
    onProgress(marks.current);
  });
  const exit = await ended(child);
  const seconds = now() - start;
  if (exit !== 0) throw new Error(`${side} ended with ${exit}: ${complaints.trim() || last.trim()}`);
  for (const { name } of guest.programs) if (!marks.seen.has(name)) throw new Error(`${side}: ${name} has not run in the guest, which last said: ${last.trim()}`);
  return { seconds, seen: marks.seen };
}

export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
}
