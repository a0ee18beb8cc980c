/** The oracle: qemu-system-riscv64 on the same board, which is where the guests' addresses come from. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const command = 'qemu-system-riscv64';

/** qemu's version line, or undefined where it is not installed. */
export const qemuVersion: string | undefined = (() => {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
})();

/** For names of tests that need qemu, so that a skipped one says why. */
export const needsQemu = qemuVersion === undefined ? ` (skipped: ${command} is not installed)` : '';

/** For tests that leave out what is known of one version, or lean on how it is called. */
export const needsQemu72 = qemuVersion?.includes('version 7.2.') === true ? '' : ` (skipped: needs ${command} 7.2, there is ${qemuVersion ?? 'none'})`;

export interface QemuRun {
  output: Buffer;
  /** The exit code, or null if it was ended after `timeoutMs`. */
  exit: number | null;
  seconds: number;
}

export interface QemuOptions {
  timeoutMs?: number;
  /** One virtual nanosecond an instruction, so that time and interrupts are deterministic. */
  icount?: boolean;
  /** Default 1. */
  harts?: number;
}

/** Runs an ELF on the bare `virt` board in machine mode: no firmware, console on stdout. */
export function runQemu(elf: string, { timeoutMs = 30_000, icount = false, harts = 1 }: QemuOptions = {}): Promise<QemuRun> {
  const args = ['-machine', 'virt', '-bios', 'none', '-display', 'none', '-serial', 'stdio', '-monitor', 'none'];
  args.push('-smp', `${harts}`);
  if (icount) args.push('-icount', 'shift=0');
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const child = spawn(command, [...args, '-kernel', elf], { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    let complaints = '';
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('error', reject);
    child.on('close', (exit) => {
      clearTimeout(timer);
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      if (exit !== null && complaints !== '' && chunks.length === 0) reject(new Error(`${command}: ${complaints.trim()}`));
      else resolve({ output: Buffer.concat(chunks), exit, seconds });
    });
  });
}

/** Like {@link runQemu}, for an image that is no file yet. */
export async function runQemuImage(image: Uint8Array, options?: QemuOptions): Promise<QemuRun> {
  const folder = mkdtempSync(join(tmpdir(), 'covert-qemu-'));
  try {
    const path = join(folder, 'guest.elf');
    writeFileSync(path, image);
    return await runQemu(path, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
