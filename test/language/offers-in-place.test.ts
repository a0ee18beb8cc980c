import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CompletionItemKind, type CodeLens, type CompletionItem, type CompletionList, type Diagnostic } from 'vscode-languageserver-protocol';
import type { LanguageClient } from './language-client';
import { edited, marked } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

let folder = '';
let client: LanguageClient;
let plain: LanguageClient;
let scratch = '';

beforeAll(async () => {
  folder = await scratchFolder('offers-in-place');
  ({ client, scratch } = await openScratch(folder));
  ({ client: plain } = await openScratch(folder, { textDocument: { completion: {} } }));
});
afterAll(async () => {
  await plain.stop();
  await closeScratch(folder, client);
});

const declarations = 'guest g { elf "checksum.elf" ram 16 MiB }\nchip octo { cores 8 l2 8 banks of 512 KiB memory 4 controllers ring spare core 7 }\nchip `my chip` { cores 4 ring }\n';

function inScenario(statement: string, protection = 'dmr on core 0, core 4'): string {
  return `${declarations}scenario "s" {\n  chip octo\n  guest g\n  protect ${protection}\n  ${statement}\n}\n`;
}

async function offered(text: string, from = client): Promise<CompletionItem[]> {
  const at = marked(text);
  await from.change(scratch, at.text);
  return (await from.at<CompletionList>('textDocument/completion', scratch, at.position)).items;
}

const labels = (items: readonly CompletionItem[]): string[] => items.map(({ label }) => label);
const find = (items: readonly CompletionItem[], label: string): CompletionItem => {
  const found = items.find((item) => item.label === label);
  if (!found) throw new Error(`${label} is not among ${labels(items).join(', ')}`);
  return found;
};

/** The text with an item taken, of a snippet with what it suggests. */
function taken(text: string, { textEdit, insertTextFormat }: CompletionItem): string {
  if (!textEdit || !('range' in textEdit)) throw new Error('this item has no edit');
  const newText = insertTextFormat === 2 ? textEdit.newText.replace(/\$\{\d+\|(\w+).*?\|\}/g, '$1').replace(/\$\{\d+:(.*?)\}/g, '$1').replace(/\$\d/g, '') : textEdit.newText;
  return edited(marked(text).text, [{ ...textEdit, newText }]);
}

/** What check says of the scenario with an item taken. */
async function checked(text: string, item: CompletionItem): Promise<Diagnostic[]> {
  return client.change(scratch, taken(text, item));
}

describe('between backticks', () => {
  test.each([
    ['fault flip memory[&`ta|] bit 3 in replica B at main', 'table', 'fault flip memory[&`table`] bit 3 in replica B at main'],
    ['fault flip memory[&`ta|`] bit 3 in replica B at main', 'table', 'fault flip memory[&`table`] bit 3 in replica B at main'],
    ['fault flip memory[&`t|bl`] bit 3 in replica B at main', 'table', 'fault flip memory[&`table`] bit 3 in replica B at main'],
    ['fault flip memory[&`ta|] bit 3 in replica B at `main`', 'table', 'fault flip memory[&`table`] bit 3 in replica B at `main`'],
    ['fault flip a0 bit 3 in replica B at `|`', 'main', 'fault flip a0 bit 3 in replica B at `main`'],
    ['fault flip a0 bit 3 in replica B at `ma|', 'main', 'fault flip a0 bit 3 in replica B at `main`'],
    ['expect divergence in `crc|', 'crc32_update', 'expect divergence in `crc32_update`'],
    ['fault flip `a|` bit 3 in replica B at main', 'a0', 'fault flip `a0` bit 3 in replica B at main'],
  ])('%s: %s', async (statement, label, wanted) => {
    const items = await offered(inScenario(statement));
    const item = find(items, label);
    expect(taken(inScenario(statement), item)).toBe(inScenario(wanted));
    // Editors look for what is typed, from the backtick on, in this.
    expect(item.filterText).toBe(`\`${label}\``);
    expect(items.map(({ kind }) => kind)).not.toContain(CompletionItemKind.Keyword);
  });

  test('the name of a chip', async () => {
    const text = `${declarations}scenario "s" {\n  chip \`my|\n}`;
    expect(taken(text, find(await offered(text), 'my chip'))).toBe(text.replace('`my|', '`my chip`'));
  });

  test('behind the closing one nothing is in it any more', async () => {
    expect(labels(await offered(inScenario('expect divergence in `main`|')))).not.toContain('crc32_update');
  });
});

describe('what has to follow is offered with what most often comes then', () => {
  test.each([
    ['expect overhead |', '< 20 %', 'expect overhead < 20 %'],
    ['expect |', 'overhead < …', 'expect overhead < 20 %'],
    ['fault fail link 1 |', '-> 2', 'fault fail link 1 -> 2'],
    ['fault fail link 1 |', '-> 0', 'fault fail link 1 -> 0'],
    ['fault flip a0 bit 3 in replica B when a0 |', '== VALUE', 'fault flip a0 bit 3 in replica B when a0 == 0'],
    ['fault stick a0 bit 3 at 1 in replica B at main duty 10 |', '%', 'fault stick a0 bit 3 at 1 in replica B at main duty 10 %'],
    ['fault flip memory | bit 3', '[ADDRESS]', 'fault flip memory [&variable] bit 3'],
    ['fault flip a0 bit 3 in replica B at "checksum.c" |', ':', 'fault flip a0 bit 3 in replica B at "checksum.c" :'],
    ['fault mine |', ':', 'fault mine :'],
  ])('%s: %s', async (statement, label, wanted) => {
    expect(taken(inScenario(statement), find(await offered(inScenario(statement)), label))).toBe(inScenario(wanted));
  });

  test.each([
    ['campaign "c" { guest g expect coverage | }', '>= 99 %', 'campaign "c" { guest g expect coverage >= 99 % }'],
    ['chip c |', '{ … }', 'chip c {\n  \n}'],
    ['scenario "s" |', '{ … }', 'scenario "s" {\n  \n}'],
    ['guest x { forward | }', 'tcp 127.0.0.1:8080 to 80', 'guest x { forward tcp 127.0.0.1:8080 to 80 }'],
    ['guest x { forward | }', 'udp', 'guest x { forward udp }'],
    ['guest x { | }', 'forward …', 'guest x { forward tcp 127.0.0.1:8080 to 80 }'],
    ['guest x { forward tcp | }', '127.0.0.1', 'guest x { forward tcp 127.0.0.1 }'],
    ['guest x { forward tcp 12| }', '127.0.0.1:8080 to 80', 'guest x { forward tcp 127.0.0.1:8080 to 80 }'],
    ['guest x { forward tcp 127.0.0.1 | }', ':8080 to 80', 'guest x { forward tcp 127.0.0.1 :8080 to 80 }'],
    ['guest x { forward tcp 127.0.0.1:| }', '8080 to 80', 'guest x { forward tcp 127.0.0.1:8080 to 80 }'],
  ])('%s: %s', async (text, label, wanted) => {
    expect(taken(text, find(await offered(text), label))).toBe(wanted);
  });

  test('not where it stands already', async () => {
    expect(labels(await offered(inScenario('expect overhead | < 20 %')))).toEqual([]);
    expect(labels(await offered('chip c | { cores 4 }'))).toEqual([]);
    expect(labels(await offered('guest x { forward tcp 127.0.0.1:8080 to | }'))).toEqual([]);
  });

  test('an editor without snippets is given the sign alone', async () => {
    expect((await offered(inScenario('expect overhead |'), plain)).map(({ label, textEdit }) => [label, textEdit?.newText])).toEqual([['<', '<']]);
    expect(labels(await offered('guest x { forward | }', plain))).toEqual(['tcp', 'udp']);
  });
});

describe('costs', () => {
  test('entries, each with what it is and costs where nothing is said', async () => {
    const items = await offered('chip c { costs { | } }');
    expect(labels(items)).toEqual(['exit', 'rendezvous', 'sync', 'inject', 'compare', 'copy', 'protect', 'page', 'suspend', 'fingerprint']);
    expect(find(items, 'inject')).toMatchObject({ detail: '380 cycles where nothing is said', documentation: { value: expect.stringContaining('delivering an interrupt') as string } });
    expect(find(await offered('chip c { costs prescott { e| } }'), 'exit').detail).toBe('3963 cycles on prescott where nothing is said');
  });

  test('not those that are there', async () => {
    expect(labels(await offered('chip c { costs { exit 5 cycles | compare 1 cycles } }'))).toEqual(['rendezvous', 'sync', 'inject', 'copy', 'protect', 'page', 'suspend', 'fingerprint']);
    expect(labels(await offered('chip c { costs { ex|it 5 cycles compare 1 cycles } }'))).toEqual(['exit']);
  });
});

describe('what check refuses is not offered', () => {
  test('a check recovers nothing, and a method is named once', async () => {
    expect(labels(await offered(inScenario('expect recovered by |')))).toEqual(['rollback', 'failover', 'vote']);
    expect(labels(await offered(inScenario('expect recovered by rollback, |')))).toEqual(['failover', 'vote']);
    expect(labels(await offered(inScenario('expect detected by machine check, output, |')))).toEqual(['machine', 'state', 'watchdog', 'trap', 'vote']);
  });

  test('what cannot come about under the protection comes last, and says why', async () => {
    const two = `${declarations}scenario "s" {\n  chip \`my chip\`\n  guest g\n  protect dmr\n  expect recovered by |\n}\n`;
    const vote = find(await offered(two), 'vote');
    expect(vote).toMatchObject({ sortText: '8', documentation: { value: expect.stringContaining('two replicas have no majority') as string } });
    expect((await checked(two, vote)).map(({ code }) => code)).toContain('COV502');
    expect(find(await offered(inScenario('expect recovered by |')), 'vote').sortText).toBe('0');
    const last = (await offered(inScenario('expect |', 'none on core 0'))).filter(({ sortText }) => sortText === '8');
    expect(labels(last)).toEqual(['detected', 'recovered', 'unrecoverable', 'degraded', 'redundancy']);
    // A switch may bring the replicas that are missing.
    expect((await offered(inScenario('switch to dmr at 2 ms expect |', 'none on core 0'))).filter(({ sortText }) => sortText === '8')).toEqual([]);
  });

  test.each([['none on core 0', []], ['dmr', ['none']], ['tmr', ['none', 'dmr']]])('protect %s degrades to %j', async (protection, wanted) => {
    const text = inScenario('expect degraded to |', protection);
    const items = await offered(text);
    expect(labels(items)).toEqual(wanted);
    for (const item of items) expect(await checked(text, item)).not.toContainEqual(expect.objectContaining({ code: 'COV502' }));
  });

  test('a protection is switched where all replicas meet', async () => {
    expect(labels(await offered(inScenario('switch to none |')))).toEqual(['on', 'at']);
    expect(labels(await offered(inScenario('switch to none at |')))).toEqual(['instruction', 'cycle', 'epoch', 'output', 'console']);
    expect(labels(await offered(inScenario('switch to none at 5 |')))).toEqual(expect.arrayContaining(['ms', 'instructions']));
    expect(labels(await offered(inScenario('switch to none at 5 |')))).not.toContain('hit');
  });

  test.each([
    ['protect dmr on core 0, core |', ['1', '2', '3', '4', '5', '6']],
    ['switch to dmr on core 1, core |', ['0', '2', '3', '4', '5', '6']],
  ])('%s: no core twice, and no spare', async (statement, wanted) => {
    const text = `${declarations}scenario "s" {\n  chip octo\n  guest g\n  ${statement}\n}\n`;
    expect(labels(await offered(text))).toEqual(wanted);
  });

  test('the replicas are all that the guest ever has', async () => {
    expect(labels(await offered(inScenario('switch to tmr at 2 ms fault flip a0 bit 3 in replica |')))).toEqual(['A', 'B', 'C']);
    expect(labels(await offered(inScenario('fault flip a0 bit 3 in replica |', 'none on core 0')))).toEqual(['A']);
  });

  test.each([
    ['fault kill core 1 |', ['in', 'on'], ['at', 'when', 'from']],
    ['fault drop message on link 1 -> 2 |', ['in', 'on'], ['at']],
    ['fault flip l2 bank 1 line &block byte 0 bit 1 |', ['in', 'on'], ['at']],
    ['fault flip comparer bit 0 |', ['in', 'on'], ['at']],
    ['fault stick |', ['dma', 'input', 'comparer', 'l1i', 'l1d'], ['alu', 'l2', 'memory', 'tlb']],
    ['fault set |', ['dma', 'comparer'], ['input', 'l1d']],
    ['fault flip a0 bit 3 in replica B at main |', ['forever', 'for', 'duty'], ['once', 'every']],
    ['fault stick a0 bit 3 at 1 in replica B at main |', ['once', 'every'], ['forever', 'for', 'duty']],
    ['fault hang core 1 at 2 ms |', ['once', 'every', 'for', 'duty'], ['forever']],
    ['fault flip a0 bit 3 in replica B at |', ['any'], ['instruction', 'checkpoint', 'main']],
    ['|', ['protect', 'chip', 'guest', 'inject'], ['switch', 'fault', 'expect', 'seed', 'limit', 'beside']],
    ['protect dmr { retry 2 | }', ['retry'], ['epoch', 'watchdog']],
    ['protect dmr { compare output | }', ['every', 'compare'], ['watchdog']],
  ])('%s', async (statement, absent, there) => {
    const found = labels(await offered(inScenario(statement)));
    expect(found).toEqual(expect.arrayContaining(there));
    expect(found.filter((label) => absent.includes(label))).toEqual([]);
  });

  test('what a chip, a guest or a block has once is not offered a second time, but where it stands itself', async () => {
    expect(labels(await offered('chip c { cores 4 | }'))).not.toContain('cores');
    expect(labels(await offered('chip c { co|res 4 }'))).toContain('cores');
    expect(labels(await offered('guest x { on console "a" type "b" | }'))).toContain('on');
    expect(labels(await offered(inScenario('beside |')))).toContain('guest');
  });
});

describe('while a block has no end yet', () => {
  test.each(['fault flip a0 bit 3 in replica B at ', 'protect dmr { retry 2 }\n  expect divergence in '])('the guest is known: %j', async (statement) => {
    const text = `${declarations}scenario "s" {\n  guest g\n  ${statement}|`;
    expect(labels(await offered(text))).toContain('crc32_update');
    expect(labels(await offered(`${text}\n\nscenario "t" { guest g }\n`))).toContain('crc32_update');
  });
});

describe('code lenses of campaigns', () => {
  test.each([
    ['inject 2_000 faults seed 42 { flip 1 random bit of x1..x31 in replica B at any instruction }', ['$(list-ordered) 2,000 runs, seed 42']],
    ['inject every { flip 1 random bit of a0 in replica B at any instruction between instruction 1_000 and instruction 1_009 }', ['$(list-ordered) every fault, 640 runs']],
    ['inject every { flip 1 random bit of a0 in replica B at any instruction }', ['$(list-ordered) every fault, one run each']],
    ['inject every { flip 32 random bits of a0 in replica B at main }', ['$(list-ordered) every fault, one run each']],
    ['inject nothing', []],
  ])('%s', async (injection, wanted) => {
    await client.change(scratch, `${declarations}campaign "c" {\n  chip octo\n  guest g\n  protect dmr\n  ${injection}\n}\n`);
    const lenses = await client.of<CodeLens[]>('textDocument/codeLens', scratch);
    expect(lenses.map(({ command }) => command?.title)).toEqual(wanted);
    expect(lenses.map(({ command }) => command?.command)).toEqual(wanted.map(() => ''));
  });
});
