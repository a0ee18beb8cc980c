/**
 * `npm run storm`: random faults of every site, at random times, in a bare-metal guest, in Debian that writes to its disk, and
 * in Debian that serves files to a client which checks them. With two replicas and with three under full isolation nothing wrong may leave; with isolation off what replicas
 * share takes all of them, and without protection errors go out. Exit code 1 if protection let anything through.
 */
import process from 'node:process';
import { Command } from 'commander';
import type { Isolation, ProtectionKind } from '../../engine/covert/plan';
import { interruptible } from '../../server/cli/interrupt';
import { table } from '../../server/cli/layout';
import { count, percent } from '../../server/cli/numbers';
import { Progress } from '../../server/cli/progress';
import { parseCount } from '../../server/cli/values';
import { debianFiles, debianFolder } from '../../server/guest/debian';
import { countFrom, runTool } from '../tool';
import { checksumGuest, nginxGuest, sqliteGuest, type StormGuest } from './guests';
import { sites } from './faults';
import { natureOutcome, natures, type Nature } from './nature';
import { Storm, type Fate, type Outcome } from './storm';

interface Flags {
  faults: number;
  seed: number;
  only?: number;
}

/** What each storm is, and which share of the faults it has. */
const storms: readonly { protection: ProtectionKind; isolation: Isolation; share: number }[] = [
  { protection: 'dmr', isolation: 'full', share: 0.4 },
  { protection: 'tmr', isolation: 'full', share: 0.3 },
  { protection: 'dmr', isolation: 'none', share: 0.2 },
  { protection: 'none', isolation: 'none', share: 0.1 },
];
/** What strikes the protection itself comes in addition. */
const natureShare = 0.05;
const fates: readonly Fate[] = ['masked', 'recovered', 'degraded', 'stopped', 'never struck', 'hung', 'wrong'];

async function storm({ faults, seed, only }: Flags): Promise<number> {
  const files = debianFiles();
  if ('missing' in files) {
    process.stderr.write(`storm: ${debianFolder()} has no ${files.missing}: \`npm run guest:debian\` makes what is missing\n`);
    return 2;
  }
  let broken = 0;
  let passed = 0;
  await interruptible(async (signal) => {
    const progress = new Progress('storm');
    const guests: StormGuest[] = [];
    for (const make of [checksumGuest, () => sqliteGuest(files), () => nginxGuest(files)]) {
      progress.update(() => 'the guests start');
      guests.push(await make());
    }
    for (const guest of guests) {
      if (only === undefined) {
        const outcomes: Outcome<Nature>[] = [];
        for (let number = 0; number < Math.max(natures.length, Math.round((faults * natureShare) / guests.length)); number++) {
          progress.update(() => `${guest.name}, what escapes by nature: ${count(outcomes.length)}`);
          outcomes.push(await natureOutcome(guest, seed, number, signal));
        }
        progress.end();
        process.stdout.write(`\n${guest.name}, what escapes by nature: ${count(outcomes.length)} runs, in ${count(outcomes.filter(({ escapes }) => escapes.length > 0).length)} of which the report says that the comparer let something through\n${tally(outcomes, natures)}\n`);
        // A wrong byte that the comparer did not let through, and that was not there before there were two.
        const worse = outcomes.filter(({ site, fate, escapes }) => fate === 'wrong' && escapes.length === 0 && site !== 'a flip before a clone is made');
        broken += worse.length;
        passed += outcomes.length - worse.length;
        for (const { number, fault, change, by } of worse) process.stdout.write(`  run ${number}: ${fault} (${change}): wrong; ${by.join(', ')}\n`);
      }
      for (const { protection, isolation, share } of storms) {
        const runs = Math.max(1, Math.round((faults * share) / guests.length));
        const numbers = only === undefined ? Array.from({ length: runs }, (_, number) => number) : [only];
        const one = new Storm({ guest, protection, isolation, seed });
        const outcomes: Outcome[] = [];
        const began = Date.now();
        for (const number of numbers) {
          progress.update(() => `${guest.name}, ${protection}, isolation ${isolation}: ${count(outcomes.length)} of ${count(numbers.length)}`);
          outcomes.push(await one.outcome(number, signal));
        }
        progress.end();
        const isSafe = protection !== 'none' && isolation === 'full';
        const worse = outcomes.filter(({ fate, exact, reportedCorrupt }) => (isSafe && (fate === 'wrong' || fate === 'hung')) || (exact && reportedCorrupt));
        broken += worse.length;
        passed += outcomes.length - worse.length;
        process.stdout.write(`\n${guest.name}, protect ${protection}, isolation ${isolation}: ${count(outcomes.length)} faults in ${((Date.now() - began) / 1000).toFixed(0)} s\n${tally(outcomes, sites)}\n`);
        for (const { number, fault, change, fate, by } of only === undefined ? worse : outcomes) {
          process.stdout.write(`  run ${number}: ${fault} (${change}): ${fate}; ${by.join(', ')}\n`);
        }
      }
    }
  });
  process.stdout.write(`\nseed ${seed}: ${passed} passed, ${broken} failed\n`);
  return broken > 0 ? 1 : 0;
}

/** Sites by fates, with the rate of what went wrong. */
function tally<S extends string>(outcomes: readonly Outcome<S>[], sites: readonly S[]): string {
  const row = (name: string, some: readonly Outcome<S>[]): string[] => [name, ...fates.map((fate) => count(some.filter((each) => each.fate === fate).length)), percent(some.filter(({ fate }) => fate === 'wrong').length / Math.max(1, some.length))];
  const rows = sites.map((site) => row(site, outcomes.filter((each) => each.site === site)));
  return table([['', ...fates, 'wrong'], ...rows, row('all', outcomes)], [false, ...fates.map(() => true), true]).map((line) => `  ${line}`).join('\n');
}

const command = new Command('npm run storm --')
  .description('Random faults of every site, at random times, under two and three replicas, without isolation and without protection.')
  .option('--faults <count>', 'how many, one a run', countFrom(1), 1000)
  .option('--seed <number>', 'which faults', parseCount, 1)
  .option('--only <number>', 'only the run with this number of each storm, and what came of it', parseCount)
  .addHelpText('after', `
Exits with 0 if nothing wrong was released and no guest hung under full isolation,
1 if not, 2 if an option is wrong or Debian's files are missing, 130 if interrupted.

Example:
  npm run storm -- --faults 10_000 --seed 1`);

void runTool('storm', command, storm);
