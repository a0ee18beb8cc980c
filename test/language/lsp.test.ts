import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  CodeAction,
  CodeLens,
  CompletionList,
  DocumentSymbol,
  FoldingRange,
  Hover,
  InlayHint,
  Location,
  LocationLink,
  Position,
  Range,
  SemanticTokens,
  TextEdit,
  WorkspaceEdit,
} from 'vscode-languageserver-protocol';
import type { LanguageClient} from './language-client';
import { edited, marked, root } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let example = '';
let exampleText = '';
let scratch = '';

beforeAll(async () => {
  folder = await scratchFolder('lsp');
  example = path.join(root, 'examples', 'checksum', 'checksum.covert');
  exampleText = await readFile(example, 'utf8');
  ({ client, scratch } = await openScratch(folder));
});
afterAll(() => closeScratch(folder, client));

const head = 'guest g { elf "checksum.elf" ram 16 MiB }\nscenario "s" {\n  guest g\n  protect dmr on core 0, core 1\n';
const tail = '\n  expect exit 0\n}\n';

/** Puts a statement with a mark into a scenario that is otherwise right. */
function inScenario(statement: string): ReturnType<typeof marked> {
  return marked(head + statement + tail);
}

async function labels(statement: string): Promise<string[]> {
  const { text, position } = inScenario(statement);
  await client.change(scratch, text);
  const { items } = await client.at<CompletionList>('textDocument/completion', scratch, position);
  return items.map(({ label }) => label);
}

async function hover(statement: string): Promise<string> {
  const { text, position } = inScenario(statement);
  await client.change(scratch, text);
  const found = await client.at<Hover | null>('textDocument/hover', scratch, position);
  return found && typeof found.contents === 'object' && 'value' in found.contents ? found.contents.value : '';
}

describe('diagnostics', () => {
  test('an example has none', async () => {
    expect(await client.open(example, exampleText)).toEqual([]);
  });

  test('as you type: what the syntax, names, and the symbols of the ELF say', async () => {
    const broken = await client.change(scratch, `${head}  fault flip a0 bit 64 in replica C at crc32_updat + 4${tail}`);
    expect(broken.map(({ code, range }) => [code, range.start.line, range.start.character, range.end.character])).toEqual([
      ['COV402', 4, 20, 22],
      ['COV405', 4, 34, 35],
      ['COV208', 4, 39, 50],
    ]);
    expect(broken[2]?.message).toContain('crc32_update');
    const stuck = await client.change(scratch, `${head}  falt flip a0 bit 6 in replica B at crc32_update${tail}`);
    expect(stuck.map(({ code, message }) => [code, message.endsWith('did you mean `fault`?')])).toEqual([['COV101', true]]);
    expect(await client.change(scratch, `${head}  fault flip a0 bit 6 in replica B at crc32_update + 4${tail}`)).toEqual([]);
  });

  test('a warning has the severity of one', async () => {
    const found = await client.change(scratch, `${head}  fault flip x0 bit 6 in replica B at instruction 5${tail}`);
    expect(found).toMatchObject([{ code: 'COV601', severity: 2 }]);
  });

  test('a file that others import is looked at through them', async () => {
    const chips = path.join(folder, 'chips.covert');
    const user = path.join(folder, 'user.covert');
    const text = `import "chips.covert"\nscenario "s" { chip c guest g protect none expect exit 0 }\nguest g { elf "checksum.elf" }\n`;
    await client.open(chips, 'chip c { cores 2 }');
    expect(await client.open(user, text)).toEqual([]);
    await client.change(chips, 'chip d { cores 2 }');
    const found = await client.until(user, (all) => all.length > 0);
    expect(found.map(({ code }) => code)).toEqual(['COV201']);
    await client.change(chips, 'chip c { cores 2 }');
    await client.until(user, (all) => all.length === 0);
  });

  test('a guest that is built anew is looked at again', async () => {
    const elf = path.join(folder, 'late.elf');
    const late = path.join(folder, 'late.covert');
    const found = await client.open(late, 'guest g { elf "late.elf" ram 16 MiB }');
    expect(found.map(({ code }) => code)).toEqual(['COV203']);
    await copyFile(path.join(folder, 'checksum.elf'), elf);
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: client.uri(elf), type: 1 }] });
    await client.until(late, (all) => all.length === 0);
    await writeFile(elf, 'no ELF');
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: client.uri(elf), type: 2 }] });
    const after = await client.until(late, (all) => all.length > 0);
    expect(after.map(({ code }) => code)).toEqual(['COV207']);
  });
});

describe('completion', () => {
  test('statements of a scenario', async () => {
    expect(await labels('  |')).toEqual(expect.arrayContaining(['chip', 'fault', 'expect', 'seed', 'limit', 'fault …']));
    expect(await labels('  |')).not.toContain('cores');
    expect(await labels('  exp|')).toContain('expect');
  });

  test.each([
    ['  fault flip |', ['a0', 'x31', 'ft0', 'pc', 'mstatus', 'memory']],
    ['  fault flip a|', ['a0', 'a7']],
    ['  fault flip a0 |', ['bit', 'bits']],
    ['  fault flip a0 bit 3 in replica |', ['A', 'B']],
    ['  fault flip a0 bit 3 in replica B at |', ['instruction', 'crc32_update', 'main', 'console']],
    ['  fault flip a0 bit 3 in replica B at crc|', ['crc32_update']],
    ['  fault flip |', ['alu', 'load', 'store', 'branch', 'fetch', 'input', 'dma']],
    ['  fault flip store |', ['address', 'bit']],
    ['  fault flip alu bit 3 in replica B when read |', ['block']],
    ['  fault flip alu bit 3 in replica B when |', ['read', 'write', 'execute', 'a0']],
    ['  fault flip memory[&|', ['block']],
    ['  fault flip a0 bit 3 in replica B at 5 |', ['ms', 'instructions']],
    ['  expect |', ['clean', 'masked', 'detected', 'output', 'exit']],
    ['  expect detected by |', ['output', 'state', 'watchdog', 'trap']],
    ['  expect detected by output, |', ['state', 'trap']],
    ['  expect recovered by |', ['rollback']],
    ['  expect divergence in |', ['crc32_update', 'main']],
    ['  expect degraded to |', ['none']],
  ])('%s', async (statement, wanted) => {
    expect(await labels(statement)).toEqual(expect.arrayContaining(wanted));
  });

  test('names, in their place', async () => {
    const { text, position } = marked('chip octo { cores 8 }\nchip mono { cores 1 }\nscenario "s" {\n  chip |\n}\n');
    await client.change(scratch, text);
    const { items } = await client.at<CompletionList>('textDocument/completion', scratch, position);
    expect(items.map(({ label }) => label).sort()).toEqual(['mono', 'octo']);
  });

  test.each([
    ['protect |', ['none', 'dmr', 'tmr']],
    ['protect dmr { isolation | }', ['full', 'caches']],
    ['protect dmr { compare | }', ['output', 'state']],
    ['protect dmr { uncoordinated | }', ['time', 'cycle', 'rtc', 'interrupts', 'entropy', 'disk', 'console', 'network', 'reservations']],
    ['protect dmr { uncoordinated time, | }', ['rtc']],
    ['protect dmr { epoch 10 | }', ['instructions']],
    ['protect dmr { watchdog 10 | }', ['epochs']],
    ['fault flip a0 bit 1 in replica B at main every 10 | ', ['ms', 'cycles']],
    ['fault flip a0 bit 1 in replica B at main every 1 ms until 10 | ', ['ms', 'epochs']],
    ['fault stick a0 bit 1 at 0 in replica B at main duty 10 % of 1 | ', ['ms', 'instructions']],
    ['fault flip tlb | ', ['entry']],
    ['fault stick a0 bit 1 at 0 in replica B at main | ', ['duty', 'for', 'forever']],
  ])('%s', async (statement, wanted) => {
    const { text, position } = marked(`scenario "s" {\n  ${statement}\n}\n`);
    await client.change(scratch, text);
    const { items } = await client.at<CompletionList>('textDocument/completion', scratch, position);
    expect(items.map(({ label }) => label)).toEqual(expect.arrayContaining(wanted));
  });

  test.each([
    ['costs |', ['prescott', 'westmere']],
    ['costs { | }', ['exit', 'rendezvous', 'fingerprint']],
    ['costs merom { exit 5 cycles in| }', ['inject']],
    ['costs { exit 5 | }', ['cycles']],
  ])('chip c { %s }', async (statement, wanted) => {
    const { text, position } = marked(`chip c { ${statement} }`);
    await client.change(scratch, text);
    const { items } = await client.at<CompletionList>('textDocument/completion', scratch, position);
    expect(items.map(({ label }) => label)).toEqual(expect.arrayContaining(wanted));
  });

  test('units of sizes and clocks', async () => {
    for (const [statement, wanted] of [['guest g { ram 16 | }', 'MiB'], ['chip c { cores 8 at 2 | }', 'GHz']] as const) {
      const { text, position } = marked(statement);
      await client.change(scratch, text);
      const { items } = await client.at<CompletionList>('textDocument/completion', scratch, position);
      expect(items.map(({ label }) => label)).toContain(wanted);
    }
  });
});

describe('hover', () => {
  test.each([
    ['costs { ex|it 5 cycles }', /\*\*exit\*\* — leaving the guest for the VMM and going back\. 761 cycles where nothing is said: Westmere/],
    ['costs pres|cott', /\*\*prescott\*\* — an exit and back takes 3963 cycles/],
    ['cos|ts merom', /What the VMM's work costs/],
  ])('chip c { %s }', async (statement, wanted) => {
    const { text, position } = marked(`chip c { ${statement} }`);
    await client.change(scratch, text);
    const found = await client.at<Hover | null>('textDocument/hover', scratch, position);
    expect(found?.contents).toMatchObject({ value: expect.stringMatching(wanted) as unknown });
  });

  test.each([
    ['  fault flip a|0 bit 17 in replica B at instruction 5', /\*\*a0\*\* \(x10\) — argument 0 and result/],
    ['  fault flip mst|atus bit 17 in replica B at instruction 5', /CSR 0x300/],
    ['  fault flip a0 bit 17 in replica B at crc32_|update + 0x2a', /crc32_update.*`0x800002d2` · checksum\.c:\d+/s],
    ['  fault fl|ip a0 bit 17 in replica B at crc32_update + 0x2a hit 3', /In replica B, just before it executes `crc32_update\+0x2a` \(checksum\.c:\d+\) for the 3rd time: flips bits? 17 of register a0/],
    ['  fault st|ick alu bits 17, 18 at 1 on core 1 at crc32_update for 3 us', /In whichever replica runs on core 1, .*: bits 17, 18 of every result of the integer arithmetic-logic unit stick at 1 for 6000 cycles of its core, through rollbacks/],
    ['  fault fl|ip store address bit 4 in replica B when write &block hit 2', /In replica B, just after the byte at `block` is written for the 2nd time: flips bit 4 of the address that the next store goes to\./],
    ['  fault fl|ip 2 random bits of fetch in replica B when a0 == 7', /In replica B, when a0 is 0x7: flips 2 bits, drawn from the next instruction word, as fetched\./],
    ['  fault st|ick load bit 3 at 1 on core 1 from 2 ms duty 10 % of 1 ms', /: bit 3 of whatever a load writes to its register sticks at 1 for the first 200000 of every 2000000 cycles of its core, through rollbacks/],
    ['  fault fl|ip tlb entry main bit 11 in replica B at 2 ms every 1 ms until 5 ms', /: flips bit 11 of the next TLB entry for the page of `main` \(checksum\.c:\d+\), and again every 2000000 cycles of its core until 10000000 cycles of its core are over, through rollbacks\./],
    ['  expect divergence in ma|in', /\*\*main\*\* — function/],
    ['  expect mas|ked', /nothing of it ever reached/],
    ['  protect dmr { uncoordinated time, reserv|ations }', /one conditional store \(`sc`\) in 32/],
    ['  protect dmr { uncoordinated cy|cle }', /the core's own clock/],
  ])('%s', async (statement, wanted) => {
    expect(await hover(statement)).toMatch(wanted);
  });

  test('the guest of the scenario', async () => {
    const { text, position } = marked(head.replace('guest g\n', 'guest |g\n') + tail);
    await client.change(scratch, text);
    const found = await client.at<Hover>('textDocument/hover', scratch, position);
    expect(JSON.stringify(found.contents)).toMatch(/guest g.*checksum\.elf.*entry `_start`/);
  });
});

/** Servers answer with links or with plain locations. */
async function definition(file: string, position: Position): Promise<{ uri: string; range: Range }> {
  const [link] = await client.at<(Location | LocationLink)[]>('textDocument/definition', file, position);
  if (!link) throw new Error('no definition');
  return 'targetUri' in link ? { uri: link.targetUri, range: link.targetSelectionRange } : link;
}

describe('navigation', () => {
  test('from a variable to its declaration', async () => {
    const { text, position } = inScenario('  fault flip memory[&blo|ck + 8] bit 1 in replica B at instruction 1');
    await client.change(scratch, text);
    const { range } = await definition(scratch, position);
    const source = (await readFile(path.join(folder, 'checksum.c'), 'utf8')).split('\n');
    expect(source[range.start.line]).toMatch(/\bblock\[/);
  });

  test('from a symbol to the line of its source', async () => {
    const { text, position } = inScenario('  fault flip a0 bit 1 in replica B at crc32_|update');
    await client.change(scratch, text);
    const { uri, range } = await definition(scratch, position);
    expect(fileURLToPath(uri)).toBe(path.join(folder, 'checksum.c'));
    const source = (await readFile(path.join(folder, 'checksum.c'), 'utf8')).split('\n');
    expect(source[range.start.line]).toContain('crc32_update');
  });

  test('from a use to the declaration, to all uses, and to another name everywhere', async () => {
    const { text, position } = marked(head.replace('guest g\n', 'guest |g\n') + tail);
    await client.change(scratch, text);
    expect((await definition(scratch, position)).range.start).toEqual({ line: 0, character: 6 });
    const references = await client.at<Location[]>('textDocument/references', scratch, position, { context: { includeDeclaration: true } });
    expect(references.map(({ range }) => range.start.line).sort()).toEqual([0, 2]);
    const { changes } = await client.at<WorkspaceEdit>('textDocument/rename', scratch, position, { newName: 'sum' });
    const renamed = edited(text, changes?.[client.uri(scratch)] ?? []);
    expect(renamed).toBe(text.replace('guest g {', 'guest sum {').replace('guest g\n', 'guest sum\n'));
  });

  test('from an import to its file', async () => {
    const line = exampleText.slice(0, exampleText.indexOf('import')).split('\n').length - 1;
    const { uri } = await definition(example, { line, character: 10 });
    expect(fileURLToPath(uri)).toBe(path.join(root, 'examples', 'boards', 'common.covert'));
  });
});

describe('structure', () => {
  test('outline', async () => {
    const symbols = await client.of<DocumentSymbol[]>('textDocument/documentSymbol', example);
    expect(symbols.map(({ name }) => name)).toEqual([
      'checksum',
      'a bit flip in the checksum loop',
      'a bit flip in the data',
      'a bit flip in a pointer',
      'a bit flip that nobody reads',
      'the same flip without protection',
    ]);
    expect(symbols[2]?.children?.map(({ name }) => name)).toEqual(expect.arrayContaining(['protect dmr', 'expect exit 0']));
  });

  test('folding', async () => {
    const ranges = await client.of<FoldingRange[]>('textDocument/foldingRange', example);
    expect(ranges.length).toBeGreaterThanOrEqual(6);
  });

  test('run and debug above every scenario', async () => {
    const all = await client.of<CodeLens[]>('textDocument/codeLens', example);
    // How it went last on this machine is none that can be clicked.
    const lenses = all.filter(({ command }) => command?.command !== '');
    expect(lenses).toHaveLength(10);
    expect(lenses.slice(0, 2).map(({ command }) => [command?.command, command?.arguments])).toEqual([
      ['covert.runScenario', [client.uri(example), 'a bit flip in the checksum loop']],
      ['covert.debugScenario', [client.uri(example), 'a bit flip in the checksum loop']],
    ]);
    const scenarioLine = exampleText.slice(0, exampleText.indexOf('scenario "')).split('\n').length - 1;
    expect(lenses[0]?.range.start.line).toBe(scenarioLine);
  });

  test('semantic tokens', async () => {
    const { data } = await client.of<SemanticTokens>('textDocument/semanticTokens/full', example);
    expect(data.length % 5).toBe(0);
    expect(data.length / 5).toBeGreaterThan(20);
  });

  test('source lines beside addresses', async () => {
    const hints = await client.of<InlayHint[]>('textDocument/inlayHint', example, {
      range: { start: { line: 0, character: 0 }, end: { line: 999, character: 0 } },
    });
    expect(hints.length).toBeGreaterThanOrEqual(4);
    for (const { label } of hints) expect(label).toMatch(/^checksum\.c:\d+$|^0x8\w+$/);
  });
});

test('a quick fix writes the name that was meant', async () => {
  const { text, position } = inScenario('  fault flip a0 bit 1 in replica B at crc32_|updat');
  const diagnostics = await client.change(scratch, text);
  const [action] = await client.of<CodeAction[]>('textDocument/codeAction', scratch, {
    range: { start: position, end: position },
    context: { diagnostics },
  });
  expect(action?.title).toBe('Change to `crc32_update`');
  const mended = edited(text, action?.edit?.changes?.[client.uri(scratch)] ?? []);
  expect(await client.change(scratch, mended)).toEqual([]);
});

test('formatting', async () => {
  const text = '  guest   g{elf "checksum.elf"\nram 16 MiB}\n\n\n\nscenario "s"{// why\nguest g\n    protect dmr on core 0 ,core 1{epoch 10_000 instructions}\nfault t :flip memory [& block+8] .w bits 3 ,4..5 in replica B\nat crc32_update expect exit 0 }';
  await client.change(scratch, text);
  const edits = await client.of<TextEdit[]>('textDocument/formatting', scratch, { options: { tabSize: 2, insertSpaces: true } });
  expect(edited(text, edits)).toBe(`guest g {
  elf "checksum.elf"
  ram 16 MiB
}

scenario "s" { // why
  guest g
  protect dmr on core 0, core 1 { epoch 10_000 instructions }
  fault t: flip memory[&block + 8].w bits 3, 4..5 in replica B
    at crc32_update
  expect exit 0
}
`);
  const again = await client.of<TextEdit[]>('textDocument/formatting', example, { options: { tabSize: 2, insertSpaces: true } });
  expect(again).toEqual([]);
});

describe('in a block about another guest', () => {
  test('what concerns a guest is offered, and nothing else', async () => {
    const offered = await labels('  beside guest g {\n    protect none on core 2\n    |\n  }');
    expect(offered).toEqual(expect.arrayContaining(['switch', 'fault', 'expect', 'limit']));
    for (const word of ['protect', 'seed', 'chip', 'guest', 'beside']) expect(offered).not.toContain(word);
    expect(await labels('  beside guest |')).toContain('g');
    expect(await labels('  |')).toContain('beside');
    expect(await hover('  be|side guest g { }')).toContain('Another guest on the same chip');
    expect(await hover('  beside guest |g { }')).toContain('checksum.elf');
  });

  test('symbols are those of its guest', async () => {
    // The scenario's own guest has no program at all.
    const { text, position } = marked(`guest g { elf "checksum.elf" }\nguest none { elf "missing.elf" }\nscenario "s" {\n  guest none\n  beside guest g {\n    fault flip a0 bit 1 in replica A at crc32_|\n    expect exit 0\n  }\n}\n`);
    await client.change(scratch, text);
    const { items } = await client.at<CompletionList>('textDocument/completion', scratch, position);
    expect(items.map(({ label }) => label)).toContain('crc32_update');
    await client.change(scratch, text.replace('crc32_', 'crc32_update'));
    const [link] = await client.at<LocationLink[]>('textDocument/definition', scratch, { ...position, character: position.character - 2 });
    expect(link?.targetUri).toMatch(/checksum\.c$/);
  });

  test('the outline and the formatter go into it', async () => {
    await client.change(scratch, `${head}  beside guest g { protect none on core 2 switch to none at 1 ms\nfault flip a0 bit 1 in replica A at main expect exit 0 }${tail}`);
    const [, scenario] = await client.of<DocumentSymbol[]>('textDocument/documentSymbol', scratch);
    const block = scenario?.children?.find(({ detail }) => detail === 'beside');
    expect(block?.children?.map(({ name }) => name)).toEqual(['protect none', 'switch to none', 'flip a0 bit 1', 'expect exit 0']);
    const edits = await client.of<TextEdit[]>('textDocument/formatting', scratch, { options: { tabSize: 2, insertSpaces: true } });
    const text = `${head}  beside guest g { protect none on core 2 switch to none at 1 ms\nfault flip a0 bit 1 in replica A at main expect exit 0 }${tail}`;
    expect(edited(text, edits)).toContain('\n  beside guest g {\n    protect none on core 2\n    switch to none at 1 ms\n    fault flip a0 bit 1 in replica A at main\n    expect exit 0\n  }\n');
  });
});
