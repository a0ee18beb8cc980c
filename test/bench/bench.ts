/**
 * `npm run bench`: how fast guests run here, beside qemu-system-riscv64 with the
 * same kernel, the same initial RAM disk and the same disk, in turns, in one run;
 * what replicas cost; and the time that states take.
 *
 * Runs in `node --import tsx`: the command tsx is a process above it that ends it
 * at Ctrl-C before it has ended the emulators that it has started.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { exitCodes, Failure } from '../../server/cli/failure';
import { interruptible } from '../../server/cli/interrupt';
import { Progress } from '../../server/cli/progress';
import { parseCount, parseThreads } from '../../server/cli/values';
import { debianFiles, debianFolder } from '../../server/guest/debian';
import { qemuVersion } from '../oracles/qemu';
import { runTool } from '../tool';
import { measureDebian, type DebianResults } from './debian-rounds';
import { goalsOf, verdictOf } from './goals';
import type { Side } from './guest-run';
import { kernels, measureKernels, type KernelRow } from './kernels';
import { programs } from './programs';
import { bootTable, goalTable, kernelTable, programTable, stateLines } from './report';
import { measureStates, type StateTimes } from './states';

/** The load of a machine that has nothing else to do, as far as what has been done before is still in it. */
const idleLoad = 2.5;

interface Flags {
  quick?: true;
  json?: true;
  interpreter?: true;
  only?: string[];
  rounds?: number;
  threads: number;
}

const names: readonly string[] = ['boot', ...programs.map(({ name }) => name), 'replicas', ...kernels, 'states'];

function chosenNames(name: string, before: string[] = []): string[] {
  if (!names.includes(name)) throw new InvalidArgumentError(`There are ${names.map((known) => `"${known}"`).join(', ')}.`);
  return [...before, name];
}

function rounds(text: string): number {
  const value = parseCount(text);
  if (value < 1 || value > 1000) throw new InvalidArgumentError('Rounds are 1 to 1000.');
  return value;
}

interface Results {
  host: string;
  load: number[];
  qemu: string | null;
  rounds: number;
  quick: boolean;
  threads: number;
  /** What was left out, and why. */
  missing: string[];
  debian: DebianResults | null;
  kernels: KernelRow[];
  states: StateTimes | null;
}

async function measure(flags: Flags, signal: AbortSignal): Promise<Results> {
  const { quick = false, only, threads } = flags;
  const wanted = (name: string): boolean => only?.includes(name) ?? true;
  const count = flags.rounds ?? (quick ? 1 : 5);
  const sides: Side[] = [...(flags.interpreter ? (['interpreter'] as const) : []), 'auto', ...(qemuVersion ? (['qemu'] as const) : [])];
  const load = loadavg();
  const progress = new Progress('bench');
  const onProgress = (what: string): void => progress.update(() => what);
  const missing: string[] = [];
  if (!qemuVersion) missing.push('qemu-system-riscv64 is not installed: no peer to compare with');
  if (quick) missing.push(`--quick: less work, so what a start costs weighs more${only === undefined ? '; without 7z and the start from a file' : ''}`);
  const files = debianFiles();
  const everyProgram = only === undefined || (only.includes('replicas') && !programs.some(({ name }) => only.includes(name)));
  const chosen = programs.filter(({ name, long }) => (everyProgram ? !(quick && long) : wanted(name)));
  let debian: DebianResults | null = null;
  const folder = mkdtempSync(path.join(tmpdir(), 'covert-bench-'));
  try {
    if ('missing' in files) missing.push(`${debianFolder()} has no ${files.missing}: Debian is not measured (\`npm run guest:debian\` makes what is missing)`);
    else if (wanted('boot') || chosen.length > 0) {
      const replicas = wanted('replicas') ? { tier: 'auto' as const, threads } : null;
      debian = await measureDebian({ files, folder, sides, chosen, boot: wanted('boot'), replicas, rounds: count, quick, signal, onProgress });
    }
    const rows = await measureKernels(kernels.filter(wanted), count, signal, (kernel) => onProgress(`${kernel} kernel`));
    if (wanted('states')) onProgress('states');
    const states = wanted('states') ? measureStates(count, !quick) : null;
    if (!debian && rows.length === 0 && !states) throw new Failure(exitCodes.badInput, `nothing that was asked for can be measured: ${missing.join('; ')}`);
    const host = `${cpus().length} processors, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node} (V8 ${process.versions.v8})`;
    return { host, load, qemu: qemuVersion ?? null, rounds: count, quick, threads, missing, debian, kernels: rows, states };
  } finally {
    rmSync(folder, { recursive: true });
    progress.end();
  }
}

function print(results: Results, chosen: boolean): void {
  const { host, load, qemu, rounds: count, threads, missing, debian, kernels: rows, states } = results;
  const after = loadavg();
  const parts = [
    [host, ...(qemu === null ? [] : [qemu]), `load ${load[0]?.toFixed(1)} before, ${after[0]?.toFixed(1)} after; dmr on ${threads} threads`, ...missing],
    [count > 1 ? `medians of ${count} (half the range between quartiles)` : 'one round'],
    ...(debian ? [bootTable(debian), debian.programs.length > 0 ? programTable(debian.programs) : []] : []),
    rows.length > 0 ? kernelTable(rows) : [],
    states ? stateLines(states) : [],
    goalTable(goalsOf(results).filter(({ measured }) => !chosen || measured !== null)),
    (load[0] ?? 0) > idleLoad ? ['The machine had other work when this began: ratios and goals say little.'] : [],
  ];
  process.stdout.write(`${parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`);
}

const command = new Command('npm run bench --')
  .description('How fast guests run here, beside qemu-system-riscv64, and what replicas cost.')
  .option('--quick', 'one round of less work, in under two minutes')
  .option('--json', 'print one object instead of tables')
  .option('--interpreter', 'run Debian in the interpreter, too')
  .addOption(new Option('--only <name>', `measure only this; repeatable: ${names.join(', ')}`).argParser(chosenNames))
  .option('--rounds <count>', 'how often (default: 5, with --quick 1)', rounds)
  .option('--threads <count>', 'threads that execute the replicas of dmr', parseThreads, 2)
  .addHelpText('after', `
Exits with 0 whatever was measured, 2 if an option is wrong or what it needs is
missing, 3 if a guest did not do what it should, 130 if it was interrupted.

Example:
  npm run bench -- --quick
  npm run -s bench -- --only xz --only integer --rounds 3 --json > bench.json`);

void runTool('bench', command, async (flags: Flags) => {
  const results = await interruptible((signal) => measure(flags, signal));
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...results, goals: goalsOf(results).map((goal) => ({ ...goal, verdict: verdictOf(goal) })) }, null, 2)}\n`);
  else print(results, flags.only !== undefined);
  return exitCodes.held;
});
