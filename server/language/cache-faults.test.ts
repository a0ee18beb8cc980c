import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FaultPlan, Plan } from '../../engine/covert/plan';
import { compileFile, type Diagnostic } from './compile';

const here = path.resolve(import.meta.dirname, '../../examples/checksum/here.covert');

function compile(body: string, chip = '', protect = 'protect dmr on core 0, core 1'): Promise<{ plans: Plan[]; diagnostics: Diagnostic[] }> {
  const text = `chip c { cores 8 at 2 GHz l2 8 banks of 64 KiB memory 4 controllers ring ${chip} }\nguest g { elf "checksum.elf" ram 16 MiB }\nscenario "s" {\nchip c\nguest g\n${protect}\nexpect exit 0\n${body}\n}\n`;
  return compileFile(here, { text });
}

async function planOf(body: string, chip?: string): Promise<Plan> {
  const { plans, diagnostics } = await compile(body, chip);
  expect(diagnostics).toEqual([]);
  const [plan] = plans;
  if (!plan) throw new Error('no plan');
  return plan;
}

async function said(body: string, chip?: string, protect?: string): Promise<string[]> {
  return (await compile(body, chip, protect)).diagnostics.map(({ code, severity, message }) => `${severity} ${code} ${message}`);
}

describe('faults of caches and messages', () => {
  test.each<[string, Partial<FaultPlan>]>([
    ['fault flip l1d line 0x80002050 byte 3 bit 2 in replica B at main', { effect: { kind: 'flip', place: { kind: 'line', cache: 'l1d', address: 0x8000_2043n }, bits: [2] }, target: { kind: 'replica', replica: 'B' } }],
    ['fault set l1i line main byte 0 to 0xff on core 1 at 2 us', { effect: { kind: 'set', place: { kind: 'line', cache: 'l1i', address: 0x8000_03c0n }, value: 255n }, target: { kind: 'core', core: 1 } }],
    // B's domain has banks 1 to 4.
    ['fault flip l2 bank 2 line 0x80002040 byte 63 bits 0..7 at instruction 5', { effect: { kind: 'flip', place: { kind: 'line', cache: 'l2', address: 0x8000_207fn }, bits: [0, 1, 2, 3, 4, 5, 6, 7] }, target: { kind: 'component', component: 'l2 bank 2' } }],
    ['fault drop message on link 2 -> 1 at instruction 5', { effect: { kind: 'message', how: 'drop', from: 2, to: 1 }, target: { kind: 'component', component: 'link 1 -> 2' } }],
    ['fault corrupt message on link 7 -> 0 when write &sums', { effect: { kind: 'message', how: 'corrupt', from: 7, to: 0 }, target: { kind: 'component', component: 'link 7 -> 0' } }],
    ['fault duplicate message on link 1 -> 2 at output 3 once', { effect: { kind: 'message', how: 'duplicate', from: 1, to: 2 } }],
  ])('%s', async (text, fault) => {
    const plan = await planOf(text);
    expect(plan.faults).toMatchObject([fault]);
    expect(plan.chip.timing).toBe('detailed');
  });

  test('no other fault makes timing detailed', async () => {
    expect((await planOf('fault stick l2 bank 2 line 0x80002040 byte 0 bit 4 at 0 at main')).chip.timing).toBeUndefined();
    expect((await planOf('')).chip.timing).toBeUndefined();
  });

  test.each<[string, string]>([
    ['fault flip l1d line 0x80002040 byte 64 bit 2 in replica B at main', 'error COV106 a byte of a line is from 0 to 63, not 64'],
    ['fault flip l1d line 0x80002040 byte 6 bit 8 in replica B at main', 'error COV402 l1d line 0x80002040 byte 6 has bits 0 to 7, no bit 8'],
    ['fault flip l1d line 0x70002040 byte 6 bit 0 in replica B at main', "error COV404 0x70002040 is not in the guest's RAM, 0x80000000 to 0x80ffffff"],
    ['fault flip l1d line 0x80002040 byte 6 bit 0 at main', 'error COV409 say where it strikes: `in replica B` or `on core N`'],
    ['fault flip l2 bank 9 line 0x80002040 byte 6 bit 0 at main', 'error COV309 c has L2 banks 0 to 7, no L2 bank 9'],
    ['fault flip l2 bank 2 line 0x80002040 byte 6 bit 0 in replica B at main', 'error COV210 the bank is what this strikes already: leave out `in replica B`'],
    ['fault flip l2 bank 3 line 0x80002040 byte 6 bit 0 at main', 'warning COV605 no replica has this line in l2 bank 3, but in bank 5 for replica A, 2 for replica B: this never strikes'],
    ['fault flip 2 random bits of l2 bank 2 line 0x80002040 byte 6, a0 at main', "error COV409 bits are drawn from lines of one bank, or from places that are no bank's"],
    ['fault set l1d line 0x80002040 byte 6 to 256 in replica B at main', 'error COV406 this value does not fit into the 8 bits of l1d line 0x80002040 byte 6'],
    ['fault drop message on link 1 -> 3 at main', 'error COV309 c has no link 1 -> 3: links join a node with the next one, 0 -> 1 to 7 -> 0'],
    ['fault drop message on link 1 -> 2 on core 1 at main', 'error COV210 the link is what this strikes already: leave out `on core 1`'],
    ['fault drop message on link 0 -> 1 at main', "warning COV605 no replica's messages cross this link under isolation `full`: it is cut, so this never strikes"],
    ['fault stick l1d line 0x80002040 byte 6 bit 0 at 1 in replica B at main', 'error COV107 not available yet: bits of l1d line 0x80002040 byte 6 that stick (those of registers, memory, `l2 bank`, units of the core and TLB entries can)'],
  ])('%s', async (text, message) => {
    expect(await said(text)).toEqual([message]);
  });
});

describe('the timing of a chip', () => {
  test('has defaults, which a chip may change, in any unit of time and wherever its clock stands', async () => {
    expect((await planOf('', 'timing detailed')).chip).toMatchObject({ timing: 'detailed' });
    expect((await planOf('', 'timing fast')).chip).toMatchObject({ timing: 'fast' });
    const { chip } = await planOf('', 'timing detailed { memory 60 ns l1i 16 KiB l1d 8 KiB 2 ways l2 4 ways bank 10 cycles link 2 cycles }');
    expect(chip.memoryTiming).toEqual({ memory: 120, l1iBytes: 16384, l1iWays: 8, l1dBytes: 8192, l1dWays: 2, l2Ways: 4, bank: 10, link: 2 });
  });

  test.each<[string, string]>([
    ['timing slow', 'error COV210 `slow` is no level of timing: `fast` or `detailed`'],
    ['timing detailed { l1d 20 KiB 4 ways }', 'error COV308 a first-level cache of 4 ways has 256 bytes, or twice as many, or four times, …, up to 16 MiB: not 20480'],
    ['timing detailed { l1d 32 KiB 0 ways }', 'error COV106 a number of ways is from 1 to 64, not 0'],
    ['timing detailed { bank 3 epochs }', 'error COV105 this is counted in `cycles` of a core, or in a time'],
    ['timing detailed { bank 3 s }', 'error COV106 a message takes at most 1000000 cycles, not 6000000000'],
    ['timing detailed { bank 3 cycles bank 4 cycles }', 'error COV205 `bank` is already set in line 1'],
    ['timing fast { bank 3 cycles }', 'warning COV606 under `timing fast` there are no caches: this has no effect'],
  ])('%s', async (chip, message) => {
    expect(await said('', chip)).toEqual([message]);
  });

  test('a fault of a cache takes caches, whatever the chip says, which is told', async () => {
    const { plans, diagnostics } = await compile('fault flip l1d line &sums byte 3 bit 2 in replica B at main', 'timing fast');
    expect(diagnostics.map(({ code }) => code)).toEqual(['COV606']);
    expect(plans[0]?.chip.timing).toBe('detailed');
  });
});
