import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CompletionItem, CompletionList, SignatureHelp } from 'vscode-languageserver-protocol';
import type { LanguageClient} from './language-client';
import { edited, marked, root } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let scratch = '';

beforeAll(async () => {
  folder = await scratchFolder('offers');
  await copyFile(path.join(root, 'examples', 'inputs', 'inputs.elf'), path.join(folder, 'inputs.elf'));
  await mkdir(path.join(folder, 'boards'));
  for (const name of ['boards/common.covert', 'other.covert', 'notes.txt']) await writeFile(path.join(folder, name), '');
  ({ client, scratch } = await openScratch(folder));
});
afterAll(() => closeScratch(folder, client));

const head = 'guest g { elf "checksum.elf" ram 16 MiB }\nguest i { elf "inputs.elf" ram 16 MiB }\nchip octo { cores 8 l2 8 banks of 512 KiB memory 4 controllers ring spare core 7 }\nscenario "s" {\n  chip octo\n  guest g\n  protect dmr on core 0, core 4\n';
const tail = '\n  expect exit 0\n}\n';

async function offered(text: string, more: object = {}): Promise<CompletionItem[]> {
  const at = marked(text);
  await client.change(scratch, at.text);
  return (await client.at<CompletionList>('textDocument/completion', scratch, at.position, more)).items;
}

const inScenario = (statement: string): string => `${head}  ${statement}${tail}`;
const labels = (items: CompletionItem[]): string[] => items.map(({ label }) => label);

/** The text with an item taken. */
function taken(text: string, item: CompletionItem | undefined): string {
  const edit = item?.textEdit;
  if (!edit || !('range' in edit)) throw new Error('this item has no edit');
  return edited(marked(text).text, [edit]);
}

describe('completion', () => {
  test.each(['fault |', 'fault k|', 'optional fault |', 'fault x: |'])('what a fault can do: %s', async (statement) => {
    const effects = ['corrupt', 'drop', 'duplicate', 'fail', 'flip', 'hang', 'kill', 'set', 'stick'];
    const own = labels(await offered(inScenario(statement))).filter((label) => effects.includes(label)).sort();
    expect(own).toEqual(statement.includes('k|') ? ['kill'] : effects);
  });

  test('members and elements of variables, with their types', async () => {
    const text = `guest i { elf "inputs.elf" ram 16 MiB }\nscenario "s" {\n  guest i\n  fault flip memory[&queues[1].|] bit 3 in replica A at main\n}`;
    const members = await offered(text);
    expect(members.length).toBeGreaterThan(1);
    expect(members.every(({ kind, detail }) => kind === 5 && detail !== undefined)).toBe(true);
    expect(labels(await offered(inScenario('fault flip memory[&table[|]] bit 3 in replica B at main')))).toEqual(['0', '255']);
  });

  test('lines that have code, with their function and text', async () => {
    const source = (await readFile(path.join(folder, 'checksum.c'), 'utf8')).split('\n');
    const items = await offered(inScenario('fault flip a0 bit 3 in replica B at "checksum.c":|'));
    expect(items.length).toBeGreaterThan(10);
    const loop = items.find(({ label }) => label === '35');
    expect(loop?.labelDetails).toEqual({ detail: `  ${source[34]?.trim()}`, description: 'crc32_update' });
    expect(labels(items)).not.toContain('1');
    expect(labels(await offered(inScenario('expect divergence at "checksum.c":3|')))).toContain('35');
  });

  test('names of source files', async () => {
    for (const statement of ['fault flip a0 bit 3 in replica B at |', 'fault flip a0 bit 3 in replica B at "che|', 'expect divergence at |']) {
      const item = (await offered(inScenario(statement))).find(({ label }) => label === 'checksum.c');
      expect(taken(inScenario(statement), item)).toBe(inScenario(`${statement.replace(/"?(che)?\|/, '"checksum.c":')}`));
    }
  });

  test.each([
    ['import "|"', 'other.covert', 'import "other.covert"'],
    ['import "|"', 'boards/', 'import "boards/"'],
    ['import "boards/c|"', 'common.covert', 'import "boards/common.covert"'],
    ['import "boards/c|', 'common.covert', 'import "boards/common.covert'],
    ['import |', 'other.covert', 'import "other.covert"'],
    ['guest x { elf "|" }', 'checksum.elf', 'guest x { elf "checksum.elf" }'],
    ['guest x { disk "no|tes" }', 'notes.txt', 'guest x { disk "notes.txt" }'],
  ])('%s: %s', async (text, label, wanted) => {
    const items = await offered(text);
    expect(taken(text, items.find((item) => item.label === label))).toBe(wanted);
  });

  test('files whose ending fits come first, and the file itself not at all', async () => {
    const sorted = async (text: string): Promise<string[]> => labels((await offered(text)).sort((a, b) => (a.sortText! < b.sortText! ? -1 : 1)));
    expect(await sorted('import "|"')).toEqual(['other.covert', 'boards/', 'checksum.c', 'checksum.elf', 'inputs.elf', 'notes.txt']);
    expect((await sorted('guest x { elf "|" }')).slice(0, 2)).toEqual(['checksum.elf', 'inputs.elf']);
  });

  test.each([
    ['fault kill core |', ['0', '7'], { 0: 'replica A', 4: 'replica B', 7: 'spare' }, '8'],
    ['fault fail l2 bank |', ['0', '7'], { 0: 'replica A', 4: 'replica B' }, '8'],
    ['fault fail memory controller |', ['0', '3'], {}, '4'],
    ['fault fail link |', ['0 -> 1', '7 -> 0'], {}, '8'],
    ['fault fail link 0 -> |', ['1', '7'], {}, '2'],
    ['fault flip l2 bank | line &block byte 0 bit 1 at 2 ms', ['0', '7'], {}, '8'],
    ['fault flip a0 bit 1 in replica |', ['A', 'B'], { A: 'core 0', B: 'core 4' }, 'C'],
    ['fault stick a0 bit 1 at |', ['0', '1'], {}, '2'],
  ])('%s', async (statement, wanted, details, absent) => {
    const items = await offered(inScenario(statement));
    expect(labels(items)).toEqual(expect.arrayContaining(wanted));
    expect(labels(items)).not.toContain(absent);
    for (const [label, detail] of Object.entries(details)) expect(items.find((item) => item.label === label)?.detail).toBe(detail);
  });

  test('cores of a chip where it says which are spare', async () => {
    expect(labels(await offered('chip c { cores 3 spare core |'))).toEqual(['0', '1', '2']);
  });

  test('whole statements, with choices where a closed set stands', async () => {
    const items = await offered('guest g { elf "checksum.elf" ram 16 MiB }\nscenario "s" {\n  guest g\n  |\n}\n');
    const whole = items.find(({ label }) => label === 'protect …');
    expect(whole?.insertTextFormat).toBe(2);
    expect(JSON.stringify(whole?.textEdit)).toContain('${1|dmr,tmr|}');
  });

  test('what an item of a symbol says is looked up when it is shown', async () => {
    const item = (await offered(inScenario('fault flip memory[&ta|] bit 3 in replica B at main'))).find(({ label }) => label === 'table');
    expect(item?.documentation).toBeUndefined();
    const resolved = await client.connection.sendRequest<CompletionItem>('completionItem/resolve', item);
    expect(resolved.documentation).toMatchObject({ value: expect.stringMatching(/\*\*table\*\* — variable.*uint32_t \[256\]/s) as unknown });
  });

  test('nothing is offered in comments, nor for the spaces that indent a line', async () => {
    expect(await offered(inScenario('// fault |'))).toEqual([]);
    expect(await offered(inScenario('/* fault | */'))).toEqual([]);
    const space = { context: { triggerKind: 2, triggerCharacter: ' ' } };
    expect(await offered(inScenario('|'), space)).toEqual([]);
    expect(labels(await offered(inScenario('fault kill core |'), space))).toContain('0');
  });
});

async function help(text: string): Promise<{ labels: string[]; active: string | undefined }> {
  const at = marked(text);
  await client.change(scratch, at.text);
  const found = await client.at<SignatureHelp | null>('textDocument/signatureHelp', scratch, at.position);
  const signature = found?.signatures[found.activeSignature ?? 0];
  const range = signature?.parameters?.[signature.activeParameter ?? 0]?.label;
  return {
    labels: found?.signatures.map(({ label }) => label) ?? [],
    active: Array.isArray(range) ? signature?.label.slice(...range) : undefined,
  };
}

describe('signature help', () => {
  test.each([
    ['fault |', 'flip PLACE bit N', 'flip'],
    ['fault name: |', 'flip PLACE bit N', 'flip'],
    ['fault flip |', 'flip PLACE bit N', 'PLACE'],
    ['fault flip a0 |', 'flip PLACE bit N', 'bit'],
    ['fault flip memory[&block + |', 'flip PLACE bit N', 'PLACE'],
    ['fault flip memory[&block + 8].w bit |', 'flip PLACE bit N', 'N'],
    ['fault flip 3 random |', 'flip N random bits|bit of PLACES', 'bits|bit'],
    ['fault set a0 to |', 'set PLACE to VALUE', 'VALUE'],
    ['fault stick a0 bit 3 at |', 'stick PLACE bit N at 0|1', '0|1'],
    ['fault stick a0 bit 3 at 1 |', 'in replica LETTER', 'in'],
    ['fault flip a0 bit 3 |', 'in replica LETTER', 'in'],
    ['fault flip a0 bit 3 in replica |', 'in replica LETTER', 'LETTER'],
    ['fault flip a0 bit 3 in replica B |', 'at instruction N', 'at'],
    ['fault flip a0 bit 3 in replica B at |', 'at instruction N', 'instruction'],
    ['fault flip a0 bit 3 in replica B at main |', 'at ADDRESS [hit N]', 'hit'],
    ['fault flip a0 bit 3 in replica B at main hit |', 'at ADDRESS [hit N]', 'N'],
    ['fault flip a0 bit 3 in replica B at main every |', 'every DURATION [until DURATION]', 'DURATION'],
    ['fault kill core |', 'kill core N', 'N'],
    ['fault drop message on link |', 'drop message on link N -> M', 'N'],
    ['expect detected by |', 'expect detected [by METHODS] [within DURATION]', 'METHODS'],
    ['expect detected by output within |', 'expect detected [by METHODS] [within DURATION]', 'DURATION'],
    ['protect |', 'protect KIND [on CORES] [{', 'KIND'],
    ['protect dmr { checkpoint every | }', 'checkpoint every EPOCHS', 'EPOCHS'],
    ['switch to dmr at |', 'at instruction N', 'instruction'],
    ['beside guest g { expect exit | }', 'expect exit N', 'N'],
  ])('%s', async (statement, label, active) => {
    const found = await help(inScenario(statement));
    expect(found.labels).toContain(label);
    expect(found.active).toBe(active);
  });

  test.each([
    ['chip c { cores 8 | }', 'cores N [at CLOCK]', 'at'],
    ['chip c { timing detailed { l1i 32 KiB | } }', 'l1i SIZE [N ways|way]', 'N'],
    ['guest x { ram | }', 'ram SIZE', 'SIZE'],
    ['campaign "c" { guest g inject 5 faults { flip | } }', 'flip PLACE bit N', 'PLACE'],
  ])('%s', async (text, label, active) => {
    expect(await help(text)).toMatchObject({ labels: expect.arrayContaining([label]) as unknown, active });
  });

  test('a form that does not fit any more is not shown, and none in a comment', async () => {
    expect((await help(inScenario('fault flip a0 bits |'))).labels).not.toContain('flip PLACE bit N');
    expect((await help(inScenario('// fault flip |'))).labels).toEqual([]);
    expect((await help(inScenario('|'))).labels).toEqual([]);
  });
});
