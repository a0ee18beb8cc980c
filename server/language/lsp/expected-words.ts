import type { AstNode } from 'langium';
import { inputClasses, type DetectionMethod, type RecoveryMethod } from '../../../engine/covert/plan';
import { describeCost, processors } from '../costs';
import * as ast from '../generated/ast';
import { inputWords } from '../inputs';
import type { comparable, isolations, protectionKinds } from '../protections';
import type { timingLevels } from '../timings';

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

const detections: Readonly<Record<DetectionMethod, string>> = {
  output: 'What the replicas are about to send differs.',
  state: 'Their registers or memory differ where states are compared.',
  watchdog: 'One of them does not come to the rendezvous.',
  trap: 'One of them traps where the others do not.',
  vote: 'One of three differs from the other two.',
  'machine check': 'A component says itself that it has failed.',
};

const recoveries: Readonly<Record<RecoveryMethod, string>> = {
  rollback: 'All replicas go back to a checkpoint and run on from there.',
  failover: 'The guest runs on without the component that has died.',
  vote: 'The replica that is outvoted is made anew of another one.',
};

const levels: Readonly<Record<(typeof timingLevels)[number], string>> = {
  fast: 'Each kind of instruction takes the same time wherever its data are.',
  detailed: 'Caches, banks, links and memory controllers take their time.',
};

/** Words of closed sets that are no keywords, by the word that they follow. */
const choices: Readonly<Record<string, readonly Choice[]>> = {
  protect: withMeanings(protections),
  switch: withMeanings(protections),
  degraded: withMeanings(protections),
  isolation: withMeanings(apart),
  compare: withMeanings({ output: 'Each byte, before it is released.', state: 'Registers and memory, every so many epochs.' } satisfies Record<(typeof comparable)[number], string>),
  uncoordinated: inputClasses.map((label) => ({ label, means: inputWords[label] })),
  detected: withMeanings(detections),
  recovered: withMeanings(recoveries),
  timing: withMeanings(levels),
  linux: [{ label: 'debian', means: 'The stock kernel that `npm run guest:debian` has fetched.' }],
  costs: processors.map((label) => ({ label, means: describeCost(label) ?? '' })),
  firmware: [{ label: 'opensbi', means: 'OpenSBI, as it was fetched with the guest.' }],
  forward: plain(['tcp', 'udp']),
  '.': withMeanings({ b: '1 byte', h: '2 bytes', w: '4 bytes', d: '8 bytes' }),
};

/** What a word of such a set means in a node that has it. */
export function meaningOf(node: AstNode, word: string): string | undefined {
  const head = ((): string | undefined => {
    if (ast.isProtection(node) || ast.isSwitch(node) || ast.isDegraded(node)) return 'protect';
    if (ast.isIsolation(node)) return 'isolation';
    if (ast.isCompareSubject(node)) return 'compare';
    if (ast.isMethod(node)) return node.$container.word;
    if (ast.isTiming(node)) return 'timing';
    if (ast.isLinux(node)) return 'linux';
    if (ast.isFirmware(node)) return 'firmware';
    return ast.isMemoryPlace(node) ? '.' : undefined;
  })();
  const choice = head === undefined ? undefined : choices[head]?.find(({ label }) => label === word || (label === 'machine check' && label.split(' ').includes(word)));
  return choice?.means;
}

/** What may stand for a name after these words, outside of a table of costs. */
export function choicesAfter(before: readonly string[]): readonly Choice[] {
  return Object.hasOwn(choices, headOf(before)) ? choices[headOf(before)]! : [];
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
