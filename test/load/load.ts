/**
 * `npm run load`: Debian under a mixed load for ten minutes in tier `auto`. Says each
 * minute how fast it was and what translations and host memory there are, and at the end
 * whether the last minute was as fast as the second. A minute lasts until each kind of work
 * has been done as often as any other, so that all minutes have the same mix. Exit code 1 if it
 * became slower, if there were more translations than may be kept, or if some work came out wrong.
 */
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { tiers, type Tier } from '../../engine/machine/tier';
import { leastBound } from '../../engine/translator/translator';
import { count } from '../../server/cli/numbers';
import { interruptible } from '../../server/cli/interrupt';
import { parseCount } from '../../server/cli/values';
import { debianFiles, debianFolder } from '../../server/guest/debian';
import { countFrom, runTool } from '../tool';
import type { LoadLog } from '../soak/load-log';
import { runLoad } from './run-load';

interface Flags {
  minutes: number;
  seed: number;
  tier: Tier;
  functions: number;
  instructions: number;
}

function minutes(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 3) throw new InvalidArgumentError('A number of minutes from 3 on: the second is compared with the last.');
  return value;
}

/** By how much the last minute may be slower than the second. */
const tolerance = 0.05;
const minute = 60_000;
const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
const millions = (instructions: number): string => (instructions / 1e6).toFixed(1);

/** How often each kind of work has been done. */
function turnsOf({ rounds, done }: LoadLog): number {
  return Math.floor(rounds / Math.max(1, done.size));
}

async function run({ minutes: length, seed, tier, functions, instructions }: Flags): Promise<number> {
  const files = debianFiles();
  if ('missing' in files) {
    process.stderr.write(`load: ${debianFolder()} has no ${files.missing}: \`npm run guest:debian\` makes what is missing\n`);
    return 2;
  }
  const bound = { functions, instructions };
  const began = Date.now();
  const speeds: number[] = [];
  let [since, from, processor] = [began, 0, process.cpuUsage()];
  let turns = 0;
  let interrupted = false;
  const { load } = await interruptible((signal) =>
    runLoad(files, {
      seed,
      tier,
      bound,
      over: () => (interrupted = signal.aborted) || speeds.length >= length,
      onSlice: ({ instructions: done, translated, log }) => {
        const now = Date.now();
        const before = turns;
        turns = turnsOf(log);
        if (now - since < minute || turns === before) return;
        const speed = (done - from) / 1e3 / (now - since);
        speeds.push(speed);
        // What the host did for others meanwhile does not count here; what its compiler did in threads of its own does.
        const { user, system } = process.cpuUsage(processor);
        const busy = (done - from) / (user + system);
        [since, from, processor] = [now, done, process.cpuUsage()];
        const { rss, external } = process.memoryUsage();
        process.stdout.write(
          `minute ${speeds.length}: ${speed.toFixed(1)} million instructions a second, ${busy.toFixed(1)} a second of processor, ${((100 * translated.retired) / done).toFixed(1)} % of all in translated code; ${translated.functions} functions ` +
            `of ${functions}, ${translated.instructions} instructions in them of ${instructions}, all forgotten ${translated.evictions} times; resident ${mebibytes(rss)}, external ${mebibytes(external)}; ${log.rounds} rounds\n`,
        );
      },
    }),
  );
  if (load.log.missing !== undefined) {
    process.stderr.write(`load: the guest has no ${load.log.missing}: \`npm run guest:debian\` makes its root file system anew\n`);
    return 2;
  }
  const failures = [
    ...(load.ended === undefined ? [] : [`the guest has ended: ${load.ended}`]),
    ...load.log.failures.slice(0, 1).map((line) => `some work came out wrong: ${line}`),
    ...(load.most.functions > functions || load.most.instructions > instructions ? [`there were ${load.most.functions} functions with ${load.most.instructions} instructions`] : []),
  ];
  const [, second] = speeds;
  const last = speeds.at(-1);
  if (second !== undefined && last !== undefined && speeds.length > 2) {
    const change = last / second - 1;
    process.stdout.write(`\nthe last minute against the second: ${last.toFixed(1)} against ${second.toFixed(1)} million instructions a second, ${(100 * change).toFixed(1)} %\n`);
    if (change < -tolerance) failures.push(`the last minute is more than ${100 * tolerance} % slower than the second`);
  }
  if (interrupted) process.stderr.write('load: interrupted; what there was until then:\n');
  process.stdout.write(`seed ${seed}, tier ${tier}: ${millions(load.instructions)} million instructions; at most ${load.most.functions} functions with ${load.most.instructions} instructions, all forgotten ${count(load.translated.evictions)} times\n`);
  for (const failure of failures) process.stdout.write(`FAILED  ${failure}\n`);
  return failures.length > 0 ? 1 : interrupted ? 130 : 0;
}

const command = new Command('npm run load --')
  .description('Debian under a mixed load: translations stay within their bound, and it stays as fast as it was.')
  .option('--minutes <number>', 'how long', minutes, 10)
  .option('--seed <number>', 'what the load does', parseCount, 1)
  .addOption(new Option('--tier <how>', 'what executes it').choices(tiers).default('auto'))
  .option('--functions <count>', `translated functions that are kept at most, from ${leastBound.functions} on`, countFrom(leastBound.functions), 8192)
  .option('--instructions <count>', `guest instructions in them at most, from ${leastBound.instructions} on`, countFrom(leastBound.instructions), 1_000_000)
  .addHelpText('after', `
Exits with 0 if all is well, 1 if it became slower, kept too much or some work came
out wrong, 2 if an option is wrong or Debian's files are missing, 130 if interrupted.

Example, with a bound so small that room is made often:
  npm run load -- --minutes 3 --functions 1_000 --instructions 40_000`);

void runTool('load', command, run);
