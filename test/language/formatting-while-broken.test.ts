import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TextEdit } from 'vscode-languageserver-protocol';
import type { LanguageClient } from './language-client';
import { edited, marked } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let scratch = '';

beforeAll(async () => {
  folder = await scratchFolder('broken');
  ({ client, scratch } = await openScratch(folder));
});
afterAll(() => closeScratch(folder, client));

/** The text after what an editor does when `ch` has been typed at the mark. */
async function typed(withMark: string, ch: string): Promise<string> {
  const { text, position } = marked(withMark);
  await client.change(scratch, text);
  return edited(text, await client.at<TextEdit[]>('textDocument/onTypeFormatting', scratch, position, { ch, options: { tabSize: 2, insertSpaces: true } }));
}

const broken = 'scenario "broken" { fault flip nothing\n';

describe('a brace that ends a block', () => {
  test.each([
    ['behind what is broken', 'chip c { cores }\n  guest   sum {\nelf   "checksum.elf"\n    }|\n', 'chip c { cores }\nguest sum {\n  elf "checksum.elf"\n}\n'],
    ['before what is broken', `guest   sum {\nelf   "checksum.elf"\n    }|\n${broken}`, `guest sum {\n  elf "checksum.elf"\n}\n${broken}`],
    ['behind a block without an end', `${broken}chip   octo {\ncores   8\n}|\n`, `${broken}chip octo {\n  cores 8\n}\n`],
    ['in a scenario that is broken', 'scenario "s" {\n  fault flip\n    protect   dmr {\nretry   2\n}|\n  expect exit 0\n}\n', 'scenario "s" {\n  fault flip\n  protect dmr {\n    retry 2\n  }\n  expect exit 0\n}\n'],
    ['in a block about another guest', 'scenario "s" {\n  fault flip\n  beside guest g {\n  protect   none {\nepoch   5   instructions\n}|\n}\n}\n', 'scenario "s" {\n  fault flip\n  beside guest g {\n    protect none {\n      epoch 5 instructions\n    }\n}\n}\n'],
    ['of what a broken campaign injects', 'campaign "c" {\n  guest\n  inject   5 faults {\nflip 1   random bit of a0 in replica A at   any instruction\n}|\n}\n', 'campaign "c" {\n  guest\n  inject 5 faults {\n    flip 1 random bit of a0 in replica A at any instruction\n  }\n}\n'],
    ['of a table of costs', 'chip c {\n  cores cores\n  costs   prescott {\nexit   5 cycles\n}|\n}\n', 'chip c {\n  cores cores\n  costs prescott {\n    exit 5 cycles\n  }\n}\n'],
  ])('%s', async (_where, before, after) => {
    expect(await typed(before, '}')).toBe(after);
  });

  test('a block that is broken itself stays, and so does all that a comment or a string may reach into', async () => {
    for (const text of ['guest   sum {\nelf   elf\n}|\n', 'chip c { cores }\nguest   sum {\nelf   "checksum.elf\n}|\n', 'chip c { cores }\n/* guest   sum {\nelf   "checksum.elf"\n}|\n']) {
      expect(await typed(text, '}')).toBe(text.replace('|', ''));
    }
  });

  test('lines that end with a carriage return keep it', async () => {
    expect(await typed('chip c { cores }\r\nguest   sum {\r\nelf   "checksum.elf"\r\n}|\r\n', '}')).toBe('chip c { cores }\r\nguest sum {\r\n  elf "checksum.elf"\r\n}\r\n');
  });
});

describe('a new line', () => {
  test.each([
    ['the statement before it is formatted, whatever stands elsewhere', 'scenario "s" {\n  fault flip\nseed   5\n|\n}\n', 'scenario "s" {\n  fault flip\n  seed 5\n  \n}\n'],
    ['below a block whose head is broken', 'scenario "s" {\n  protect dmr xx {\n|\n  }\n}\n', 'scenario "s" {\n  protect dmr xx {\n    \n  }\n}\n'],
    ['below a broken block', 'scenario "s" {\n  protect dmr { retry retry }\n|\n}\n', 'scenario "s" {\n  protect dmr { retry retry }\n  \n}\n'],
    ['in a block about another guest', 'scenario "s" {\n  guest\n  beside guest g {\n    protect dmr {\n|\n', 'scenario "s" {\n  guest\n  beside guest g {\n    protect dmr {\n      \n'],
    ['in what a campaign injects', 'campaign "c" {\n  guest\n  inject 5 faults {\n|\n', 'campaign "c" {\n  guest\n  inject 5 faults {\n    \n'],
    ['between the braces of a block', 'scenario "s" {\n  fault flip\n  protect dmr {\n|}\n}\n', 'scenario "s" {\n  fault flip\n  protect dmr {\n  }\n}\n'],
    ['of a file that is whole', 'scenario "s" {\n  beside guest g {\n|\n  }\n}\n', 'scenario "s" {\n  beside guest g {\n    \n  }\n}\n'],
    ['behind a block without an end', `${broken}\nguest sum {\n|\n`, `${broken}\nguest sum {\n  \n`],
    ['in a comment', 'chip c { cores }\n/* one {\n|\n*/\n', 'chip c { cores }\n/* one {\n\n*/\n'],
    ['in a comment without an end', 'chip c {\n/* one {\n|', 'chip c {\n/* one {\n'],
  ])('%s', async (_where, before, after) => {
    expect(await typed(before, '\n')).toBe(after);
  });
});
