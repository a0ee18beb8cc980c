/** Stock Debian with its programs, on this engine and under qemu-system-riscv64. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DebianFiles } from '../../server/guest/debian';
import { startArchive } from '../../server/guest/start-archive';
import { root } from '../cli/covert';

const bootArguments = 'console=ttyS0 quiet';

/** The initial RAM disk of a guest that runs a shell script; with `root` on the disk of programs. */
export function initialDisk(files: DebianFiles, script: string, root = false): Uint8Array {
  const archives = [files.initialDisk, files.modules].map((file) => readFileSync(file));
  return Buffer.concat([...archives, startArchive({ run: ['sh', '-c', script], root })]);
}

/** qemu's arguments for the same guest: RAM, and the first disk as its `-drive` has it. */
export function qemuArguments(files: DebianFiles, initrd: string, ram: string, drive: string): string[] {
  return [
    '-machine', 'virt', '-m', ram, '-nographic', '-global', 'virtio-mmio.force-legacy=false', '-kernel', files.kernel, '-initrd', initrd,
    '-append', bootArguments, '-drive', `${drive},format=raw,if=none,id=first`, '-device', 'virtio-blk-device,drive=first',
  ];
}

/** The lines that a script has said from its BEGIN on, without the kernel's. */
export function said(console: string): string[] {
  const lines = console.slice(Math.max(0, console.lastIndexOf('BEGIN'))).split(/\r?\n/);
  return lines.filter((line) => !/^\[ *\d+\.\d+\]/.test(line));
}

export interface GuestRun {
  exit: number | null;
  /** What came over the console, without the kernel's own lines and the firmware's banner. */
  output: string;
}

/** On this engine, through the command as a user has it. `meanwhile` is called with the process and its console. */
export function onEngine(
  files: DebianFiles,
  initrd: string,
  options: { forwards?: string[]; meanwhile?: (child: ChildProcess, said: () => string) => void } = {},
): Promise<GuestRun> {
  const { forwards = [], meanwhile } = options;
  return run(
    process.execPath,
    [
      path.join(root, 'dist/covert.cjs'), 'exec', '--linux', '--ram', '512MiB', files.kernel, '--initrd', initrd, '--append', bootArguments,
      '--disk', files.programs, '--max-instructions', '100_000_000_000', ...forwards.flatMap((forward) => ['--forward', forward]),
    ],
    meanwhile,
  );
}

export function underQemu(files: DebianFiles, initrd: string): Promise<GuestRun> {
  return run('qemu-system-riscv64', qemuArguments(files, initrd, '512M', `file=${files.programs},snapshot=on`));
}

async function run(command: string, args: string[], meanwhile?: (child: ChildProcess, said: () => string) => void): Promise<GuestRun> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let console = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (console += text));
  child.stderr.resume();
  meanwhile?.(child, () => console);
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { exit, output: said(console).join('\n') };
}
