/**
 * The bare-metal programs. Instruction counts are our exact ones for both sides:
 * the guests take no interrupts and read no clock, so both machines retire the
 * same instructions but for polls of the console. The time of starting qemu,
 * measured with a guest that ends at once, is taken off its times.
 */
import { readFileSync } from 'node:fs';
import type { Tier } from '../../engine/machine/tier';
import { qemuVersion, runQemu } from '../oracles/qemu';
import { loadMachine } from '../oracles/run-machine';
import { median, summary, type Summary } from './statistics';

export const kernels = ['integer', 'pointers', 'floating'] as const;
export type Kernel = (typeof kernels)[number];
const pathOf = (name: string): string => `test/bench/kernels/${name}.elf`;

export interface KernelRow {
  kernel: Kernel;
  /** Retired instructions of one run. */
  instructions: number;
  /** Million instructions a second. */
  interpreter: Summary;
  auto: Summary;
  /** Null where qemu is not installed. */
  qemu: Summary | null;
  /** With the translator, through qemu's. */
  ratio: number | null;
}

interface OwnRun {
  seconds: number;
  instructions: number;
  output: string;
}

/** The interpreter is measured on a part of the work, which is alike throughout. */
const interpretedInstructions = 700_000_000;

function runOurs(path: string, tier: Tier, most = 1e12): OwnRun {
  const machine = loadMachine(readFileSync(path), undefined, undefined, tier);
  const start = process.hrtime.bigint();
  machine.run(most);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (machine.exitCode !== 0 && machine.retired < most) throw new Error(`${path}: ended with ${machine.exitCode} after ${machine.retired} instructions`);
  const output = Buffer.from(machine.takeOutputs().flatMap(({ kind, value }) => (kind === 'console' ? [value] : []))).toString();
  return { seconds, instructions: machine.retired, output };
}

async function startTime(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push((await runQemu(pathOf('nothing'))).seconds);
  return median(times);
}

export async function measureKernels(chosen: readonly Kernel[], rounds: number, signal: AbortSignal, onProgress: (kernel: string) => void): Promise<KernelRow[]> {
  const start = qemuVersion && chosen.length > 0 ? await startTime() : 0;
  const rows: KernelRow[] = [];
  for (const kernel of chosen) rows.push(await measure(kernel, rounds, start, signal, onProgress));
  return rows;
}

async function measure(kernel: Kernel, rounds: number, start: number, signal: AbortSignal, onProgress: (kernel: string) => void): Promise<KernelRow> {
  const path = pathOf(kernel);
  const interpreted: number[] = [];
  const translated: number[] = [];
  const theirs: number[] = [];
  let instructions = 0;
  for (let round = 0; round < rounds; round++) {
    onProgress(kernel);
    // Signals and the progress get their turn between runs.
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    const interpreter = runOurs(path, 'interpreter', interpretedInstructions);
    const auto = runOurs(path, 'auto');
    instructions = auto.instructions;
    if (!auto.output.startsWith(interpreter.output)) throw new Error(`${path}: translated, it does something else`);
    interpreted.push(interpreter.instructions / interpreter.seconds / 1e6);
    translated.push(instructions / auto.seconds / 1e6);
    if (!qemuVersion) continue;
    const peer = await runQemu(path, { timeoutMs: 120_000 });
    if (peer.exit !== 0 || peer.output.toString() !== auto.output) {
      throw new Error(`${path}: qemu printed ${JSON.stringify(peer.output.toString())}, we ${JSON.stringify(auto.output)}`);
    }
    theirs.push(instructions / (peer.seconds - start) / 1e6);
  }
  const rate = summary(translated);
  const qemu = theirs.length > 0 ? summary(theirs) : null;
  return { kernel, instructions, interpreter: summary(interpreted), auto: rate, qemu, ratio: qemu ? rate.median / qemu.median : null };
}
