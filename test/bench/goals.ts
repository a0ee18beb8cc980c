/** What is aimed at, what may be called enough, and what was measured. */
import { meanOf, type DebianResults } from './debian-rounds';
import type { KernelRow } from './kernels';
import type { StateTimes } from './states';

export interface Goal {
  what: string;
  unit: 'x' | 'M/s' | 'MB' | 'ms';
  /** Whether more is better, or less. */
  better: 'more' | 'less';
  goal: number;
  least: number;
  /** Null where it was not measured. */
  measured: number | null;
  /** Which part of it decides, where it has parts. */
  note?: string;
}

export type Verdict = 'goal reached' | 'least reached' | 'NOT REACHED' | 'not measured';

export function verdictOf({ better, goal, least, measured }: Goal): Verdict {
  if (measured === null) return 'not measured';
  const reaches = (bound: number): boolean => (better === 'more' ? measured >= bound : measured <= bound);
  return reaches(goal) ? 'goal reached' : reaches(least) ? 'least reached' : 'NOT REACHED';
}

export interface Measured {
  debian: DebianResults | null;
  kernels: readonly KernelRow[];
  states: StateTimes | null;
}

export function goalsOf({ debian, kernels, states }: Measured): Goal[] {
  const rows = debian?.programs ?? [];
  const compute = rows.filter(({ group }) => group === 'compute');
  const loads = rows.filter(({ group }) => group === 'loads');
  const worst = compute.filter(({ ratio }) => ratio !== null).toSorted((a, b) => (a.ratio ?? 0) - (b.ratio ?? 0))[0];
  const { auto, qemu } = debian?.boot ?? {};
  const integer = kernels.find(({ kernel }) => kernel === 'integer');
  const heaviest = loads.filter(({ replicated }) => replicated !== null).toSorted((a, b) => (a.replicated ?? 0) - (b.replicated ?? 0))[0];
  return [
    { what: 'boot of stock Debian to power-off, time through qemu\'s', unit: 'x', better: 'less', goal: 1, least: 1.7, measured: auto && qemu ? auto.median / qemu.median : null },
    { what: 'integer kernel, throughput through qemu\'s', unit: 'x', better: 'more', goal: 1.5, least: 1, measured: integer?.ratio ?? null },
    { what: 'compute programs in Debian through qemu, geometric mean', unit: 'x', better: 'more', goal: 1.3, least: 0.8, measured: meanOf(compute.map(({ ratio }) => ratio)) },
    { what: 'worst single program through qemu', unit: 'x', better: 'more', goal: 0.8, least: 0.35, measured: worst?.ratio ?? null, ...(worst ? { note: worst.name } : {}) },
    { what: 'dmr through our own none, compute programs', unit: 'x', better: 'more', goal: 0.95, least: 0.8, measured: meanOf(compute.map(({ replicated }) => replicated)) },
    { what: 'nginx and redis under dmr through our own none, the worse', unit: 'x', better: 'more', goal: 0.9, least: 0.7, measured: heaviest?.replicated ?? null, ...(heaviest ? { note: heaviest.name } : {}) },
    { what: 'interpreter alone, integer kernel', unit: 'M/s', better: 'more', goal: 400, least: 200, measured: integer?.interpreter.median ?? null },
    { what: 'host memory beyond guest RAM, a replica', unit: 'MB', better: 'less', goal: 100, least: 250, measured: debian?.beyond ? debian.beyond.median / 1e6 : null },
    { what: 'snapshot with 1 % of 256 MB written', unit: 'ms', better: 'less', goal: 5, least: 30, measured: states?.snapshot.median ?? null },
    { what: 'restore of it', unit: 'ms', better: 'less', goal: 5, least: 30, measured: states?.restore.median ?? null },
  ];
}
