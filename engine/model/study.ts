import { costsWith } from '../chip/cost-table';
import type { Plan } from '../covert/plan';
import type { Report } from '../covert/report';
import { run, RunAborted, type RunOptions } from '../covert/run';
import { compare } from './comparison';
import { observationOf } from './observation-lengths';
import { observe, profileOf } from './observe';
import { rowOf, type Row } from './survey';

/** Runs that a study consists of, in their order: `run` has the unprotected one in it that its overhead is measured against. */
export type StudyPart = 'measuring' | 'counting events';

export interface StudyOptions extends Pick<RunOptions, 'signal' | 'tier' | 'threads' | 'threadsFrom'> {
  onProgress?: (part: StudyPart, instructions: number) => void;
}

/**
 * Runs a scenario on the emulated chip as it is, and its guest once more alone to count its events; then puts what the first has
 * cost beside what the model makes of the second. Rejects with {@link RunAborted} when aborted.
 */
export async function study(plan: Plan, { onProgress, signal, tier, ...crew }: StudyOptions = {}): Promise<Row> {
  const common = { ...(signal ? { signal } : {}), ...(tier ? { tier } : {}) };
  const report = await run(plan, { ...common, ...crew, withoutDivergences: true, onProgress: (count) => onProgress?.('measuring', count) });
  const observation = await observe(plan, { ...common, ...observationOf(plan), onProgress: (count) => onProgress?.('counting events', count) });
  if (!observation) throw new RunAborted();
  const { kind, epochInstructions, checkpointEpochs, compareStateEpochs } = plan.protection;
  const profile = profileOf(observation, plan.name);
  const row = rowOf(profile, kind, { epochInstructions, checkpointEpochs, compareStateEpochs }, plan.chip.hertz, costsWith(plan.chip.costs));
  const why = observation.whole ? whyNot(report) : 'alone the guest does not come to its end';
  if (why !== undefined) return { ...row, why };
  const { events, protected: protectedCycles, unprotected: guestCycles } = report.cycles;
  // Without an outside of its own the run has been repeated, so there is something to compare with.
  if (guestCycles === null) throw new TypeError('a run without a reference');
  return { ...row, comparison: compare(row.prediction, events, { guestCycles, protectedCycles }) };
}

/** Why a run's cycles say nothing of overhead. */
function whyNot({ cycles, guest }: Report): string | undefined {
  if (cycles.overhead !== null) return undefined;
  const endings = { exit: 'it took no time', limit: 'it was cut off at its limit', hung: 'it hung', stopped: 'the VMM stopped it' };
  return `the run was not whole: ${endings[guest.ended]}`;
}
