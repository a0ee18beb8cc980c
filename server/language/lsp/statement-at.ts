import { forms, type FormKind } from '../forms';

/** What is being written, and its words so far. */
export interface Statement {
  kind: FormKind;
  words: readonly string[];
}

/** The words with which the forms of these kinds begin. */
const firstWords = (...kinds: FormKind[]): Set<string> => new Set(kinds.flatMap((kind) => forms[kind].map(({ form }) => form.split(' ')[0] ?? '')));

/** Words that begin a statement, by the block that it stands in. */
const beginnings: Readonly<Partial<Record<FormKind, ReadonlySet<string>>>> = {
  file: firstWords('file'),
  chip: firstWords('chip'),
  timing: firstWords('timing'),
  guest: firstWords('guest'),
  // A fault is made of several forms, none of which begins with its word.
  scenario: firstWords('scenario', 'campaign', 'expectation').add('fault'),
  protection: firstWords('protection'),
  effect: firstWords('effect'),
};

/** What a block holds, by the word that begins it. */
const contents: Readonly<Record<string, FormKind | undefined>> = {
  chip: 'chip', timing: 'timing', guest: 'guest', scenario: 'scenario', campaign: 'scenario', beside: 'scenario', protect: 'protection', inject: 'effect',
};

/** The innermost statement, or part of one, at the end of the words of a file; undefined in blocks that have no forms. */
export function statementAt(tokens: readonly string[]): Statement | undefined {
  const blocks: (FormKind | undefined)[] = ['file'];
  let start = 0;
  for (const [i, word] of tokens.entries()) {
    const block = blocks.at(-1);
    const previous = tokens[i - 1] ?? '';
    if (word === '{') {
      blocks.push(contents[tokens[start] ?? '']);
      start = i + 1;
    } else if (word === '}') {
      if (blocks.length > 1) blocks.pop();
      start = i + 1;
    } else if (block && beginnings[block]?.has(word) && !isInside(word, previous, tokens.slice(start, i))) start = i;
  }
  const block = blocks.at(-1);
  const words = tokens.slice(start);
  if (!block) return undefined;
  if (block === 'effect') return strike(words);
  if (block !== 'scenario') return { kind: block, words };
  const [first] = words;
  if (first === 'fault') return strike(words.slice(words[2] === ':' ? 3 : 1));
  if (first === 'expect') return { kind: 'expectation', words };
  if (first === 'inject') return { kind: 'campaign', words };
  const trigger = first === 'switch' ? words.findIndex((word) => word === 'at' || word === 'when') : -1;
  return trigger >= 0 ? { kind: 'trigger', words: words.slice(trigger) } : { kind: 'scenario', words };
}

/** Words that begin a statement may also stand inside of one: units after numbers, `beside guest`, `inject … seed`, `spare core`. */
function isInside(word: string, previous: string, before: readonly string[]): boolean {
  if (/^\d/.test(previous) && word !== 'chip' && word !== 'guest') return word === 'epoch' || word === 'bank' || word === 'link';
  if (previous === 'beside') return true;
  return word === 'seed' && before[0] === 'inject';
}

/** Effect, target, trigger and lifetime of a fault follow one another. */
function strike(words: readonly string[]): Statement {
  let kind: FormKind = 'effect';
  let start = 0;
  for (const [i, word] of words.entries()) {
    const next = partBegunBy(word, words[i + 1], kind, words.slice(start, i));
    if (next === undefined) continue;
    kind = next;
    start = i;
  }
  return { kind, words: words.slice(start) };
}

function partBegunBy(word: string, next: string | undefined, kind: FormKind, before: readonly string[]): FormKind | undefined {
  const isBegun = before.length > 0;
  switch (word) {
    case 'in':
      return kind === 'effect' && isBegun ? 'target' : undefined;
    case 'on':
      // `drop message on link`
      return kind === 'effect' && isBegun && before.at(-1) !== 'message' && next !== 'link' ? 'target' : undefined;
    case 'at':
      if (kind === 'effect' && before[0] === 'stick' && !before.includes('at')) return undefined;
      return (kind === 'effect' && isBegun) || kind === 'target' ? 'trigger' : undefined;
    case 'when':
    case 'from':
      return (kind === 'effect' && isBegun) || kind === 'target' ? 'trigger' : undefined;
    case 'once':
    case 'forever':
    case 'for':
    case 'every':
    case 'duty':
      return kind === 'trigger' ? 'lifetime' : undefined;
    default:
      return undefined;
  }
}
