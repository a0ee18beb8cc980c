import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CampaignPlan } from '../../engine/covert/campaign-plan';
import { campaignRanges } from '../../engine/covert/campaign-ranges';
import { CampaignRuns } from '../../engine/covert/campaign-runs';
import { faultText } from '../../engine/covert/fault-text';
import type { FaultPlan } from '../../engine/covert/plan';
import { compileFile, type Compiled } from './compile';
import { words } from './words';

const root = path.resolve(import.meta.dirname, '../..');
const here = path.join(root, 'examples', 'checksum', 'here.covert');
const head = 'import "../boards/common.covert"\nguest g { elf "checksum.elf" ram 16 MiB }\n';

const compile = (text: string): Promise<Compiled> => compileFile(here, { text });

async function campaignOf(text: string): Promise<CampaignPlan> {
  const { campaigns, diagnostics } = await compile(`${head}${text}`);
  const [campaign] = campaigns;
  if (!campaign) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join('\n'));
  return campaign;
}

const campaign = (alternatives: string, inject = 'inject 50 faults seed 3', more = ''): string =>
  `campaign "c" { chip octo guest g protect tmr on core 0, core 1, core 2 { isolation none }\n${more}\n${inject} {\n${alternatives}\n} }\n`;

/** The faults of a scenario with these lines and the chip, guest and protection of {@link campaign}. */
async function faultsOf(lines: string): Promise<FaultPlan[]> {
  const { plans, diagnostics } = await compile(`${head}scenario "s" { chip octo guest g protect tmr on core 0, core 1, core 2 { isolation none } expect exit 0\n${lines}\n}`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ code, message }) => `${code}: ${message}`), lines).toEqual([]);
  return plans[0]!.faults;
}

/** Without where it stands. */
const bare = ({ range: _, ...fault }: FaultPlan): Omit<FaultPlan, 'range'> => fault;

describe('a fault as a line of the language', () => {
  const address = fc.bigInt(0x8000_0000n, 0x80ff_fff0n);
  const cpuPlace = fc.oneof(
    fc.record({ kind: fc.constant('x' as const), index: fc.nat(31) }),
    fc.record({ kind: fc.constant('f' as const), index: fc.nat(31) }),
    fc.constant({ kind: 'pc' as const }),
    fc.record({ kind: fc.constant('csr' as const), number: fc.constantFrom(0x300, 0x341, 0x180, 0xc00, 0xb02) }),
    fc.record({ kind: fc.constant('memory' as const), address, bytes: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const) }),
    fc.record({ kind: fc.constant('tlb' as const), address: fc.bigInt(0n, (1n << 64n) - 1n) }),
  );
  const passing = fc.oneof(
    fc.record({ kind: fc.constant('unit' as const), unit: fc.constantFrom('alu' as const, 'load' as const, 'store' as const, 'store address' as const, 'branch' as const, 'fetch' as const) }),
    fc.record({ kind: fc.constant('input' as const), number: fc.integer({ min: 1, max: 1e6 }) }),
    fc.constant({ kind: 'dma' as const }),
    fc.record({ kind: fc.constant('line' as const), cache: fc.constantFrom('l1i' as const, 'l1d' as const), address }),
  );
  const width = (place: { kind: string; bytes?: number; unit?: string }): number =>
    ({ memory: 8 * (place.bytes ?? 0), unit: place.unit === 'branch' ? 1 : place.unit === 'fetch' ? 32 : 64, input: 8, dma: 4096, line: 8, tlb: 54 })[place.kind] ?? 64;
  const bitsIn = (most: number): fc.Arbitrary<number[]> => fc.uniqueArray(fc.nat(most - 1), { minLength: 1, maxLength: 5 });
  const target = fc.oneof(
    fc.record({ kind: fc.constant('replica' as const), replica: fc.constantFrom('A' as const, 'B' as const, 'C' as const) }),
    fc.record({ kind: fc.constant('core' as const), core: fc.nat(2) }),
  );
  const component = (...names: string[]): fc.Arbitrary<FaultPlan['target']> => fc.constantFrom(...names).map((name) => ({ kind: 'component', component: name }));
  const count = fc.nat(Number.MAX_SAFE_INTEGER - 1);
  const many = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const trigger: fc.Arbitrary<FaultPlan['trigger']> = fc.oneof(
    fc.record({ kind: fc.constantFrom('instruction' as const, 'cycle' as const), count }),
    fc.record({ kind: fc.constantFrom('epoch' as const, 'checkpoint' as const), number: fc.nat() }),
    fc.record({ kind: fc.constantFrom('output' as const, 'input' as const), number: many }),
    fc.record({ kind: fc.constant('execute' as const), address: fc.constantFrom(0x8000_02a8n, 0x8000_02acn), hit: many }),
    fc.record({ kind: fc.constant('access' as const), access: fc.constantFrom('read' as const, 'write' as const), address, hit: many }),
    fc.record({ kind: fc.constant('value' as const), register: fc.constant({ kind: 'x' as const, index: 10 }), value: fc.bigInt(0n, (1n << 64n) - 1n) }),
    fc.record({ kind: fc.constant('console' as const), text: fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }) }),
  );
  const unit = fc.constantFrom('instructions' as const, 'cycles' as const);
  const again: fc.Arbitrary<Pick<FaultPlan, 'rhythm'>> = fc.option(
    fc.record({ kind: fc.constant('every' as const), unit, period: many, until: fc.record({ unit, count: many }) }).map((rhythm) => ({ rhythm })),
    { nil: {} },
  );
  const stays: fc.Arbitrary<Pick<FaultPlan, 'rhythm' | 'lifetime'>> = fc.oneof(
    fc.constant({}),
    fc.record({ unit, length: many }).map((lifetime) => ({ lifetime })),
    fc
      .record({ unit, period: fc.integer({ min: 2, max: 1e12 }) })
      .chain(({ unit: of, period }) => fc.integer({ min: 1, max: period - 1 }).map((on) => ({ rhythm: { kind: 'duty' as const, unit: of, period, on } }))),
  );

  type Struck = Pick<FaultPlan, 'effect' | 'target' | 'lifetime' | 'rhythm'>;
  const struck: fc.Arbitrary<Struck> = fc.oneof(
    fc.oneof(cpuPlace, passing).chain((place) => fc.record({ bits: bitsIn(width(place)), target, again }).map(({ bits, target, again }): Struck => ({ effect: { kind: 'flip', place, bits }, target, ...again }))),
    cpuPlace.chain((place) => fc.record({ value: fc.bigInt(0n, (1n << BigInt(width(place))) - 1n), target }).map(({ value, target }): Struck => ({ effect: { kind: 'set', place, value: place.kind === 'pc' ? value & ~1n : value }, target }))),
    cpuPlace.chain((place) =>
      fc.record({ bits: bitsIn(width(place)), value: fc.constantFrom(0 as const, 1 as const), target, stays }).map(({ bits, value, target, stays }): Struck => ({ effect: { kind: 'stick', place, bits, value }, target, ...stays })),
    ),
    fc.record({ address, bits: bitsIn(8), target: component('l2 bank 0', 'l2 bank 7'), value: fc.constantFrom(0 as const, 1 as const), stays }).map(({ address, bits, target, value, stays }): Struck => ({ effect: { kind: 'stick', place: { kind: 'memory', address, bytes: 1 }, bits, value }, target, ...stays })),
    fc.record({ address, bits: bitsIn(8), target: component('l2 bank 3') }).map(({ address, bits, target }): Struck => ({ effect: { kind: 'flip', place: { kind: 'line', cache: 'l2', address }, bits }, target })),
    fc.constantFrom('drop' as const, 'duplicate' as const, 'corrupt' as const).map((how): Struck => ({ effect: { kind: 'message', how, from: 2, to: 1 }, target: { kind: 'component', component: 'link 1 -> 2' } })),
    fc.record({ target: component('core 1', 'l2 bank 2', 'memory controller 3', 'link 7 -> 0') }).map(({ target }): Struck => ({ effect: { kind: 'die', how: 'stops' }, target })),
    fc.constant<Struck>({ effect: { kind: 'die', how: 'hangs' }, target: { kind: 'component', component: 'core 1' } }),
    fc.constant<Struck>({ effect: { kind: 'flip', place: { kind: 'comparer' }, bits: [0] }, target: { kind: 'replica', replica: 'A' } }),
    fc.record({ count: fc.integer({ min: 1, max: 20 }), target }).map(({ count, target }): Struck => ({ effect: { kind: 'flip-random', places: [{ kind: 'x', index: 1 }, { kind: 'f', index: 31 }], count }, target })),
  );

  test('means the same again', async () => {
    await fc.assert(
      fc.asyncProperty(struck, trigger, async (what, when) => {
        const fault = { ...what, trigger: when };
        const text = faultText(fault);
        expect((await faultsOf(`fault ${text}`)).map(bare)).toEqual([{ name: 'fault 1', text, ...fault, optional: false }]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('the runs of a campaign', () => {
  const alternatives = [
    'flip 1 random bit of x1..x31, f0..f31, pc in replica B at any instruction weight 5',
    'flip 2 random bits of memory[&block].d, a0 in replica C at any instruction between main and at console "crc="',
    'stick alu bit 5 at 1 on core 1 at any instruction between instruction 10 and epoch 3 for 5 us',
    'flip 1 random bit of load, store on core 0 at any instruction between 100 cycles and when write &block',
    'flip 1 random bit of mstatus, mepc in replica A at instruction 1_000 every 500 cycles until 2 ms',
    'flip 1 random bit of l2 bank 2 line &block byte 3 at any instruction between instruction 0x100 and instruction 1_000',
    'corrupt message on link 2 -> 1 at any instruction between checkpoint 0 and crc32_update',
    'set a0 to -1 in replica C at crc32_update hit 4',
    'kill core 2 at any instruction between instruction 5 and instruction 9',
    'flip comparer bit 0 at output 3',
  ].join('\n');

  test('each is the same as the scenario with its line', async () => {
    const plan = await campaignOf(campaign(alternatives));
    const runs = new CampaignRuns(plan, (await campaignRanges(plan)) ?? []);
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: runs.size }), async (number) => {
        const run = runs.run(number);
        seen.add(run.alternative);
        const lines = run.plan.faults.map(({ text }) => `fault ${text}`).join(' ');
        expect((await faultsOf(lines)).map(bare)).toEqual(run.plan.faults.map(bare));
      }),
      { numRuns: 120 },
    );
    expect(seen.size).toBe(10);
  });

  test('all that a campaign says is in its plan', async () => {
    const plan = await campaignOf(campaign('flip a0 bit 3 in replica B at any instruction weight 7', 'inject 5 faults', 'seed 9 limit 1_000 instructions expect coverage >= 99.5 % confidence 90 % expect no corruption switch to none on core 1 at epoch 2'));
    expect(plan).toMatchObject({
      base: { name: 'c', faults: [], seed: 9, maxInstructions: 1000, switches: [{ kind: 'none' }], expectations: [{ expectation: { kind: 'no-corruption' } }] },
      injections: { kind: 'drawn', count: 5, seed: 9 },
      alternatives: [{ weight: 7, trigger: { kind: 'any' }, text: 'flip a0 bit 3 in replica B at any instruction' }],
      coverage: { least: 0.995, confidence: 0.9, text: 'coverage >= 99.5 % confidence 90 %' },
    });
    expect((await campaignOf(campaign('flip a0 bit 3 in replica B at main', 'inject 1 fault seed 0b11', 'expect coverage >= 100 %'))).coverage).toMatchObject({ least: 1, confidence: 0.95 });
    expect((await campaignOf(campaign('flip a0 bit 3 in replica B at main', 'inject every'))).injections).toEqual({ kind: 'every' });
  });

  test('a fault of a cache gives every run a chip with caches', async () => {
    const plan = await campaignOf(campaign('flip l1d line &block byte 0 bit 3 in replica B at any instruction\nflip a0 bit 3 in replica B at main'));
    expect(plan.base.chip.timing).toBe('detailed');
  });

  test('other guests run along', async () => {
    const plan = await campaignOf(campaign('flip a0 bit 3 in replica B at main', 'inject 1 fault', 'beside guest g { protect none on core 4 { isolation none } expect exit 0 }'));
    expect(plan.base.neighbours).toMatchObject([{ guest: { name: 'g 2' }, faults: [], expectations: [{ expectation: { kind: 'exit' } }] }]);
  });
});

describe('diagnostics', () => {
  async function marks(text: string): Promise<string[]> {
    const { diagnostics } = await compile(head + text);
    return diagnostics.map(({ code, span }) => `${code} ${(head + text).slice(span.offset, span.end)}`);
  }
  const good = 'flip a0 bit 3 in replica B at any instruction';

  test.each<[string, string[]]>([
    [campaign(good), []],
    [campaign(''), ['COV206 inject']],
    [campaign(good, 'inject 0 faults'), ['COV106 0']],
    [campaign(`${good} weight 0`), ['COV106 0']],
    [campaign(`${good} weight 1_000_001`), ['COV106 1_000_001']],
    [campaign(`${good} weight 2`, 'inject every'), ['COV606 2']],
    [campaign(good, 'inject every fault seed 4'), ['COV606 4']],
    [campaign(good, 'inject 9 faults seed 99999999999999999999'), ['COV106 99999999999999999999']],
    [campaign(good, `inject 9 faults { ${good} } inject 8 faults`), ['COV205 inject']],
    [campaign(`${good} between instruction 6 and at instruction 5`), ['COV413 instruction 6 and at instruction 5']],
    [campaign(`${good} between main hit 6 and main hit 5`), ['COV413 main hit 6 and main hit 5']],
    [campaign(`${good} between when read &block hit 3 and when read &block`), ['COV413 when read &block hit 3 and when read &block']],
    [campaign(`${good} between 2 ms and 1 ms`), ['COV413 2 ms and 1 ms']],
    [campaign(`${good} between instruction 5 and instruction 2_000_000_000`), ['COV605 instruction 2_000_000_000']],
    [campaign(`${good} between nowhere and main`), ['COV208 nowhere']],
    [campaign(`${good} between main hit 0 and main`), ['COV408 0']],
    [campaign(`${good} for 2 ms`), ['COV411 for 2 ms']],
    [campaign('flip a0 bit 64 in replica D at any instruction'), ['COV402 64', 'COV210 D']],
    [campaign('flip a0 bit 3 at any instruction'), ['COV409 flip']],
    [campaign('flip 40 random bits of a0 in replica B at main', 'inject 60 faults'), []],
    [campaign('flip 1 random bit of a0 in replica B at main', 'inject 65 faults'), ['COV609 65']],
    [campaign(`${good} between instruction 5 and instruction 8`, 'inject 5 faults'), ['COV609 5']],
    [campaign(good, 'inject 1 fault', 'expect coverage >= 0 %'), ['COV106 0 %']],
    [campaign(good, 'inject 1 fault', 'expect coverage >= 101 % confidence 95 %'), ['COV106 101 %']],
    [campaign(good, 'inject 1 fault', 'expect coverage >= 99 % confidence 100 %'), ['COV106 100 %']],
    [campaign(good, 'inject 1 fault', 'expect coverage >= 99 % expect coverage >= 98 %'), ['COV205 coverage >= 98 %']],
    [campaign(good, 'inject every', 'expect coverage >= 99 % confidence 95 %'), ['COV606 95 %']],
    [campaign(good, 'inject 1 fault', 'fault flip a0 bit 3 in replica B at main'), ['COV212 fault']],
    [campaign(good, 'inject 1 fault', 'beside guest g { protect none on core 4 { isolation none } fault flip a0 bit 3 in replica A at main expect coverage >= 9 % }'), ['COV212 fault', 'COV504 coverage >= 9 %']],
    ['campaign "c" { guest g }', ['COV206 "c"']],
    [`campaign "c" { inject 1 fault { ${good.replace('B', 'A')} } guest h }`, ['COV201 h']],
    [`campaign "c" { inject 1 fault { set a0 to 1 on core 0 at main } }`, ['COV206 "c"']],
    ['scenario "s" { guest g expect exit 0 inject 5 faults { } inject 6 faults { } }', ['COV212 inject', 'COV212 inject']],
    ['scenario "s" { guest g expect exit 0 expect coverage >= 99 % }', ['COV504 coverage >= 99 %']],
    ['scenario "s" { guest g expect exit 0 fault flip a0 bit 3 in replica A at any instruction }', ['COV210 any']],
  ])('%s', async (text, wanted) => {
    const found = (await marks(text)).filter((mark) => !mark.startsWith('COV602'));
    expect(found).toEqual(wanted);
  });

  test('random words inside a campaign make nothing fail', async () => {
    const word = fc.constantFrom(...Object.keys(words), '{', '}', ',', '..', '%', '>=', '5', '0', '64', 'a0', 'x1', 'f5', '"s"', 'main', '&block', 'B', 'ms', '[', ']', '.');
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 25 }), fc.boolean(), async (some, inBlock) => {
        const text = some.join(' ');
        const { diagnostics } = await compile(head + (inBlock ? campaign(text) : campaign(good, 'inject 5 faults', text)));
        for (const { message } of diagnostics) expect(message, text).not.toMatch(/undefined|NaN|\[object/);
      }),
      { numRuns: 300 },
    );
  });

  test('what is wrong keeps the campaign from having a plan, and no other', async () => {
    const { campaigns } = await compile(`${head}${campaign(good)}${campaign(`${good} weight 0`).replace('"c"', '"d"')}`);
    expect(campaigns.map(({ base }) => base.name)).toEqual(['c']);
  });
});

test('the example compiles, and the manual shows its runs', async () => {
  const file = path.join(root, 'examples', 'checksum', 'registers.covert');
  const { campaigns, diagnostics } = await compileFile(file);
  expect(diagnostics).toEqual([]);
  const manual = readFileSync(path.join(root, 'docs', 'language.md'), 'utf8');
  for (const campaign of campaigns) {
    const runs = new CampaignRuns(campaign, (await campaignRanges(campaign)) ?? []);
    for (const number of [1, 2, 3]) expect(manual).toContain(`${number}  fault ${runs.run(number).plan.faults[0]?.text}\n`);
  }
});
