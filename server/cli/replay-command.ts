import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Option, type Command } from 'commander';
import { InputLog } from '../../engine/covert/input-log';
import type { DiskPlan, Plan } from '../../engine/covert/plan';
import { patchedImage } from '../../engine/machine/virtio/disk-image';
import { differenceOf, diskPart, readRecording, RecordingError, subjectOf, type Mark, type Recording, type Subject } from '../../engine/covert/recording';
import type { Report } from '../../engine/covert/report';
import { run } from '../../engine/covert/run';
import type { Tier } from '../../engine/machine/tier';
import { compileFile, type Diagnostic } from '../language/compile';
import { withCosts } from './cost-option';
import { asUnreadable, BadInput, exitCodes } from './failure';
import { interruptible } from './interrupt';
import { count, counted } from './numbers';
import { Progress } from './progress';
import { formatReport } from './report-screen';
import { withShownSources } from './shown-sources';
import { screenOf, shownPath, write } from './terminal';
import { tierOption } from './tier-option';
import { withTiming } from './timing-option';
import { parseThreads } from './values';

interface ReplayFlags {
  json?: true;
  tier: Tier;
  threads: number;
}

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('Run again what `covert run --record` has saved, and see that all of it is the same.')
    .argument('<file>', 'recording')
    .addOption(tierOption())
    .addOption(new Option('--threads <count>', 'threads of this machine that execute replicas, at most').argParser(parseThreads).default(availableParallelism(), 'as many as it has processors'))
    .option('--json', 'print the report instead of text')
    .addHelpText(
      'after',
      `
The scenario's files have to be where they were, seen from the recording: a guest
that is another one now is refused. What came from outside comes from the recording.
Exits with 0 if the report and all states are the same, 1 if not, 2 if the recording
or the guest is wrong.

Example:
  covert run examples/checksum/failover.covert --scenario "a core that dies" --record dies.rec
  covert replay dies.rec`,
    )
    .action(async (file: string, flags: ReplayFlags) => {
      process.exitCode = await replayFile(file, flags);
    });
}

async function replayFile(file: string, { json, tier, threads }: ReplayFlags): Promise<number> {
  const recording = await read(file);
  const plan = await planOf(file, recording);
  return interruptible(async (signal) => {
    const progress = new Progress(plan.name);
    const onProgress = (instructions: number): void => progress.update(() => `${count(instructions)} instructions`);
    const states: Mark[] = [];
    const inputs = InputLog.of(recording.inputs);
    const beside = (recording.neighbours ?? []).map((each) => ({ inputs: InputLog.of(each) }));
    const report = await run(plan, { onProgress, signal, tier, threads, inputs, beside, onMark: (mark) => void states.push(mark) }).finally(() => progress.end());
    if (json) await write(process.stdout, `${JSON.stringify(report, null, 2)}\n`);
    else await write(process.stdout, formatReport(withShownSources(report, plan), screenOf(process.stdout)));
    const departure = departureOf(recording, report, states);
    process.stderr.write(departure === undefined ? `covert: ${file}: the same report, and ${counted(states.length + 1, 'state')} the same\n` : `covert: ${file}: ${departure}\n`);
    return departure === undefined ? exitCodes.held : exitCodes.broken;
  });
}

async function read(file: string): Promise<Recording> {
  try {
    return readRecording(await readFile(file));
  } catch (error) {
    if (error instanceof RecordingError) throw new BadInput(`${file}: ${error.message}`, { cause: error });
    throw asUnreadable(file, error);
  }
}

/** The recorded scenario, as its files have it now; {@link BadInput} where that is another one. */
async function planOf(file: string, { scenario, subject, timing, costs, overwritten }: Recording): Promise<Plan> {
  const source = path.resolve(path.dirname(file), ...scenario.file.split('/'));
  const { plans, diagnostics } = await compileFile(source, { text: scenario.text });
  const scenarioPlan = plans.find(({ name }) => name === scenario.name);
  if (!scenarioPlan) throw new BadInput(`${file}: ${whyNoPlan(diagnostics)}`);
  const plan = withCosts(withTiming(scenarioPlan, timing), costs ?? {});
  const { disks } = plan.guest;
  // The run has changed the images of its disks.
  const before = disks && overwritten && { ...plan, guest: { ...plan.guest, disks: disks.map((disk, number) => asItWas(disk, number, subject, overwritten)) } };
  const other = differenceOf(subject, subjectOf(before ?? plan));
  if (other !== undefined) throw new BadInput(`${file}: ${other} is not the one that was recorded (its SHA-256 is another): the recording belongs to another guest`);
  return before ?? plan;
}

/** Why a recorded scenario does not compile. Its own file need not be there, so what is named is the file that is missing, in whole: its name in the scenario leads there only from where that was. */
function whyNoPlan(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  for (const { code, file, message } of errors) {
    const missing = code === 'COV203' ? /^(.*) does not exist$/s.exec(message)?.[1] : undefined;
    if (missing === undefined) continue;
    const looked = shownPath(path.resolve(path.dirname(file), missing));
    return `${looked} does not exist: files are looked for where they were, seen from the recording, so bring it there, or the recording back to where it was`;
  }
  return `its scenario cannot be run with the files as they are now: ${errors[0]?.message ?? 'it is not there'}`;
}

/** A disk with the image that the run began with: the file's as it is, or with what the run has overwritten put back. */
function asItWas(disk: DiskPlan, number: number, subject: Subject, overwritten: NonNullable<Recording['overwritten']>): DiskPlan {
  if (!disk.writable || disk.image.sha256() === subject[diskPart(number)]) return disk;
  const blocks = overwritten.filter((each) => each.disk === number);
  return { ...disk, image: patchedImage(disk.image, new Map(blocks.map(({ block, content }) => [block, content]))) };
}

/** Where a replay is not what was recorded, in one line. */
function departureOf(recording: Recording, report: Report, states: readonly Mark[]): string | undefined {
  const at = recording.states.findIndex(({ moment, sha256 }, i) => states[i]?.moment !== moment || states[i]?.sha256 !== sha256);
  if (at >= 0) {
    const from = recording.states[at - 1]?.moment ?? 0;
    return `the replay departs from the recording between moment ${count(from)} and ${count(recording.states[at]?.moment ?? 0)}: another state`;
  }
  // As it is in the file: without what JSON does not have.
  const now = JSON.parse(JSON.stringify(report)) as Record<string, unknown>;
  const then = recording.report as unknown as Record<string, unknown>;
  const field = [...new Set([...Object.keys(then), ...Object.keys(now)])].find((name) => !isDeepStrictEqual(then[name], now[name]));
  return field === undefined ? undefined : `the replay's report is another one, in \`${field}\``;
}
