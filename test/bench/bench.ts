/**
 * `npm run bench`: the speed of the resident core, with and without the translator, beside qemu, on
 * the same guests, in turns, in one run; and the time that states take.
 *
 *   --quick   one round instead of five
 *   --json    the numbers as JSON on stdout
 *
 * The instruction counts are our exact ones for both: the guests take no
 * interrupts and read no clock, so both machines retire the same instructions
 * but for polls of the console. The time of starting qemu, measured with a guest
 * that ends at once, is taken off its times.
 */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import type { Tier } from '../../engine/machine/machine';
import { loadMachine } from '../oracles/run-machine';
import { qemuVersion, runQemu } from '../oracles/qemu';
import { measureStates, type StateTimes, type Times } from './states';
import { median, spread } from './statistics';

const kernels = ['integer', 'pointers', 'floating'] as const;
const pathOf = (name: string): string => `test/bench/kernels/${name}.elf`;

interface Row {
  kernel: string;
  /** Retired instructions of one run. */
  instructions: number;
  /** Million instructions a second: the interpreter alone, and with the translator. */
  interpreter: { median: number; spread: number };
  auto: { median: number; spread: number };
  /** Null where qemu is not installed. */
  qemu: { median: number; spread: number } | null;
  /** With the translator, through qemu's. */
  ratio: number | null;
}

interface OwnRun {
  seconds: number;
  instructions: number;
  output: string;
}

function runOurs(path: string, tier: Tier): OwnRun {
  const machine = loadMachine(readFileSync(path), undefined, undefined, tier);
  const start = process.hrtime.bigint();
  machine.run(1e12);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (machine.exitCode !== 0) throw new Error(`${path}: ended with ${machine.exitCode} after ${machine.retired} instructions`);
  const output = Buffer.from(machine.takeOutputs().flatMap(({ kind, value }) => (kind === 'console' ? [value] : []))).toString();
  return { seconds, instructions: machine.retired, output };
}

async function startTime(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push((await runQemu(pathOf('nothing'))).seconds);
  return median(times);
}

async function measure(kernel: string, rounds: number, start: number): Promise<Row> {
  const path = pathOf(kernel);
  const interpreted: number[] = [];
  const translated: number[] = [];
  const theirs: number[] = [];
  let instructions = 0;
  for (let round = 0; round < rounds; round++) {
    const own = runOurs(path, 'interpreter');
    const other = runOurs(path, 'auto');
    instructions = own.instructions;
    if (other.output !== own.output || other.instructions !== instructions) throw new Error(`${path}: translated, it does something else`);
    interpreted.push(instructions / own.seconds / 1e6);
    translated.push(instructions / other.seconds / 1e6);
    if (!qemuVersion) continue;
    const peer = await runQemu(path, { timeoutMs: 120_000 });
    if (peer.exit !== 0 || peer.output.toString() !== own.output) {
      throw new Error(`${path}: qemu printed ${JSON.stringify(peer.output.toString())}, we ${JSON.stringify(own.output)}`);
    }
    theirs.push(instructions / (peer.seconds - start) / 1e6);
  }
  const of = (all: number[]): { median: number; spread: number } => ({ median: median(all), spread: spread(all) });
  const auto = of(translated);
  const qemu = theirs.length > 0 ? of(theirs) : null;
  return { kernel, instructions, interpreter: of(interpreted), auto, qemu, ratio: qemu ? auto.median / qemu.median : null };
}

async function main(): Promise<number> {
  const known = new Set(['--quick', '--json']);
  const unknown = process.argv.slice(2).find((argument) => !known.has(argument));
  if (unknown !== undefined) {
    console.error(`bench: unknown option "${unknown}"; there are --quick and --json`);
    return 2;
  }
  const rounds = process.argv.includes('--quick') ? 1 : 5;
  const [load = 0] = loadavg();
  const busy = load > cpus().length / 2 ? `others are using this machine (load ${load.toFixed(1)} on ${cpus().length} processors): expect lower numbers` : '';
  const start = qemuVersion ? await startTime() : 0;
  const rows: Row[] = [];
  for (const kernel of kernels) rows.push(await measure(kernel, rounds, start));
  const states = measureStates(rounds);
  const host = `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node} (V8 ${process.versions.v8})`;

  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ host, load, qemu: qemuVersion ?? null, rounds, kernels: rows, states }, null, 2));
    return 0;
  }
  console.log(host);
  console.log(qemuVersion ?? 'qemu-system-riscv64 is not installed: no peer to compare with');
  if (busy !== '') console.log(busy);
  console.log(`million instructions a second, median of ${rounds} (half the range between quartiles)\n`);
  const cell = (value: { median: number; spread: number } | null): string =>
    (value ? `${value.median.toFixed(0)} ±${value.spread.toFixed(0)}` : '-').padStart(13);
  console.log(`${'kernel'.padEnd(10)}${'instructions'.padStart(14)}${'interpreter'.padStart(13)}${'auto'.padStart(13)}${'qemu'.padStart(13)}${'ratio'.padStart(8)}`);
  for (const { kernel, instructions, interpreter, auto, qemu, ratio } of rows) {
    const count = instructions.toLocaleString('en-US').padStart(14);
    console.log(`${kernel.padEnd(10)}${count}${cell(interpreter)}${cell(auto)}${cell(qemu)}${(ratio?.toFixed(2) ?? '-').padStart(8)}`);
  }
  console.log(`\n${stateLines(states).join('\n')}`);
  return 0;
}

function stateLines({ ramBytes, dirtyPages, snapshot, restore, fromFile }: StateTimes): string[] {
  const cell = ({ median: middle, spread: half }: Times): string => `${middle.toFixed(1)} ±${half.toFixed(1)} ms`;
  const of = `${ramBytes / 2 ** 20} MiB, ${dirtyPages} pages written`;
  return [
    `snapshot (${of})  ${cell(snapshot)}`,
    `restore (${of})   ${cell(restore)}`,
    fromFile ? `booted Debian from a file of ${(fromFile.fileBytes / 2 ** 20).toFixed(0)} MiB, the command's whole time  ${cell(fromFile)}` : 'no Debian (npm run guest:debian): its start from a file is not measured',
  ];
}

main().then(
  (exit) => (process.exitCode = exit),
  (error: unknown) => {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 3;
  },
);
