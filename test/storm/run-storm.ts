/**
 * `npm run storm`: random faults of every site, at random times, in a bare-metal guest, in Debian that writes to its disk, and
 * in Debian that serves files to a client which checks them. With two replicas and with three under full isolation nothing wrong may leave; with isolation off what replicas
 * share takes all of them, and without protection errors go out. Exit code 1 if protection let anything through.
 */
import os from 'node:os';
import process from 'node:process';
import { Command } from 'commander';
import { interruptible } from '../../server/cli/interrupt';
import { table } from '../../server/cli/layout';
import { count, percent } from '../../server/cli/numbers';
import { Progress } from '../../server/cli/progress';
import { parseCount } from '../../server/cli/values';
import { debianFiles, debianFolder } from '../../server/guest/debian';
import { countFrom, runTool } from '../tool';
import { sites } from './faults';
import { natures, type Nature } from './nature';
import type { Fate, Outcome } from './storm';
import { StormCrew } from './storm-crew';
import { guests, storms } from './storms';

interface Flags {
  faults: number;
  seed: number;
  jobs: number;
  only?: number;
}

/** What strikes the protection itself comes in addition: so many runs for each other one. */
const natureShare = 0.05;

const fates: readonly Fate[] = ['masked', 'recovered', 'degraded', 'stopped', 'never struck', 'hung', 'wrong'];

async function storm({ faults, seed, jobs, only }: Flags): Promise<number> {
  const files = debianFiles();
  if ('missing' in files) {
    process.stderr.write(`storm: ${debianFolder()} has no ${files.missing}: \`npm run guest:debian\` makes what is missing\n`);
    return 2;
  }
  const all: Played[] = [];
  let broken = 0;
  await interruptible(async (signal) => {
    const crew = new StormCrew(jobs, signal);
    try {
      for (const [guest, { name }] of guests.entries()) {
        if (only === undefined) broken += await playNature(name, Array.from({ length: Math.max(natures.length, Math.round((faults * natureShare) / guests.length)) }, (_, number) => number), (number) => crew.natureOutcome({ guest, seed, number }));
        for (const [storm, { protection, isolation, share }] of storms.entries()) {
          const runs = Math.max(1, Math.round((faults * share) / guests.length));
          const numbers = only === undefined ? Array.from({ length: runs }, (_, number) => number) : [only];
          const title = `${name}, protect ${protection}, isolation ${isolation}`;
          const outcomes = await play(title, sites, numbers, (number) => crew.outcome({ guest, storm, seed, number }));
          const isSafe = protection !== 'none' && isolation === 'full';
          const worse = outcomes.filter(({ fate, exact, reportedCorrupt }) => (isSafe && (fate === 'wrong' || fate === 'hung')) || (exact && reportedCorrupt));
          all.push({ storm, outcomes, worse: worse.length });
          for (const { number, fault, change, fate, by } of only === undefined ? worse : outcomes) {
            process.stdout.write(`  run ${number}: ${fault} (${change}): ${fate}; ${by.join(', ')}\n`);
          }
        }
      }
    } finally {
      crew.close();
    }
  });
  process.stdout.write(`\nall guests\n${summary(all)}\n`);
  const worse = all.reduce((sum, each) => sum + each.worse, 0);
  const passed = all.reduce((sum, { outcomes }) => sum + outcomes.length, 0) - worse;
  broken += worse;
  process.stdout.write(`\nseed ${seed}: ${passed} passed, ${broken} failed\n`);
  return broken > 0 ? 1 : 0;
}

/** The outcomes of a storm with one guest; `worse` than may be are so many of them. */
interface Played {
  storm: number;
  outcomes: readonly Outcome[];
  worse: number;
}

/** All runs of a storm with one guest, with progress and a table. */
async function play<S extends string>(title: string, sites: readonly S[], numbers: readonly number[], outcomeOf: (number: number) => Promise<Outcome<S>>): Promise<Outcome<S>[]> {
  const progress = new Progress('storm');
  const began = Date.now();
  let done = 0;
  const show = (): void => progress.update(() => `${title}: ${done === 0 ? 'the guest starts' : `${count(done)} of ${count(numbers.length)}`}`);
  const timer = setInterval(show, 200);
  try {
    const outcomes = await Promise.all(
      numbers.map(async (number) => {
        const outcome = await outcomeOf(number);
        done++;
        return outcome;
      }),
    );
    progress.end();
    process.stdout.write(`\n${title}: ${count(outcomes.length)} faults in ${((Date.now() - began) / 1000).toFixed(0)} s\n${tally(outcomes, sites)}\n`);
    return outcomes;
  } finally {
    clearInterval(timer);
    progress.end();
  }
}

/** What escapes by its nature, in a table of its own. Gives how many runs came to something worse than that. */
async function playNature(guest: string, numbers: readonly number[], outcomeOf: (number: number) => Promise<Outcome<Nature>>): Promise<number> {
  const outcomes = await play(`${guest}, what escapes by nature`, natures, numbers, outcomeOf);
  process.stdout.write(`  in ${count(outcomes.filter(({ escapes }) => escapes.length > 0).length)} of them the report says that the comparer let something through\n`);
  // A wrong byte that the comparer did not let through, and that was not there before there were two.
  const worse = outcomes.filter(({ site, fate, escapes }) => fate === 'wrong' && escapes.length === 0 && site !== 'a flip before a clone is made');
  for (const { number, fault, change, by } of worse) process.stdout.write(`  run ${number}: ${fault} (${change}): wrong; ${by.join(', ')}\n`);
  return worse.length;
}

const shareWrong = (outcomes: readonly Outcome<string>[]): string => percent(outcomes.filter(({ fate }) => fate === 'wrong').length / Math.max(1, outcomes.length));
const byFate = (name: string, outcomes: readonly Outcome<string>[]): string[] => [name, ...fates.map((fate) => count(outcomes.filter((each) => each.fate === fate).length)), shareWrong(outcomes)];
const tableOf = (rows: string[][]): string =>
  table([['', ...fates, 'share wrong'], ...rows], [false, ...fates.map(() => true), true]).map((line) => `  ${line}`).join('\n');

/** Storms by fates, over all guests. */
function summary(all: readonly Played[]): string {
  return tableOf(storms.map(({ protection, isolation }, storm) => byFate(`protect ${protection}, isolation ${isolation}`, all.flatMap((each) => (each.storm === storm ? each.outcomes : [])))));
}

/** Sites by fates, with the share of what went wrong. */
function tally<S extends string>(outcomes: readonly Outcome<S>[], sites: readonly S[]): string {
  return tableOf([...sites.map((site) => byFate(site, outcomes.filter((each) => each.site === site))), byFate('all', outcomes)]);
}

const command = new Command('npm run storm --')
  .description('Random faults of every site, at random times, under two and three replicas, without isolation and without protection.')
  .option('--faults <count>', 'how many, one a run', countFrom(1), 1000)
  .option('--seed <number>', 'which faults', parseCount, 1)
  .option('--jobs <count>', 'runs at the same time, each in a process of its own', countFrom(1), os.availableParallelism())
  .option('--only <number>', 'only the run with this number of each storm, and what came of it', parseCount)
  .addHelpText('after', `
Exits with 0 if nothing wrong was released and no guest hung under full isolation,
1 if not, 2 if an option is wrong or Debian's files are missing, 130 if interrupted.

Example:
  npm run storm -- --faults 10_000 --seed 1`);

void runTool('storm', command, storm);
