/** Rounds of Debian: each side of the comparison in turn, beginning with another one each time. */
import type { Tier } from '../../engine/machine/tier';
import type { DebianFiles } from '../../server/guest/debian';
import { runGuest, writeGuests, type GuestRun, type Side } from './guest-run';
import type { Seen } from './marks';
import type { Program } from './programs';
import { runSystem, type SystemRun } from './replicated-run';
import { geometricMean, median, summary, type Summary } from './statistics';

/** What is run in a round: `none` and `dmr` are the programs in our own machinery of replicas. */
export type Column = Side | 'none' | 'dmr';

export interface ProgramRow {
  name: string;
  group: Program['group'];
  what: string;
  /** Retired instructions, ours. Null where `none` was not run, which counts them. */
  instructions: number | null;
  /** Where work is fixed seconds, else work done a second: a summary a column that was run. */
  rates: Partial<Record<Column, Summary>>;
  /** Work a second through qemu's, with the translator. */
  ratio: number | null;
  /** Work a second in two replicas through that of `none`. */
  replicated: number | null;
}

export interface DebianResults {
  /** Seconds from the start of the process to its end. */
  boot: Partial<Record<Side, Summary>>;
  programs: ProgramRow[];
  /** Bytes beyond guest RAM a replica. */
  beyond: Summary | null;
}

export interface DebianOptions {
  files: DebianFiles;
  folder: string;
  sides: readonly Side[];
  chosen: readonly Program[];
  boot: boolean;
  /** Measure `none` and `dmr`, with this tier and so many threads. */
  replicas: { tier: Tier; threads: number } | null;
  rounds: number;
  quick: boolean;
  signal: AbortSignal;
  onProgress: (what: string) => void;
}

export async function measureDebian(options: DebianOptions): Promise<DebianResults> {
  const { files, folder, sides, chosen, boot, replicas, rounds, quick, signal, onProgress } = options;
  const guests = writeGuests(files, folder, chosen, quick);
  const boots = new Map<Side, number[]>();
  const runs = new Map<Column, GuestRun[]>();
  const beyond: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const note = (column: Column) => (what?: string) => onProgress(`round ${round + 1} of ${rounds}, ${column}, ${what ?? 'boot'}`);
    for (const side of turned(boot ? sides : [], round)) add(boots, side, (await runGuest(side, guests.boot, signal, note(side))).seconds);
    if (chosen.length === 0) continue;
    for (const side of turned(sides, round)) add(runs, side, await runGuest(side, guests.load, signal, note(side)));
    for (const kind of turned(replicas ? (['none', 'dmr'] as const) : [], round)) {
      if (!replicas) continue;
      const run: SystemRun = await runSystem(kind, replicas, guests.load, signal, note(kind));
      add<Column, GuestRun>(runs, kind, run);
      if (kind === 'dmr') beyond.push(run.beyond);
    }
    compareOutputs(chosen, runs);
  }
  return {
    boot: Object.fromEntries([...boots].map(([side, times]) => [side, summary(times)])),
    programs: chosen.map((program) => rowOf(program, runs)),
    beyond: beyond.length > 0 ? summary(beyond) : null,
  };
}

function turned<Value>(values: readonly Value[], by: number): Value[] {
  return values.map((_, index) => values[(index + by) % values.length] as Value);
}

function add<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}

function compareOutputs(chosen: readonly Program[], runs: ReadonlyMap<Column, readonly GuestRun[]>): void {
  for (const { name } of chosen.filter(({ same }) => same)) {
    const all = [...runs].flatMap(([column, list]) => list.map(({ seen }) => [column, seen.get(name)?.output] as const));
    const [first] = all;
    const other = all.find(([, output]) => output !== first?.[1]);
    if (first && other) throw new Error(`${name}: ${first[0]} says ${JSON.stringify(first[1])}, ${other[0]} ${JSON.stringify(other[1])}`);
  }
}

function rowOf({ name, group, what }: Program, runs: ReadonlyMap<Column, readonly GuestRun[]>): ProgramRow {
  const rates = new Map<Column, Summary>();
  const seenIn = (column: Column): Seen[] => (runs.get(column) ?? []).flatMap(({ seen }) => seen.get(name) ?? []);
  for (const column of runs.keys()) rates.set(column, summary(seenIn(column).map(({ work, seconds }) => work / seconds)));
  const counts = seenIn('none').map(({ instructions }) => instructions);
  const through = (above: Column, below: Column): number | null => {
    const [a, b] = [rates.get(above), rates.get(below)];
    return a && b ? a.median / b.median : null;
  };
  return {
    name, group, what,
    instructions: counts.length > 0 ? median(counts) : null,
    rates: Object.fromEntries(rates),
    ratio: through('auto', 'qemu'),
    replicated: through('dmr', 'none'),
  };
}

/** The geometric mean of what is there; null where nothing is. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? geometricMean(known) : null;
}

