import { withoutNeighbours } from '../covert/beside';
import type { Plan } from '../covert/plan';
import { InputLog } from '../covert/input-log';
import { ReleaseLog } from '../covert/release-log';
import { System } from '../covert/system';
import { defaultTier, type Tier } from '../machine/tier';
import type { Snapshot } from '../machine/types';
import type { Profile } from './profile';

/** All that has happened since the start of a run. */
type Counts = Omit<Profile, 'name' | 'dirtyPages'>;

/** A run that was looked at: how much had happened at each step, and what was dirtied in which stretch. */
export interface Observation {
  /** Ascending; the first is the start, the last the end. */
  steps: readonly Counts[];
  stretches: readonly { from: number; to: number; instructions: number; pages: number }[];
  /** The guest came to its end by itself. */
  whole: boolean;
}

export interface ObserveOptions {
  /** Instructions between two looks. */
  step: number;
  /** Lengths of stretches in steps, each observed from each of its multiples on. */
  stretches: readonly number[];
  /** Called with what was released on the console since the last call, and the instructions so far. */
  onConsole?: (text: string, instructions: number) => void;
  onProgress?: (instructions: number) => void;
  signal?: AbortSignal;
  tier?: Tier;
}

/** Steps that are run before others get their turn, if each is so short. */
const mostInstructionsAtOnce = 16_000_000;

/**
 * Runs a plan's guest alone, unprotected and without faults, and counts what the model is fed with. It is the run that
 * a report's overhead is measured against, so nothing of a protected run is in it. Undefined when aborted.
 */
export async function observe(plan: Plan, options: ObserveOptions): Promise<Observation | undefined> {
  const { step, stretches: lengths, onConsole, onProgress, signal, tier = defaultTier } = options;
  const [log, inputs] = [new ReleaseLog(), new InputLog()];
  const { switches: _, ...unswitched } = withoutNeighbours(plan);
  const system = new System({ ...unswitched, faults: [], protection: { ...plan.protection, kind: 'none', uncoordinated: [] } }, { tier, log, inputs });
  const [replica] = system.replicas;
  if (!replica) throw new Error('a system without replicas');
  const { computer } = replica;
  const outputs = new LogCounter(log, ({ bytes }) => bytes ?? 1);
  const handed = new LogCounter(inputs, ({ console: text }) => text.length);

  const counts = (): Counts => {
    for (const counter of [outputs, handed]) counter.catchUp();
    return {
      instructions: system.count,
      cycles: system.cycles,
      clockReads: computer.clockReads,
      interrupts: computer.interrupts,
      outputs: outputs.entries,
      outputBytes: outputs.bytes,
      inputs: handed.entries,
      inputBytes: handed.bytes,
    };
  };
  const steps = [counts()];
  const stretches: Observation['stretches'][number][] = [];
  // Where the newest stretch of each length has begun.
  const begun = new Map<number, { at: number; state: Snapshot }>();
  const start = computer.snapshot();
  for (const length of lengths) begun.set(length, { at: 0, state: start });
  for (let number = 1, breath = 0; !system.ended; number++) {
    if (signal?.aborted) return undefined;
    system.advance(number * step);
    steps.push(counts());
    const text = system.takeEvents().flatMap((event) => (event.kind === 'release' ? event.bytes : []));
    if (text.length > 0) onConsole?.(Buffer.from(text).toString(), system.count);
    // What is left at the end is no stretch of any length, unless it is all that there is.
    const due = system.ended && number > 1 ? [] : lengths.filter((length) => number % length === 0 || system.ended);
    const state = due.length > 0 ? computer.snapshot() : start;
    for (const length of due) {
      const from = begun.get(length);
      if (from) stretches.push({ from: from.at, to: system.count, instructions: system.count - from.at, pages: state.changedPages(from.state) });
      begun.set(length, { at: system.count, state });
    }
    breath += step;
    if (breath < mostInstructionsAtOnce) continue;
    breath = 0;
    onProgress?.(system.count);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return { steps, stretches, whole: system.ended.kind === 'end' && system.ended.how === 'exit' };
}

/** Counts the entries of a log as they come, and their bytes. */
class LogCounter<Entry> {
  entries = 0;
  bytes = 0;

  constructor(
    private readonly log: { at(number: number): Entry | undefined },
    private readonly bytesOf: (entry: Entry) => number,
  ) {}

  catchUp(): void {
    for (let entry = this.log.at(this.entries); entry !== undefined; entry = this.log.at(this.entries)) {
      this.entries += 1;
      this.bytes += this.bytesOf(entry);
    }
  }
}

/**
 * The profile of a part of a run, between the steps that are nearest to two
 * counts of instructions; of the whole run without them. Throws a RangeError where there is no step between them.
 */
export function profileOf({ steps, stretches }: Observation, name: string, from = 0, to = Infinity): Profile {
  const [first, last] = [stepAt(steps, from), stepAt(steps, to)];
  if (!first || !last || last.instructions <= first.instructions) throw new RangeError(`${name}: nothing was observed from instruction ${from} to ${to}`);
  const profile = Object.fromEntries(
    (Object.keys(last) as (keyof Counts)[]).map((key) => [key, last[key] - first[key]]),
  ) as Record<keyof Counts, number>;
  const within = stretches.filter((stretch) => stretch.from >= first.instructions && stretch.to <= last.instructions);
  const lengths = [...new Set(within.map(({ instructions }) => instructions))].sort((a, b) => a - b);
  const dirtyPages = lengths.map((instructions) => {
    const pages = within.filter((stretch) => stretch.instructions === instructions).map((stretch) => stretch.pages);
    return { instructions, pages: pages.reduce((sum, count) => sum + count, 0) / pages.length };
  });
  return { name, ...profile, dirtyPages };
}

/** The step nearest to a count. */
function stepAt(steps: readonly Counts[], instructions: number): Counts | undefined {
  if (instructions === Infinity) return steps.at(-1);
  const above = steps.find((step) => step.instructions >= instructions) ?? steps.at(-1);
  const below = steps.findLast((step) => step.instructions <= instructions);
  if (!above || !below) return above ?? below;
  return above.instructions - instructions < instructions - below.instructions ? above : below;
}
