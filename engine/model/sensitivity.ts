import { exitCosts, type CostTable } from '../chip/cost-table';
import { predict, type ModelSetting } from './overhead';
import type { Profile } from './profile';

export type Parameter = 'epoch' | 'checkpoint' | 'validation' | 'exit' | 'dirty';

export interface Variation {
  parameter: Parameter;
  what: string;
  /** What the values are counted in. */
  unit: string;
  /** Value of the first subject where something else is varied. */
  usual: number;
  /** Ascending, `usual` among them. */
  values: readonly number[];
  /** Overhead of each profile at each value. */
  overheads: { name: string; overheads: number[] }[];
}

/** A guest, and what holds for it where nothing is varied. */
export interface Subject {
  name: string;
  profile: Profile;
  setting: ModelSetting;
  costs: Readonly<CostTable>;
}

/**
 * One parameter is varied around what the first subject has, all others stay what they are for each. Where the epoch is varied,
 * checkpoints and comparisons of states stay as many instructions apart.
 */
export function variations(subjects: readonly Subject[]): Variation[] {
  const [first] = subjects;
  if (!first) return [];
  const { epochInstructions: epoch, checkpointEpochs } = first.setting;
  const { exit } = first.costs;
  const vary = (
    parameter: Parameter,
    what: string,
    unit: string,
    usual: number,
    values: readonly number[],
    at: (subject: Subject, value: number) => number,
  ): Variation => {
    const all = [...new Set([...values, usual])].sort((a, b) => a - b);
    return { parameter, what, unit, usual, values: all, overheads: subjects.map((subject) => ({ name: subject.name, overheads: all.map((value) => at(subject, value)) })) };
  };
  return [
    vary('epoch', 'epoch length', 'instructions', epoch, powers(epoch, -5, 2), ({ profile, setting, costs }, epochInstructions) => {
      const factor = setting.epochInstructions / epochInstructions;
      const periods = { checkpointEpochs: periodOf(setting.checkpointEpochs, factor), compareStateEpochs: periodOf(setting.compareStateEpochs, factor) };
      return predict(profile, costs, { ...setting, epochInstructions, ...periods }).overhead;
    }),
    vary('checkpoint', 'checkpoint period', 'epochs', checkpointEpochs, powers(checkpointEpochs, -2, 6), ({ profile, setting, costs }, value) =>
      predict(profile, costs, { ...setting, checkpointEpochs: value }).overhead),
    vary('validation', 'checkpoint period, states compared only there', 'epochs', checkpointEpochs, powers(checkpointEpochs, -2, 6), ({ profile, setting, costs }, value) =>
      predict(profile, costs, { ...setting, checkpointEpochs: value, compareStateEpochs: value }).overhead),
    vary('exit', 'cost of an exit', 'cycles', exit, generations, ({ profile, setting, costs }, value) =>
      predict(profile, { ...costs, exit: value }, setting).overhead),
    vary('dirty', 'dirty rate', 'times what was measured', 1, powers(1, -3, 3), ({ profile, setting, costs }, factor) =>
      predict({ ...profile, dirtyPages: profile.dirtyPages.map((point) => ({ ...point, pages: point.pages * factor })) }, costs, setting).overhead),
  ];
}

/** A period in epochs, of epochs of another length: as many instructions, but an epoch at least. Never stays never. */
const periodOf = (epochs: number, factor: number): number => (epochs > 0 ? Math.max(1, Math.round(epochs * factor)) : 0);

/** Measured exits, Westmere to Prescott. */
const generations: readonly number[] = Object.values(exitCosts).sort((a, b) => a - b);

/** Multiples of a whole number by powers of two; what is not whole is not there, unless `usual` is 1. */
const powers = (usual: number, from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => usual * 2 ** (from + i)).map((value) => (usual === 1 ? value : Math.max(1, Math.round(value))));
