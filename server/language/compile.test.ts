import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inputClasses, type Expectation, type FaultPlan, type Plan } from '../../engine/covert/plan';
import { addressOf } from '../../engine/covert/plan.test-support';
import { compileFile, type Diagnostic } from './compile';
import { mostCharacters } from './scenario-text';

const root = path.resolve(import.meta.dirname, '../..');
const here = path.join(root, 'examples', 'checksum', 'here.covert');
const guest = 'guest g { elf "checksum.elf" ram 16 MiB }\n';

function compile(text: string): Promise<{ plans: Plan[]; diagnostics: Diagnostic[] }> {
  return compileFile(here, { text });
}

function scenario(body: string, protect = 'protect dmr on core 0, core 1'): string {
  return `${guest}scenario "s" {\nguest g\n${protect}\nexpect exit 0\n${body}\n}\n`;
}

async function planOf(text: string): Promise<Plan> {
  const { plans, diagnostics } = await compile(text);
  const [plan] = plans;
  if (!plan) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join('\n'));
  return plan;
}

async function faultOf(text: string): Promise<FaultPlan> {
  const [fault] = (await planOf(scenario(text))).faults;
  if (!fault) throw new Error('no fault');
  return fault;
}

/** What stands at each diagnostic's place, with its code. */
async function marks(text: string): Promise<string[]> {
  const { diagnostics } = await compile(text);
  const lines = text.split('\n');
  return diagnostics.map(({ code, range, span }) => {
    const inLine = lines[range.line - 1]?.slice(range.column - 1, range.endLine === range.line ? range.endColumn - 1 : undefined);
    if (range.endLine === range.line) expect(inLine).toBe(text.slice(span.offset, span.end));
    return `${code} ${text.slice(span.offset, span.end)}`;
  });
}

const crc32Update = 0x800002a8n;

describe('faults', () => {
  test.each<[string, Partial<FaultPlan>]>([
    ['fault flip a0 bit 17 in replica B at instruction 1_234', {
      name: 'fault 1', text: 'flip a0 bit 17 in replica B at instruction 1_234', optional: false,
      effect: { kind: 'flip', place: { kind: 'x', index: 10 }, bits: [17] },
      target: { kind: 'replica', replica: 'B' }, trigger: { kind: 'instruction', count: 1234 } }],
    ['fault `flip`: /* why */ flip   x10 bits 3,\n4..6 in replica A at cycle 0x10 once', {
      name: 'flip', text: 'flip x10 bits 3, 4..6 in replica A at cycle 0x10 once',
      effect: { kind: 'flip', place: { kind: 'x', index: 10 }, bits: [3, 4, 5, 6] },
      target: { kind: 'replica', replica: 'A' }, trigger: { kind: 'cycle', count: 16 } }],
    ['fault flip fa0 bit 63 on core 1 at 2ms', {
      effect: { kind: 'flip', place: { kind: 'f', index: 10 }, bits: [63] },
      target: { kind: 'core', core: 1 }, trigger: { kind: 'cycle', count: 4_000_000 } }],
    ['fault flip f10 bit 0 on core 0 at 1.5 us', { trigger: { kind: 'cycle', count: 3000 } }],
    ['fault flip mstatus bit 3 in replica B at 500 cycles', {
      effect: { kind: 'flip', place: { kind: 'csr', number: 0x300 }, bits: [3] }, trigger: { kind: 'cycle', count: 500 } }],
    ['fault flip mcycle bit 3 in replica B at 7 instructions', {
      effect: { kind: 'flip', place: { kind: 'csr', number: 0xb00 }, bits: [3] }, trigger: { kind: 'instruction', count: 7 } }],
    ['fault flip pc bit 1 in replica B at 3 epochs', { effect: { kind: 'flip', place: { kind: 'pc' }, bits: [1] }, trigger: { kind: 'epoch', number: 3 } }],
    ['fault set sp to -1 in replica B at epoch 0', {
      effect: { kind: 'set', place: { kind: 'x', index: 2 }, value: 0xffff_ffff_ffff_ffffn }, trigger: { kind: 'epoch', number: 0 } }],
    ['fault set pc to crc32_update + 4 in replica B at checkpoint 2', {
      effect: { kind: 'set', place: { kind: 'pc' }, value: crc32Update + 4n }, trigger: { kind: 'checkpoint', number: 2 } }],
    ['fault set memory[0x8000_1000].w to 0b101 in replica B at output 1', {
      effect: { kind: 'set', place: { kind: 'memory', address: 0x80001000n, bytes: 4 }, value: 5n }, trigger: { kind: 'output', number: 1 } }],
    ['fault flip memory[0x80001001 - 1].d bit 63 in replica B at console "a\\n\\x41\\u{1f600}\\"" optional', {
      effect: { kind: 'flip', place: { kind: 'memory', address: 0x80001000n, bytes: 8 }, bits: [63] },
      trigger: { kind: 'console', text: 'a\nA\u{1f600}"' }, optional: true }],
    ['optional fault flip memory[&block[3] + 1] bit 7 in replica B at crc32_update+0x2a hit 3', {
      effect: { kind: 'flip', place: { kind: 'memory', address: 0x80002440n + 4n, bytes: 1 }, bits: [7] },
      trigger: { kind: 'execute', address: crc32Update + 0x2an, hit: 3 }, optional: true }],
    ['fault flip a0 bit 1 in replica B when execute crc32_update', { trigger: { kind: 'execute', address: crc32Update, hit: 1 } }],
    ['fault stick alu bit 5 at 1 on core 1 from 2 ms for 100 us', {
      effect: { kind: 'stick', place: { kind: 'alu' }, bits: [5], value: 1 },
      target: { kind: 'core', core: 1 }, trigger: { kind: 'cycle', count: 4_000_000 }, lifetime: { unit: 'cycles', length: 200_000 } }],
    ['fault stick x10 bits 3, 6..7 at 0 in replica A at instruction 9 for 4 epochs', {
      effect: { kind: 'stick', place: { kind: 'x', index: 10 }, bits: [3, 6, 7], value: 0 },
      trigger: { kind: 'instruction', count: 9 }, lifetime: { unit: 'instructions', length: 400_000 } }],
    ['fault stick fa0 bit 63 at 1 in replica B at epoch 2 for 5_000 instructions', { lifetime: { unit: 'instructions', length: 5000 } }],
    ['fault stick load bits 3..4 at 1 on core 1 at 2 ms duty 10 % of 1 ms', {
      effect: { kind: 'stick', place: { kind: 'unit', unit: 'load' }, bits: [3, 4], value: 1 }, rhythm: { kind: 'duty', unit: 'cycles', period: 2_000_000, on: 200_000 } }],
    ['fault stick store address bit 63 at 0 on core 1 at 2 ms for 1 ms', { effect: { kind: 'stick', place: { kind: 'unit', unit: 'store address' }, bits: [63], value: 0 } }],
    ['fault stick mtvec bit 2 at 1 in replica B at 2 ms', { effect: { kind: 'stick', place: { kind: 'csr', number: 0x305 }, bits: [2], value: 1 } }],
    ['fault stick mcycle bit 2 at 1 in replica B at 2 ms', { effect: { kind: 'stick', place: { kind: 'csr', number: 0xb00 }, bits: [2], value: 1 } }],
    ['fault stick pc bit 2 at 1 in replica B at 2 ms', { effect: { kind: 'stick', place: { kind: 'pc' }, bits: [2], value: 1 } }],
    ['fault flip tlb entry main + 4 bits 10..11 in replica B at 2 ms', { effect: { kind: 'flip', place: { kind: 'tlb', address: addressOf('checksum', 'main') + 4n }, bits: [10, 11] } }],
    ['fault set tlb entry 0xffff_ffc0_0000_1000 to 0 in replica B at 2 ms', { effect: { kind: 'set', place: { kind: 'tlb', address: 0xffff_ffc0_0000_1000n }, value: 0n } }],
    ['fault stick tlb entry &block bit 12 at 1 in replica B at 2 ms', { effect: { kind: 'stick', place: { kind: 'tlb', address: 0x80002440n }, bits: [12], value: 1 } }],
    ['fault flip alu bit 3 in replica B from 3_000 instructions every 2_000 instructions until 1 ms', {
      trigger: { kind: 'instruction', count: 3000 }, rhythm: { kind: 'every', unit: 'instructions', period: 2000, until: { unit: 'cycles', count: 2_000_000 } } }],
    ['fault set a0 to 1 in replica B at main every 2 epochs', { rhythm: { kind: 'every', unit: 'instructions', period: 200_000 } }],
    ['fault stick memory[&block].h bit 9 at 0x1 in replica B from 3 epochs', {
      effect: { kind: 'stick', place: { kind: 'memory', address: 0x80002440n, bytes: 2 }, bits: [9], value: 1 }, trigger: { kind: 'epoch', number: 3 } }],
    ['fault flip store bits 0..2 in replica B when read &block[3] + 1 hit 4', {
      effect: { kind: 'flip', place: { kind: 'unit', unit: 'store' }, bits: [0, 1, 2] },
      trigger: { kind: 'access', access: 'read', address: 0x80002440n + 4n, hit: 4 } }],
    ['fault flip store address bit 3 in replica B when write &block', {
      effect: { kind: 'flip', place: { kind: 'unit', unit: 'store address' }, bits: [3] },
      trigger: { kind: 'access', access: 'write', address: 0x80002440n, hit: 1 } }],
    ['fault set fetch to 0x13 on core 1 when a0 == -1', {
      effect: { kind: 'set', place: { kind: 'unit', unit: 'fetch' }, value: 0x13n },
      trigger: { kind: 'value', register: { kind: 'x', index: 10 }, value: 0xffff_ffff_ffff_ffffn } }],
    ['fault flip input 3 bit 7 in replica B at input 2', {
      effect: { kind: 'flip', place: { kind: 'input', number: 3 }, bits: [7] }, trigger: { kind: 'input', number: 2 } }],
    ['fault flip dma bit 4095 in replica B when pc == crc32_update', {
      effect: { kind: 'flip', place: { kind: 'dma' }, bits: [4095] }, trigger: { kind: 'value', register: { kind: 'pc' }, value: crc32Update } }],
    ['fault flip 2 random bits of alu, load, branch, a0 in replica B at main', {
      effect: { kind: 'flip-random', count: 2, places: [{ kind: 'unit', unit: 'alu' }, { kind: 'unit', unit: 'load' }, { kind: 'unit', unit: 'branch' }, { kind: 'x', index: 10 }] } }],
    ['fault flip a0 bit 1 in replica B at 0x800002a8', { trigger: { kind: 'execute', address: crc32Update, hit: 1 } }],
  ])('%s', async (text, wanted) => {
    expect(await faultOf(text)).toMatchObject(wanted);
  });

  test('a stuck bit is so for ever unless a time is given', async () => {
    for (const lifetime of ['', ' forever']) expect((await faultOf(`fault stick a0 bit 1 at 0 in replica B at main${lifetime}`)).lifetime).toBeUndefined();
  });

  test('random bits of ranges', async () => {
    const { effect } = await faultOf('fault flip 2 random bits of x1..x31, f0..f31, pc, memory[&block].h in replica B at instruction 1');
    if (effect.kind !== 'flip-random') throw new Error(effect.kind);
    expect(effect.count).toBe(2);
    expect(effect.places).toHaveLength(31 + 32 + 1 + 1);
    expect(effect.places[0]).toEqual({ kind: 'x', index: 1 });
    expect(effect.places.at(-1)).toMatchObject({ kind: 'memory', bytes: 2 });
  });

  test('a source line is its first instruction', async () => {
    const { trigger } = await faultOf('fault flip a0 bit 1 in replica B at "checksum.c":35 hit 2');
    if (trigger.kind !== 'execute') throw new Error(trigger.kind);
    const { expectations } = await planOf(scenario('expect divergence at "checksum.c":35'));
    const [, divergence] = expectations.map(({ expectation }) => expectation);
    if (divergence?.kind !== 'divergence-at') throw new Error(divergence?.kind);
    expect(divergence.ranges.some(({ start }) => start === trigger.address)).toBe(true);
    expect(trigger.hit).toBe(2);
  });
});

describe('expectations', () => {
  test.each<[string, Expectation]>([
    ['clean', { kind: 'clean' }],
    ['masked', { kind: 'masked' }],
    ['detected', { kind: 'detected', by: [] }],
    ['detected by output, state, watchdog, trap within 2 epochs', { kind: 'detected', by: ['output', 'state', 'watchdog', 'trap'], within: { unit: 'epochs', value: 2 } }],
    ['detected within 1 epoch', { kind: 'detected', by: [], within: { unit: 'epochs', value: 1 } }],
    ['detected within 5_000 instructions', { kind: 'detected', by: [], within: { unit: 'instructions', value: 5000 } }],
    ['detected within 2 ms', { kind: 'detected', by: [], within: { unit: 'seconds', value: 0.002 } }],
    ['detected within 9 cycles', { kind: 'detected', by: [], within: { unit: 'cycles', value: 9 } }],
    ['recovered', { kind: 'recovered', by: [] }],
    ['recovered by rollback', { kind: 'recovered', by: ['rollback'] }],
    ['corruption', { kind: 'corruption' }],
    ['no corruption', { kind: 'no-corruption' }],
    ['divergence in crc32_update', { kind: 'divergence-in', symbol: 'crc32_update', start: crc32Update, end: 0x800002dan }],
    ['output contains "crc="', { kind: 'output-contains', text: 'crc=' }],
    ['output is "crc=1\\n"', { kind: 'output-is', text: 'crc=1\n' }],
    ['output matches /crc=[0-9a-f]{8}\\/?/', { kind: 'output-matches', pattern: 'crc=[0-9a-f]{8}\\/?' }],
    ['overhead < 12.5 %', { kind: 'overhead-below', fraction: 0.125 }],
  ])('expect %s', async (text, wanted) => {
    const { expectations } = await planOf(scenario(`expect ${text}`));
    expect(expectations[1]).toMatchObject({ expectation: wanted, text });
    expect(expectations[1]?.range).toMatchObject({ file: here, line: 6, column: 1 });
  });

  test('unrecoverable', async () => {
    const { expectations } = await planOf(`${guest}scenario "s" { guest g protect dmr expect unrecoverable }`);
    expect(expectations.map(({ expectation }) => expectation)).toEqual([{ kind: 'unrecoverable' }]);
  });
});

describe('protection and chip', () => {
  test('everything that can be set', async () => {
    const text = `chip big { spare core 3 ring memory 3 controllers l2 6 banks of 256 KiB cores 8 at 800MHz }\n${guest}
scenario "s" { seed 0x2a limit 5_000_000 instructions guest g chip big protect dmr on core 5, core 4 {
  uncoordinated time, cycle retry 0 watchdog 3 epochs compare state every 2 epochs checkpoint every 8 epochs
  epoch 20_000 instructions isolation memory } expect exit 3 }`;
    const plan = await planOf(text);
    expect(plan).toMatchObject({
      name: 's', seed: 42, maxInstructions: 5_000_000,
      chip: { name: 'big', cores: 8, hertz: 800e6, l2Banks: 6, l2BankBytes: 256 * 1024, memoryControllers: 3, ring: true, spares: [3] },
      guest: { name: 'g', path: path.join(root, 'examples/checksum/checksum.elf'), ramBytes: 2 ** 24, harts: 1 },
      protection: {
        kind: 'dmr', cores: [5, 4], isolation: 'memory', epochInstructions: 20_000, checkpointEpochs: 8, compareOutput: false,
        compareStateEpochs: 2, watchdogEpochs: 3, retry: 0, uncoordinated: ['time', 'cycle'] },
    });
    expect(plan.guest.image.length).toBeGreaterThan(1000);
  });

  const said = async (text: string): Promise<string[]> => (await compile(text)).diagnostics.map(({ code, message, span }) => `${code} ${text.slice(span.offset, span.end)}: ${message}`);

  test('every class of input can be left uncoordinated, and of a guest that has them all none is warned of', async () => {
    const text = `guest g { elf "../inputs/inputs.elf" disk "../inputs/disk.img" entropy on console "name? " type "n" }
scenario "s" { guest g protect dmr { uncoordinated time, cycle, rtc, interrupts, entropy, disk, console, reservations } expect exit 0 }`;
    const { protection, guest: { disks = [], entropy, linux } } = await planOf(text);
    expect(protection.uncoordinated).toEqual(inputClasses.filter((input) => input !== 'network'));
    expect({ disks: disks.map(({ image }) => image.bytes), entropy, linux }).toEqual({ disks: [1024], entropy: true, linux: undefined });
  });

  test.each([
    ['uncoordinated network', 'COV608 network: `network` changes nothing here: guest g has no network card: a Linux guest gets one by `forward …`'],
    ['uncoordinated disk', 'COV608 disk: `disk` changes nothing here: guest g has no disk: say `disk "…"`'],
  ])('%s, which the guest does not have', async (setting, message) => {
    expect(await said(`guest g { elf "checksum.elf" }\nscenario "s" { guest g protect dmr { ${setting} } expect exit 0 }`)).toEqual([message]);
  });

  test('a disk that is none is refused, whoever has it', async () => {
    expect(await said('guest g { elf "checksum.elf"  disk "checksum.c" }\n')).toEqual([expect.stringMatching(/^COV203 "checksum.c": checksum.c has \d+ bytes, which is no multiple of 512/)]);
  });

  test('under `dmr` a vote can be expected where a third replica may run along', async () => {
    const withChip = (chip: string): string => `chip c { ${chip} }\n${guest}scenario "s" { chip c guest g protect dmr fault flip a0 bit 1 in replica B at main expect recovered by vote }`;
    expect(await said(withChip('cores 4 ring spare core 3'))).toEqual([]);
    expect(await said(withChip('cores 4 ring'))).toEqual(['COV502 recovered by vote: two replicas have no majority: a vote needs `protect tmr`, or a `spare` core on which a third one may run along']);
  });

  test('without `on`, spares stay free', async () => {
    const { protection } = await planOf(`chip c { cores 4 ring spare core 0 }\n${guest}scenario "s" { chip c guest g protect dmr expect exit 0 }`);
    expect(protection.cores).toEqual([1, 2]);
  });

  test('a chip that cannot isolate does not, unless it is asked to', async () => {
    const { protection } = await planOf(`chip c { cores 4 }\n${guest}scenario "s" { chip c guest g protect dmr expect exit 0 }`);
    expect(protection.isolation).toBe('none');
  });

  test('words of the language may be names', async () => {
    const plan = await planOf('chip ring { cores 2 }\nguest memory { elf "checksum.elf" }\nscenario "s" { chip ring guest memory expect exit 0 }');
    expect([plan.chip.name, plan.guest.name]).toEqual(['ring', 'memory']);
  });

  test('names between backticks', async () => {
    const plan = await planOf('guest `my guest` { elf "checksum.elf" }\nscenario "s" { guest `my guest` expect exit 0 }');
    expect(plan.guest.name).toBe('my guest');
  });
});

describe('places of diagnostics are narrow', () => {
  test.each([
    ['fault flip a0 bit 64 in replica B at main', 'COV402 64'],
    ['fault stuck a0 bit 4 at 1 in replica B at main', 'COV101 stuck'],
    ['fault kil core 1 at 2 ms', 'COV101 kil'],
    ['fault flip memory[&block].w bits 3, 30..35 in replica B at main', 'COV402 35'],
    ['fault flip a0 bit 3 in replica C at main', 'COV405 C'],
    ['fault flip a0 bit 3 on core 77 at main', 'COV301 77'],
    ['fault flip a0 bit 3 in replica B at mian hit 3', 'COV208 mian'],
    ['fault flip a0 bit 3 in replica B at "checksum.c":9999', 'COV209 9999'],
    ['fault flip a0 bit 3 in replica B at "checksm.c":35', 'COV209 "checksm.c"'],
    ['fault flip memory[&block].q bit 3 in replica B at main', 'COV210 q'],
    ['fault flip memory[&blok + 8].w bit 3 in replica B at main', 'COV208 blok'],
    ['fault flip memory[&block[6144]] bit 3 in replica B at main', 'COV211 6144'],
    ['fault flip memory[&block.key] bit 3 in replica B at main', 'COV211 key'],
    ['fault flip ax0 bit 3 in replica B at main', 'COV401 ax0'],
    ['fault flip block bit 3 in replica B at main', 'COV401 block'],
    ['fault flip scountovf bit 3 in replica B at main', 'COV401 scountovf'],
    ['fault flip cycle bit 3 in replica B at main', 'COV601 cycle'],
    ['fault flip misa bit 3 in replica B at main', 'COV601 misa'],
    ['fault flip a0 bit 3 in replica B at main + 1', 'COV407 main + 1'],
    ['fault flip a0 bit 3 in replica B at main hit 0', 'COV408 0'],
    ['fault flip a0 bit 3 in replica B at output 0', 'COV408 0'],
    ['fault flip a0 bit 3 in replica B at console ""', 'COV206 ""'],
    ['fault flip 65 random bits of a0 in replica B at main', 'COV402 65'],
    ['fault flip 1 random bit of x9..x3 in replica B at main', 'COV410 x9..x3'],
    ['fault set a0 to 0x1_0000_0000_0000_0000 in replica B at main', 'COV106 0x1_0000_0000_0000_0000'],
    ['fault set memory[&block] to -129 in replica B at main', 'COV406 -129'],
    ['fault flip a0 bit 3 in replica B at instruction 2_000_000_000', 'COV605 at instruction 2_000_000_000'],
    ['fault flip a0 bit 3 in replica B at any instruction', 'COV210 any'],
    ['fault kill core 4 at 2 ms', 'COV301 4'],
    ['fault kill core 1 at 2 ms for 1 ms', 'COV411 for 1 ms'],
    ['fault hang core 1 at 2 ms every 1 ms', 'COV411 every 1 ms'],
    ['fault kill core 1 on core 1 at 2 ms', 'COV210 on core 1'],
    ['fault fail l2 bank 4 at 2 ms', 'COV309 4'],
    ['fault fail link 2 -> 0 at 2 ms', 'COV309 link 2 -> 0'],
    ['switch to dmr on core 0 at 2 ms', 'COV304 core 0'],
    ['switch to tmr at 2 ms', 'COV305 tmr'],
    ['switch to both at 2 ms', 'COV210 both'],
    ['switch to none at main', 'COV210 at main'],
    ['fault stick load bit 64 at 1 on core 1 at 2 ms', 'COV402 64'],
    ['fault stick fetch bit 32 at 1 on core 1 at 2 ms', 'COV402 32'],
    ['fault stick branch bit 1 at 1 on core 1 at 2 ms', 'COV402 1'],
    ['fault stick tlb entry main bit 54 at 1 on core 1 at 2 ms', 'COV402 54'],
    ['fault stick dma bit 5 at 1 on core 1 at 2 ms', 'COV107 dma'],
    ['fault stick pc bit 0 at 1 on core 1 at 2 ms', 'COV601 pc'],
    ['fault flip pc bit 0 on core 1 at 2 ms', 'COV601 pc'],
    ['fault stick mepc bit 0 at 1 on core 1 at 2 ms', 'COV601 mepc'],
    ['fault stick fflags bit 5 at 1 on core 1 at 2 ms', 'COV601 fflags'],
    ['fault flip tlb entry 0x8000_0000 bit 54 in replica B at main', 'COV402 54'],
    ['fault stick alu bit 64 at 1 on core 1 at 2 ms', 'COV402 64'],
    ['fault stick memory[&block].w bits 3, 32 at 1 on core 1 at 2 ms', 'COV402 32'],
    ['fault stick a0 bits 3, 2..4 at 1 on core 1 at 2 ms', 'COV403 2..4'],
    ['fault stick a0 bit 3 at 2 on core 1 at 2 ms', 'COV406 2'],
    ['fault stick a0 bit 3 at 1 at main', 'COV409 stick'],
    ['fault stick x0 bit 3 at 1 in replica B at main', 'COV601 x0'],
    ['fault stick a0 bit 3 at 1 in replica B at main once', 'COV411 once'],
    ['fault stick a0 bit 3 at 1 in replica B at main every 2 ms', 'COV411 every 2 ms'],
    ['fault stick a0 bit 3 at 1 in replica B at main duty 0 % of 1 ms', 'COV106 0 %'],
    ['fault stick a0 bit 3 at 1 in replica B at main duty 100 % of 1 ms', 'COV106 100 %'],
    ['fault stick a0 bit 3 at 1 in replica B at main duty 10 % of 1 cycles', 'COV306 1 cycles'],
    ['fault flip a0 bit 3 in replica B at main duty 10 % of 1 ms', 'COV411 duty 10 % of 1 ms'],
    ['fault flip a0 bit 3 in replica B at main every 0 ms', 'COV306 0 ms'],
    ['fault flip a0 bit 3 in replica B at main every 1 KiB', 'COV105 KiB'],
    ['fault flip a0 bit 3 in replica B at 2 ms every 1 ms until 2 ms', 'COV606 2 ms'],
    ['fault stick a0 bit 3 at 1 in replica B at main for 0 ms', 'COV306 0 ms'],
    ['fault flip a0 bit 3 in replica B from 2 ms', 'COV411 from 2 ms'],
    ['fault flip a0 bit 3 in replica B at main forever', 'COV411 forever'],
    ['fault flip a0 bit 3 in replica B when read 0x1000', 'COV404 0x1000'],
    ['fault flip a0 bit 3 in replica B when write &block hit 0', 'COV408 0'],
    ['fault flip a0 bit 3 in replica B when a9 == 1', 'COV401 a9'],
    ['fault flip a0 bit 3 in replica B when pc == -0x8000_0000_0000_0001', 'COV406 -0x8000_0000_0000_0001'],
    ['fault flip a0 bit 3 in replica B at input 0', 'COV408 0'],
    ['fault flip input 0 bit 3 in replica B at main', 'COV408 0'],
    ['fault flip input 1 bit 7 in replica B at main', 'COV605 1'],
    ['fault flip a0 bit 7 in replica B at input 3', 'COV605 3'],
    ['fault flip dma bit 7 in replica B at main', 'COV605 dma'],
    ['fault flip branch bit 1 in replica B at main', 'COV402 1'],
    ['fault flip fetch bit 32 in replica B at main', 'COV402 32'],
    ['fault flip store address bit 64 in replica B at main', 'COV402 64'],
    ['fault set branch to 2 in replica B at main', 'COV406 2'],
    ['fault flip 1 random bit of load..x3 in replica B at main', 'COV410 load..x3'],
    ['fault flip a0 bit 3 in replica B at main for 2 ms', 'COV411 for 2 ms'],
    ['expect detected by output, vot', 'COV210 vot'],
    ['expect detected by output, output', 'COV205 output'],
    ['expect exit 1', 'COV501 exit 1'],
    ['expect divergence in block', 'COV407 block'],
    ['expect degraded to dmr', 'COV502 degraded to dmr'],
    ['expect recovered by vote', 'COV502 recovered by vote'],
    ['expect detected by vote', 'COV502 detected by vote'],
    ['expect degraded to none expect redundancy restored', 'COV501 redundancy restored'],
    ['expect detected by machine', 'COV210 machine'],
    ['limit 0 instructions', 'COV306 0 instructions'],
    ['limit 5 parsecs', 'COV105 parsecs'],
    ['seed 1 seed 2', 'COV205 seed'],
    ['chip octa', 'COV201 octa'],
    ['fault flip a0 bit 3 in replica B at store', 'COV101 store'],
    ['expect output contains "\\q"', 'COV103 \\q'],
    ['expect output contains "abc', 'COV102 "abc'],
  ])('%s', async (body, wanted) => {
    expect(await marks(scenario(body))).toEqual([wanted]);
  });

  test.each([
    ['protect dmr on core 0, core 8 { }', 'COV301 8'],
    ['protect dmr on core 1, core 1', 'COV302 core 1'],
    ['protect dmr on core 0, core 1, core 2', 'COV304 core 2'],
    ['protect drm on core 0, core 1', 'COV210 drm'],
    ['protect dmr { epoch 0 instructions }', 'COV306 0 instructions'],
    ['protect dmr { epoch 10 epochs }', 'COV105 epochs'],
    ['protect dmr { isolation ful }', 'COV210 ful'],
    ['protect dmr { compare output every 3 epochs }', 'COV210 3 epochs'],
    ['protect dmr { compare output, stat }', 'COV210 stat'],
    ['protect dmr { uncoordinated tim }', 'COV210 tim'],
    ['protect dmr { uncoordinated rtc, time, rtc }', 'COV205 rtc'],
    ['protect dmr { uncoordinated time, network }', 'COV608 network'],
    ['protect dmr { uncoordinated console }', 'COV608 console'],
    ['protect dmr { uncoordinated disk }', 'COV608 disk'],
    ['protect dmr { uncoordinated entropy }', 'COV608 entropy'],
    ['protect dmr { retry 2 retry 3 }', 'COV205 retry'],
    ['protect dmr { retire after 0 errors in 2 ms }', 'COV106 0'],
    ['protect dmr { retire after 2 errors in 0 ms }', 'COV306 0 ms'],
    ['protect dmr { watchdog 0 epochs }', 'COV306 0 epochs'],
    ['protect tmr on core 0, core 1', 'COV304 core 1'],
  ])('%s', async (protect, wanted) => {
    expect(await marks(scenario('', protect))).toEqual([wanted]);
  });

  test.each([
    ['guest g { elf "none.elf" }', ['COV203 "none.elf"']],
    ['guest g { elf "" }', ['COV203 ""']],
    ['guest g { elf "." }', ['COV203 "."']],
    ['guest g { elf "checksum.elf" ram 5 KiB }', ['COV307 5 KiB']],
    ['guest g { elf "checksum.elf" ram 4 GiB }', ['COV307 4 GiB']],
    ['guest g { elf "checksum.elf" ram 0 MiB }', ['COV306 0 MiB']],
    ['guest g { elf "checksum.elf" harts 5 }', ['COV106 5']],
    ['chip c { cores 0 }', ['COV106 0']],
    ['chip c { cores 2 spare core 2 }', ['COV301 2']],
    ['chip c { cores 2 at 0 GHz }', ['COV306 0 GHz']],
    ['scenario "s" { expect exit 0 }', ['COV206 "s"']],
    ['scenario "" { guest g expect exit 0 } guest g { elf "checksum.elf" }', ['COV206 ""']],
    ['campaign "c" { guest g inject 5 faults seed 3 { flip 1 random bit of x1 in replica B at any instruction between instruction 5 and at 2 ms weight 3 } expect coverage >= 99 % confidence 95 % }\nguest g { elf "checksum.elf" }', ['COV405 B']],
    ['import "here.covert"', ['COV204 "here.covert"']],
    ['import "none.covert"', ['COV203 "none.covert"']],
    ['import ".."', ['COV203 ".."']],
    ['import "\ud800.covert"', ['COV203 "\ud800.covert"']],
    ['guest g { elf "\udc00" }', ['COV203 "\udc00"']],
    ['/* no end', ['COV102 /*']],
    ['chp c { }', ['COV101 chp']],
  ])('%s', async (text, wanted) => {
    expect(await marks(text)).toEqual(wanted);
  });
});

describe('a text that has far too much of something', () => {
  const codesOf = async (text: string): Promise<string[]> => [...new Set((await compile(text)).diagnostics.map(({ code }) => code))].sort();

  test('of mistakes: a thousand are listed, and nothing has a plan that may have one', async () => {
    const { plans, diagnostics } = await compile(`${guest}scenario "s" { guest g expect exit 0 }\n${'chip c { }\n'.repeat(2000)}guest h { ram 16 MiB }\nscenario "t" { guest h expect exit 0 }`);
    expect(diagnostics).toHaveLength(1000);
    // Of the second chip on, a name that is taken; of each, that nobody uses it. A guest without a program makes one more.
    expect(diagnostics.filter(({ message }) => message.includes('not listed'))).toHaveLength(1);
    expect(diagnostics.at(-1)?.message).toMatch(/ \(3000 more of this file are not listed\)$/);
    expect(plans.map(({ name }) => name)).not.toContain('t');
  });

  test('of letters in a name', async () => {
    const { diagnostics } = await compile(`chip ${'a'.repeat(60_000)} { }\nscenario "s" { chip ${'a'.repeat(59_999)} }`);
    expect(diagnostics.map(({ code }) => code)).toEqual(['COV206', 'COV603', 'COV201']);
    for (const { message } of diagnostics) expect(message.length).toBeLessThan(600);
  });

  test('of parts in one list', async () => {
    // More than a call has room for as arguments.
    const codes = await codesOf(`${guest}scenario "s" { guest g fault flip a0 bits ${'1,'.repeat(30_000)}2 in replica B at x }`);
    expect(codes).toContain('COV403');
  });

  test('of everything', async () => {
    const { plans, diagnostics } = await compile(' '.repeat(mostCharacters + 1));
    expect(plans).toEqual([]);
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual(['COV203 this file has 2,097,153 characters, and a scenario file at most 2,097,152: divide it']);
  });
});

test('places that this guest does not have are checked as those of any other', async () => {
  expect(await marks(scenario('fault flip input 1 bit 8 in replica B at main'))).toEqual(['COV605 1', 'COV402 8']);
  expect(await marks(scenario('fault flip dma bit 4096 in replica B at main'))).toEqual(['COV605 dma', 'COV402 4096']);
  expect(await marks(scenario('fault set dma to 0 in replica B at main'))).toEqual(['COV605 dma', 'COV107 dma']);
});

test('a scenario with a mistake gives no plan, the others do', async () => {
  const text = `${guest}scenario "a" { guest g expect exit 0 }\nscenario "b" { guest g expect exti 0 }\nscenario "c" { guest g expect exit 0 }`;
  const { plans, diagnostics } = await compile(text);
  expect(plans.map(({ name }) => name)).toEqual(['a', 'c']);
  expect(diagnostics.map(({ code }) => code)).toEqual(['COV101']);
});

describe('across files', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'covert-compile-'));
    await mkdir(path.join(folder, 'parts'));
    const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);
    const elf = JSON.stringify(path.join(root, 'examples', 'checksum', 'checksum.elf').replaceAll('\\', '/'));
    await write('main.covert', 'import "parts/all.covert"\nscenario "s" { chip c guest g expect exit 0 }');
    await write('parts/all.covert', 'import "chips.covert"\nimport "guests.covert"');
    await write('parts/chips.covert', 'chip c { cores 3 }');
    await write('parts/guests.covert', `guest g { elf ${elf} }`);
    await write('bad.covert', 'import "parts/bad.covert"\nscenario "s" { guest g expect exit 0 }');
    await write('parts/bad.covert', 'guest g { elf "none.elf" }');
    await write('one.covert', 'import "two.covert"\nguest g1 { elf "x" }');
    await write('two.covert', 'import "three.covert"');
    await write('three.covert', 'import "one.covert"');
    await write('odd.covert', ['pipe', 'folder', 'long', 'none'].map((name) => `import "${name}.covert"`).join('\n'));
    await mkdir(path.join(folder, 'folder.covert'));
    await write('long.covert', '');
    await truncate(path.join(folder, 'long.covert'), 2 ** 40);
    if (process.platform !== 'win32') expect(spawnSync('mkfifo', [path.join(folder, 'pipe.covert')]).status).toBe(0);
    await write('twice.covert', 'import "parts/chips.covert"\nimport "parts/../parts/chips.covert"');
  });
  afterAll(() => rm(folder, { recursive: true }));
  const at = (name: string): string => path.join(folder, name);

  test('names come from imports of imports', async () => {
    const { plans, diagnostics } = await compileFile(at('main.covert'));
    expect(diagnostics).toEqual([]);
    expect(plans[0]?.chip.cores).toBe(3);
  });

  test('paths are relative to the file they stand in, and mistakes are told there', async () => {
    const { plans, diagnostics } = await compileFile(at('bad.covert'));
    expect(plans).toEqual([]);
    expect(diagnostics.map(({ code, file, range }) => [code, file, range.file, range.line, range.column])).toEqual([
      ['COV203', at('parts/bad.covert'), at('parts/bad.covert'), 1, 15],
    ]);
  });

  test('a circle is told at every import in it', async () => {
    const { diagnostics } = await compileFile(at('one.covert'));
    const circles = diagnostics.filter(({ code }) => code === 'COV204');
    expect(circles.map(({ file }) => path.basename(file)).sort()).toEqual(['one.covert', 'three.covert', 'two.covert']);
    expect(circles[0]?.message).toContain('two.covert imports three.covert imports one.covert');
  });

  test('a file that is imported twice', async () => {
    const { diagnostics } = await compileFile(at('twice.covert'));
    expect(diagnostics.map(({ code, range }) => [code, range.line])).toEqual([['COV202', 2]]);
  });

  test.skipIf(process.platform === 'win32')('what is no scenario file is not read: a pipe would not end, and a long one takes long', async () => {
    const { diagnostics } = await compileFile(at('odd.covert'));
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'COV203 pipe.covert is no file',
      'COV203 folder.covert is a folder',
      'COV203 long.covert is too large: it has 1,099,511,627,776 bytes of at most 2,097,152',
      'COV203 none.covert does not exist',
    ]);
    await expect(compileFile(at('pipe.covert'))).rejects.toThrow('is no file');
  });

  test('a file that is not there', async () => {
    await expect(compileFile(at('none.covert'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('the examples have no mistakes', async () => {
  for (const file of ['checksum/checksum', 'checksum/units', 'sort/sort', 'ticker/ticker']) {
    const { plans, diagnostics } = await compileFile(path.join(root, 'examples', `${file}.covert`));
    expect(diagnostics).toEqual([]);
    expect(plans.length).toBeGreaterThanOrEqual(3);
  }
});

describe('the comparer', () => {
  test('is struck for all replicas, by a trigger of the first', async () => {
    expect(await faultOf('fault flip comparer bit 0 at instruction 5')).toMatchObject({
      text: 'flip comparer bit 0 at instruction 5', effect: { kind: 'flip', place: { kind: 'comparer' }, bits: [0] }, target: { kind: 'replica', replica: 'A' } });
  });

  test.each([
    ['fault flip comparer bit 0 in replica B at instruction 5', 'COV210 in replica B'],
    ['fault flip comparer bit 1 at instruction 5', 'COV402 1'],
    ['fault set comparer to 1 at instruction 5', 'COV107 comparer'],
    ['fault stick comparer bit 0 at 1 on core 0 at instruction 5', 'COV107 comparer'],
  ])('%s is %s', async (text, mark) => {
    expect(await marks(scenario(text))).toEqual([mark]);
  });

  test('does nothing where nothing is compared', async () => {
    expect(await marks(scenario('fault flip comparer bit 0 at instruction 5', 'protect none'))).toEqual(['COV605 flip comparer bit 0']);
  });
});

describe('the costs of a chip', () => {
  const withCosts = (costs: string): string => `chip c { ${costs} }\n${guest}scenario "s" { chip c guest g expect exit 0 }\n`;

  test.each([
    ['', undefined],
    ['costs { exit 3_963 cycles  compare 0.5 cycles  inject 1 cycle }', { exit: 3963, compare: 0.5, inject: 1 }],
    ['costs prescott', { exit: 3963, sync: 1981, inject: 1981 }],
    ['costs nehalem { sync 7 cycles } ring', { exit: 1009, sync: 7, inject: 504 }],
  ])('%s', async (costs, lowered) => {
    expect((await planOf(withCosts(costs))).chip.costs).toEqual(lowered);
  });

  test.each([
    ['costs { exits 5 cycles }', 'COV210 exits'],
    ['costs { exit 5 us }', 'COV105 us'],
    ['costs { exit 2_000_000_000 cycles }', 'COV106 2_000_000_000'],
    ['costs { exit 5 cycles exit 6 cycles }', 'COV205 exit'],
    ['costs pentium', 'COV210 pentium'],
    ['costs { }', 'COV206 costs'],
    ['costs prescott costs merom', 'COV205 costs'],
  ])('%s is %s', async (costs, mark) => {
    expect(await marks(withCosts(costs))).toEqual([mark]);
  });

  test('are those that an epoch is too short for', async () => {
    const short = (costs: string): string => `chip c { cores 4 ring ${costs} }\n${guest}scenario "s" { chip c guest g protect dmr { epoch 10_000 instructions } expect exit 0 }\n`;
    expect(await marks(short(''))).toEqual([]);
    expect(await marks(short('costs prescott'))).toEqual(['COV604 10_000 instructions']);
  });
});

test('a disk of any guest, and one that is written back', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'covert-disk-'));
  const disk = path.join(folder, 'a.img');
  await writeFile(disk, new Uint8Array(1024));
  const withDisk = (setting: string): string => `guest g { elf "checksum.elf" ${setting} }\nscenario "s" { guest g expect exit 0 }\n`;
  const lowered = async (setting: string): Promise<unknown> => (await planOf(withDisk(setting))).guest.disks?.map(({ image, writable }) => [image.bytes, image.file?.path, writable]);
  expect(await lowered(`disk "${disk}"`)).toEqual([[1024, disk, undefined]]);
  expect(await lowered(`disk "${disk}" writable`)).toEqual([[1024, disk, true]]);
  await truncate(disk, 1000);
  expect(await marks(withDisk(`disk "${disk}" writable`))).toEqual([`COV203 "${disk}"`]);
  expect(await marks(withDisk('disk "none.img" writable'))).toEqual(['COV203 "none.img"']);
  await rm(folder, { recursive: true });
});

describe('forwarded ports', () => {
  const guestWith = (forwards: string): string => `guest g { linux debian  ${forwards} }\n`;
  /** But for those that say that nobody has fetched Debian here. */
  const messages = async (text: string): Promise<string[]> =>
    (await compile(text)).diagnostics.filter(({ code }) => code !== 'COV203').map(({ code, message, span }) => `${code} ${text.slice(span.offset, span.end)}: ${message}`);

  test('are right within their bounds, each once for a protocol', async () => {
    expect(await messages(guestWith('forward tcp 127.0.0.1:8080 to 80  forward udp 127.0.0.1:8080 to 53  forward tcp 127.0.0.2:8080 to 80'))).toEqual([]);
  });

  test.each([
    ['forward sctp 127.0.0.1:1 to 2', 'COV210 sctp: `sctp` is no protocol: `tcp` or `udp`'],
    ['forward tcp 0.0.0.0:8080 to 80', "COV106 0.0.0.0: only addresses of this machine's loopback can be forwarded, 127.0.0.0 to 127.255.255.255, not 0.0.0.0"],
    ['forward tcp 127.0.0.256:8080 to 80', "COV106 127.0.0.256: only addresses of this machine's loopback can be forwarded, 127.0.0.0 to 127.255.255.255, not 127.0.0.256"],
    ['forward tcp 127.0.0.1:0 to 80', 'COV106 0: a port is from 1 to 65535, not 0'],
    ['forward tcp 127.0.0.1:8080 to 65_536', 'COV106 65_536: a port is from 1 to 65535, not 65_536'],
    ['forward tcp 127.0.0.1:81 to 80\nforward tcp 127.0.0.1:81 to 90', 'COV205 81: `tcp 127.0.0.1:81` is already forwarded in line 1'],
  ])('%s', async (forwards, message) => {
    expect(await messages(guestWith(forwards))).toEqual([message]);
  });

  test('are for Linux guests', async () => {
    expect(await messages('guest g { elf "checksum.elf"  forward tcp 127.0.0.1:8080 to 80 }\n')).toEqual(['COV206 forward: `forward` is for Linux guests: say `linux debian` too']);
  });
});

test.each([
  ['fault stuck a0 bit 4 at 1 in replica B at main', '`stuck`; did you mean `stick`?', 'stick'],
  ['fault kil core 1 at 2 ms', '`kil`; did you mean `kill`?', 'kill'],
  ['fault banana', '`banana` (a name of the fault has a `:` behind it)', undefined],
  ['fault flip a0 bit 3 in replica B at main evry 2 ms', '`evry`; did you mean `every`?', 'every'],
  ['fault flip a0 bit 3 in replica B at main every 2 ms untl 4 ms', '`untl`; did you mean `until`?', 'until'],
])('a word that is written wrong: %s', async (statement, ending, mend) => {
  const { diagnostics } = await compile(scenario(statement));
  expect(diagnostics.map(({ code }) => code)).toEqual(['COV101']);
  expect(diagnostics[0]?.message.endsWith(`but found ${ending}`)).toBe(true);
  expect(diagnostics[0]?.fixes.map(({ text }) => text)).toEqual(mend === undefined ? [] : [mend]);
});

test('scenarios whose names are written otherwise and are the same', async () => {
  const one = (name: string): string => `scenario "${name}" { guest g expect exit 0 }\n`;
  const { diagnostics } = await compile(`${guest}${one('a')}${one('\\x61')}`);
  expect(diagnostics.map(({ code, range }) => `${code} ${range.line}`)).toEqual(['COV202 3']);
});

test('a member that is a word of the language stands between backticks', async () => {
  const { diagnostics } = await compile(scenario('fault flip memory[&table[0].`type`].w bit 1 in replica B at main'));
  expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([expect.stringMatching(/^COV211 `.+` has no member `type`/)]);
});

test('a name that may come from a file that is missing is no mistake of its own', async () => {
  const { plans, diagnostics } = await compile('import "nowhere.covert"\nscenario "s" { chip octo guest web expect exit 0 }\n');
  expect(plans).toEqual([]);
  expect(diagnostics.map(({ code, range }) => `${code} ${range.line}`)).toEqual(['COV203 1']);
});

test.each([
  ['memory[0x80ff_ffff].w', "the 4 bytes at 0x80ffffff are not all in the guest's RAM, 0x80000000 to 0x80ffffff"],
  ['memory[0x8100_0000]', "0x81000000 is not in the guest's RAM, 0x80000000 to 0x80ffffff"],
])('%s', async (place, message) => {
  const { diagnostics } = await compile(scenario(`fault flip ${place} bit 1 in replica B at main`));
  expect(diagnostics.map((one) => `${one.code} ${one.message}`)).toEqual([`COV404 ${message}`]);
});

test('what is nothing is told as what it is', async () => {
  const told = async (text: string): Promise<string[]> => (await compile(text)).diagnostics.filter(({ code }) => code === 'COV306').map(({ message }) => message);
  expect(await told('guest g { elf "checksum.elf" ram 0 MiB }\nscenario "s" { guest g expect exit 0 }')).toEqual(['RAM must be more than zero']);
  expect(await told(scenario('', 'protect dmr { watchdog 0 epochs }'))).toEqual([expect.stringContaining('must be longer than zero')]);
});

describe('a target behind the trigger is one error, with where it belongs', () => {
  test.each([
    ['fault flip a0 bit 3 at main hit 2 in replica B', 'in replica B', 'fault flip a0 bit 3 in replica B at main hit 2'],
    ['fault set a0 to 1 at 2 ms on core 1', 'on core 1', 'fault set a0 to 1 on core 1 at 2 ms'],
    ['fault flip memory[&block] bit 3 at main once in replica A', 'in replica A', 'fault flip memory[&block] bit 3 in replica A at main once'],
  ])('%s', async (written, target, mended) => {
    const text = scenario(written);
    const { diagnostics } = await compile(text);
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([`COV101 \`${target}\` stands before the trigger`]);
    const [fix] = diagnostics[0]?.fixes ?? [];
    if (!fix) throw new Error('there is no mend');
    const after = text.slice(0, fix.span.offset) + fix.text + text.slice(fix.span.end);
    expect(after).toBe(scenario(mended));
    expect((await compile(after)).diagnostics).toEqual([]);
  });
});

test('behind a broken head nothing is said that is not so', async () => {
  expect((await compile(`${guest}scenario x {\n  guest g\n  expect exit 0\n}\n`)).diagnostics.map(({ code, range }) => `${code} ${range.line}`)).toEqual(['COV101 2']);
});
