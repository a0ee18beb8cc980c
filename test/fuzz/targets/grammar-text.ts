import { GrammarAST } from 'langium';
import { CovertGrammar } from '../../../server/language/generated/grammar';
import type { ByteReader } from './byte-reader';

const mostWords = 400;
const deepest = 40;

/** What stands for the terminals: sound, odd, and out of range. */
const terminals: Readonly<Record<string, readonly string[]>> = {
  ID: ['g', 'octo', 'dmr', 'none', 'A', 'B', 'a0', 'fa0', 'pc', 'mstatus', 'main', 'crc32_update', 'block', 'instructions', 'ms', 'MiB', 'GHz', 'full', 'output', 'state', 'rollback', 'debian', 'opensbi', 'tcp', 'time'],
  QUOTED: ['`a0`', '`g`', '`no such`', '``', '`open'],
  STRING: ['"checksum.elf"', '"checksum.c"', '"../sort/sort.elf"', '"../boards/common.covert"', '"s"', '"t"', '"crc=54baaee3"', '""', '"\\x41\\n"', '"\\q"', '"none"', '".."', '"/dev/zero"', '"open'],
  REGEX: ['/crc/', '/(/', '/a{2}/', '/[/', '/open'],
  HOST: ['127.0.0.1', '999.0.0.1'],
  DECIMAL: ['1.5', '0.0', '2.0', '1__0.5', '99999999999999999999.9'],
  INTEGER: ['0', '1', '2', '3', '5', '16', '17', '63', '64', '255', '1_000', '100_000', '0x2a', '0x80000000', '0b101', '9007199254740993', '18446744073709551616', '1__0', '0x'],
};

const parserRules = CovertGrammar().rules.filter(GrammarAST.isParserRule);

/** A text of the language as its grammar makes it, with the program making each choice: it parses, whether or not it makes sense. */
export function derived(rule: string, program: ByteReader): string {
  const words: string[] = [];
  const start = parserRules.find(({ name }) => name === rule);
  if (!start) throw new Error(`no rule ${rule}`);
  expand(start.definition, program, words, 0);
  return words.join(' ');
}

/** Where the program is over, options are left out and the first of alternatives is taken. */
function expand(element: GrammarAST.AbstractElement, program: ByteReader, words: string[], depth: number): void {
  const { cardinality } = element;
  let times = 1;
  if (cardinality === '?' || cardinality === '*') times = depth > deepest || words.length > mostWords ? 0 : program.byte() & (cardinality === '?' ? 1 : 3);
  else if (cardinality === '+') times = 1 + (words.length > mostWords ? 0 : program.byte() & 1);
  for (; times > 0; times--) once(element, program, words, depth + 1);
}

function once(element: GrammarAST.AbstractElement, program: ByteReader, words: string[], depth: number): void {
  if (GrammarAST.isKeyword(element)) words.push(element.value);
  else if (GrammarAST.isGroup(element)) element.elements.forEach((one) => expand(one, program, words, depth));
  else if (GrammarAST.isAlternatives(element)) {
    const one = element.elements[program.byte() % element.elements.length];
    if (one) expand(one, program, words, depth);
  } else if (GrammarAST.isAssignment(element)) expand(element.terminal, program, words, depth);
  else if (GrammarAST.isCrossReference(element)) {
    if (element.terminal) expand(element.terminal, program, words, depth);
  } else if (GrammarAST.isRuleCall(element)) {
    const { ref } = element.rule;
    const choices = ref && terminals[ref.name];
    if (choices) words.push(choices[program.byte() % choices.length] ?? '');
    else if (GrammarAST.isParserRule(ref)) expand(ref.definition, program, words, depth);
  }
}

/** Every keyword, and words of every kind of terminal. */
export const vocabulary: readonly string[] = [
  ...new Set(parserRules.flatMap(({ definition }) => keywordsOf(definition))),
  ...Object.values(terminals).flat(),
  '/*', '*/', '//', '\\', '\0', '\u{1f600}', '\ud800', '{', '}', '\n',
];

function keywordsOf(element: GrammarAST.AbstractElement | undefined): string[] {
  if (!element) return [];
  if (GrammarAST.isKeyword(element)) return [element.value];
  if (GrammarAST.isGroup(element) || GrammarAST.isAlternatives(element)) return element.elements.flatMap(keywordsOf);
  return GrammarAST.isAssignment(element) ? keywordsOf(element.terminal) : [];
}
