/**
 * `npm run properties -- --seed S --seeds N`: every test file that has properties, once for each of N seeds. Exit code 1 where one
 * fails, with the seed that shows it.
 */
import { spawn } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { interruptible } from '../../server/cli/interrupt';
import { parseCount } from '../../server/cli/values';
import { countFrom, runTool } from '../tool';

const root = path.resolve(import.meta.dirname, '../..');

interface Flags {
  seed: number;
  seeds: number;
}

/** Test files that draw from the global seed. */
async function filesWithProperties(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ['engine', 'server', 'client', 'test']) {
    for (const name of await readdir(path.join(root, folder), { recursive: true })) {
      if (name.endsWith('.test.ts') && (await readFile(path.join(root, folder, name), 'utf8')).includes('fc.assert(')) found.push(path.join(folder, name));
    }
  }
  return found.sort();
}

/** True if all of them hold with this seed. */
function hold(files: readonly string[], seed: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=dot', ...files], { cwd: root, stdio: 'inherit', env: { ...process.env, COVERT_SEED: String(seed) } });
    signal.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0));
  });
}

async function run({ seed: first, seeds }: Flags): Promise<number> {
  const files = await filesWithProperties();
  const failed: number[] = [];
  let passed = 0;
  let interrupted = false;
  await interruptible(async (signal) => {
    for (let seed = first; seed < first + seeds && !signal.aborted; seed++) {
      process.stdout.write(`\nseed ${seed}: ${files.length} files\n`);
      if (await hold(files, seed, signal)) passed++;
      else if (!signal.aborted) failed.push(seed);
    }
    interrupted = signal.aborted;
  });
  for (const seed of failed) process.stdout.write(`seed ${seed} fails: COVERT_SEED=${seed} npx vitest run FILE\n`);
  process.stdout.write(`${passed} passed, ${failed.length} failed${interrupted ? ', interrupted' : ''}\n`);
  return failed.length > 0 ? 1 : interrupted ? 130 : 0;
}

void runTool(
  'properties',
  new Command('npm run properties --')
    .description('Runs every test file that has properties, with other random inputs than npm test.')
    .option('--seed <seed>', 'the first seed', parseCount, 2)
    .option('--seeds <count>', 'how many seeds, one after the other', countFrom(1), 5)
    .addHelpText('after', '\nExample:\n  npm run properties -- --seed 100 --seeds 20'),
  run,
);
