import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteReader } from './byte-reader';
import { derived, vocabulary } from './grammar-text';

const root = join(import.meta.dirname, '../../..');
const examples = ['checksum/checksum', 'sort/sort', 'ticker/ticker', 'debian/boot', 'boards/common'];

export const exampleCount = examples.length;
/** Where the texts are taken to stand. */
export const here = join(root, 'examples/checksum/here.covert');
/** How often words are repeated at most. */
const mostRepeats = 4000;

/** A scenario file, as the first byte says: any bytes, an example with other words in it, what the grammar can make, or words over and over. The rest is the bytes, changes or choices. */
export function textOf(program: ByteReader): string {
  switch (program.byte() % 5) {
    case 0:
      return Buffer.from(program.rest()).toString('utf8');
    case 1: {
      let text = readFileSync(join(root, 'examples', `${examples[program.byte() % examples.length]}.covert`), 'utf8');
      for (let changes = 0; !program.done && changes < 16; changes++) {
        const at = program.half() % (text.length + 1);
        text = `${text.slice(0, at)}${words(program, program.byte() & 3)}${text.slice(at + (program.byte() & 63))}`;
      }
      return text;
    }
    case 2:
      return derived('File', program);
    case 3: {
      const items = Array.from({ length: 1 + (program.byte() & 3) }, () => derived('ScenarioItem', program));
      return `guest g { elf "checksum.elf" ram 16 MiB }\nscenario "s" { guest g protect dmr on core 0, core 1 expect exit 0\n${items.join('\n')}\n}`;
    }
    default: {
      const repeats = program.half() % mostRepeats;
      const [before, often] = [words(program, program.byte() & 7), words(program, 1 + (program.byte() & 7))];
      return `${before}${program.byte() & 1 ? ' scenario "s" { ' : ''}${`${often}${program.byte() & 1 ? '\n' : ''}`.repeat(repeats)}`;
    }
  }
}

/** So many words of the language, with blanks between them or without. */
export function words(program: ByteReader, count: number): string {
  const gap = count > 1 && program.byte() & 1 ? '' : ' ';
  return Array.from({ length: count }, () => vocabulary[program.half() % vocabulary.length]).join(gap);
}
