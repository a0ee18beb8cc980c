/**
 * `npm run fuzz -- TARGET --runs N --seed S`: feeds a reader or a device mutated
 * inputs, and says on which one it does what it must not. Such an input is kept
 * in corpus/TARGET, which the tests replay; with `--keep` so are inputs, shortened,
 * that make something happen which none of the corpus does. An input that takes long,
 * or much memory, fails as well.
 */
import { relative } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { parseCount } from '../../server/cli/values';
import { countFrom, runTool } from '../tool';
import { keep, readCorpus } from './corpus';
import { fuzz, FuzzFailure, shortenFor } from './fuzzer';
import { Guard } from './guard';
import { targets } from './targets';

interface Flags {
  runs: number;
  seed: number;
  keep?: true;
}

async function run(name: string, flags: Flags): Promise<number> {
  const target = targets[name];
  if (!target) {
    process.stderr.write(`fuzz: no target ${name}: there is ${Object.keys(targets).join(', ')}\n`);
    return 2;
  }
  const corpus = readCorpus(name).map(({ input }) => input);
  const start = Date.now();
  let said = start;
  let kept = 0;
  const guard = new Guard(name);
  try {
    const happened = await fuzz(target, {
      ...flags,
      corpus,
      guard,
      onNew: async (input, words) => {
        if (!flags.keep) return;
        keep(name, await shortenFor(target, input, words));
        kept++;
      },
      onProgress: (done, labels) => {
        if (Date.now() - said < 2000) return;
        said = Date.now();
        process.stderr.write(`fuzz: ${name}: ${done} of ${flags.runs} runs, ${labels} different outcomes\n`);
      },
    });
    const seconds = Math.round((Date.now() - start) / 1000);
    process.stdout.write(`${name}: ${flags.runs} runs from seed ${flags.seed} in ${seconds} s, ${happened} different outcomes, ${kept} inputs kept, none failed; ${guard.summary}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    const path = relative(process.cwd(), keep(name, error.input));
    process.stderr.write(`fuzz: ${name} failed: ${error.message}\nfuzz: the input, shortened, is ${path}\n`);
    return 1;
  } finally {
    guard.close();
  }
}

const command = new Command('npm run fuzz --')
  .description('Feeds a reader or a device mutated inputs, and says on which one it does what it must not.')
  .argument('[target]', 'what to fuzz; without it, the targets are listed')
  .option('--runs <count>', 'inputs to try', countFrom(1), 10_000)
  .option('--seed <number>', 'where the mutations start', parseCount, 1)
  .option('--keep', 'add inputs with new outcomes to the corpus')
  .addHelpText('after', `
Exits with 0 if nothing failed, 1 if something did (its input is kept in corpus/TARGET),
2 if an option is wrong.

Example:
  npm run fuzz -- elf --runs 100_000 --seed 7`);

void runTool('fuzz', command, (flags: Flags, name?: string) => {
  if (name !== undefined) return run(name, flags);
  for (const [each, { what }] of Object.entries(targets)) process.stdout.write(`${each}: ${what}\n`);
  return 0;
});
