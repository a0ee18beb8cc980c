import { copyFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DocumentHighlight, Hover, InlayHint, InlineValue, Location, SemanticTokens, SemanticTokensDelta } from 'vscode-languageserver-protocol';
import type { LanguageClient} from './language-client';
import { marked, root } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let scratch = '';
let other = '';

beforeAll(async () => {
  folder = await scratchFolder('reading');
  await copyFile(path.join(root, 'examples', 'inputs', 'inputs.elf'), path.join(folder, 'inputs.elf'));
  other = path.join(folder, 'other.covert');
  ({ client, scratch } = await openScratch(folder));
});
afterAll(() => closeScratch(folder, client));

const head = 'guest g { elf "checksum.elf" ram 16 MiB }\nguest i { elf "inputs.elf" ram 16 MiB }\nchip octo { cores 8 at 1 GHz l2 8 banks of 512 KiB memory 4 controllers ring spare core 7 }\nscenario "s" {\n  chip octo\n  guest g\n  protect dmr on core 0, core 4 { epoch 10_000 instructions }\n';
const tail = '\n  expect exit 0\n}\n';
const inScenario = (statement: string): string => `${head}  ${statement}${tail}`;

async function hover(text: string): Promise<string> {
  const at = marked(text);
  await client.change(scratch, at.text);
  const found = await client.at<Hover | null>('textDocument/hover', scratch, at.position);
  return found && typeof found.contents === 'object' && 'value' in found.contents ? found.contents.value : '';
}

describe('hover', () => {
  test.each([
    ['fault flip a0 bit 3 in replica B at |2 ms', /2_000_000 cycles at 1 GHz, the clock of chip octo.*About 2_000_000 instructions/s],
    ['fault flip a0 bit 3 in replica B at 2 m|s', /2_000_000 cycles/],
    ['fault flip a0 bit 3 in replica B at main every 50|0 cycles', /500 ns at 1 GHz/],
    ['expect detected within |2 epochs', /20_000 instructions, at 10_000 an epoch.*About 20 us/s],
    ['fault flip memory[&ta|ble] bit 3 in replica B at main', /variable.*`uint32_t \[256\]` · 1024 bytes.*`0x8/s],
    ['fault flip memory[&table[|3]].w bit 3 in replica B at main', /\*\*table\[3\]\*\* — `uint32_t`, 32 bits, unsigned.*`0x8/s],
    ['protect d|mr on core 0, core 1', /Two replicas, which are compared/],
    ['protect dmr { isolation f|ull }', /banks, memory controllers and links of its own/],
    ['protect dmr { compare output, st|ate every 2 epochs }', /Their registers|Registers and memory/],
    ['expect recovered by roll|back', /go back to a checkpoint/],
    ['expect detected by machine che|ck', /A component says itself/],
    ['fault f|irst: flip a0 bit 3 in replica B at main', /flips bit 3 of register a0/i],
    ['fa|ult flip memory[&table[3]].w bit 3 in replica B at main', /the 4 bytes at `table\[3\]`/],
    ['fa|ult flip memory[&table + 0xd].h bit 3 in replica B at main', /the 2 bytes at `table\+0xd`/],
    ['fault flip memory[&table].|w bit 3 in replica B at main', /4 bytes/],
    ['fault kill core |4 at 2 ms', /core 4.* — replica B runs here.*Its domain: L2 banks .*memory controllers .*links /s],
    ['fault kill core |7 at 2 ms', /core 7.* — a spare/],
    ['fault kill core |2 at 2 ms', /core 2.* — no replica runs here/],
    ['fault flip a0 bit 3 in replica |B at main', /replica B.* — begins on core 4/],
    ['fault fail l2 bank |4 at 2 ms', /l2 bank 4.* — in the domain of replica B/],
    ['fault fail l2 ba|nk 0 at 2 ms', /in the domain of replica A.*`bank`/s],
    ['fault fail link |0 -> 1 at 2 ms', /link 0 -> 1/],
    ['fault flip a0 bit 3 in replica B at instruction |0x12_d687', /`1_234_567` = `0x12d687` = `0b1_0010_1101_0110_1000_0111`/],
    ['seed |1_000', /`1_000` = `0x3e8` = `0b11_1110_1000`/],
  ])('%s', async (statement, wanted) => {
    expect(await hover(inScenario(statement))).toMatch(wanted);
  });

  test('sizes, clocks and paths', async () => {
    expect(await hover('guest g { elf "checksum.elf" ram |16 MiB }')).toMatch(/16_777_216 bytes \(0x1000000\)/);
    expect(await hover('chip c { cores 2 at 2 |GHz }')).toMatch(/a cycle takes 0\.5 ns/);
    const { size } = await stat(path.join(folder, 'checksum.elf'));
    expect(await hover('guest g { elf "check|sum.elf" }')).toMatch(new RegExp(`program.* — ${size.toString().replace(/\B(?=(\d{3})+$)/g, '_')} bytes.*checksum\\.elf`, 's'));
    expect(await hover('import "no|where.covert"')).toMatch(/scenario file.* — does not exist/);
  });

  test('members of a structure', async () => {
    const text = 'guest i { elf "inputs.elf" }\nscenario "s" {\n  guest i\n  fault flip memory[&queues[|1]] bit 3 in replica A at main\n}\n';
    expect(await hover(text)).toMatch(/\*\*queues\[1\]\*\* — `volatile struct/);
  });
});

async function hints(statement: string): Promise<string[]> {
  await client.change(scratch, inScenario(statement));
  const found = await client.of<InlayHint[]>('textDocument/inlayHint', scratch, { range: { start: { line: 7, character: 0 }, end: { line: 7, character: 200 } } });
  return found.map(({ label }) => (typeof label === 'string' ? label : label.map(({ value }) => value).join('')));
}

describe('inlay hints', () => {
  test.each([
    ['fault flip memory[&table].w bit 3 in replica B at crc32_update', [/^0x8\w+$/, /^checksum\.c:\d+$/]],
    ['fault fail l2 bank 4 at 2 ms', [/^replica B$/, /^2_000_000 cycles$/]],
    ['fault kill core 4 at 500 cycles', [/^replica B$/]],
    ['fault kill core 7 at instruction 5', []],
    ['fault set a0 to 0x80000000 in replica B at instruction 5', []],
  ])('%s', async (statement, wanted) => {
    const found = await hints(statement);
    expect(found).toEqual(wanted.map((one) => expect.stringMatching(one) as unknown));
  });

  test('a component that replicas share has both beside it', async () => {
    const text = inScenario('fault fail l2 bank 1 at instruction 5').replace('{ epoch', '{ isolation none epoch');
    await client.change(scratch, text);
    const found = await client.of<InlayHint[]>('textDocument/inlayHint', scratch, { range: { start: { line: 7, character: 0 }, end: { line: 7, character: 200 } } });
    expect(found.map(({ label }) => label)).toEqual(['replicas A and B']);
  });
});

interface Token {
  text: string;
  type: string;
  modifiers: string[];
}

function decode(text: string, data: readonly number[]): Token[] {
  const { legend } = client.initialized.capabilities.semanticTokensProvider!;
  const lines = text.split('\n');
  let line = 0;
  let character = 0;
  return Array.from({ length: data.length / 5 }, (_, i) => {
    const [down = 0, right = 0, length = 0, type = 0, bits = 0] = data.slice(5 * i, 5 * i + 5);
    character = down > 0 ? right : character + right;
    line += down;
    return { text: lines[line]!.slice(character, character + length), type: legend.tokenTypes[type]!, modifiers: legend.tokenModifiers.filter((_, bit) => bits & (1 << bit)) };
  });
}

describe('semantic tokens', () => {
  const text = `// a comment\n${inScenario('fault name: flip memory[&table[3]].w bit 3 in replica B at "checksum.c":35 every 2 ms')}campaign "c" { guest g }\n`;

  test('every kind of name has a colour', async () => {
    await client.change(scratch, text);
    const { data } = await client.of<SemanticTokens>('textDocument/semanticTokens/full', scratch);
    const found = decode(text, data);
    const of = (word: string): Token | undefined => found.find((token) => token.text === word);
    expect(of('// a comment')).toMatchObject({ type: 'comment' });
    expect(of('octo')).toMatchObject({ type: 'struct', modifiers: ['declaration'] });
    expect(of('"s"')).toMatchObject({ type: 'event', modifiers: ['declaration'] });
    expect(of('"c"')).toMatchObject({ type: 'event', modifiers: ['declaration'] });
    expect(of('name')).toMatchObject({ type: 'property', modifiers: ['declaration'] });
    expect(of('table')).toMatchObject({ type: 'function' });
    expect(of('w')).toMatchObject({ type: 'enumMember', modifiers: ['readonly'] });
    expect(of('B')).toMatchObject({ type: 'enumMember', modifiers: ['readonly'] });
    expect(of('"checksum.c"')).toMatchObject({ type: 'namespace' });
    expect(of('ms')).toMatchObject({ type: 'type' });
    expect(of('7')).toMatchObject({ type: 'variable', modifiers: ['readonly'] });
    expect(of('fault')).toMatchObject({ type: 'keyword' });
    expect(of('35')).toMatchObject({ type: 'number' });
  });

  test('what has changed, and a range', async () => {
    expect(client.initialized.capabilities.semanticTokensProvider).toMatchObject({ full: { delta: true }, range: true });
    await client.change(scratch, text);
    const before = await client.of<SemanticTokens>('textDocument/semanticTokens/full', scratch);
    const range = { start: { line: 8, character: 0 }, end: { line: 9, character: 0 } };
    const part = await client.of<SemanticTokens>('textDocument/semanticTokens/range', scratch, { range });
    expect(part.data.length).toBeLessThan(before.data.length);
    expect(decode(text, part.data).map(({ text: word }) => word)).toEqual(expect.arrayContaining(['name', 'table']));
    const changed = text.replace('in replica B', 'in replica A').replace('35', '43 hit 2');
    await client.change(scratch, changed);
    // A range in between is no whole answer, and spoils none.
    const delta = await client.of<SemanticTokensDelta>('textDocument/semanticTokens/full/delta', scratch, { previousResultId: before.resultId });
    expect(delta.edits.length).toBeGreaterThan(0);
    const data = [...before.data];
    for (const { start, deleteCount, data: fresh = [] } of delta.edits) data.splice(start, deleteCount, ...fresh);
    const whole = await client.of<SemanticTokens>('textDocument/semanticTokens/full', scratch);
    expect(data).toEqual(whole.data);
    expect(decode(changed, data).map(({ text: word }) => word)).toContain('hit');
    const stale = await client.of<SemanticTokens>('textDocument/semanticTokens/full/delta', scratch, { previousResultId: 'unknown' });
    expect(stale.data).toEqual(whole.data);
  });
});

describe('uses', () => {
  test('of a symbol: in all files, of all guests with that program, and of no other', async () => {
    const { text, position } = marked(inScenario('fault flip memory[&ta|ble] bit 3 in replica B at main\n  beside guest g { protect none on core 2 expect divergence in table }\n  beside guest i { protect none on core 3 fault flip memory[&table] bit 1 in replica A at main }'));
    await client.change(scratch, text);
    await client.open(other, 'guest h { elf "./checksum.elf" }\nscenario "t" {\n  guest h\n  expect divergence in table\n}\n');
    await client.change(scratch, text);
    const found = await client.at<Location[]>('textDocument/references', scratch, position, { context: { includeDeclaration: true } });
    expect(found.map(({ uri, range }) => [path.basename(uri), range.start.line]).sort()).toEqual([['other.covert', 3], ['scratch.covert', 7], ['scratch.covert', 8]]);
    const here = await client.at<DocumentHighlight[]>('textDocument/documentHighlight', scratch, position);
    expect(here.map(({ range }) => range.start.line)).toEqual([7, 8]);
  });

  test.each([
    ['fault flip |a0 bit 3 in replica B at main\n  fault flip x10 bit 3 in replica A when a0 == 7', [7, 8, 8]],
    ['fault kill core |4 at 2 ms', [6, 7]],
    ['fault flip a0 bit 3 in replica |B at main\n  fault flip a1 bit 3 in replica B at main', [7, 8]],
  ])('%s', async (statement, lines) => {
    const { text, position } = marked(inScenario(statement));
    await client.change(scratch, text);
    const found = await client.at<DocumentHighlight[]>('textDocument/documentHighlight', scratch, position);
    expect(found.map(({ range }) => range.start.line)).toEqual(lines);
  });
});

test('values beside names while debugging: what the adapter can evaluate', async () => {
  const text = inScenario('fault flip x10 bit 3 in replica B when mstatus == 7\n  fault flip memory[&table] bit 3 in replica B at main');
  await client.change(scratch, text);
  const range = { start: { line: 7, character: 0 }, end: { line: 9, character: 0 } };
  const stoppedLocation = { start: { line: 7, character: 0 }, end: { line: 7, character: 0 } };
  const found = await client.of<InlineValue[]>('textDocument/inlineValue', scratch, { range, context: { frameId: 1, stoppedLocation } });
  expect(found.map((value) => ('expression' in value ? value.expression : undefined))).toEqual(['a0', 'mstatus', 'table']);
});
