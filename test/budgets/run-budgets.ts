/**
 * `npm run budgets -- --cases N --seed S`: random guests run by random budgets in
 * each tier, and one instruction at a time in the interpreter; hashes of states are
 * compared. The same in short is budgets.test.ts. Exit code 1 where something differs.
 */
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { tiers, type Tier } from '../../engine/machine/tier';
import { interruptible } from '../../server/cli/interrupt';
import { parseCount } from '../../server/cli/values';
import { countFrom, runTool } from '../tool';
import { budgets, noTotals, sum, type Totals } from './budgets';

interface Flags {
  cases: number;
  seed: number;
  tier?: Tier;
}

/** Cases between two looks at whether it was interrupted. */
const portion = 400;

function summary({ guests, cases, retired, translated, exceptions, interrupts, stops, privileges: [user, supervisor, machine] }: Totals): string {
  const stopped = Object.entries(stops).map(([why, count]) => `${why} ${count}`).join(', ');
  return [
    `${cases} cases of ${guests} guests`,
    `${retired} instructions by single steps, ${translated} in translated code`,
    `${exceptions} exceptions, ${interrupts} interrupts`,
    `why the runs ended: ${stopped}`,
    `where: user mode ${user}, supervisor ${supervisor}, machine ${machine}`,
  ].join('\n  ');
}

async function run({ cases, seed: first, tier }: Flags): Promise<number> {
  const start = Date.now();
  let said = start;
  let so: Totals = noTotals();
  let interrupted = false;
  let found = false;
  await interruptible(async (signal) => {
    while (so.cases < cases && !signal.aborted) {
      const seed = first + so.guests;
      const { totals, difference } = budgets({ cases: Math.min(portion, cases - so.cases), seed, ways: tier ? [tier] : tiers });
      so = sum(so, totals);
      if (difference !== undefined) {
        process.stdout.write(`${difference}\n`);
        found = true;
        return;
      }
      if (Date.now() - said >= 2_000) {
        said = Date.now();
        process.stderr.write(`budgets: ${so.cases} of ${cases} cases, ${so.guests} guests\n`);
      }
      // So that Ctrl-C is heard.
      await setImmediate();
    }
    interrupted = signal.aborted;
  });
  if (found) return 1;
  const seconds = Math.round((Date.now() - start) / 1000);
  process.stdout.write(`${summary(so)}\nnothing differs, from seed ${first} in ${seconds} s${interrupted ? '; interrupted' : ''}\n`);
  return interrupted ? 130 : 0;
}

const command = new Command('npm run budgets --')
  .description('random guests by random budgets in each tier against single steps in the interpreter')
  .option('--cases <count>', 'runs by a budget to compare at least', countFrom(1), 1_000_000)
  .option('--seed <number>', "the first guest's seed", parseCount, 1)
  .addOption(new Option('--tier <how>', 'this tier alone').choices(tiers))
  .addHelpText('after', `
A case is a run by a random budget whose final state's hash is compared with that of
single steps. Exits with 0 if nothing differs, 1 if something does, 2 if an option is
wrong, 130 if it was interrupted.

Example:
  npm run budgets -- --cases 100_000 --seed 7`);

void runTool('budgets', command, run);
