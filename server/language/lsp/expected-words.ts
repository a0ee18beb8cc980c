import { inputClasses } from '../../../engine/covert/plan';
import { describeCost, processors } from '../costs';
import { detectionMethods, recoveryMethods } from '../expectations';
import { inputWords } from '../inputs';
import type { comparable, isolations, protectionKinds } from '../protections';
import { timingLevels } from '../timings';
import { countUnits, frequencyUnits, sizeUnits, timeUnits } from '../values';

/** A word of a closed set, and what it means where the word itself does not say. */
export interface Choice {
  label: string;
  means?: string;
}

const plain = (labels: readonly string[]): readonly Choice[] => labels.map((label) => ({ label }));
const withMeanings = (meanings: Readonly<Record<string, string>>): readonly Choice[] => Object.entries(meanings).map(([label, means]) => ({ label, means }));

const protections: Readonly<Record<(typeof protectionKinds)[number], string>> = {
  none: 'One copy of the guest, and nobody to compare it with.',
  dmr: 'Two replicas, which are compared; a difference goes back to a checkpoint.',
  tmr: 'Three replicas, which vote; the one that is outvoted is made anew.',
};

const apart: Readonly<Record<(typeof isolations)[number], string>> = {
  full: 'Each replica has banks, memory controllers and links of its own.',
  none: 'Replicas share all but their cores.',
  caches: 'Each replica has banks of the second-level cache of its own.',
  memory: 'Each replica has memory controllers of its own.',
};

/** Words of closed sets that are no keywords, by the word that they follow. */
const choices: Readonly<Record<string, readonly Choice[]>> = {
  protect: withMeanings(protections),
  switch: withMeanings(protections),
  degraded: withMeanings(protections),
  isolation: withMeanings(apart),
  compare: withMeanings({ output: 'Each byte, before it is released.', state: 'Registers and memory, every so many epochs.' } satisfies Record<(typeof comparable)[number], string>),
  uncoordinated: inputClasses.map((label) => ({ label, means: inputWords[label] })),
  detected: plain(detectionMethods),
  recovered: plain(recoveryMethods),
  timing: plain(timingLevels),
  linux: [{ label: 'debian', means: 'The stock kernel that `npm run guest:debian` has fetched.' }],
  costs: processors.map((label) => ({ label, means: describeCost(label) ?? '' })),
  firmware: [{ label: 'opensbi', means: 'OpenSBI, as it was fetched with the guest.' }],
  forward: plain(['tcp', 'udp']),
  '.': withMeanings({ b: '1 byte', h: '2 bytes', w: '4 bytes', d: '8 bytes' }),
};

/** Units, by the word that an amount follows. */
const sizes = [...sizeUnits.keys()].toReversed();
const units: Readonly<Record<string, readonly string[]>> = {
  ram: sizes,
  of: sizes,
  l1i: sizes,
  l1d: sizes,
  cores: [...frequencyUnits.keys()].toReversed(),
  epoch: ['instructions'],
  limit: ['instructions'],
  every: ['epochs'],
  watchdog: ['epochs'],
};
export const durations: readonly string[] = [...timeUnits.keys(), ...[...countUnits.keys()].filter((unit) => unit.endsWith('s'))];

/** What may stand for a name after these words, outside of a table of costs. */
export function choicesAfter(before: readonly string[]): readonly Choice[] {
  return Object.hasOwn(choices, headOf(before)) ? choices[headOf(before)]! : [];
}

/**
 * What may stand for a unit. `every 4 epochs` is about comparisons and checkpoints, else a fault comes again so often;
 * `of 512 KiB` is about banks, else a period.
 */
export function unitsAfter(before: readonly string[]): readonly string[] {
  if (isInCosts(before)) return ['cycles'];
  const [word, ahead] = [before.at(-2) ?? '', before.at(-3) ?? ''];
  const isOfFault = (word === 'every' && ahead !== 'checkpoint' && ahead !== 'state') || (word === 'of' && ahead === '%');
  return isOfFault ? durations : (units[word] ?? unitsOfTrigger(before));
}

/** Within the braces of `costs { … }` or `costs prescott { … }`. */
export function isInCosts(before: readonly string[]): boolean {
  const brace = before.findLastIndex((word) => word === '{' || word === '}');
  return before[brace] === '{' && (before[brace - 1] === 'costs' || before[brace - 2] === 'costs');
}

/** The word that decides what a name may be: over a list's commas and over `by` and `to`, back to its start. */
export function headOf(before: readonly string[]): string {
  const { at } = listBefore(before);
  const head = before[at] ?? '';
  return head === 'by' || head === 'to' ? (before[at - 1] ?? '') : head;
}

/** The names that stand before a comma at the end of some words, and where the word before all of them is. */
export function listBefore(before: readonly string[]): { names: readonly string[]; at: number } {
  const names: string[] = [];
  let at = before.length - 1;
  while (at > 0 && before[at] === ',') {
    // `compare output, state every 4 epochs, …`
    if (before[at - 3] === 'every') at -= 3;
    // `machine check` is one name, of two words.
    const isPair = before[at - 2] === 'machine';
    names.push(before.slice(at - (isPair ? 2 : 1), at).join(' '));
    at -= isPair ? 3 : 2;
  }
  return { names, at };
}

/** `at 2 GHz` is a clock where it follows a number of cores, else a time. */
function unitsOfTrigger(before: readonly string[]): readonly string[] {
  return before.at(-2) === 'at' && before.at(-4) === 'cores' ? [...frequencyUnits.keys()].toReversed() : durations;
}
