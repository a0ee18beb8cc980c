import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FrameReader } from '../../../engine/symbols/types';
import { has } from './guests';

/** What gdb recorded at a stop; see record.py. */
export interface Stop {
  x: string[];
  f: string[];
  memory: string;
  frames: GdbFrame[];
}

export interface GdbFrame {
  pc: string;
  function: string | null;
  inlined: boolean;
  file: string | null;
  line: number;
  sp: string;
  variables: Record<string, { type: string; value: Leaves }>;
}

/** Members by name, a number, or null for what was optimised out. */
export type Leaves = null | { int: string } | { float: string } | { [member: string]: Leaves };

export const noGdb = !has('gdb-multiarch') ? 'gdb-multiarch is missing' : !has('qemu-system-riscv64') ? 'qemu-system-riscv64 is missing' : undefined;

const memoryStart = 0x80000000n;
const memoryBytes = 0x2000n;

/**
 * Runs the guest in qemu under gdb, which tries again until qemu listens, from one
 * of the addresses to the next that it comes by, and gives what gdb saw there.
 */
export async function record(elf: string, stops: number, addresses: readonly bigint[]): Promise<Stop[]> {
  const port = await freePort();
  const options = ['-machine', 'virt', '-bios', 'none', '-kernel', elf, '-display', 'none', '-serial', 'none', '-monitor', 'none', '-S', '-gdb', `tcp:127.0.0.1:${port}`];
  const qemu = spawn('qemu-system-riscv64', options, { stdio: 'ignore' });
  try {
    const output = `${elf}.stops`;
    const gdb = spawnSync('gdb-multiarch', ['-nx', '-batch', elf, '-x', join(__dirname, 'record.py')], {
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        ...process.env,
        RECORD_PORT: `${port}`,
        RECORD_OUTPUT: output,
        RECORD_STOPS: `${stops}`,
        RECORD_ADDRESSES: addresses.map((address) => address.toString(16)).join(),
        RECORD_MEMORY: `${memoryStart.toString(16)}:${memoryBytes.toString(16)}`,
      },
    });
    if (gdb.status !== 0 || !existsSync(output)) throw new Error(`gdb failed: ${gdb.stderr}`);
    const lines = readFileSync(output, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Stop);
  } finally {
    qemu.kill();
  }
}

/** The registers and memory of a stop. */
export function readerOf(stop: Stop): FrameReader {
  const memory = Buffer.from(stop.memory, 'hex');
  return {
    pc: BigInt(stop.frames[0]!.pc),
    x: (index) => BigInt(stop.x[index]!),
    f: (index) => BigInt(stop.f[index]!),
    read(address, bytes) {
      const offset = address - memoryStart;
      return offset >= 0n && offset + BigInt(bytes) <= memoryBytes ? memory.subarray(Number(offset), Number(offset) + bytes) : undefined;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
