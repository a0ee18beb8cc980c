import type { CompletionContext } from 'langium/lsp';
import { linkItems } from './chip-completion';
import type { Snippet } from './snippets';

const block: Snippet = { label: '{ … }', text: '{\n  $0\n}' };

/** Signs after which something else has to be said, by the rule that they are in and themselves. */
const operators: Readonly<Record<string, Snippet>> = {
  'Overhead <': { label: '< 20 %', text: '< ${1:20} %' },
  'Coverage >=': { label: '>= 99 %', text: '>= ${1:99} %' },
  'Percentage %': { label: '%', text: '%' },
  'ValueTrigger ==': { label: '== VALUE', text: '== ${1:0}' },
  'LineAddress :': { label: ':', text: ':' },
  'Fault :': { label: ':', text: ':' },
  'MemoryPlace ]': { label: ']', text: ']' },
  'PathStep ]': { label: ']', text: ']' },
  'MemoryPlace [': { label: '[ADDRESS]', text: '[${1:&variable}]' },
  'Forward :': { label: ':8080 to 80', text: ':${1:8080} to ${2:80}' },
  'Chip {': block,
  'Guest {': block,
  'Scenario {': block,
  'Campaign {': block,
  'Beside {': block,
  'Injection {': block,
  'Protection {': block,
  'Timing {': block,
  'Costs {': block,
};

/** What a sign is offered as, given the words before it; nothing for signs that need not stand, or that are there already. */
export function operatorsFor(sign: string, rule: string, before: readonly string[], context: CompletionContext): readonly Snippet[] {
  const { textDocument, tokenOffset, offset } = context;
  const text = textDocument.getText();
  if (text.slice(tokenOffset, offset) === sign || text.slice(offset, offset + 200).trimStart().startsWith(sign)) return [];
  if (rule === 'Link' && sign === '->') {
    const ends = linkItems([...before, sign], context).map(({ label }) => ({ label: `-> ${label}`, text: `-> ${label}` }));
    return ends.length > 0 ? ends : [{ label: sign, text: `-> \${1:${Number(before.at(-1)) + 1}}` }];
  }
  const key = `${rule} ${sign}`;
  return Object.hasOwn(operators, key) ? [operators[key]!] : [];
}
