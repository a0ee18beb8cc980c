import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CompletionList, DocumentSymbol, Hover, SemanticTokens, TextEdit } from 'vscode-languageserver-protocol';
import type { LanguageClient} from './language-client';
import { edited, marked } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let scratch = '';

beforeAll(async () => {
  folder = await scratchFolder('campaigns');
  ({ client, scratch } = await openScratch(folder));
});
afterAll(() => closeScratch(folder, client));

const guest = 'guest g { elf "checksum.elf" ram 16 MiB }\n';
const inCampaign = (statement: string): string => `${guest}campaign "c" {\n  guest g\n  protect dmr on core 0, core 1\n${statement}\n}\n`;
const inBlock = (alternative: string): string => inCampaign(`  inject 5 faults seed 3 {\n    ${alternative}\n  }`);
const whole = inBlock('flip 1 random bit of x1..x31 in replica B at any instruction between main and console "crc=" weight 3');

async function labels(text: string): Promise<string[]> {
  const { text: written, position } = marked(text);
  await client.change(scratch, written);
  const { items } = await client.at<CompletionList>('textDocument/completion', scratch, position);
  return items.map(({ label }) => label);
}

async function hover(text: string): Promise<string> {
  const { text: written, position } = marked(text);
  await client.change(scratch, written);
  const found = await client.at<Hover | null>('textDocument/hover', scratch, position);
  return found ? (found.contents as { value: string }).value : '';
}

test('a campaign that is right has no diagnostics, and mistakes are where they are made', async () => {
  expect(await client.change(scratch, whole)).toEqual([]);
  const found = await client.change(scratch, whole.replace('weight 3', 'weight 0').replace('seed 3', 'seed 3 {} inject 6 faults'));
  expect(found.map(({ code, range }) => [code, range.start.line, range.end.character - range.start.character])).toEqual([
    ['COV206', 4, 6],
    ['COV205', 4, 6],
  ]);
});

test('a quick fix swaps bounds', async () => {
  const text = inBlock('flip a0 bit 3 in replica B at any instruction between instruction 9 and instruction 5');
  const [diagnostic] = await client.change(scratch, text);
  const actions = await client.of<{ title: string; edit: { changes: Record<string, TextEdit[]> } }[]>('textDocument/codeAction', scratch, { range: diagnostic!.range, context: { diagnostics: [diagnostic] } });
  const swap = actions.find(({ title }) => title === 'Swap the bounds');
  expect(edited(text, swap!.edit.changes[client.uri(scratch)]!)).toBe(text.replace('instruction 9 and instruction 5', 'instruction 5 and instruction 9'));
});

describe('completion', () => {
  test.each<[string, string[], string[]]>([
    [inCampaign('|'), ['inject', 'expect', 'limit', 'seed', 'beside', 'inject …'], ['fault', 'optional', 'protect']],
    [`${guest}scenario "s" {\n guest g\n |\n}`, ['fault', 'expect'], ['inject']],
    [inCampaign('inject |'), ['every'], []],
    [inCampaign('inject 5 |'), ['fault', 'faults'], []],
    [inCampaign('expect |'), ['coverage', 'no', 'recovered'], []],
    [`${guest}scenario "s" {\n guest g\n expect |\n}`, ['recovered'], ['coverage']],
    [inBlock('|'), ['flip', 'set', 'stick', 'kill', 'drop'], ['fault']],
    [inBlock('flip a0 bit 3 in replica B at |'), ['any', 'instruction', 'main'], []],
    [`${guest}scenario "s" {\n guest g\n fault flip a0 bit 3 in replica A at |\n}`, ['instruction', 'main'], ['any']],
    [inBlock('flip a0 bit 3 in replica B at any instruction |'), ['between', 'weight', 'every'], []],
    [inBlock('flip a0 bit 3 in replica B at any instruction between |'), ['main', 'instruction', 'console', 'when', 'epoch'], ['any']],
    [inBlock('flip a0 bit 3 in replica B at any instruction between main |'), ['and', 'hit'], []],
    [`${guest}|`, ['campaign', 'campaign …'], []],
  ])('%s', async (text, wanted, unwanted) => {
    const found = await labels(text);
    expect(found).toEqual(expect.arrayContaining(wanted));
    expect(found.filter((label) => unwanted.includes(label))).toEqual([]);
  });
});

describe('hover', () => {
  test('an alternative in plain words', async () => {
    expect(await hover(whole.replace('flip', 'fl|ip'))).toMatch(/^In replica B, at an instruction drawn from those between `main` and `console "crc="`: flips 1 bit, drawn from 31 places\./);
    expect(await hover(inBlock('flip a0 bit 3 in replica B at a|ny instruction'))).toMatch(/^In replica B, at an instruction drawn from all of its run: flips bit 3 of register a0\./);
  });

  test('words, registers and symbols', async () => {
    expect(await hover(whole.replace('inject', 'inj|ect'))).toContain('What a campaign injects');
    expect(await hover(whole.replace('weight', 'wei|ght'))).toContain('How often this alternative is drawn');
    expect(await hover(whole.replace('x31', 'x3|1'))).toContain('t6');
    expect(await hover(whole.replace('between main', 'between ma|in'))).toContain('checksum.c:');
  });
});

test('the outline has what a campaign injects and expects', async () => {
  await client.change(scratch, whole.replace(/\}\n$/, '  expect coverage >= 99 % confidence 95 %\n}\n'));
  const symbols = await client.of<DocumentSymbol[]>('textDocument/documentSymbol', scratch);
  const names = ({ name, children = [] }: DocumentSymbol): unknown => (children.length > 0 ? [name, children.map(names)] : name);
  expect(symbols.map(names)).toEqual(['g', ['c', ['protect dmr', ['inject 5 faults', ['flip 1 random bit of x1..x31']], 'expect coverage >= 99 % confidence 95 %']]]);
});

test('the formatter gives each alternative a line of its own, and changes nothing the second time', async () => {
  const wild = `${guest}campaign "c"{guest g inject 5 faults
seed 3{flip 1 random bit of x1 .. x31 in replica A at any instruction between main
and console "crc=" weight 3
set a0 to 1 in replica A at main} expect coverage>=99% confidence 95%
}`;
  await client.change(scratch, wild);
  const options = { options: { tabSize: 2, insertSpaces: true } };
  const once = edited(wild, await client.of<TextEdit[]>('textDocument/formatting', scratch, options));
  expect(once).toBe(`${guest}campaign "c" {
  guest g
  inject 5 faults
    seed 3 {
    flip 1 random bit of x1..x31 in replica A at any instruction between main
      and console "crc=" weight 3
    set a0 to 1 in replica A at main
  }
  expect coverage >= 99 % confidence 95 %
}
`);
  await client.change(scratch, once);
  expect(await client.of<TextEdit[]>('textDocument/formatting', scratch, options)).toEqual([]);
});

test('registers, symbols and replicas are coloured as in a scenario', async () => {
  await client.change(scratch, whole);
  const { data } = await client.of<SemanticTokens>('textDocument/semanticTokens/full', scratch);
  const { legend } = client.initialized.capabilities.semanticTokensProvider!;
  const lines = whole.split('\n');
  const found: string[] = [];
  let [line, character] = [0, 0];
  for (let i = 0; i < data.length; i += 5) {
    line += data[i]!;
    character = data[i] === 0 ? character + data[i + 1]! : data[i + 1]!;
    found.push(`${lines[line]?.slice(character, character + data[i + 2]!)} ${legend.tokenTypes[data[i + 3]!]}`);
  }
  expect(found).toEqual(expect.arrayContaining(['g class', 'dmr enumMember', 'x1 variable', 'x31 variable', 'B enumMember', 'main function']));
});
