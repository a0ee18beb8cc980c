/** Stock Debian with its programs, on this engine and under qemu-system-riscv64. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DebianFiles } from '../../server/guest/debian';
import { startArchive } from '../../server/guest/start-archive';
import { root } from '../cli/covert';

const bootArguments = 'console=ttyS0 quiet';

/** Writes the initial RAM disk of a guest that runs a shell script on the disk of programs; gives its path. */
export async function writeInitialDisk(folder: string, files: DebianFiles, script: string): Promise<string> {
  const archives = await Promise.all([files.initialDisk, files.modules].map((file) => readFile(file)));
  const initrd = path.join(folder, 'initrd.cpio');
  await writeFile(initrd, Buffer.concat([...archives, startArchive({ run: ['sh', '-c', script], root: true })]));
  return initrd;
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
  return run('qemu-system-riscv64', [
    '-machine', 'virt', '-m', '512M', '-nographic', '-global', 'virtio-mmio.force-legacy=false', '-kernel', files.kernel, '-initrd', initrd,
    '-append', bootArguments, '-drive', `file=${files.programs},format=raw,if=none,id=programs,snapshot=on`, '-device', 'virtio-blk-device,drive=programs',
  ]);
}

async function run(command: string, args: string[], meanwhile?: (child: ChildProcess, said: () => string) => void): Promise<GuestRun> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.resume();
  meanwhile?.(child, () => said);
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const begin = said.lastIndexOf('BEGIN\r\n');
  const lines = said.slice(begin < 0 ? 0 : begin).split(/\r?\n/);
  return { exit, output: lines.filter((line) => !/^\[ *\d+\.\d+\]/.test(line)).join('\n') };
}
