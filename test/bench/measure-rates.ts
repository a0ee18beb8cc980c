/**
 * `npm run measure:rates`: runs the programs of the benchmark in Debian, shorter than there, and writes what the
 * analytical model is fed with and held against to engine/model/debian-rates.json. First alone, which gives the rates of
 * events; then in two replicas with the protection of a scenario that says nothing, which gives what that has cost. Of one seed and
 * counted in instructions, so the file is the same each time, on any host, as long as kernel and programs are.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import type { Plan } from '../../engine/covert/plan';
import type { CostReport } from '../../engine/covert/report';
import { System } from '../../engine/covert/system';
import type { MeasuredProgram, MeasuredRates } from '../../engine/model/measured-rates';
import { observe, profileOf, type Observation } from '../../engine/model/observe';
import { BadInput, exitCodes, Failure } from '../../server/cli/failure';
import { interruptible } from '../../server/cli/interrupt';
import { count } from '../../server/cli/numbers';
import { writeWhole } from '../../server/cli/output-file';
import { Progress } from '../../server/cli/progress';
import { debianFiles, debianFolder } from '../../server/guest/debian';
import { defaults, periods } from '../../server/language/defaults';
import { root } from '../cli/covert';
import { runTool } from '../tool';
import { debianPlan } from './debian-plan';
import { writeGuests } from './guest-run';
import { Marks } from './marks';
import { programs, type Program } from './programs';

const target = path.join(root, 'engine/model/debian-rates.json');
/** Stretches of 0.4 to 102.4 million instructions, the last the checkpoint period. */
const stretches = [1, 2, 3, 4, 16, 64, 256];
const step = 400_000;
/** Those that work for a time of the guest's, as briefly as they can; the others as long as in the benchmark: for many checkpoint periods. */
const measured = programs.map((program): Program => (program.work ? program : { ...program, prepare: () => program.prepare?.(false) ?? '', run: () => program.run(false) }));
/** Instructions between two looks at whether the run was interrupted. */
const stride = 16_000_000;

interface Part {
  name: string;
  from: number;
  to: number;
}

/** Runs the programs alone: what there was at each step, and where each program has run. */
async function alone(plan: Plan, signal: AbortSignal): Promise<{ observation: Observation; parts: Part[] }> {
  const marks = new Marks(programs);
  const progress = new Progress('alone');
  const observation = await observe(plan, {
    step, stretches, signal,
    onConsole: (text, instructions) => marks.read(text, { seconds: 0, instructions }),
    onProgress: (instructions) => progress.update(() => `${marks.current ?? 'boot'}, ${count(instructions)} instructions`),
  }).finally(() => progress.end());
  if (!observation) throw new Failure(exitCodes.interrupted, 'interrupted');
  if (!observation.whole) throw new Failure(exitCodes.failed, 'the guest did not come to its end');
  const parts = programs.map(({ name }) => {
    const seen = marks.seen.get(name);
    if (!seen) throw new Failure(exitCodes.failed, `${name} has not run in the guest`);
    return { name, from: seen.from, to: seen.from + seen.instructions };
  });
  return { observation, parts };
}

/** Runs them in replicas, and says what had been spent at each of some counts. */
async function replicated(plan: Plan, counts: readonly number[], signal: AbortSignal): Promise<Map<number, { cycles: number; events: CostReport[] }>> {
  const system = new System(plan, { forgetful: true, threads: 2 });
  const progress = new Progress(plan.protection.kind);
  const spent = new Map<number, { cycles: number; events: CostReport[] }>();
  try {
    for (const goal of counts.toSorted((a, b) => a - b)) {
      while (!system.ended && system.count < goal) {
        signal.throwIfAborted();
        system.advance(Math.min(goal, system.count + stride));
        if (system.takeEvents().some(({ kind }) => kind === 'detection')) throw new Failure(exitCodes.failed, 'the replicas came apart');
        progress.update(() => `${count(system.count)} instructions`);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      spent.set(goal, { cycles: system.cycles, events: system.costs() });
    }
  } finally {
    progress.end();
    system.close();
  }
  return spent;
}

function costBetween(spent: ReadonlyMap<number, { cycles: number; events: CostReport[] }>, from: number, to: number): MeasuredProgram['replicated'] {
  const [before, after] = [spent.get(from), spent.get(to)];
  if (!before || !after) throw new Error(`nothing is known of ${from} to ${to}`);
  const events = after.events.map(({ event, count: times, cycles }) => {
    const earlier = before.events.find((one) => one.event === event);
    return { event, count: times - (earlier?.count ?? 0), cycles: cycles - (earlier?.cycles ?? 0) };
  });
  return { cycles: after.cycles - before.cycles, events: events.filter((event) => event.count > 0) };
}

async function measure(signal: AbortSignal): Promise<MeasuredRates> {
  const files = debianFiles();
  if ('missing' in files) throw new BadInput(`${debianFolder()} has no ${files.missing}: \`npm run guest:debian\` makes what is missing`);
  const folder = mkdtempSync(path.join(tmpdir(), 'covert-rates-'));
  try {
    const { isolation, epochInstructions, watchdogEpochs, retry } = defaults;
    const { checkpointEpochs, compareStateEpochs } = periods.linux;
    const { load } = writeGuests(files, folder, measured, true);
    const plan = await debianPlan(files, load.initrd, {
      kind: 'dmr', cores: [0, 1], isolation, epochInstructions, checkpointEpochs, compareOutput: true, compareStateEpochs, watchdogEpochs, retry, uncoordinated: [],
    });
    const { observation, parts } = await alone(plan, signal);
    const profiles = parts.map(({ name, from, to }) => profileOf(observation, name, from, to));
    const spent = await replicated(plan, parts.flatMap(({ from, to }) => [from, to]), signal);
    return {
      command: 'npm run measure:rates',
      hertz: plan.chip.hertz,
      protection: { kind: 'dmr', epochInstructions, checkpointEpochs, compareStateEpochs },
      programs: profiles.map((profile, i) => {
        const [program, part] = [programs[i], parts[i]];
        if (!program || !part) throw new Error('a profile of no program');
        const dirtyPages = profile.dirtyPages.map(({ instructions, pages }) => ({ instructions, pages: Number(pages.toFixed(2)) }));
        return { ...profile, dirtyPages, group: program.group, what: program.what, replicated: costBetween(spent, part.from, part.to) };
      }),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const command = new Command('npm run measure:rates')
  .description('Measures the rates of events of programs in Debian, and what two replicas cost them, for the analytical model.')
  .addHelpText('after', `
Writes engine/model/debian-rates.json. Exits with 0 if that is written, 2 if an option is
wrong or Debian's files are missing, 130 if it was interrupted.

Example:
  npm run measure:rates`)
  .allowExcessArguments(false);

void runTool('measure:rates', command, async () => {
  await writeWhole('writing', target, `${JSON.stringify(await interruptible(measure), null, 2)}\n`);
  return exitCodes.held;
});
