/**
 * `npm run budgets -- --cases N --seed S`: random guests run by random budgets in
 * each tier, and one instruction at a time in the interpreter; hashes of states are
 * compared. The same in short is budgets.test.ts. Exit code 1 where something differs.
 */
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { tiers, type Tier } from '../../engine/machine/tier';
import { budgets, type Totals } from './budgets';

function whole(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is needed.');
  return value;
}

interface Flags {
  cases: number;
  seed: number;
  tier?: Tier;
}

function summary({ guests, cases, retired, translated, exceptions, interrupts, stops, privileges: [user, supervisor, machine] }: Totals): string {
  const stopped = Object.entries(stops).map(([why, count]) => `${why} ${count}`).join(', ');
  return `${cases} cases of ${guests} guests: ${retired} instructions by single steps, ${translated} in translated code, ${exceptions} exceptions, ${interrupts} interrupts; stops: ${stopped}; in user mode ${user}, supervisor ${supervisor}, machine ${machine}`;
}

function run({ cases, seed, tier }: Flags): number {
  const start = Date.now();
  let said = start;
  const { totals, difference } = budgets({
    cases,
    seed,
    ways: tier ? [tier] : tiers,
    onProgress: (so) => {
      if (Date.now() - said < 10_000) return;
      said = Date.now();
      process.stderr.write(`budgets: ${so.cases} of ${cases} cases, ${so.guests} guests\n`);
    },
  });
  if (difference !== undefined) {
    process.stdout.write(`${difference}\n`);
    return 1;
  }
  process.stdout.write(`${summary(totals)}; nothing differs, from seed ${seed} in ${Math.round((Date.now() - start) / 1000)} s\n`);
  return 0;
}

void new Command('budgets')
  .description('random guests by random budgets in each tier against single steps in the interpreter')
  .option('--cases <count>', 'runs by a budget to compare at least', whole, 1_000_000)
  .option('--seed <number>', "the first guest's seed", whole, 1)
  .addOption(new Option('--tier <how>', 'this tier alone').choices(tiers))
  .addHelpText('after', '\nExample: npm run budgets -- --cases 100_000 --seed 7')
  .action((flags: Flags) => {
    process.exitCode = run(flags);
  })
  .parseAsync();
