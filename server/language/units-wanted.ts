import { countUnits, frequencyUnits, sizeUnits, timeUnits } from './values';

/** Which units may follow a number, and how that looks. */
export interface UnitWanted {
  units: readonly string[];
  example: string;
}

const duration: UnitWanted = { units: [...timeUnits.keys(), ...[...countUnits.keys()].filter((unit) => unit.endsWith('s'))], example: '5 ms' };
const instructions: UnitWanted = { units: ['instructions'], example: '10_000 instructions' };
const epochs: UnitWanted = { units: ['epochs'], example: '2 epochs' };
const cycles: UnitWanted = { units: ['cycles'], example: '20 cycles' };
const latency: UnitWanted = { units: ['cycles', 'ns'], example: '20 cycles' };
const size: UnitWanted = { units: [...sizeUnits.keys()].toReversed(), example: '16 MiB' };
const frequency: UnitWanted = { units: [...frequencyUnits.keys()].toReversed(), example: '2 GHz' };

const byWord: Readonly<Record<string, UnitWanted>> = {
  ram: size,
  l1i: size,
  l1d: size,
  epoch: instructions,
  limit: instructions,
  watchdog: epochs,
  bank: latency,
  link: latency,
  memory: latency,
};

/**
 * The units of a number at the end of some words, by those before it. `every 4 epochs` is about comparisons and checkpoints, else a
 * fault comes again so often; `of 512 KiB` is about banks, else a period; `at 2 GHz` is a clock behind a number of cores, else a time.
 */
export function unitWanted(before: readonly string[]): UnitWanted {
  if (isInCosts(before)) return cycles;
  const [word = '', ahead = ''] = [before.at(-2), before.at(-3)];
  if (word === 'of') return ahead === '%' ? duration : size;
  if (word === 'every') return ['checkpoint', 'output', 'state'].includes(ahead) ? epochs : duration;
  if (word === 'at') return before.at(-4) === 'cores' ? frequency : duration;
  return Object.hasOwn(byWord, word) ? byWord[word]! : duration;
}

/** Within the braces of `costs { … }` or `costs prescott { … }`. */
export function isInCosts(before: readonly string[]): boolean {
  const brace = before.findLastIndex((word) => word === '{' || word === '}');
  return before[brace] === '{' && (before[brace - 1] === 'costs' || before[brace - 2] === 'costs');
}
