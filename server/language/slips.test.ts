/** Slips that are one error each: what it says is wrong, what its mend makes of the text, and that nothing else suffers. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileFile, type Diagnostic } from './compile';
import { createCovertServices } from './services';

const here = path.resolve(import.meta.dirname, '../../examples/checksum/here.covert');
const guest = 'guest g { elf "checksum.elf" }\n';
/** A mistake of its own, which shows that what is around it is still understood. */
const probe = 'fault flip a0 bit 99 in replica A at main';
const other = `scenario "other" {\n  guest g\n  ${probe}\n  expect exit 0\n}\n`;

async function errors(text: string): Promise<{ probes: number; own: Diagnostic[] }> {
  const { diagnostics } = await compileFile(here, { text });
  const own = diagnostics.filter(({ message }) => !message.includes('no bit 99'));
  return { probes: diagnostics.length - own.length, own };
}

/** What is said of a text is this one error, and all probes are found; its first mend, or the only one, leads to the other text, in which nothing is wrong. */
async function expectOne(text: string, code: string, place: string, mended: string | undefined): Promise<void> {
  const probes = text.split('bit 99').length - 1;
  const found = await errors(text);
  expect(found.own.map(({ code: own, span, message }) => [own, text.slice(span.offset, span.end), message])).toEqual([[code, place, expect.any(String)]]);
  expect(found.probes).toBe(probes);
  const [fix] = found.own[0]?.fixes ?? [];
  const after = fix && text.slice(0, fix.span.offset) + fix.text + text.slice(fix.span.end);
  expect(after).toBe(mended);
  if (after !== undefined) expect(await errors(after)).toEqual({ probes, own: [] });
}

type Slip = [written: string, code: string, place: string, mended?: string];

const statements: readonly Slip[] = [
  ['fault flip a0 bit 1 in replica B when a0 = 3', 'COV101', '=', 'fault flip a0 bit 1 in replica B when a0 == 3'],
  ['fault set a0 = 3 in replica B at main', 'COV101', '=', 'fault set a0 to 3 in replica B at main'],
  ['fault set a0 := 3 in replica B at main', 'COV101', ':=', 'fault set a0 to 3 in replica B at main'],
  ['fault one = flip a0 bit 1 in replica B at main', 'COV101', '=', 'fault one : flip a0 bit 1 in replica B at main'],
  ["expect output contains 'crc'", 'COV100', "'crc'", 'expect output contains "crc"'],
  ['expect output contains “crc = //”', 'COV100', '“crc = //”', 'expect output contains "crc = //"'],
  ['expect output contains ”crc”', 'COV100', '”crc”', 'expect output contains "crc"'],
  ['expect output contains „crc“', 'COV100', '„crc“', 'expect output contains "crc"'],
  ['expect output contains crc', 'COV101', 'crc', 'expect output contains "crc"'],
  ['fault flip a0 bit 1 in replica B at checksum.c:19', 'COV101', 'checksum.c:19', 'fault flip a0 bit 1 in replica B at "checksum.c":19'],
  ['fault flip a0 bit 1 in replica B at "checksum.c:19"', 'COV101', '"checksum.c:19"', 'fault flip a0 bit 1 in replica B at "checksum.c":19'],
  ['fault flip a0 bit 1 in replica B at "checksum.c:19', 'COV101', '"checksum.c:19', 'fault flip a0 bit 1 in replica B at "checksum.c":19'],
  ['fault flip a0 bit 1 in replica B at "checksum.c:19" hit 2', 'COV101', '"checksum.c:19"', 'fault flip a0 bit 1 in replica B at "checksum.c":19 hit 2'],
  ['expect divergence at checksum.c:19', 'COV101', 'checksum.c:19', 'expect divergence at "checksum.c":19'],
  ['fault stick a0 bit 1 at 0 in replica B from instruction 5', 'COV101', 'instruction 5', 'fault stick a0 bit 1 at 0 in replica B from 5 instructions'],
  ['fault flip 0x341 bit 3 in replica B at main', 'COV401', '0x341', 'fault flip mepc bit 3 in replica B at main'],
  ['fault flip 0x80001000 bit 3 in replica B at main', 'COV401', '0x80001000', 'fault flip memory[0x80001000] bit 3 in replica B at main'],
  ['fault flip memory &block bit 3 in replica B at main', 'COV101', '&block', 'fault flip memory[&block] bit 3 in replica B at main'],
  ['fault flip memory(&block) bit 3 in replica B at main', 'COV101', '(&block)', 'fault flip memory[&block] bit 3 in replica B at main'],
  ['fault flip a0 bit 3 in replica B when write(block)', 'COV100', '(block)', 'fault flip a0 bit 3 in replica B when write block'],
  ['fault kill 1 at 2 ms', 'COV101', '1', 'fault kill core 1 at 2 ms'],
  ['fault flip a0 bit 1 on 1 at main', 'COV101', '1', 'fault flip a0 bit 1 on core 1 at main'],
  ['fault été: flip a0 bit 1 in replica B at main', 'COV100', 'été', 'fault `été`: flip a0 bit 1 in replica B at main'],
  ['fault flip a0 bit 1 in replica B at 5 µs', 'COV105', 'µs', 'fault flip a0 bit 1 in replica B at 5 us'],
  ['fault flip 1 random bit of memory[&block]..memory[&block + 4] in replica B at main', 'COV410', '..memory[&block + 4]'],
  ['fault flip 1 random bit of memory[&block..&block + 4] in replica B at main', 'COV410', '..&block + 4'],
  ['fault flip 1 random bit of x5..31 in replica B at main', 'COV410', '31', 'fault flip 1 random bit of x5..x31 in replica B at main'],
  ['fault flip 1 random bit of x5-x31 in replica B at main', 'COV410', '-x31', 'fault flip 1 random bit of x5..x31 in replica B at main'],
  ['fault flip 1 bit of x5..x31 in replica B at main', 'COV101', '1', 'fault flip 1 random bit of x5..x31 in replica B at main'],
  ['fault flip 4000000000 random bits of x1..x31 in replica B at main', 'COV402', '4000000000', 'fault flip 1984 random bits of x1..x31 in replica B at main'],
  ['fault flip 99999999999999999999 random bits of x1..x31 in replica B at main', 'COV106', '99999999999999999999'],
  ['fault flip a0 bit 1 in replica B at 1000', 'COV407', '1000', 'fault flip a0 bit 1 in replica B at instruction 1000'],
  ['fault flip a0 bit 1 in replica B at instruction 1,000', 'COV104', '1,000', 'fault flip a0 bit 1 in replica B at instruction 1_000'],
  ['fault flip a0 bit 1 in replica B at instruction 1 000 000', 'COV104', '1 000 000', 'fault flip a0 bit 1 in replica B at instruction 1_000_000'],
  ['fault flip a0 bit 1 in replica B at instructions 5', 'COV101', 'instructions', 'fault flip a0 bit 1 in replica B at instruction 5'],
  ['fault flip a0 bit 1 in replica B instruction 5', 'COV101', 'instruction 5', 'fault flip a0 bit 1 in replica B at instruction 5'],
  ['fault flip a0 bit 1 in replica B after 5 us', 'COV101', 'after', 'fault flip a0 bit 1 in replica B at 5 us'],
  ['fault flip a0 bit 1 in B at main', 'COV101', 'B', 'fault flip a0 bit 1 in replica B at main'],
  ['fault flip a0 bit 1 replica B at main', 'COV101', 'replica B', 'fault flip a0 bit 1 in replica B at main'],
  ['fault flip a0 bit 1 in replica C at main', 'COV405', 'C', 'fault flip a0 bit 1 in replica B at main'],
  ['fault flip a0 bit 1 in replica B at "main"', 'COV101', '"main"', 'fault flip a0 bit 1 in replica B at main'],
  ['fault flip a0 bit 3, 4 in replica B at main', 'COV101', 'bit', 'fault flip a0 bits 3, 4 in replica B at main'],
  ['fault flip a0 bits 3 4 in replica B at main', 'COV101', '3 4', 'fault flip a0 bits 3, 4 in replica B at main'],
  ['fault flip bit 3 of a0 in replica B at main', 'COV101', 'bit 3 of a0', 'fault flip a0 bit 3 in replica B at main'],
  ['fault stick a0 bit 3 to 1 in replica B at main', 'COV101', 'to', 'fault stick a0 bit 3 at 1 in replica B at main'],
  ['fault "one": flip a0 bit 3 in replica B at main', 'COV101', '"one"', 'fault one: flip a0 bit 3 in replica B at main'],
  ['limit 5s', 'COV105', 's', 'limit 5instructions'],
  ['limit: 5_000_000 instructions', 'COV101', ':', 'limit 5_000_000 instructions'],
  ['seed 5,', 'COV101', ',', 'seed 5'],
  ['seed 5;', 'COV100', ';', 'seed 5'],
  ['expect overhead > 20 %', 'COV101', '>', 'expect overhead < 20 %'],
  ['expect overhead >= 20 %', 'COV101', '>=', 'expect overhead < 20 %'],
  ['expect overhead <= 20 %', 'COV101', '<=', 'expect overhead < 20 %'],
  ['expect exit == 0', 'COV101', '==', 'expect exit 0'],
  ['expect exit code 0', 'COV101', 'code', 'expect exit 0'],
  ['expect output "crc"', 'COV101', '"crc"', 'expect output contains "crc"'],
  ['# a comment: flip {', 'COV100', '#', '// a comment: flip {'],
  ["# it's /* a comment", 'COV100', '#', "// it's /* a comment"],
  ["## don't // (a", 'COV100', '##', "// don't // (a"],
  ['expect output contains (crc)', 'COV101', '(crc)', 'expect output contains "crc"'],
  ['expect output contains( "crc" )', 'COV100', '( "crc" )', 'expect output contains "crc"'],
  ['expect output contains crc=7f', 'COV101', 'crc=7f', 'expect output contains "crc=7f"'],
  ["expect output contains don't", 'COV101', "don't", 'expect output contains "don\'t"'],
  ["expect output contains don't 'x'", 'COV101', "don't 'x'"],
  ['expect output contains crc is 7f', 'COV101', 'crc is 7f'],
  ['expect output contains a{b} // c', 'COV101', 'a{b}', 'expect output contains "a{b}" // c'],
  ['expect output contains hello 5 world expect clean', 'COV101', 'hello 5 world', 'expect output contains "hello 5 world" expect clean'],
  ['fault flip a0 bit 1 in replica B at console login: once', 'COV101', 'login:', 'fault flip a0 bit 1 in replica B at console "login:" once'],
  ['expect output contains “a "b" c”', 'COV100', '“a "b" c”', 'expect output contains "a \\"b\\" c"'],
  ['expect output contains “crc"', 'COV100', '“crc"', 'expect output contains "crc"'],
  ['fault flip a0 bit 1 in replica B at (main + (4))', 'COV100', '(main + (4))', 'fault flip a0 bit 1 in replica B at main + 4'],
  ['fault flip a0 bit 1 in replica B when(write (block))hit 2', 'COV100', '(write (block))', 'fault flip a0 bit 1 in replica B when write block hit 2'],
  ['fault flip memory &block + 8 bit 3 in replica B at main', 'COV101', '&block + 8', 'fault flip memory[&block + 8] bit 3 in replica B at main'],
  ['fault flip memory &block[3] bit 3 in replica B at main', 'COV101', '&block[3]', 'fault flip memory[&block[3]] bit 3 in replica B at main'],
  ['fault set memory &block[3] + 1 to 7 in replica B at main', 'COV101', '&block[3] + 1', 'fault set memory[&block[3] + 1] to 7 in replica B at main'],
  ['fault flip memory &block * 8 bit 3 in replica B at main', 'COV101', '&block * 8'],
  ['fault flip memory &block.d bit 3 in replica B at main', 'COV101', '&block.d'],
];

const inScenario = (statement: string, rest = 'protect dmr on core 0, core 1'): string =>
  `${guest}scenario "s" {\n  guest g\n  ${rest}\n  ${statement}\n${/^expect exit/.test(statement) ? '' : '  expect exit 0\n'}  ${probe}\n}\n${other}`;

describe('in a statement', () => {
  test.each(statements)('%s', (written, code, place, mended) => expectOne(inScenario(written), code, place, mended && inScenario(mended)));

  test('each is an error of its own, however many there are', async () => {
    const some = fc.shuffledSubarray<Slip>(statements.filter(([written]) => !/^expect exit|^seed|^limit/.test(written)), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(some, async (slips) => {
        const text = guest + slips.map(([written], i) => inScenario(written).slice(guest.length, -other.length).replace('"s"', `"s${i}"`)).join('');
        const { probes, own } = await errors(text);
        expect(own.map(({ code, span }) => [code, text.slice(span.offset, span.end)])).toEqual(slips.map(([, code, place]) => [code, place]));
        expect(probes).toBe(slips.length);
      }),
      { numRuns: 25 },
    );
  });
});

describe('in a protection', () => {
  test.each([
    ['protect dmr on 0, 1', '0, 1'],
    ['protect dmr on core 0, 1', 'core 0, 1'],
    ['protect dmr on cores 0, 1', 'cores 0, 1'],
    ['protect dmr on core 0 and core 1', 'core 0 and core 1'],
    ['protect dmr on core 0 core 1', 'core 0 core 1'],
    ['protect dmr core 0, core 1', 'core 0, core 1'],
    ['protect dmr on (0, 1)', '(0, 1)'],
    ['protect dmr on((0, 1))', '((0, 1))'],
  ])('%s', (written, place) => expectOne(inScenario('expect detected', written), 'COV101', place, inScenario('expect detected')));
});

const body = `  guest g\n  ${probe}\n  expect exit 0\n`;
const campaign = (head: string, alternatives: string, inject = 'inject 5 faults {'): string =>
  `${guest}${head}\n  guest g\n  protect dmr on core 0, core 1\n  ${inject}\n    ${alternatives}\n    flip a0 bit 99 in replica A at any instruction\n  }\n  expect no corruption\n}\n${other}`;
const right = 'campaign "s" {';

const items: readonly Slip[] = [
  [`${guest}scenario x {\n${body}}\n${other}`, 'COV101', 'x', `${guest}scenario "x" {\n${body}}\n${other}`],
  [`${guest}scenario my first-test {\n${body}}\n${other}`, 'COV101', 'my first-test', `${guest}scenario "my first-test" {\n${body}}\n${other}`],
  [`${guest}scenario chip {\n${body}}\n${other}`, 'COV101', 'chip', `${guest}scenario "chip" {\n${body}}\n${other}`],
  [`${guest}scenario {\n  guest g\n  expect exit 0\n}\n${other}`, 'COV101', '{'],
  [`${guest}scenario “x” {\n${body}}\n${other}`, 'COV100', '“x”', `${guest}scenario "x" {\n${body}}\n${other}`],
  [campaign('campaign x {', ''), 'COV101', 'x', campaign('campaign "x" {', '')],
  [`guest my-guest { elf "checksum.elf" }\n${other.replace('guest g', 'guest `my-guest`')}`, 'COV101', 'my-guest', `guest \`my-guest\` { elf "checksum.elf" }\n${other.replace('guest g', 'guest `my-guest`')}`],
  [`guest \`my-guest\` { elf "checksum.elf" }\n${other.replace('guest g', 'guest my-guest')}`, 'COV101', 'my-guest', `guest \`my-guest\` { elf "checksum.elf" }\n${other.replace('guest g', 'guest `my-guest`')}`],
  [`chip my-chip { cores 2 ring }\n${guest}${other.replace('guest g', 'chip `my-chip` guest g')}`, 'COV101', 'my-chip', `chip \`my-chip\` { cores 2 ring }\n${guest}${other.replace('guest g', 'chip `my-chip` guest g')}`],
  [`guest chip { elf "checksum.elf" }\n${other.replace('guest g', 'guest `chip`')}`, 'COV101', 'chip', `guest \`chip\` { elf "checksum.elf" }\n${other.replace('guest g', 'guest `chip`')}`],
  [`guest \`chip\` { elf "checksum.elf" }\n${other.replace('guest g', 'guest chip')}`, 'COV101', 'chip', `guest \`chip\` { elf "checksum.elf" }\n${other.replace('guest g', 'guest `chip`')}`],
  [`guest "g" { elf "checksum.elf" }\n${other}`, 'COV101', '"g"', `guest g { elf "checksum.elf" }\n${other}`],
  [`guest { elf "checksum.elf" }\n${other}`, 'COV101', '{'],
  [`guest g { elf checksum.elf }\n${other}`, 'COV101', 'checksum.elf', `guest g { elf "checksum.elf" }\n${other}`],
  [`guest g { elf ../checksum/checksum.elf }\n${other}`, 'COV101', '../checksum/checksum.elf', `guest g { elf "../checksum/checksum.elf" }\n${other}`],
  [`guest g { elf ./checksum.elf /* x\n y */ ram 16 MiB }\n${other}`, 'COV101', './checksum.elf', `guest g { elf "./checksum.elf" /* x\n y */ ram 16 MiB }\n${other}`],
  [`guest g { elf ./checksum.elf//* x\n }\n// */ chip x\n${other}`, 'COV101', './checksum.elf', `guest g { elf "./checksum.elf"//* x\n }\n// */ chip x\n${other}`],
  [`guest g ( elf "checksum.elf" )\n${other}`, 'COV101', '(', `guest g { elf "checksum.elf" }\n${other}`],
  [`${guest}scenaro "x" {\n${body}}\n${other}`, 'COV101', 'scenaro', `${guest}scenario "x" {\n${body}}\n${other}`],
  [`${guest}Scenario "x" {\n${body}}\n${other}`, 'COV101', 'Scenario', `${guest}scenario "x" {\n${body}}\n${other}`],
  [`${guest}test "x" {\n${body}}\n${other}`, 'COV101', 'test'],
  [`gest g { elf "checksum.elf" }\n${other}`, 'COV101', 'gest', `guest g { elf "checksum.elf" }\n${other}`],
  [`chp x { cores 2 ring }\n${guest}${other.replace('guest g', 'chip x guest g')}`, 'COV101', 'chp', `chip x { cores 2 ring }\n${guest}${other.replace('guest g', 'chip x guest g')}`],
  [campaign('campain "s" {', ''), 'COV101', 'campain', campaign(right, '')],
  [`${guest}scenario "x"\n${body}}\n${other}`, 'COV101', '"', `${guest}scenario "x" {\n${body}}\n${other}`],
  [`${guest}scenario "x" {\n${body}\n${other}`, 'COV101', '0', `${guest}scenario "x" {\n  guest g\n  ${probe}\n  expect exit 0 }\n\n${other}`],
  [`guest g { elf "checksum.elf"\n${other}`, 'COV101', '"', `guest g { elf "checksum.elf" }\n${other}`],
  [`${guest}scenario "x" {\n  protect dmr {\n    retry 2\n${body}}\n${other}`, 'COV101', '2', `${guest}scenario "x" {\n  protect dmr {\n    retry 2 }\n${body}}\n${other}`],
  [`${guest}scenario "x" {\n${body}}}\n${other}`, 'COV101', '}'],
  [campaign(right, 'flip a0 bit 1 in replica B at any instruction optional'), 'COV212', 'optional', campaign(right, 'flip a0 bit 1 in replica B at any instruction')],
  [campaign(right, 'optional flip a0 bit 1 in replica B at any instruction'), 'COV212', 'optional', campaign(right, 'flip a0 bit 1 in replica B at any instruction')],
  [campaign(right, 'fault flip a0 bit 1 in replica B at any instruction'), 'COV212', 'fault', campaign(right, 'flip a0 bit 1 in replica B at any instruction')],
  [campaign(right, 'fault one: flip a0 bit 1 in replica B at any instruction'), 'COV212', 'fault one:', campaign(right, 'flip a0 bit 1 in replica B at any instruction')],
  [campaign(right, '', 'inject 5 {'), 'COV101', '5', campaign(right, '')],
  [campaign(right, '', 'inject faults 5 {'), 'COV101', 'faults 5', campaign(right, '')],
  [campaign(right, '', 'inject 5 faults'), 'COV101', 's', campaign(right, '')],
];

describe('at heads, in campaigns and around blocks', () => {
  test.each(items)('%s', expectOne);

  test.each(['seed 5', 'chip octo', 'seed: 5'])('`%s` in a guest beside', async (setting) => {
    const text = (written: string): string =>
      `${guest}guest h { elf "checksum.elf" }\nchip octo { cores 8 ring }\nscenario "s" {\n  chip octo\n  guest g\n  protect none on core 0\n  beside guest h {\n    protect none on core 1${written}\n    ${probe}\n  }\n  expect exit 0\n}\n${other}`;
    await expectOne(text(`\n    ${setting}`), 'COV212', /^\w+/.exec(setting)![0], text('\n    '));
  });
});

const lasts = 'fault flip a0 bit 3 in replica B at main';

describe('what is left out is not read as something else', () => {
  test.each([
    ['fault flip bit 3 of a0', ['bit 3 of a0', 'the place stands before its bits: write `a0 bit 3`'], ['0', 'expected `at`, `when` or `from`, but the line ends']],
    ['fault stick bit 3 of a0', ['bit 3 of a0', 'the place stands before its bits: write `a0 bit 3`'], ['0', 'expected `at`, but the line ends']],
    ['fault flip memory &block', ['&', 'expected `[`, but found `&`'], ['k', 'expected `]`, but the line ends']],
    ['fault flip memory &block 3', ['&', 'expected `[`, but found `&`'], ['3', 'expected `]`, but found `3`']],
    ['fault flip bit 3 of a0 main', ['bit 3 of a0', 'the place stands before its bits: write `a0 bit 3`'], ['main', 'expected `at`, `when` or `from`, but found `main`']],
    ['fault drop message on 0 at main', ['0', 'expected `link`, but found `0`'], ['at', 'expected `->`, but found `at`']],
    ['fault flip a0 bit 3 on core at instruction 5', ['at', 'expected a whole number, but found `at`']],
    ['fault flip a0 bit 3 in replica at instruction 5', ['replica', 'expected the name of a replica, as in `in replica B`, but found `at`']],
    ['fault flip a0 bit 3 in replica when a0 == 5', ['replica', 'expected the name of a replica, as in `in replica B`, but found `when`']],
    ['fault flip a0 bit 3 at main replica B', ['flip', 'say where it strikes: `in replica B` or `on core N`'], ['replica', expect.stringMatching(/^expected .*, but found `replica`$/)]],
  ])('%s', async (statement, ...said) => {
    const text = inScenario(statement).replaceAll(`  ${probe}\n`, '').replace('  expect exit 0\n', `  ${lasts}\n  expect exit 0\n`);
    const { own } = await errors(text);
    expect(own.map(({ span, message }) => [text.slice(span.offset, span.end), message])).toEqual(said);
  });

  test('an injection of which only the first word is there', async () => {
    const text = campaign(right, '').replace(/inject[^}]*\}/, 'inject 5 faults stick');
    const { own } = await errors(text);
    expect(own.map(({ message }) => message)).toEqual(['behind `inject` a block begins: write `{`', expect.stringMatching(/^expected .*, but the line ends$/)]);
  });
});

describe('what looks like a slip and is none', () => {
  const typed = 'guest g {\n  elf "../inputs/inputs.elf"\n  on console "name? " type "a\\n"\n}\n';

  test.each([
    ['a value set behind what sticks', campaign(right, 'stick a0 bit 3 at 1 on core 0 at instruction 5\n    set input 1 to 65 in replica A at instruction 0').replace(guest, typed)],
    ['a fault called `seed` in a guest beside', `${guest}guest h { elf "checksum.elf" }\nchip octo { cores 8 ring }\nscenario "s" {\n  chip octo\n  guest g\n  protect none on core 0\n  beside guest h {\n    protect none on core 1\n    fault\n    seed: flip a0 bit 3 in replica A at main\n    ${probe}\n  }\n  expect exit 0\n}\n${other}`],
  ])('%s', async (_what, text) => {
    const { own, probes } = await errors(text);
    expect(own.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(probes).toBe(text.split('bit 99').length - 1);
  });

  test.each([
    ['fault flip 1 random bit of x1..x31 in replica B at f1 - 4', 'COV208', 'f1'],
    ['fault flip 1 random bit of x1..x31 in replica B when a0 == x5-3', 'COV208', 'x5'],
    ['fault flip 1 random bit of a0 in replica B at main duty 10 % of 1 ms', 'COV411', 'duty 10 % of 1 ms'],
  ])('%s', async (statement, code, place) => {
    const text = inScenario(statement);
    const { own, probes } = await errors(text);
    expect(own.map(({ code: found, span }) => [found, text.slice(span.offset, span.end)])).toEqual([[code, place]]);
    expect(probes).toBe(2);
  });

  test('the chip\'s `cores` behind a list of spares that is broken off', async () => {
    const { own } = await errors(`chip octo {\n  spare\n  cores 4\n}\n${guest}${other}`);
    expect(own.flatMap(({ fixes }) => fixes)).toEqual([]);
  });
});

describe('nothing is thrown', () => {
  const { Lexer } = createCovertServices().parser;
  const texts = [...statements.map(([written]) => inScenario(written)), ...items.map(([written]) => written)];
  const bordersOf = (text: string): number[] => Lexer.tokenize(text).tokens.map(({ startOffset, image }) => startOffset + image.length);

  test.each(statements)('of what begins as %s', async (written) => {
    const [before, behind] = inScenario('\0').split('\0') as [string, string];
    for (const end of bordersOf(written)) {
      await compileFile(here, { text: before + written.slice(0, end) });
      await compileFile(here, { text: before + written.slice(0, end) + behind });
    }
  });

  /** Something is wrong, in words, with a place of the text. */
  async function holds(text: string): Promise<void> {
    const { diagnostics } = await compileFile(here, { text });
    for (const { span, message, fixes } of diagnostics) {
      for (const place of [span, ...fixes.map((fix) => fix.span)]) expect(place.offset >= 0 && place.end >= place.offset && place.end <= text.length, message).toBe(true);
      expect(message).not.toMatch(/undefined|NaN/);
    }
  }

  const words = fc.constantFrom('fault', 'flip', 'stick', 'at', 'in replica', 'on core', 'bit 3 of', 'memory &block', '1 bit of', 'x1-x31', '0, 1', 'on 0', 'B', '5', '{', '}', '(', '=', ':', ',', '"', '/*', '\n');
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  test('of slips one behind the other, each cut where a token ends', async () => {
    const rest = fc.record({ written: fc.constantFrom(...statements.map(([written]) => written)), begin: share, end: share, put: fc.option(words), gap: fc.constantFrom(' ', '\n') });
    const around: readonly (readonly [string, string])[] = [
      [`${guest}scenario "s" {\n  guest g\n  protect dmr on core 0, core 1\n`, `\n  ${probe}\n}\n`],
      [`${guest}campaign "s" {\n  guest g\n  protect dmr on core 0, core 1\n  inject 5 faults {\n`, '\n  }\n}\n'],
      [`${guest}scenario "s" {\n  guest g\n  beside guest g {\n`, '\n  }\n}\n'],
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...around), fc.array(rest, { minLength: 1, maxLength: 5 }), async ([head, tail], all) => {
        const parts = all.map(({ written, begin, end, put, gap }) => {
          const borders = bordersOf(written);
          const last = Math.floor(end * borders.length);
          const first = begin < 0.7 ? 0 : Math.floor(begin * last);
          return `${written.slice(first === 0 ? 0 : borders[first - 1], borders[last])} ${put ?? ''}${gap}`;
        });
        await holds(head + parts.join('') + tail);
      }),
      { numRuns: 1200 },
    );
  });

  test('of a text with a slip, damaged where tokens end', async () => {
    const damage = fc.record({ at: share, tokens: fc.nat(4), put: fc.array(words, { maxLength: 2 }) });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...texts), fc.array(damage, { minLength: 1, maxLength: 3 }), fc.boolean(), async (text, all, isCut) => {
        let damaged = text;
        for (const { at, tokens, put } of all) {
          const borders = bordersOf(damaged);
          const first = Math.floor(at * borders.length);
          damaged = `${damaged.slice(0, borders[first])} ${put.join(' ')} ${isCut ? '' : damaged.slice(borders[first + tokens] ?? damaged.length)}`;
        }
        await holds(damaged);
      }),
      { numRuns: 300 },
    );
  });
});

test('no valid text has one, wherever its lines end and whatever its faults are called', async () => {
  const { Lexer, LangiumParser } = createCovertServices().parser;
  const folder = path.resolve(here, '../..');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.covert'));
  const examples = files.map((name) => readFileSync(path.join(folder, name), 'utf8'));
  expect(examples.length).toBeGreaterThan(10);
  const names = fc.constantFrom('seed', 'set', 'stick', 'flip', 'kill', 'on', 'at', 'bit', 'x5', 'random', 'replica', 'core');
  fc.assert(
    fc.property(fc.constantFrom(...examples), fc.array(fc.constantFrom(' ', '\n', ' // note\n', ' /* a\nb */ '), { minLength: 1, maxLength: 30 }), names, (example, gaps, name) => {
      const tokens = Lexer.tokenize(example).tokens.map(({ image }, i, all) => (image === 'fault' && all[i + 2]?.image !== ':' && all[i - 1]?.image !== 'every' ? `fault ${name}:` : image));
      const text = tokens.map((token, i) => token + gaps[i % gaps.length]).join('');
      expect(LangiumParser.parse(text).parserErrors.map(({ message }) => `${message} ${text}`)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test('a name with letters beyond ASCII, of which nobody knows whether the guest has it', async () => {
  const { own, probes } = await errors(inScenario('fault flip memory[&été] bit 1 in replica B at main'));
  expect(probes).toBe(2);
  expect(own.map(({ code, fixes }) => [code, fixes.map(({ text }) => text)])).toEqual([['COV100', ['`été`']]]);
});

test('of several slips in a line each is one error with its own mend', async () => {
  const text = `guest g { elf ../checksum/checksum.elf disk ../checksum/checksum.elf ram 16 MiB } guest h { elf ./checksum.elf } guest i-j { elf ../checksum/checksum.elf }\n${other}`;
  const { own, probes } = await errors(text);
  expect(probes).toBe(1);
  expect(own.filter(({ code }) => code === 'COV101').map(({ span, fixes }) => [text.slice(span.offset, span.end), fixes[0]?.text])).toEqual([
    ['../checksum/checksum.elf', '"../checksum/checksum.elf"'],
    ['../checksum/checksum.elf', '"../checksum/checksum.elf"'],
    ['./checksum.elf', '"./checksum.elf"'],
    ['i-j', '`i-j`'],
    ['../checksum/checksum.elf', '"../checksum/checksum.elf"'],
  ]);
});

test('what is subtracted is not taken out of its parentheses', async () => {
  const { own } = await errors(inScenario('fault flip a0 bit 1 in replica B at main - (4 + 4)'));
  expect(own.map(({ code, fixes }) => [code, fixes])).toContainEqual(['COV100', []]);
});

test('a file with a slip has no plan for the scenario that has it', async () => {
  const { plans } = await compileFile(here, { text: `${guest}scenario x {\n  guest g\n  expect exit 0\n}\nscenario "y" {\n  guest g\n  expect exit 0\n}\n` });
  expect(plans.map(({ name }) => name)).toEqual(['y']);
});

test.each([
  ['many parentheses', '('.repeat(100_000)],
  ['a path without an end', `guest g { elf a${'.'.repeat(500_000)}`],
  ['paths in one line', `guest g { elf ${'a/b.elf disk '.repeat(80_000)}`],
  ['paths in lines with comments', 'guest g { elf a/b.elf /* x\n */ }\n'.repeat(30_000)],
  ['names with hyphens in one line', 'guest a-b { elf a/b } '.repeat(45_000)],
  ['parentheses in one line', `scenario "s" { ${'((a) b) '.repeat(120_000)}`],
  ['comments with a hash', '# don\'t /* x\n'.repeat(70_000)],
  ['hashes in one line', '# /* '.repeat(200_000)],
  ['texts without quotation marks', `scenario "s" { ${'expect output contains a=don\'t '.repeat(30_000)}`],
  ['typographic quotation marks', '“ " '.repeat(250_000)],
  ['blocks within blocks', `scenario "s" {${'\nguest g {'.repeat(30_000)}`],
  ['blocks without an end', 'scenario "s" {\nprotect dmr {\nexpect exit 0\n'.repeat(10_000)],
  ['a list of cores', `scenario "s" { protect dmr on ${'0, '.repeat(100_000)}`],
])('%s does not take long', async (_what, text) => {
  const begin = performance.now();
  await compileFile(here, { text });
  expect(performance.now() - begin).toBeLessThan(10_000);
});
