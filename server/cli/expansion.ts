import { setImmediate } from 'node:timers/promises';
import { Option } from 'commander';
import { campaignRanges } from '../../engine/covert/campaign-ranges';
import { CampaignError, CampaignRuns, type CampaignRun } from '../../engine/covert/campaign-runs';
import type { CampaignPlan } from '../../engine/covert/campaign-plan';
import { BadInput, exitCodes } from './failure';
import { interruptible } from './interrupt';
import { count, counted } from './numbers';
import { Progress } from './progress';
import { compileScenarioFile, diagnosticLine } from './scenario-file';
import { scenarioFiles } from './scenario-files';
import { printable, screenOf, write } from './terminal';
import { parsePositive } from './values';

export interface ExpandFlags {
  expand?: true;
  from?: number;
  count?: number;
  json?: true;
}

/** What `covert check` takes to list the runs of campaigns. */
export function expandOptions(): Option[] {
  return [
    new Option('--expand', 'list the runs of campaigns: number, and the fault as a line of the language').conflicts('sarif'),
    new Option('--from <run>', 'list them from this number on').argParser(parsePositive).implies({ expand: true }),
    new Option('--count <runs>', 'list so many of each campaign').argParser(parsePositive).implies({ expand: true }),
  ];
}

/** Lists the runs of all campaigns of files and folders, as they are made; gives the exit code. What is wrong with a file goes to stderr. */
export function expand(paths: readonly string[], { from = 1, count: most = Infinity, json }: ExpandFlags): Promise<number> {
  return interruptible(async (signal) => {
    const list = json ? new JsonList() : new TextList();
    let campaigns = 0;
    let longest = 0;
    let listed = 0;
    const { files, problems: unfound } = await scenarioFiles(paths);
    for (const { message } of unfound) process.stderr.write(`covert: ${printable(message)}\n`);
    let problems = unfound.length;
    await list.begin();
    try {
      for (const file of files) {
        try {
          for (const campaign of await campaignsOf(file)) {
            campaigns++;
            const runs = await runsOf(file, campaign, signal);
            longest = Math.max(longest, runs.size);
            listed += await show(runs, { from, to: Math.min(runs.size, from + most - 1) }, file, list, signal);
          }
        } catch (error) {
          // The other files are looked at all the same.
          if (!(error instanceof BadInput)) throw error;
          problems++;
          process.stderr.write(`covert: ${printable(error.message)}\n`);
        }
      }
    } finally {
      // At once and at the end: what was interrupted leaves no half a list.
      await list.end();
    }
    if (problems > 0) return exitCodes.badInput;
    if (campaigns === 0) throw new BadInput(files.length === 1 ? `${files[0]}: it has no campaign to expand` : `none of the ${files.length} files has a campaign to expand`);
    if (listed === 0) throw new BadInput(`--from: there is no run ${count(from)}, as ${campaigns === 1 ? 'the campaign' : 'the longest campaign'} has ${counted(longest, 'run')}`);
    return exitCodes.held;
  });
}

async function campaignsOf(file: string): Promise<CampaignPlan[]> {
  const { campaigns, diagnostics } = await compileScenarioFile(file);
  for (const diagnostic of diagnostics) process.stderr.write(`${diagnosticLine(diagnostic)}\n`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) throw new BadInput(`${file}: ${counted(errors, 'error')}, so nothing of it was expanded`);
  return campaigns;
}

async function runsOf(file: string, campaign: CampaignPlan, signal: AbortSignal): Promise<CampaignRuns> {
  const { name } = campaign.base;
  const progress = new Progress(`${name}: the run without faults`);
  try {
    const ranges = await campaignRanges(campaign, { signal, onProgress: (instructions) => progress.update(() => `${count(instructions)} instructions`) });
    signal.throwIfAborted();
    return new CampaignRuns(campaign, ranges ?? []);
  } catch (error) {
    throw error instanceof CampaignError ? new BadInput(`${file}: campaign "${name}": ${error.message}`, { cause: error }) : error;
  } finally {
    progress.end();
  }
}

/** Runs that are listed between two looks at Ctrl-C. */
const stretch = 256;

/** Gives how many were listed. */
async function show(runs: CampaignRuns, { from, to }: { from: number; to: number }, file: string, list: List, signal: AbortSignal): Promise<number> {
  await list.campaign(runs);
  for (let first = from; first <= to; first += stretch) {
    const some: CampaignRun[] = [];
    for (let number = first; number <= Math.min(to, first + stretch - 1); number++) some.push(runs.run(number));
    await list.runs(some, { file, to, campaign: runs.campaign.base.name });
    await setImmediate();
    signal.throwIfAborted();
  }
  return Math.max(0, to - from + 1);
}

/** Where the runs stand that are listed: `to` is the last one's number. */
interface Listing {
  file: string;
  campaign: string;
  to: number;
}

interface List {
  begin(): Promise<void>;
  campaign(runs: CampaignRuns): Promise<void>;
  runs(runs: readonly CampaignRun[], listing: Listing): Promise<void>;
  end(): Promise<void>;
}

/** The line, or the lines on one, that a scenario would have. */
function faultLine({ plan }: CampaignRun): string {
  return plan.faults.map(({ text }) => `fault ${text}`).join(' ');
}

class TextList implements List {
  async begin(): Promise<void> {}

  async campaign({ campaign: { base, injections }, size }: CampaignRuns): Promise<void> {
    const { colors } = screenOf(process.stdout);
    const what = injections.kind === 'every' ? `every fault, ${counted(size, 'run')}` : `${counted(size, 'run')}, seed ${injections.seed}`;
    await write(process.stdout, `${colors.bold(printable(`campaign "${base.name}"`))}: ${what}\n`);
  }

  async runs(runs: readonly CampaignRun[], { to }: Listing): Promise<void> {
    const width = String(to).length;
    await write(process.stdout, runs.map((run) => `${String(run.number).padStart(width + 2)}  ${printable(faultLine(run))}\n`).join(''));
  }

  async end(): Promise<void> {}
}

/** An array with one object a line. */
class JsonList implements List {
  #separator = '\n';

  async begin(): Promise<void> {
    await write(process.stdout, '[');
  }

  async campaign(): Promise<void> {}

  async runs(runs: readonly CampaignRun[], { file, campaign }: Listing): Promise<void> {
    const lines = runs.map((run) => {
      const trigger = run.plan.faults[0]?.trigger;
      const instruction = trigger?.kind === 'instruction' ? trigger.count : null;
      return JSON.stringify({ file, campaign, number: run.number, fault: faultLine(run), instruction, seed: run.plan.seed });
    });
    if (lines.length === 0) return;
    await write(process.stdout, this.#separator + lines.join(',\n'));
    this.#separator = ',\n';
  }

  async end(): Promise<void> {
    await write(process.stdout, '\n]\n');
  }
}
