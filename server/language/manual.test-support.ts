import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
/** Where the manual's examples are taken to stand, so that their paths lead somewhere. */
export const here = path.join(root, 'examples', 'checksum', 'here.covert');
export const manual = readFileSync(path.join(root, 'docs', 'language.md'), 'utf8');

/** The parts of the manual about one diagnostic each, which begin with its code. */
export const sections = manual.split(/^#### /m).slice(1);

/** The examples of a kind, as `covert wrong`. */
export function blocks(text: string, kind: string): string[] {
  return [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].filter(([, label]) => label === kind).map(([, , code = '']) => code);
}

/** A statement of a scenario with what the manual says stands around it; anything else as it is. */
export function whole(example: string): string {
  if (/^\s*(import|chip|guest|scenario|campaign)\b/.test(example)) return example;
  const protect = /^protect\b/m.test(example) ? '' : 'protect dmr on core 0, core 1\n';
  const expectation = /^expect\b/m.test(example) ? '' : 'expect exit 0\n';
  return `guest checksum { elf "checksum.elf" }\nscenario "example" {\nguest checksum\n${protect}${expectation}${example}}\n`;
}
