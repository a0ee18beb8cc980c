import { copyFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type {
  CodeAction,
  DocumentLink,
  FoldingRange,
  LinkedEditingRanges,
  Range,
  SelectionRange,
  TextEdit,
  WorkspaceEdit,
  WorkspaceSymbol,
} from 'vscode-languageserver-protocol';
import type { LanguageClient} from './language-client';
import { edited, marked } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let scratch = '';

beforeAll(async () => {
  folder = await scratchFolder('editing');
  await writeFile(path.join(folder, 'boards.covert'), 'chip octo { cores 8 ring }\nchip quad { cores 4 ring }\n');
  await writeFile(path.join(folder, 'closed.covert'), `import "boards.covert"\n${guest}scenario "a closed file" { chip octo guest sum expect exit 0 fault stray: flip a0 bit 1 in replica A at main }\n`);
  ({ client, scratch } = await openScratch(folder, { env: { COVERT_CACHE: path.join(folder, 'cache') } }));
});
afterAll(() => closeScratch(folder, client));

const guest = 'guest sum { elf "checksum.elf" ram 16 MiB }\n';
const format = { options: { tabSize: 2, insertSpaces: true } };

function textOf(text: string, { start, end }: Range): string {
  const lines = text.split('\n');
  const offset = ({ line, character }: Range['start']): number => lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
  return text.slice(offset(start), offset(end));
}

describe('rename', () => {
  async function renamed(withMark: string, newName: string): Promise<{ text: string; other: string }> {
    const { text, position } = marked(withMark);
    await client.change(scratch, text);
    const { changes = {} } = await client.at<WorkspaceEdit>('textDocument/rename', scratch, position, { newName });
    const boards = path.join(folder, 'boards.covert');
    return { text: edited(text, changes[client.uri(scratch)] ?? []), other: edited('chip octo { cores 8 ring }\nchip quad { cores 4 ring }\n', changes[client.uri(boards)] ?? []) };
  }

  async function refusal(withMark: string, newName?: string): Promise<string> {
    const { text, position } = marked(withMark);
    await client.change(scratch, text);
    const method = newName === undefined ? 'textDocument/prepareRename' : 'textDocument/rename';
    return client.at(method, scratch, position, { newName }).then(
      (found) => `not refused: ${JSON.stringify(found)}`,
      (error: Error) => error.message,
    );
  }

  test('a chip of another file is renamed there and in all files that use it, open or not', async () => {
    const before = `import "boards.covert"\n${guest}scenario "s" { chip oc|to guest sum expect exit 0 }\n`;
    const { text, other } = await renamed(before, 'oct');
    expect(text).toContain('{ chip oct guest');
    expect(other).toBe('chip oct { cores 8 ring }\nchip quad { cores 4 ring }\n');
    const { position } = marked(before);
    const { changes = {} } = await client.at<WorkspaceEdit>('textDocument/rename', scratch, position, { newName: 'oct' });
    expect(Object.keys(changes).map((uri) => path.basename(uri)).sort()).toEqual(['boards.covert', 'closed.covert', 'scratch.covert']);
  });

  test.each([
    [`${guest}scenario "o|ld" { guest sum expect exit 0 }`, 'a "new" one', 'scenario "a \\"new\\" one" {'],
    [`${guest}scenario "s" { guest sum expect exit 0 fault f|irst: flip a0 bit 1 in replica A at main }`, 'second', 'fault second: flip'],
    [`${guest}scenario "s" { guest sum expect exit 0 fault f|irst: flip a0 bit 1 in replica A at main }`, 'fault', 'fault `fault`: flip'],
    [`${guest}scenario "s" { guest su|m expect exit 0 }`, 'check sum', '{ guest `check sum` expect'],
    [`${guest}campaign "o|ld" { guest sum inject 5 faults { flip 1 random bit of x1 in replica A at any instruction } }`, 'new', 'campaign "new" {'],
  ])('%s to %s', async (before, newName, wanted) => {
    expect((await renamed(before, newName)).text).toContain(wanted);
  });

  test('the place that is edited is the name without its marks', async () => {
    for (const [before, name] of [[`${guest}scenario "o|ld" { guest sum }`, 'old'], ['guest `my |guest` { elf "checksum.elf" }', 'my guest'], [`${guest}scenario "s" { guest s|um }`, 'sum']] as const) {
      const { text, position } = marked(before);
      await client.change(scratch, text);
      expect(textOf(text, await client.at<Range>('textDocument/prepareRename', scratch, position))).toBe(name);
    }
  });

  test.each([
    [`${guest}scenario "s" { guest sum fault flip a0 bit 1 in replica A at ma|in }`, /`main` is a symbol of the guest: rename it in the guest's source/],
    [`${guest}scenario "s" { guest sum expect divergence in ma|in }`, /is a symbol of the guest/],
    [`${guest}scenario "s" { guest sum fault flip a|0 bit 1 in replica A at main }`, /`a0` is a register of the machine/],
    [`${guest}scenario "s" { gu|est sum }`, /`guest` is a word of the language\. Chips, guests, scenarios, campaigns and faults can be renamed/],
    [`${guest}scenario "s" { guest sum seed 4|2 }`, /`42` is no name/],
    [`${guest}scenario "s" { guest nobo|dy }`, /`nobody` is declared nowhere/],
    [`${guest}scenario "s" { guest sum protect d|mr }`, /`dmr` has a fixed meaning/],
    [`${guest}  |  \nscenario "s" { guest sum }`, /There is no name here/],
  ])('cannot: %s', async (before, why) => {
    expect(await refusal(before)).toMatch(why);
  });

  test.each([
    [`import "boards.covert"\n${guest}scenario "s" { chip oc|to guest sum expect exit 0 }`, 'quad', /another chip `quad`, in line 2 of boards\.covert/],
    [`${guest}scenario "o|ne" { guest sum }\nscenario "two" { guest sum }`, 'two', /another scenario "two"/],
    [`${guest}scenario "s" { guest sum fault o|ne: flip a0 bit 1 in replica A at main fault two: flip a0 bit 1 in replica A at main }`, 'two', /another fault `two`/],
    [`${guest}scenario "s" { guest su|m }`, ' ', /at least one character/],
    [`${guest}scenario "s|" { guest sum }`, '', /at least one character/],
  ])('not: %s to %s', async (before, newName, why) => {
    expect(await refusal(before, newName)).toMatch(why);
  });
});

describe('linked names', () => {
  test('a name and its uses in the file are edited together', async () => {
    const { text, position } = marked(`chip octo { cores 8 }\n${guest}scenario "s" { chip oc|to guest sum }\nscenario "t" { chip octo guest sum }\n`);
    await client.change(scratch, text);
    const { ranges } = await client.at<LinkedEditingRanges>('textDocument/linkedEditingRange', scratch, position);
    expect(ranges.map((range) => [range.start.line, textOf(text, range)]).sort()).toEqual([[0, 'octo'], [2, 'octo'], [3, 'octo']]);
  });

  test.each([`${guest}scenario "s" { guest sum fault flip a|0 bit 1 in replica A at main }`, 'guest so|lo { elf "checksum.elf" }', `${guest}  |`])('none: %s', async (before) => {
    const { text, position } = marked(before);
    await client.change(scratch, text);
    expect(await client.at('textDocument/linkedEditingRange', scratch, position)).toBeNull();
  });
});

describe('structure', () => {
  test('from a word outwards: value, part, statement, block, file', async () => {
    const { text, position } = marked(`${guest}scenario "s" {\n  guest sum\n  fault flip memory[&block + 0x2|4] bit 1 in replica A at main\n}\n`);
    await client.change(scratch, text);
    const [innermost] = await client.of<SelectionRange[]>('textDocument/selectionRange', scratch, { positions: [position] });
    const texts: string[] = [];
    for (let at = innermost; at; at = at.parent) texts.push(textOf(text, at.range));
    const fault = 'fault flip memory[&block + 0x24] bit 1 in replica A at main';
    expect(texts).toEqual([
      '0x24',
      '&block + 0x24',
      'memory[&block + 0x24]',
      'flip memory[&block + 0x24] bit 1',
      fault,
      `guest sum\n  ${fault}`,
      `scenario "s" {\n  guest sum\n  ${fault}\n}`,
      text.trim(),
      text,
    ]);
  });

  test('several places are answered in their order, and the inside of a text comes first', async () => {
    const text = `${guest}scenario "a { b" { guest sum }\n`;
    await client.change(scratch, text);
    const found = await client.of<SelectionRange[]>('textDocument/selectionRange', scratch, { positions: [{ line: 1, character: 12 }, { line: 0, character: 8 }, { line: 2, character: 0 }] });
    expect(found.map(({ range }) => textOf(text, range))).toEqual(['a { b', 'sum', text]);
    expect(textOf(text, found[0]!.parent!.range)).toBe('"a { b"');
  });

  test('folding: imports, comments and blocks', async () => {
    const text = `// one\n// two\n\nimport "a.covert"\nimport "b.covert"\n\n/* a\n b */\nscenario "s" { // why\n  // x\n  // y\n  guest sum\n  protect dmr {\n    retry 1\n  }\n}\n`;
    await client.change(scratch, text);
    const found = await client.of<FoldingRange[]>('textDocument/foldingRange', scratch);
    expect(found.map(({ startLine, endLine, kind = 'block' }) => `${startLine}-${endLine} ${kind}`)).toEqual([
      '0-1 comment',
      '3-4 imports',
      '6-7 comment',
      '8-14 block',
      '9-10 comment',
      '12-13 block',
    ]);
  });

  test('symbols of the folder, also of files that nobody has opened', async () => {
    await client.change(scratch, `${guest}scenario "in the scratch file" { guest sum fault flaw: flip a0 bit 1 in replica A at main }\n`);
    const symbols = async (query: string): Promise<string[]> =>
      (await client.connection.sendRequest<WorkspaceSymbol[]>('workspace/symbol', { query })).map(({ name, location }) => `${name} ${path.basename(location.uri)}`).sort();
    expect(await symbols('octo')).toEqual(['octo boards.covert']);
    expect(await symbols('closed')).toEqual(['a closed file closed.covert']);
    expect(await symbols('stry')).toEqual(['stray closed.covert']);
    expect(await symbols('flaw')).toEqual(['flaw scratch.covert']);
    expect(await symbols('')).toEqual(expect.arrayContaining(['quad boards.covert', 'sum closed.covert', 'sum scratch.covert', 'in the scratch file scratch.covert']));
    expect(await symbols('no such thing')).toEqual([]);
  });

  test('links lead to what exists, and nowhere else', async () => {
    const text = `import "boards.covert"\nimport "gone.covert"\nguest sum { elf "checksum.elf" disk "gone.img" }\nscenario "s" { guest sum fault flip a0 bit 1 in replica A at "checksum.c":35 expect divergence at "gone.c":3 }\n`;
    await client.change(scratch, text);
    const links = await client.of<DocumentLink[]>('textDocument/documentLink', scratch);
    expect(links.map(({ range, target, tooltip }) => [textOf(text, range), target?.replace(/.*\//, ''), tooltip])).toEqual([
      ['"boards.covert"', 'boards.covert', 'Open the imported file'],
      ['"checksum.elf"', 'checksum.elf', "Open the guest's program"],
      ['"checksum.c":35', 'checksum.c#L35', 'Line 35 of checksum.c'],
    ]);
  });
});

describe('formatting as you type', () => {
  async function typed(withMark: string, ch: string): Promise<string> {
    const { text, position } = marked(withMark);
    await client.change(scratch, text);
    return edited(text, await client.at<TextEdit[]>('textDocument/onTypeFormatting', scratch, position, { ch, ...format }));
  }

  test.each([
    ['guest sum {\n  elf   "checksum.elf"\n|\n  ram 16   MiB\n}\n', '\n', 'guest sum {\n  elf "checksum.elf"\n  \n  ram 16   MiB\n}\n'],
    ['guest   sum { elf "checksum.elf" }\n|', '\n', 'guest sum { elf "checksum.elf" }\n'],
    ['guest sum { elf "checksum.elf" }\n\n|', '\n', 'guest sum { elf "checksum.elf" }\n\n'],
    ['scenario "s" {\n  protect dmr {\n|', '\n', 'scenario "s" {\n  protect dmr {\n    '],
    ['guest sum {\nelf "checksum.elf"\n  }|\n', '}', 'guest sum {\n  elf "checksum.elf"\n}\n'],
  ])('%j', async (before, ch, after) => {
    expect(await typed(before, ch)).toBe(after);
  });

  test('a range alone', async () => {
    const text = 'guest   sum {\n  elf   "checksum.elf"\n}\n';
    await client.change(scratch, text);
    const range = { start: { line: 1, character: 0 }, end: { line: 1, character: 20 } };
    expect(edited(text, await client.of<TextEdit[]>('textDocument/rangeFormatting', scratch, { range, ...format }))).toBe('guest   sum {\n  elf "checksum.elf"\n}\n');
  });
});

describe('refactorings', () => {
  test('the default chip is written as a declaration, above the comments of the scenario', async () => {
    const { text, position } = marked(`${guest}\n// what it is about\nscenario "s" {\n  guest sum|\n  protect dmr on core 0, core 1\n  expect exit 0\n}\n`);
    await client.change(scratch, text);
    const [action] = await client.of<CodeAction[]>('textDocument/codeAction', scratch, { range: { start: position, end: position }, context: { diagnostics: [], only: ['refactor.extract'] } });
    const after = edited(text, action?.edit?.changes?.[client.uri(scratch)] ?? []);
    expect(after).toBe(
      `${guest}\nchip board {\n  cores 4 at 2 GHz\n  l2 4 banks of 512 KiB\n  memory 2 controllers\n  ring\n}\n\n// what it is about\nscenario "s" {\n  chip board\n  guest sum\n  protect dmr on core 0, core 1\n  expect exit 0\n}\n`,
    );
    expect(await client.change(scratch, after)).toEqual([]);
    const again = await client.of<CodeAction[]>('textDocument/codeAction', scratch, { range: { start: { line: 11, character: 3 }, end: { line: 11, character: 3 } }, context: { diagnostics: [], only: ['refactor.extract'] } });
    expect(again).toEqual([]);
  });

  test('an import that nothing uses goes when imports are sorted', async () => {
    await writeFile(path.join(folder, 'other.covert'), 'chip other { cores 4 }\n');
    const rest = `${guest}scenario "s" { chip octo guest sum expect exit 0 }\n`;
    const text = `import "other.covert"\nimport "boards.covert"\n${rest}`;
    const diagnostics = await client.change(scratch, text);
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
    const [action] = await client.of<CodeAction[]>('textDocument/codeAction', scratch, { range, context: { diagnostics, only: ['source.organizeImports'] } });
    expect(edited(text, action?.edit?.changes?.[client.uri(scratch)] ?? [])).toBe(`import "boards.covert"\n${rest}`);
  });
});

describe('files that change while others are open', () => {
  let chips = '';
  let user = '';
  const changed = (file: string, type: 1 | 2 | 3): Promise<void> => client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: client.uri(file), type }] });
  const codes = async (file: string, wanted: string[]): Promise<void> => {
    const found = await client.until(file, (all) => JSON.stringify(all.map(({ code }) => code)) === JSON.stringify(wanted));
    expect(found.map(({ code }) => code)).toEqual(wanted);
  };

  let count = 0;
  beforeEach(async () => {
    count++;
    chips = path.join(folder, `chips-${count}.covert`);
    user = path.join(folder, `user-${count}.covert`);
    await writeFile(chips, 'chip c { cores 2 }\n');
  });

  /** A file that imports the chips and uses one of them. */
  async function openUser(): Promise<void> {
    expect(await client.open(user, `import "${path.basename(chips)}"\n${guest}scenario "s" { chip c guest sum expect exit 0 }\n`)).toEqual([]);
  }

  test('an import is written anew, vanishes, and comes back', async () => {
    await openUser();
    await writeFile(chips, 'chip d { cores 2 }\n');
    await changed(chips, 2);
    await codes(user, ['COV201']);
    await unlink(chips);
    await changed(chips, 3);
    await codes(user, ['COV203']);
    await writeFile(chips, 'chip c { cores 2 }\n');
    await changed(chips, 1);
    await codes(user, []);
  });

  test('an import of which nothing is used is noticed as well when it vanishes and comes back', async () => {
    expect(await client.open(user, `import "${path.basename(chips)}"\n`)).toEqual([]);
    await unlink(chips);
    await changed(chips, 3);
    await codes(user, ['COV203']);
    await writeFile(chips, 'chip c { cores 2 }\n');
    await changed(chips, 1);
    await codes(user, []);
  });

  test('what is open counts as the editor has it, also where its file is gone; once it is closed the file counts', async () => {
    await openUser();
    await client.open(chips, 'chip c { cores 2 }\n');
    await unlink(chips);
    await changed(chips, 3);
    // It can still be changed, and asked about.
    expect((await client.change(chips, 'chip d { cores 2 }\nchip d { cores 4 }\n')).map(({ code }) => code)).toEqual(['COV202']);
    await codes(user, ['COV201']);
    expect(await client.of('textDocument/foldingRange', chips)).toEqual([]);
    await client.change(chips, 'chip c { cores 2 }\n');
    await codes(user, []);
    await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: client.uri(chips) } });
    await codes(user, ['COV203']);
    await codes(chips, []);
  });

  test('what was changed and not saved is forgotten when it is closed', async () => {
    await openUser();
    await client.open(chips, 'chip d { cores 2 }\n');
    await codes(user, ['COV201']);
    await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: client.uri(chips) } });
    await codes(user, []);
  });

  test('an ELF that changes or vanishes', async () => {
    const elf = path.join(folder, `guest-${count}.elf`);
    await copyFile(path.join(folder, 'checksum.elf'), elf);
    expect(await client.open(user, `guest g { elf "${path.basename(elf)}" ram 16 MiB }\n`)).toEqual([]);
    await writeFile(elf, 'no ELF');
    await changed(elf, 2);
    await codes(user, ['COV207']);
    await unlink(elf);
    await changed(elf, 3);
    await codes(user, ['COV203']);
    await copyFile(path.join(folder, 'checksum.elf'), elf);
    await changed(elf, 1);
    await codes(user, []);
  });

  test('a file that is open is deleted, and the server goes on', async () => {
    await writeFile(user, `${guest}scenario "s" { guest sum }\n`);
    await client.open(user, `${guest}scenario "s" { guest sum }\n`);
    await unlink(user);
    await changed(user, 3);
    expect((await client.change(user, `${guest}scenario "s" { guest sum expect exit 0 }\n`))).toEqual([]);
    await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: client.uri(user) } });
    await codes(user, []);
    expect(await client.of('textDocument/foldingRange', scratch)).toEqual(expect.any(Array));
  });
});
