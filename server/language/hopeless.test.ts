import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileFile } from './compile';

const here = path.resolve(import.meta.dirname, '../../examples/checksum/here.covert');
const guest = 'guest g { elf "checksum.elf" ram 16 MiB }\n';

/** What is said of a scenario with this in it, and the text where. */
async function said(body: string): Promise<string[]> {
  const text = `${guest}scenario "s" { guest g ${body} }\n`;
  return (await compileFile(here, { text })).diagnostics.map(({ code, message, span }) => `${code} ${text.slice(span.offset, span.end)}: ${message}`);
}

const pair = 'protect dmr on core 0, core 1';
const nothing = 'nothing goes wrong in this scenario, so this never holds: say what does with `fault …`';

describe('expectations of a scenario without a fault', () => {
  test.each(['masked', 'detected by output within 5 epochs', 'recovered', 'unrecoverable', 'corruption', 'divergence in crc32_update'])('warns of `%s`', async (condition) => {
    expect(await said(`${pair} expect ${condition}`)).toEqual([`COV611 ${condition}: ${nothing}`]);
  });

  test.each(['clean', 'no corruption', 'exit 0', 'output contains "crc"', 'overhead < 50 %'])('says nothing of `%s`', async (condition) => {
    expect(await said(`${pair} expect ${condition}`)).toEqual([]);
  });

  test.each(['fault flip a0 bit 3 in replica B at main', 'fault flip', 'protect dmr on core 0, core 1 { uncoordinated time }'])('says nothing where there is `%s`', async (more) => {
    const all = await said(`${more.startsWith('protect') ? '' : pair} ${more} expect detected`);
    expect(all.filter((each) => each.startsWith('COV611'))).toEqual([]);
  });

  test("a fault of the guest beside may be this one's too", async () => {
    const pair = 'protect dmr on core 0, core 1 { isolation none }';
    const beside = 'beside guest g { protect none on core 2 fault kill core 2 at 2 ms expect exit 0 }';
    expect(await said(`${pair} expect masked ${beside}`)).toEqual([]);
    expect(await said(`${pair} expect exit 0 ${beside.replace('fault kill core 2 at 2 ms expect exit 0', 'expect masked')}`)).toEqual([`COV611 masked: ${nothing}`]);
  });
});

test('what cannot hold anyway is one mistake', async () => {
  expect(await said('protect none on core 0 expect detected')).toEqual(['COV502 detected: under `protect none` nobody compares, so nothing is noticed']);
});

describe('a memory controller that all replicas have', () => {
  const shared = 'protect dmr on core 0, core 1 { isolation none }';
  const failure = 'fail memory controller 1';

  test('is warned of, as without it there is no guest', async () => {
    expect(await said(`${shared} fault ${failure} at instruction 5 expect exit 0`)).toEqual([
      `COV607 ${failure}: all replicas share memory controller 1 under isolation \`none\`: without it the guest is stopped`,
    ]);
  });

  test.each([
    ['under full isolation each has its own', pair, failure, 'exit 0'],
    ['the stop is what is expected', shared, failure, 'unrecoverable'],
    ["a bank's lines find another bank", shared, 'fail l2 bank 1', 'exit 0'],
  ])('is not warned of where %s', async (_, protection, effect, condition) => {
    expect(await said(`${protection} fault ${effect} at instruction 5 expect ${condition}`)).toEqual([]);
  });
});

test('what is expected twice is told once, and the first of what excludes each other is named', async () => {
  expect(await said(`${pair} expect exit 0 expect exit 0 expect clean`)).toEqual(['COV606 exit 0: this is expected in line 2 already']);
  expect(await said(`${pair} expect exit 0 expect exit 1 expect exit 2`)).toEqual([
    'COV501 exit 1: this excludes `exit 0` of line 2: a guest exits once',
    'COV501 exit 2: this excludes `exit 0` of line 2: a guest exits once',
  ]);
  expect(await said(`${pair} expect output contains "a" expect output contains "b" expect output is "a"`)).toEqual([
    'COV501 output is "a": this excludes `output contains "b"` of line 2: the one text does not contain the other',
  ]);
  expect(await said(`${pair} expect output is "a" expect output contains "b"`)).toEqual([
    'COV501 output contains "b": this excludes `output is "a"` of line 2: the one text does not contain the other',
  ]);
});

test('thousands of expectations are looked at once each', async () => {
  const texts = Array.from({ length: 60_000 }, (_, i) => `expect output contains "${i}"`).join('\n');
  // Each with each other it takes longer than a test may.
  expect(await said(`${pair}\n${texts}`)).toEqual([]);
});

test('moments in epochs can be too late, however they are written', async () => {
  const body = (trigger: string): string => `protect dmr on core 0, core 1 { epoch 10_000 instructions } limit 1_000_000 instructions fault flip a0 bit 3 in replica B ${trigger} expect exit 0`;
  const late = 'the run is cut off after 1,000,000 instructions (`limit`), so this never strikes';
  for (const trigger of ['at epoch 100', 'at 100 epochs']) expect(await said(body(trigger))).toEqual([`COV605 ${trigger}: ${late}`]);
  for (const trigger of ['at epoch 99', 'at 99 epochs']) expect(await said(body(trigger))).toEqual([]);
});

test('what a function has of its own has no place', async () => {
  const local = 'is a parameter or a variable of a function, which has a place only while that runs: name a register, or a variable of the whole program';
  for (const name of ['round', 'crc', 'data']) expect(await said(`${pair} fault flip memory[&${name}] bit 1 in replica B at main expect detected`)).toEqual([`COV208 ${name}: \`${name}\` ${local}`]);
  expect(await said(`${pair} fault flip memory[&blok] bit 1 in replica B at main expect detected`)).toEqual(['COV208 blok: the guest has no symbol `blok`; did you mean `block`?']);
});

test('a pc is even', async () => {
  const body = (value: string): string => `${pair} fault set pc to ${value} in replica B at main expect detected`;
  expect(await said(body('0x80000003'))).toEqual(['COV406 0x80000003: a pc is always even']);
  expect(await said(body('&main + 1'))).toEqual(['COV406 &main + 1: a pc is always even']);
  expect(await said(body('&main + 2'))).toEqual([]);
});
