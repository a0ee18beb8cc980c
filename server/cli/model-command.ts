import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import { withoutNeighbours } from '../../engine/covert/beside';
import type { CostChanges } from '../../engine/chip/cost-table';
import type { Tier } from '../../engine/machine/tier';
import { debianRates } from '../../engine/model/measured-rates';
import { study } from '../../engine/model/study';
import { measuredRows, surveyOf, type Row, type Survey } from '../../engine/model/survey';
import { exitCodes } from './failure';
import { interruptible } from './interrupt';
import { modelJson } from './model-json';
import { formatSurvey } from './model-screen';
import { count } from './numbers';
import { checkWritable, writeWhole } from './output-file';
import { Progress } from './progress';
import { campaignsLeft, loadPlans } from './scenario-file';
import { scenarioOption } from './scenario-option';
import { printable, screenOf, write } from './terminal';
import { costOption, withCosts } from './cost-option';
import { tierOption } from './tier-option';
import { parseThreads } from './values';

interface ModelFlags {
  scenario?: string;
  json?: true;
  svg?: string;
  tier: Tier;
  threads: number;
  cost: CostChanges;
}

export function addModelCommand(program: Command): void {
  program
    .command('model')
    .description('Say what replication costs by the analytical model, beside what was measured.')
    .argument('[file]', 'scenario file (.covert) whose scenarios are run and measured; without it, programs in Debian that were measured before')
    .addOption(scenarioOption('take only the scenario of this name'))
    .addOption(tierOption())
    .addOption(new Option('--threads <count>', 'threads of this machine that execute replicas, at most').argParser(parseThreads).default(availableParallelism(), 'as many as it has processors'))
    .addOption(costOption())
    .option('--json', 'print one object instead of text')
    .option('--svg <file>', 'draw charts of it all, too: one SVG file')
    .addHelpText(
      'after',
      `
Exits with 0 whatever comes out, 2 if a file or an option is wrong.

Example:
  covert model
  covert model --cost prescott --cost rendezvous=1500
  covert model examples/checksum/checksum.covert --svg checksum.svg`,
    )
    .action(async (file: string | undefined, flags: ModelFlags, command: Command) => {
      if (file === undefined && flags.scenario !== undefined) command.error('error: --scenario is of a file, and there is none: name it, too');
      process.exitCode = await model(file, flags);
    });
}

async function model(file: string | undefined, flags: ModelFlags): Promise<number> {
  const { json, svg, cost } = flags;
  if (svg !== undefined) await checkWritable('--svg', svg);
  const survey = surveyOf(file === undefined ? measuredRows(debianRates, cost) : await studyFile(file, flags));
  const about = { fromFile: file !== undefined, command: debianRates.command };
  if (svg !== undefined) await draw(svg, survey);
  await write(process.stdout, json ? `${JSON.stringify(modelJson(survey), null, 2)}\n` : formatSurvey(survey, screenOf(process.stdout), about));
  return exitCodes.held;
}

async function studyFile(file: string, { scenario, tier, threads, cost }: ModelFlags): Promise<Row[]> {
  const loaded = await loadPlans(file, scenario);
  if (loaded.campaigns.length > 0) process.stderr.write(printable(`covert: ${file}: ${campaignsLeft(file)}\n`));
  const plans = loaded.plans.map((plan) => withCosts(plan, cost));
  return interruptible(async (signal) => {
    const rows: Row[] = [];
    for (const plan of plans) {
      const progress = new Progress(plan.name);
      const onProgress = (part: string, instructions: number): void => progress.update(() => `${part}, ${count(instructions)} instructions`);
      rows.push(await study(withoutNeighbours(plan), { onProgress, signal, tier, threads }).finally(() => progress.end()));
    }
    return rows;
  });
}

/** The charts' library is large, so it is loaded where there is something to draw. */
async function draw(file: string, survey: Survey): Promise<void> {
  const { drawSurvey } = await import('./model-charts');
  await writeWhole('--svg', file, drawSurvey(survey));
}
