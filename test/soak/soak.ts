/**
 * `npm run soak`: Debian under load in two replicas, for as long as one likes.
 * Looks for what only a long run shows: replicas that drift apart with nothing
 * wrong, and memory of the host that is never given back.
 *
 * Runs in `node --import tsx`: the command tsx is a process above it that ends it
 * at Ctrl-C if it does not answer at once, and it looks about only at checkpoints.
 */
import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { count } from '../../server/cli/numbers';
import { interruptible } from '../../server/cli/interrupt';
import { Progress } from '../../server/cli/progress';
import { parseCount } from '../../server/cli/values';
import { debianFiles, debianFolder } from '../../server/guest/debian';
import { runTool } from '../tool';
import { soakPlan } from './guest';
import type { Sample } from './memory';
import { runSoak, type Soak, type SoakOptions } from './run-soak';
import { judge, mebibytes } from './verdict';

interface Flags {
  minutes: number;
  instructions?: number;
  seed: number;
}

function minutes(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0) throw new InvalidArgumentError('A time is a number of minutes above 0: 60.');
  return value;
}

function seed(text: string): number {
  const value = parseCount(text);
  if (value >= 2 ** 31) throw new InvalidArgumentError('A seed is below 2^31.');
  return value;
}

const millisecondsPerMinute = 60_000;
const fewestSamples = 60;
const longestBetween = 30_000;

async function soak({ minutes: length, instructions, seed: start }: Flags): Promise<number> {
  const files = debianFiles();
  if ('missing' in files) {
    process.stderr.write(`soak: ${debianFolder()} has no ${files.missing}: \`npm run guest:debian\` makes what is missing\n`);
    return 2;
  }
  const began = Date.now();
  const end = began + length * millisecondsPerMinute;
  // Where the run is to be repeatable, so is where it is measured.
  const between = instructions === undefined ? Math.min(longestBetween, (length * millisecondsPerMinute) / fewestSamples) : instructions / fewestSamples;
  let due = 0;
  const progress = new Progress('soak');
  const soFar = ({ instructions: done, load }: Soak): string =>
    `${count(done / 1e6)} million instructions, ${count(done / 1e3 / (Date.now() - began))} million a second, ${load.rounds} rounds, no divergence`;
  const options = (signal: AbortSignal): SoakOptions => ({
    over: (system) => signal.aborted || (instructions === undefined ? Date.now() >= end : system.count >= instructions),
    measure: (system) => {
      const now = instructions === undefined ? Date.now() - began : system.count;
      if (now < due) return false;
      due = now + between;
      return true;
    },
    onProgress: (now) => progress.update(() => soFar(now)),
    onSample: (sample) => {
      progress.end();
      process.stdout.write(`${formatSample(sample, (Date.now() - began) / millisecondsPerMinute)}\n`);
    },
  });
  let interrupted = false;
  const result = await interruptible(async (signal) => {
    const done = await runSoak(soakPlan(files, start), options(signal));
    interrupted = signal.aborted;
    return done;
  }).finally(() => progress.end());
  if (result.load.missing !== undefined) {
    process.stderr.write(`soak: the guest has no ${result.load.missing}: \`npm run guest:debian\` makes its root file system anew\n`);
    return 2;
  }
  const failed = report(result, (Date.now() - began) / millisecondsPerMinute, start);
  return failed > 0 ? 1 : interrupted ? 130 : 0;
}

function formatSample({ instructions, heap, external, rss, states }: Sample, minute: number): string {
  const own = heap + external - states;
  return `${minute.toFixed(1)} min, ${count(instructions / 1e6)} million instructions: heap ${mebibytes(heap)}, external ${mebibytes(external)}, of these the guest's states ${mebibytes(states)} and all else ${mebibytes(own)}; resident ${mebibytes(rss)}`;
}

/** Says what was done and what it showed; gives how many checks failed. */
function report(result: Soak, length: number, start: number): number {
  const said = (line: string): void => void process.stdout.write(`${line}\n`);
  const times = (event: string): number => result.events.find((cost) => cost.event === event)?.count ?? 0;
  said(`\nseed ${start}: ${length.toFixed(1)} minutes, ${count(result.instructions)} instructions in each of two replicas, ${count(result.epochs)} epochs`);
  said(`  checkpoints ${count(times('checkpoint'))}, states compared ${count(times('state comparison'))}, outputs compared ${count(times('output'))}, of these disk writes ${count(result.disk.outputs)} (${mebibytes(result.disk.bytes)})`);
  said(`  interrupts ${count(times('interrupt'))}, clock reads ${count(times('clock read'))}`);
  said(`  rounds ${count(result.load.rounds)}: ${[...result.load.done].sort().map(([work, done]) => `${work} ${done}`).join(', ')}`);
  said(`  state ${result.state}\n`);
  const checks = judge(result);
  for (const { name, passed, found } of checks) said(`${passed === undefined ? '-' : passed ? 'passed' : 'FAILED'}  ${name}: ${found}`);
  const failed = checks.filter(({ passed }) => passed === false);
  if (failed.length > 0) said(`\nthe guest's last lines:\n${result.load.newest.map((line) => `  ${line}`).join('\n')}`);
  said(`\n${checks.filter(({ passed }) => passed === true).length} passed, ${failed.length} failed`);
  return failed.length;
}

const command = new Command('npm run soak --')
  .description('Debian under load in two replicas: no divergence, no growth of host memory.')
  .option('--minutes <number>', 'how long', minutes, 60)
  .option('--instructions <count>', 'end after so many instructions instead, which makes a run repeatable', parseCount)
  .option('--seed <number>', 'what the load does, and in which order', seed, 1)
  .addHelpText('after', `
Exits with 0 if all is well, 1 if the replicas diverged, memory grew or some work
came out wrong, 2 if Debian's files are missing, 130 if it was interrupted.
Ctrl-C ends it early, with what there is until then.`);

void runTool('soak', command, soak);
