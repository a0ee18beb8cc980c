/**
 * `npm run differential -- --instructions N --seed S`: random code at every
 * privilege here and in qemu, compared after each instruction, and at the ends of
 * random budgets with the translator. The same in short is lockstep.test.ts. Exit
 * code 1 where something differs.
 */
import process from 'node:process';
import { Command } from 'commander';
import { parseCount } from '../../server/cli/values';
import { countFrom, runTool } from '../tool';
import { lockstep } from './lockstep';
import { privilegedGuest } from './privileged-guest';
import { needsQemu72 } from './qemu';

interface Flags {
  instructions: number;
  seed: number;
  float?: true;
}

const slots = 6500;
const millions = (count: number): string => (count / 1e6).toFixed(1);

async function run({ instructions, seed: first, float }: Flags, signal: AbortSignal): Promise<number> {
  if (needsQemu72 !== '') {
    process.stderr.write(`differential:${needsQemu72.replace(/^ \(skipped: |\)$/g, ' ')}\n`);
    return 2;
  }
  const start = Date.now();
  let compared = 0;
  let traps = 0;
  let budgets = 0;
  const privileges = [0, 0, 0];
  for (let seed = first; compared < instructions && !signal.aborted; seed++) {
    const { image, begin } = privilegedGuest(seed, slots);
    let said = Date.now();
    const progress = (inGuest: number): void => {
      if (Date.now() - said < 2000) return;
      said = Date.now();
      process.stderr.write(`differential: seed ${seed}: ${millions(compared + inGuest)} of ${millions(instructions)} million instructions\n`);
    };
    const result = await lockstep(image, { from: begin, most: 5_000_000, float: float ?? false, progress, signal, followers: { tiers: ['translator'], seed } });
    compared += result.compared;
    budgets += result.budgets;
    traps += result.exceptions + result.interrupts;
    result.privileges.forEach((count, index) => (privileges[index] = (privileges[index] ?? 0) + count));
    if (result.difference !== undefined) {
      process.stdout.write(`seed ${seed}: ${result.difference}\n`);
      return 1;
    }
  }
  const [user = 0, supervisor = 0, machine = 0] = privileges;
  const seconds = Math.round((Date.now() - start) / 1000);
  process.stdout.write(
    `${compared} instructions compared in ${seconds} s, from seed ${first}: ${user} in user mode, ${supervisor} in supervisor mode, ` +
      `${machine} in machine mode, ${traps} traps, ${budgets} budgets of the translator; nothing differs\n`,
  );
  return signal.aborted ? 130 : 0;
}

const command = new Command('npm run differential --')
  .description('random code at every privilege here and in qemu, compared after each instruction, and the translator at the ends of random budgets')
  .option('--instructions <count>', 'how many to compare at least', countFrom(1), 100_000_000)
  .option('--seed <number>', "the first guest's seed", parseCount, 1)
  .option('--float', 'compare the f registers, too; half as fast')
  .addHelpText('after', `
Exits with 0 if nothing differs, 1 if something does, 2 if an option is wrong or qemu
is missing, 130 if it was interrupted.

Example:
  npm run differential -- --instructions 20_000_000 --seed 7`);

void runTool('differential', command, (flags: Flags) => {
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort();
  });
  return run(flags, stop.signal);
});
