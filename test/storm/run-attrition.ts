/**
 * `npm run attrition`: the components of a chip die one after another in random orders, until nothing can run, and what
 * protects the guest after each death: the curve of service against dead components. Exit code 1 if anything wrong was
 * released, or if the guest was served less than the chip could have.
 */
import process from 'node:process';
import { Command, Option } from 'commander';
import { interruptible } from '../../server/cli/interrupt';
import { table } from '../../server/cli/layout';
import { percent } from '../../server/cli/numbers';
import { Progress } from '../../server/cli/progress';
import { parseCount } from '../../server/cli/values';
import { countFrom, runTool } from '../tool';
import { decline, isServedBest, type Decline } from './attrition';

interface Flags {
  orders: number;
  seed: number;
  protection: 'dmr' | 'tmr';
}

const services = ['tmr', 'dmr', 'none', 'stopped'] as const;
/** Columns of the bar that stands for all orders. */
const width = 40;
const marks = { tmr: '█', dmr: '▓', none: '░', stopped: '·' };

async function attrition({ orders, seed, protection }: Flags): Promise<number> {
  const all: Decline[] = [];
  const progress = new Progress('attrition');
  await interruptible(async (signal) => {
    for (let i = 0; i < orders && !signal.aborted; i++) {
      progress.update(() => `${i} of ${orders} orders`);
      all.push(await decline(protection, 'full', seed + i));
    }
  });
  progress.end();
  const deaths = all[0]?.order.length ?? 0;
  const shares = Array.from({ length: deaths }, (_, i) => services.map((service) => all.filter((each) => each.service[i] === service).length / all.length));
  const bar = (share: readonly number[]): string => {
    const ends = share.map((_, i) => Math.round(width * share.slice(0, i + 1).reduce((sum, each) => sum + each, 0)));
    return services.map((service, i) => marks[service].repeat((ends[i] ?? 0) - (ends[i - 1] ?? 0))).join('');
  };
  const rows = shares.map((share, i) => [String(i + 1), ...share.map(percent), bar(share)]);
  process.stdout.write(`protect ${protection}, isolation full, ${all.length} orders of ${deaths} components from seed ${seed}: what protects the guest after each death\n\n`);
  process.stdout.write(`${table([['dead', ...services, ''], ...rows], [true, true, true, true, true]).join('\n')}\n\n`);
  const lived = all.map(({ service }) => service.findIndex((each) => each === 'stopped')).map((at) => (at < 0 ? deaths : at));
  process.stdout.write(`the guest was served for ${(lived.reduce((sum, each) => sum + each, 0) / Math.max(1, all.length)).toFixed(1)} deaths on average, at most ${Math.max(...lived)}\n`);
  const failed = all.flatMap((each, i) => (each.exact && isServedBest(each) ? [] : [`seed ${seed + i}: ${each.exact ? 'the chip could have given more' : 'something wrong was released'}; ${each.end.why}`]));
  for (const line of failed) process.stdout.write(`FAILED  ${line}\n`);
  process.stdout.write(`${all.length - failed.length} passed, ${failed.length} failed\n`);
  return failed.length > 0 ? 1 : 0;
}

const command = new Command('npm run attrition --')
  .description('The components of a chip die one after another, until no domain of it is whole.')
  .option('--orders <count>', 'in how many orders', countFrom(1), 100)
  .option('--seed <number>', 'the first of them', parseCount, 1)
  .addOption(new Option('--protection <kind>', 'what the guest begins with').choices(['dmr', 'tmr']).default('dmr'))
  .addHelpText('after', `
Exits with 0 if nothing wrong was released and the guest was served as long and as
well as the chip could, 1 if not, 2 if an option is wrong, 130 if interrupted.

Example:
  npm run attrition -- --protection tmr --orders 1000`);

void runTool('attrition', command, attrition);
