/** A word or slot of a form, and where it stands in its text. */
export interface Part {
  text: string;
  start: number;
  end: number;
  isOptional: boolean;
}

const isSlot = ({ text }: Part): boolean => /^[A-Z]+$/.test(text);

/** The parts of a form as it is written. */
export function partsOf(form: string): Part[] {
  let depth = 0;
  return [...form.matchAll(/\[|\]|[^\s[\]]+/g)].flatMap(({ 0: text, index }): Part[] => {
    if (text === '[') depth++;
    else if (text === ']') depth--;
    else return [{ text, start: index, end: index + text.length, isOptional: depth > 0 }];
    return [];
  });
}

/** Slots that have so many words; others go on as long as it makes sense. */
const lengths: Readonly<Record<string, number>> = {
  NAME: 1, TEXT: 1, FILE: 1, N: 1, M: 1, LETTER: 1, KIND: 1, WORD: 1, SYMBOL: 1, REGISTER: 1, PATTERN: 1, HOST: 1, PROTOCOL: 1,
  DURATION: 2, INSTRUCTIONS: 2, EPOCHS: 2, SIZE: 2, CLOCK: 2, PERCENT: 2,
};

/** Words with which a duration begins are numbers; an address may be one, too. */
const begins: Readonly<Record<string, RegExp>> = {
  N: /^\d/, M: /^\d/, DURATION: /^\d/, INSTRUCTIONS: /^\d/, EPOCHS: /^\d/, SIZE: /^\d/, CLOCK: /^\d/, PERCENT: /^\d/,
  TEXT: /^"/, TEXTS: /^"/, PLACE: /^[a-z`]/, PLACES: /^[a-z`]/, FILE: /^"/, PATTERN: /^\//, CORES: /^co?r?e?$/, BITS: /^\d/,
};

/**
 * The part of a form that is being written when these words stand there; as many as there are parts where all is written.
 * Undefined where the words do not fit. `isOpen`: the last word may go on.
 */
export function partAt(parts: readonly Part[], words: readonly string[], isOpen: boolean): number | undefined {
  let at = -1;
  let filled: string[] = [];
  for (const [i, word] of words.entries()) {
    const mayGoOn = isOpen && i === words.length - 1;
    const current = parts[at];
    if (current && isSlot(current) && !isFull(current, filled) && goesOn(current, filled)) {
      filled.push(word);
      continue;
    }
    const next = nextPart(parts, at, word, mayGoOn);
    if (next !== undefined) {
      at = next;
      filled = [word];
    } else if (current && isSlot(current) && !isFull(current, filled) && mayFollow(current, word)) filled.push(word);
    else return undefined;
  }
  if (isOpen && words.length > 0) return at;
  const current = parts[at];
  if (current && isSlot(current) && !isComplete(current, filled)) return at;
  return at + 1;
}

/** The first part after one that a word can begin, none being left out that has to stand. */
function nextPart(parts: readonly Part[], at: number, word: string, mayGoOn: boolean): number | undefined {
  for (let i = at + 1; i < parts.length; i++) {
    const part = parts[i]!;
    if (isSlot(part) ? (begins[part.text]?.test(word) ?? /^[\w"`&/.-]/.test(word)) : part.text.split('|').some((one) => (mayGoOn ? one.startsWith(word) : one === word))) return i;
    if (!part.isOptional) return undefined;
  }
  return undefined;
}

function isFull({ text }: Part, filled: readonly string[]): boolean {
  const length = lengths[text];
  return length !== undefined && filled.length >= length;
}

/** Words after which the next one belongs to the same slot, whatever it is. */
const open: ReadonlySet<string> = new Set(['&', '+', '-', '[', '.', ':', ',', '..', 'bank', 'line', 'byte', 'entry', 'tlb', 'l2', 'l1i', 'l1d', 'core', 'every']);

function goesOn({ text }: Part, filled: readonly string[]): boolean {
  if (lengths[text] !== undefined) return false;
  const depth = filled.reduce((sum, word) => sum + (word === '[' ? 1 : word === ']' ? -1 : 0), 0);
  const last = filled.at(-1) ?? '';
  if (text === 'PLACE' && ['l1i', 'l1d', 'l2'].includes(filled[0] ?? '') && !filled.slice(0, -1).includes('byte')) return true;
  return depth > 0 || open.has(last) || (text === 'PLACE' && (last === 'memory' || last === 'input'));
}

/** True if a word can go on with a slot that might be whole: `memory[8]` and `.w`. */
function mayFollow({ text }: Part, word: string): boolean {
  return lengths[text] !== undefined || ['.', '[', ']', '+', '-', ':', ',', '..'].includes(word) || (free[text]?.test(word) ?? false);
}

/** Slots in which more than one word may stand side by side. */
const free: Readonly<Record<string, RegExp>> = {
  TEXTS: /^"/,
  TRIGGER: /./,
  SUBJECTS: /^every$|^epochs?$/,
  METHODS: /^check$/,
  PLACE: /^address$/,
  PLACES: /^address$/,
};

function isComplete(part: Part, filled: readonly string[]): boolean {
  return lengths[part.text] === undefined ? !goesOn(part, filled) : isFull(part, filled);
}
