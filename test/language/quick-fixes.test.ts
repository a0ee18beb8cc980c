import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodeAction, Diagnostic } from 'vscode-languageserver-protocol';
import { blocks, here, sections, whole } from '../../server/language/manual.test-support';
import { edited, LanguageClient } from './language-client';

let client: LanguageClient;

beforeAll(async () => {
  client = await LanguageClient.start(path.dirname(here));
  await client.open(here, '');
});
afterAll(async () => {
  expect(await client.stop()).toBe(0);
});

/** The actions at a diagnostic, or over the whole file. */
async function actions(diagnostics: Diagnostic[], only: string, at?: Diagnostic): Promise<CodeAction[]> {
  const range = at?.range ?? { start: { line: 0, character: 0 }, end: { line: 9999, character: 0 } };
  return client.of<CodeAction[]>('textDocument/codeAction', here, { range, context: { diagnostics, only: [only] } });
}

function applied(text: string, action: CodeAction | undefined): string {
  if (!action) throw new Error('there is no such action');
  return edited(text, action.edit?.changes?.[client.uri(here)] ?? []);
}

/** Codes whose mend takes away what somebody has written. */
const careful: ReadonlySet<string> = new Set(['COV204', 'COV212', 'COV602']);

/** What is offered for each wrong example of the manual, in their order: the likely mends, or none where nobody can know what was meant. */
const mends: Readonly<Record<string, readonly string[][]>> = {
  COV100: [['Remove `;`'], ['Change to `"crc="`'], ['Change to `//`'], ['Write `schläge` between backticks']],
  COV101: [
    [],
    ['Change to `==`'],
    ['Change to `"checksum.c":19`'],
    ['Change to `5 instructions`'],
    ['Change to `core 0, core 1`'],
    ['Change to `"one"`'],
    ['Change to `scenario`'],
    ['Write `checksum-2` between backticks'],
  ],
  COV102: [['Write the missing `"`']],
  COV103: [['Write the backslash itself: `\\\\`']],
  COV104: [['Change to `1_000`'], ['Change to `1_000`']],
  COV105: [['Change to `instructions`']],
  COV106: [[], ['Change to `1`'], ['Change to `1`'], []],
  COV107: [[]],
  COV201: [['Change to `octa`']],
  COV202: [['Change to `octo_2`']],
  COV203: [['Change to `"../boards/common.covert"`']],
  COV204: [['Remove this import']],
  COV205: [['Remove it']],
  COV206: [[]],
  COV207: [[]],
  COV208: [['Change to `crc32_update`']],
  COV209: [['Change to `19`']],
  COV210: [['Change to `B`']],
  COV211: [['Change to `6143`']],
  COV212: [['Remove this `inject`'], ['Remove this `fault`'], ['Remove `optional`']],
  COV301: [['Change to `1`']],
  COV302: [['Change to `1`'], ['Change to `2`']],
  COV303: [['Change to `0`']],
  COV304: [['Add core 1']],
  COV305: [['Change to `none`'], []],
  COV306: [['Change to `1`']],
  COV307: [['Change to `1 MiB`']],
  COV308: [['Leave out `core 1`']],
  COV309: [['Change to `link 1 -> 2`'], ['Change to `1`']],
  COV401: [['Change to `a0`'], ['Change to `mepc`']],
  COV402: [['Make it 2 bytes: `.h`']],
  COV403: [['Leave out `2..4`']],
  COV404: [[]],
  COV405: [['Change to replica B']],
  COV406: [['Make it 2 bytes: `.h`']],
  COV407: [[]],
  COV408: [['Change to `1`']],
  COV409: [['Add `in replica B`'], []],
  COV410: [[], []],
  COV411: [['Leave out `for 2 ms`'], ['Leave out `every 2 ms`']],
  COV412: [[]],
  COV413: [['Swap the bounds']],
  COV501: [['Remove `expect unrecoverable`', 'Remove `expect recovered` of line 6']],
  COV502: [[]],
  COV503: [[]],
  COV504: [[]],
  COV601: [[]],
  COV602: [['Remove chip `octo`']],
  COV603: [['Add `expect no corruption`']],
  COV604: [['Change to `9_000 instructions`']],
  COV605: [['Change to `1`']],
  COV606: [['Remove it'], ['Remove it']],
  COV607: [[]],
  COV608: [['Remove it']],
  COV609: [[]],
  COV610: [[]],
  COV611: [[]],
};

describe.each(sections.map((section) => [section.slice(0, 6), blocks(section, 'covert wrong').map(whole)] as const))('%s', (code, examples) => {
  test.each(examples.map((text, index) => [index, text] as const))('example %i', async (index, text) => {
    const before = await client.change(here, text);
    const diagnostic = before.find((one) => one.code === code);
    const offered = await actions(before, 'quickfix', diagnostic);
    const own = offered.filter(({ diagnostics = [] }) => diagnostics.some((one) => one.code === code));
    expect(own.map(({ title }) => title)).toEqual(mends[code]?.[index]);
    for (const action of own) {
      const after = await client.change(here, applied(text, action));
      const rest = before.map((one) => one.code);
      for (const one of after) {
        expect(rest).toContain(one.code);
        rest.splice(rest.indexOf(one.code), 1);
      }
      expect(after.length).toBeLessThan(before.length);
      expect(action.isPreferred).toBe(own.length === 1 && !careful.has(code));
    }
  });
});

/** Mends that the manual has no example of: what stands there, what is done, and what stands there then. */
test.each([
  ['fault flip a0 bits 9..3 in replica B at main', 'COV402', 'fault flip a0 bits 3..9 in replica B at main'],
  ['fault flip a0 bits 3, 64 in replica B at main', 'COV402', 'fault flip a0 bits 3, 63 in replica B at main'],
  ['fault flip memory[&block] bits 3..11 in replica B at main', 'COV402', 'fault flip memory[&block].h bits 3..11 in replica B at main'],
  ['fault flip memory[&block].b bit 40 in replica B at main', 'COV402', 'fault flip memory[&block].d bit 40 in replica B at main'],
  ['fault flip 99 random bits of x1 in replica B at main', 'COV402', 'fault flip 64 random bits of x1 in replica B at main'],
  ['fault flip a0 bits 3, 3, 4 in replica B at main', 'COV403', 'fault flip a0 bits 3, 4 in replica B at main'],
  ['fault flip 1 random bit of x9..x5 in replica B at main', 'COV410', 'fault flip 1 random bit of x5..x9 in replica B at main'],
  ['fault flip a0 bit 3 in replica B from 2 ms', 'COV411', 'fault flip a0 bit 3 in replica B at 2 ms'],
  ['fault stick a0 bit 3 at 2 in replica B at main', 'COV406', 'fault stick a0 bit 3 at 1 in replica B at main'],
  ['fault set memory[&block] to -300 in replica B at main', 'COV406', 'fault set memory[&block].h to -300 in replica B at main'],
  ['fault kill core 1 in replica B at 2 ms', 'COV210', 'fault kill core 1 at 2 ms'],
  ['fault kill core 3 at 2 ms', 'COV605', 'fault kill core 1 at 2 ms'],
  ['fault flip a0 bit 3 in replica B at output 0', 'COV408', 'fault flip a0 bit 3 in replica B at output 1'],
  ['fault flip a0 bit 0b1_ in replica B at main', 'COV104', 'fault flip a0 bit 0b1 in replica B at main'],
  ['expect output matches /crc=', 'COV102', 'expect output matches /crc=/'],
  ['fault t: flip a0 bit 3 in replica B at main\nfault t: flip a1 bit 3 in replica B at main', 'COV202', 'fault t: flip a0 bit 3 in replica B at main\nfault t_2: flip a1 bit 3 in replica B at main'],
  ['protect dmr on core 0, core 1, core 2', 'COV304', 'protect dmr on core 0, core 1'],
  ['protect tmr on core 0 { isolation none }', 'COV304', 'protect tmr on core 0, core 1, core 2 { isolation none }'],
  ['protect dmr { uncoordinated time, network }', 'COV608', 'protect dmr { uncoordinated time }'],
  ['protect dmr { uncoordinated time, time }', 'COV205', 'protect dmr { uncoordinated time }'],
  ['protect dmr { compare output, output }', 'COV205', 'protect dmr { compare output }'],
  ['protect none { retry 2 epoch 50_000 instructions }', 'COV606', 'protect none { epoch 50_000 instructions }'],
  ['protect none on core 0 {\n  retry 2\n}', 'COV606', 'protect none on core 0'],
  ['expect detected by output, output', 'COV205', 'expect detected by output'],
  ['fault flip a0 bit 3 in replica B at 1 ms every 1 ms until 1 ms', 'COV606', 'fault flip a0 bit 3 in replica B at 1 ms every 1 ms'],
])('%s', async (statement, code, wanted) => {
  const text = whole(`${statement}\n`);
  const before = await client.change(here, text);
  const [action] = await actions(before, 'quickfix', before.find((one) => one.code === code));
  expect(action?.diagnostics).toMatchObject([{ code }]);
  const mended = applied(text, action);
  expect(mended).toBe(whole(`${wanted}\n`));
  expect((await client.change(here, mended)).filter((one) => one.code === code)).toEqual([]);
});

describe('what is added or taken away leaves the lines around it as people write them', () => {
  const guest = 'guest checksum {\n  elf "checksum.elf"\n}\n';
  test.each([
    ['COV603', `${guest}\nscenario "s" {\n    guest checksum // why\n}\n`, `${guest}\nscenario "s" {\n    guest checksum // why\n    expect no corruption\n}\n`],
    ['COV206', `${guest}\nscenario "s" {\n  expect exit 0\n}\n`, `${guest}\nscenario "s" {\n  expect exit 0\n  guest checksum\n}\n`],
    ['COV206', `${guest}\nscenario "s" {expect exit 0}\n`, `${guest}\nscenario "s" {expect exit 0 guest checksum }\n`],
    ['COV602', `${guest}\nchip octo { ring }\n\nscenario "s" {\n  guest checksum\n  expect exit 0\n}\n`, `${guest}\nscenario "s" {\n  guest checksum\n  expect exit 0\n}\n`],
    ['COV602', `import "../boards/common.covert" // boards\n${guest}scenario "s" { guest checksum expect exit 0 }\n`, ` // boards\n${guest}scenario "s" { guest checksum expect exit 0 }\n`],
    ['COV202', `${guest}scenario "s" { guest checksum expect exit 0 }\nscenario "s" { guest checksum expect exit 0 }\n`, `${guest}scenario "s" { guest checksum expect exit 0 }\nscenario "s 2" { guest checksum expect exit 0 }\n`],
    ['COV205', `${guest}scenario "s" {\n  guest checksum\n  seed 1\n  seed 2\n  expect exit 0\n}\n`, `${guest}scenario "s" {\n  guest checksum\n  seed 1\n  expect exit 0\n}\n`],
  ])('%s: %s', async (code, text, wanted) => {
    const before = await client.change(here, text);
    const [action] = await actions(before, 'quickfix', before.find((one) => one.code === code));
    expect(applied(text, action).replace(/^ (?=\/\/)/, '')).toBe(wanted.replace(/^ (?=\/\/)/, ''));
    expect(await client.change(here, applied(text, action))).toEqual([]);
  });
});

describe('all of the file', () => {
  test('what can be meant one way only is mended at once; nothing that somebody has written is taken away unasked, and no other experiment made of it', async () => {
    const slips = 'fault flip a0 bits 3, 3 in replica B from 2 ms;\nfault flip a0 bit 1 in replica B at instruction 1__000_000\n';
    const guesses = 'limit 5 s\nfault flip a0 bit 1 in replica B at 20\nfault hang core 1 at main for 5 ms\nexpect exit 0\nexpect exit 0\nfault flip a9 bit 3 in replica C at crc32_updat\nfault flip a0 bit 64 in replica B at main hit 0\nfault flip a0 bit 1 on core 99 at main\nfault kill core 3 at 2 ms\n';
    const text = whole(slips + guesses).replace('guest checksum {', 'import "nope.covert"\nchip octo { cores 8 }\nguest checksum {');
    const before = await client.change(here, text);
    const [action, ...more] = await actions(before, 'source.fixAll');
    expect(more).toEqual([]);
    expect(action).toMatchObject({ kind: 'source.fixAll', title: 'Fix all of this file that can only be meant one way (4)' });
    const mended = applied(text, action);
    expect(mended).toContain('fault flip a0 bits 3 in replica B at 2 ms\nfault flip a0 bit 1 in replica B at instruction 1_000_000\n');
    expect(mended).toContain(guesses);
    const after = await client.change(here, mended);
    expect(after.map((one) => one.code).sort()).toEqual(['COV105', 'COV203', 'COV208', 'COV301', 'COV401', 'COV402', 'COV405', 'COV407', 'COV408', 'COV411', 'COV602', 'COV605', 'COV606']);
    expect(await actions(after, 'source.fixAll')).toEqual([]);
  });

  test('a file without mistakes has nothing to be mended, and its imports are sorted', async () => {
    const example = await readFile(path.join(path.dirname(here), 'checksum.covert'), 'utf8');
    const diagnostics = await client.change(here, example);
    expect(await actions(diagnostics, 'quickfix')).toEqual([]);
    expect(await actions(diagnostics, 'source')).toEqual([]);
  });

  test('imports are sorted, and one that stands twice is gone', async () => {
    const rest = '\nguest g { elf "checksum.elf" }\nscenario "s" { chip octo guest g expect exit 0 }\n';
    const text = `import "stuck.covert"\nimport "../boards/common.covert"\nimport "../boards/common.covert"\n${rest}`;
    const before = await client.change(here, text);
    const [action] = await actions(before, 'source.organizeImports');
    const after = applied(text, action);
    expect(after).toBe(`import "../boards/common.covert"\nimport "stuck.covert"\n${rest}`);
    expect(await client.change(here, after)).toEqual([]);
  });
});

test('the server says which kinds of actions it has', () => {
  expect(client.initialized.capabilities.codeActionProvider).toEqual({
    codeActionKinds: ['quickfix', 'refactor.extract', 'refactor.rewrite', 'source.fixAll', 'source.organizeImports'],
  });
});

describe('what is typed half is not made worse by mending all', () => {
  const around = (statement: string): string => `guest checksum { elf "checksum.elf" }\nscenario "s" {\n  guest checksum\n  protect dmr on core 0, core 1\n  ${statement}\n  expect exit 0\n}\n`;

  test.each([
    'fault flip',
    'fault flip a0 bit 3 at',
    'fault flip a0 bit 3 in replica B when',
    'fault flip x32 bit 3 in replica B at main',
    'fault flip a0 bit 3 in replica B at main hit 2 in',
    'protect dmr on core 2, core 3 {\n    epoch 20_000 instructions\n  }',
  ])('%s', async (statement) => {
    const text = around(statement);
    const diagnostics = await client.change(here, text);
    expect(diagnostics.length).toBeGreaterThan(0);
    const all = await actions(diagnostics, 'source.fixAll');
    expect(all.map((one) => applied(text, one)).filter((mended) => mended !== text)).toEqual([]);
  });

  test('a statement that the next one breaks off is wrong at its end', async () => {
    const diagnostics = await client.change(here, around('fault flip'));
    expect(diagnostics.map(({ code, message, range }) => [code, message.includes('but the line ends'), range.end])).toEqual([['COV101', true, { line: 4, character: 12 }]]);
  });
});

test('names that begin statements are renamed to with backticks', async () => {
  const text = 'chip c { cores 4 }\nguest g { elf "checksum.elf" }\nscenario "s" { chip c guest g expect exit 0 }\n';
  await client.change(here, text);
  for (const newName of ['switch', 'beside']) {
    const edit = await client.at<{ changes: Record<string, { newText: string }[]> }>('textDocument/rename', here, { line: 0, character: 5 }, { newName });
    expect(Object.values(edit.changes).flat().map((one) => one.newText)).toEqual([`\`${newName}\``, `\`${newName}\``]);
  }
});

test('edits have the line ends of the file', async () => {
  const text = 'guest g { elf "checksum.elf" }\r\nscenario "s" {\r\n  guest g\r\n  expect exit 0\r\n}\r\n';
  await client.change(here, text);
  const options = { tabSize: 2, insertSpaces: true };
  expect(await client.of('textDocument/formatting', here, { options })).toEqual([]);
  const [extract] = await actions([], 'refactor.extract', { range: { start: { line: 2, character: 4 }, end: { line: 2, character: 4 } } } as Diagnostic);
  expect(applied(text, extract).replaceAll('\r\n', '')).not.toContain('\n');
});
