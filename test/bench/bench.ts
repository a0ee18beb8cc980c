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
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../server/cli/failure';
import { interruptible } from '../../server/cli/interrupt';
import { Progress } from '../../server/cli/progress';
import { parseCount } from '../../server/cli/values';
import { debianFiles, debianFolder } from '../../server/guest/debian';
import { qemuVersion } from '../oracles/qemu';
import { measureDebian, type DebianResults } from './debian-rounds';
import { goalsOf, verdictOf } from './goals';
import type { Side } from './guest-run';
import { kernels, measureKernels, type KernelRow } from './kernels';
import { programs } from './programs';
import { bootTable, goalTable, kernelTable, programTable, stateLines } from './report';
import { measureStates, type StateTimes } from './states';

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
  if (quick) missing.push('--quick: one round of less work, so no spread, and the start of programs weighs more; without 7z and the start from a file');
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
    onProgress('states');
    const states = wanted('states') ? measureStates(count, !quick) : null;
    const host = `${cpus().length} processors, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node} (V8 ${process.versions.v8})`;
    return { host, load, qemu: qemuVersion ?? null, rounds: count, quick, threads, missing, debian, kernels: rows, states };
  } finally {
    rmSync(folder, { recursive: true });
    progress.end();
  }
}

function print(results: Results): void {
  const { host, load, qemu, rounds: count, threads, missing, debian, kernels: rows, states } = results;
  const after = loadavg();
  const parts = [
    [host, ...(qemu === null ? [] : [qemu]), `load ${load[0]?.toFixed(1)} before, ${after[0]?.toFixed(1)} after; dmr on ${threads} threads`, ...missing],
    [`medians of ${count} (half the range between quartiles)`],
    ...(debian ? [bootTable(debian), debian.programs.length > 0 ? programTable(debian.programs) : []] : []),
    rows.length > 0 ? kernelTable(rows) : [],
    states ? stateLines(states) : [],
    goalTable(goalsOf(results)),
  ];
  process.stdout.write(`${parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`);
}

new Command('npm run bench --')
  .description('How fast guests run here, beside qemu-system-riscv64, and what replicas cost.')
  .option('--quick', 'one round of less work, in under two minutes')
  .option('--json', 'print one object instead of tables')
  .option('--interpreter', 'run Debian in the interpreter, too')
  .addOption(new Option('--only <name>', `measure only this; repeatable: ${names.join(', ')}`).argParser(chosenNames))
  .option('--rounds <count>', 'how often (default: 5, with --quick 1)', rounds)
  .option('--threads <count>', 'threads that execute the replicas of dmr', parseCount, 2)
  .addHelpText('after', `
Exits with 0 whatever was measured, 2 if an option is wrong, 3 if a guest did not
do what it should, 130 if it was interrupted.

Example:
  npm run bench -- --quick
  npm run bench -- --only xz --only integer --rounds 3 --json`)
  .exitOverride()
  .action(async (flags: Flags) => {
    const results = await interruptible((signal) => measure(flags, signal));
    if (flags.json) process.stdout.write(`${JSON.stringify({ ...results, goals: goalsOf(results).map((goal) => ({ ...goal, verdict: verdictOf(goal) })) }, null, 2)}\n`);
    else print(results);
  })
  .parseAsync()
  .catch((error: unknown) => {
    // What is wrong with an option, commander has said itself.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = error instanceof Failure ? error.exitCode : 3;
    }
  });
