/**
 * `npm run storm:checksum`: 1,000 random bit flips in examples/checksum, under
 * dmr and without protection. Exit code 1 if dmr let anything through, or if
 * without protection nothing went wrong (then the storm was none).
 */
import { Command } from 'commander';
import { parseCount } from '../../server/cli/values';
import { countFrom, runTool } from '../tool';
import { Storm, type Outcome } from './checksum-storm';

interface Flags {
  runs: number;
  seed: number;
  only?: number;
}

const describe = ({ number, fault, change, exact, exit, ended }: Outcome): string =>
  `  run ${number}: ${fault} (${change}): ${ended}, exit ${exit ?? 'none'}, output ${exact ? 'right' : 'WRONG'}`;

async function storm({ runs, seed, only }: Flags): Promise<number> {
  const numbers = only === undefined ? Array.from({ length: runs }, (_, number) => number) : [only];
  let failed = false;
  for (const protection of ['dmr', 'none'] as const) {
    const storms = new Storm({ path: 'examples/checksum/checksum.elf', seed, protection });
    const start = Date.now();
    const outcomes: Outcome[] = [];
    for (const number of numbers) outcomes.push(await storms.outcome(number));
    const seconds = ((Date.now() - start) / 1000).toFixed(1);

    const wrong = outcomes.filter(({ exact, exit, ended }) => !exact || exit !== 0 || ended !== 'exit');
    const misreported = outcomes.filter(({ exact, reportedCorrupt, ended, exit }) => ended === 'exit' && reportedCorrupt !== (!exact || exit !== 0));
    const detections = new Map<string, number>();
    for (const by of outcomes.flatMap((outcome) => outcome.detectedBy)) detections.set(by, (detections.get(by) ?? 0) + 1);
    const how = [...detections].map(([by, count]) => `${by} ${count}`).join(', ');
    console.log(`protect ${protection}, seed ${seed}: ${outcomes.length} runs in ${seconds} s`);
    console.log(`  not what the fault-free guest does: ${wrong.length}; detections: ${how === '' ? 'none' : how}`);
    if (protection === 'dmr' || only !== undefined) wrong.forEach((outcome) => console.log(describe(outcome)));
    misreported.forEach((outcome) => console.log(`  misreported:${describe(outcome)}`));
    if (misreported.length > 0) failed = true;
    if (only === undefined && (protection === 'dmr') !== (wrong.length === 0)) failed = true;
  }
  return failed ? 1 : 0;
}

const command = new Command('npm run storm:checksum --')
  .description('Random bit flips in examples/checksum, one a run, with two replicas and without protection.')
  .option('--runs <count>', 'how many', countFrom(1), 1000)
  .option('--seed <number>', 'which flips', parseCount, 1)
  .option('--only <number>', 'only the run with this number, and what came of it', parseCount)
  .addHelpText('after', `
Exits with 0 if dmr let nothing through and without protection something went wrong,
1 if not, 2 if an option is wrong.

Example:
  npm run storm:checksum -- --runs 100 --seed 7`);

void runTool('storm', command, storm);
