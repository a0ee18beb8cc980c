import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import type { CostChanges } from '../../engine/chip/cost-table';
import { run } from '../../engine/covert/run';
import type { Report } from '../../engine/covert/report';
import type { Tier } from '../../engine/machine/tier';
import type { Plan } from '../../engine/covert/plan';
import { ForwardError } from '../network/forwards';
import { Sockets } from '../network/sockets';
import { keepResult } from '../results/last-results';
import { withDisks } from './writable-disks';
import { costOption, withCosts } from './cost-option';
import { BadInput, exitCodes } from './failure';
import { checkWritable } from './output-file';
import { Recorder } from './recorder';
import { interruptible } from './interrupt';
import { count } from './numbers';
import { Progress } from './progress';
import { formatReport } from './report-screen';
import { formatSummary, type Skipped } from './report-summary';
import { campaignsLeft, loadPlans } from './scenario-file';
import { withShownSources } from './shown-sources';
import { scenarioOption } from './scenario-option';
import { printable, screenOf, write } from './terminal';
import { tierOption } from './tier-option';
import { timingOption, withTiming, type Timing } from './timing-option';
import { parseThreads } from './values';

interface RunFlags {
  scenario?: string;
  json?: true;
  tier: Tier;
  timing?: Timing;
  threads: number;
  record?: string;
  cost: CostChanges;
}

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('Run the scenarios of a file and say what happened.')
    .argument('<file>', 'scenario file (.covert)')
    .addOption(scenarioOption('run only the scenario of this name'))
    .addOption(tierOption())
    .addOption(timingOption())
    .addOption(new Option('--threads <count>', 'threads of this machine that execute replicas, at most').argParser(parseThreads).default(availableParallelism(), 'as many as it has processors'))
    .addOption(costOption())
    .option('--record <file>', 'save the run of one scenario, for `covert replay`')
    .option('--json', 'print an array of reports, one a scenario, instead of text')
    .addHelpText(
      'after',
      `
Exits with 0 if every scenario passed, 1 if an expectation did not hold or a
fault never struck, 2 if the file is wrong, 3 if a run that failed was cut off
at its instruction limit, or if the file has campaigns, which are not run yet
(with --scenario they are not asked for).

Example:
  covert run examples/checksum/checksum.covert --scenario "a bit flip in the data"
  covert run examples/checksum/stuck.covert --tier interpreter --threads 1
  covert run examples/sort/sort.covert --timing detailed
  covert run examples/checksum/checksum.covert --cost exit=3963 --cost rendezvous=500
  covert run examples/ticker/ticker.covert --scenario "a misread clock" --record clock.rec`,
    )
    .action(async (file: string, flags: RunFlags) => {
      process.exitCode = await runFile(file, flags);
    });
}

async function runFile(file: string, { scenario, json, tier, timing, threads, record, cost }: RunFlags): Promise<number> {
  const loaded = await loadPlans(file, scenario);
  const plans = loaded.plans.map((plan) => withCosts(withTiming(plan, timing), cost));
  const skipped = loaded.campaigns.map((campaign) => ({ campaign, passed: null, notRun: campaignsLeft(file) }));
  if (record !== undefined) {
    if (plans.length > 1) throw new BadInput(`--record: ${file} has ${plans.length} scenarios, and one is recorded at a time: say which with --scenario`);
    await checkWritable('--record', record);
  }
  const screen = screenOf(process.stdout);
  return interruptible(async (signal) => {
    const reports: Report[] = [];
    let isLost = false;
    for (const plan of plans) {
      const progress = new Progress(plan.name);
      const onProgress = (instructions: number): void => progress.update(() => `${count(instructions)} instructions`);
      const { result: report, lost } = await withDisks(plan, async (opened, disks) => {
        const sockets = await socketsOfAll(opened);
        const recorder = record === undefined ? undefined : await Recorder.create(file, opened, record, timing);
        const recorded = recorder?.options;
        const [own, ...others] = sockets.map((each, i) => ({ ...recorded?.beside?.[i - 1], ...(each && { outside: each }) }));
        const options = { onProgress, signal, tier, threads, ...recorded, ...own, ...(disks && { disks }), beside: others };
        const result = await run(opened, options).finally(() => {
          progress.end();
          for (const each of sockets) each?.forwards.close();
        });
        await recorder?.write(result, disks?.overwritten());
        return result;
      });
      // A run that is costed or timed otherwise than the file says is not the file's.
      if (timing === undefined && Object.keys(cost).length === 0) await keepResult(file, plan, report);
      if (json) reports.push(report);
      else {
        const shown = withShownSources(report, plan);
        reports.push(shown);
        await write(process.stdout, formatReport(shown, screen));
      }
      for (const line of lost) process.stderr.write(`covert: ${printable(line)}\n`);
      isLost ||= lost.length > 0;
    }
    // At once and at the end: a run that was interrupted leaves no half an array.
    const closing = json ? `${JSON.stringify([...reports, ...skipped], null, 2)}\n` : formatSummary(reports, screen, skipped);
    await write(process.stdout, closing);
    if (json && skipped.length > 0) process.stderr.write(printable(`covert: ${file}: ${campaignsLeft(file)}\n`));
    return isLost ? exitCodes.failed : exitCodeOf(reports, skipped);
  });
}

/** The forwarded ports of a scenario's guests, listened at, its own first. */
async function socketsOfAll({ name, guest, neighbours = [] }: Plan): Promise<(Sockets | undefined)[]> {
  const all: (Sockets | undefined)[] = [];
  try {
    for (const each of [guest, ...neighbours.map((neighbour) => neighbour.guest)]) all.push(await socketsOf(name, each));
    return all;
  } catch (error) {
    for (const each of all) each?.forwards.close();
    throw error;
  }
}

/** Undefined where it has none. */
async function socketsOf(name: string, { network }: Plan['guest']): Promise<Sockets | undefined> {
  if (!network) return undefined;
  const sockets = new Sockets();
  try {
    await sockets.forwards.listen(network.forwards);
    return sockets;
  } catch (error) {
    throw error instanceof ForwardError ? new BadInput(`${name}: ${error.message}`, { cause: error }) : error;
  }
}

function exitCodeOf(reports: readonly Report[], skipped: readonly Skipped[]): number {
  const failed = reports.filter(({ passed }) => !passed);
  // Nobody knows yet whether what is expected of a campaign holds.
  if (failed.length === 0) return skipped.length > 0 ? exitCodes.failed : exitCodes.held;
  return failed.some(({ guest, neighbours = [] }) => [guest, ...neighbours.map((each) => each.guest)].some(({ ended }) => ended === 'limit')) ? exitCodes.failed : exitCodes.broken;
}
