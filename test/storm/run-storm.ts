/**
 * `npm run storm:checksum`: 1,000 random bit flips in examples/checksum, under
 * dmr and without protection. Exit code 1 if dmr let anything through, or if
 * without protection nothing went wrong (then the storm was none).
 *
 *   tsx test/storm/run-storm.ts [--runs N] [--seed N] [--only N]
 */
import { parseArgs } from 'node:util';
import { Storm, type Outcome } from './storm';

function whole(text: string | undefined, otherwise: number, option: string): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) {
    console.error(`storm: ${option} wants a whole number, not "${text}"`);
    process.exit(2);
  }
  return Number(text);
}

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } } });
const runs = whole(values.runs, 1000, '--runs');
const seed = whole(values.seed, 1, '--seed');
const only = values.only === undefined ? undefined : whole(values.only, 0, '--only');
const numbers = only === undefined ? Array.from({ length: runs }, (_, number) => number) : [only];

const describe = ({ number, fault, change, exact, exit, ended }: Outcome): string =>
  `  run ${number}: ${fault} (${change}): ${ended}, exit ${exit ?? 'none'}, output ${exact ? 'right' : 'WRONG'}`;

async function main(): Promise<number> {
  let failed = false;
  for (const protection of ['dmr', 'none'] as const) {
    const storm = new Storm({ path: 'examples/checksum/checksum.elf', seed, protection });
    const start = Date.now();
    const outcomes: Outcome[] = [];
    for (const number of numbers) outcomes.push(await storm.outcome(number));
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

main().then(
  (exit) => (process.exitCode = exit),
  (error: unknown) => {
    console.error(`storm: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 3;
  },
);
