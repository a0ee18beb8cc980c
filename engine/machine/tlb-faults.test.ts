import { describe, expect, it } from 'vitest';
import { asm, kernelImage, ramBase } from './guest.test-support';
import { Machine } from './machine';
import { tiers, type Tier } from './tier';
import type { TranslationUpset } from './types';

// Sv39 with one gigabyte page for the program where it stands, and pages of 4 KiB from 0x4000_0000 on.
const [V, R, W, X, G, A, D] = [1n, 2n, 4n, 8n, 32n, 64n, 128n];
const all = 0xffff_ffff_ffff_ffffn;
const root = ramBase + 0x8000n;
const table = ramBase + 0xa000n;
const window = 0x4000_0000n;
const dataPage = (page: number): bigint => ramBase + BigInt(0x10 + page) * 0x1000n;
const leafOf = (page: number): bigint => table + BigInt(page) * 8n;
const ppn = (address: bigint): bigint => (address >> 12n) << 10n;
const right = V | R | W | X | A | D;
const loop = asm.jal(0, 0);
const sfence = (rs1: number, rs2: number): number => ((9 << 25) | (rs2 << 20) | (rs1 << 15) | 0x73) >>> 0;
const sd = (rs2: number, rs1: number, imm: number): number => ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (3 << 12) | ((imm & 31) << 7) | 0x23) >>> 0;
const flip = (bits: bigint, address = window): TranslationUpset => ({ address, keep: all, flip: bits });

interface Setting {
  leaf?: bigint;
  asid?: bigint;
  harts?: number;
  /** Whether hardware sets A and D. */
  updates?: boolean;
}

function put(machine: Machine, at: bigint, value: bigint): void {
  machine.writeMemory(at, new Uint8Array(BigUint64Array.of(value).buffer));
}
function get(machine: Machine, at: bigint): bigint {
  return new DataView(machine.readMemory(at, 8)?.buffer ?? new ArrayBuffer(8)).getBigUint64(0, true);
}

function map(machine: Machine, leaf: bigint): void {
  put(machine, root + 16n, ppn(ramBase) | V | R | W | X | G | A | D);
  put(machine, root + 8n, ppn(table + 0x1000n) | V);
  put(machine, table + 0x1000n, ppn(table) | V);
  for (let page = 0; page < 16; page++) {
    put(machine, leafOf(page), ppn(dataPage(page)) | leaf);
    put(machine, dataPage(page), BigInt(page));
  }
}

/** Supervisor code at the start of RAM, with x6 at the window, x8 and x9 as roots of address spaces. Data pages hold their numbers. */
function machineOf(words: readonly number[], tier: Tier, { leaf = right, asid = 0n, harts = 1, updates = true }: Setting = {}): Machine {
  const machine = Machine.create({ ramBytes: 2 ** 20, tier, harts });
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  // Each hart begins with an mret to supervisor mode.
  machine.load({ entry: ramBase + 0x4000n, segments: [{ address: ramBase, data: bytes, memoryBytes: bytes.length }] });
  put(machine, ramBase + 0x4000n, BigInt(asm.mret));
  map(machine, leaf);
  for (let hart = 0; hart < harts; hart++) {
    for (const [number, value] of [[0x3b0, 0x3f_ffff_ffff_ffffn], [0x3a0, 0x1fn], [0x30a, updates ? 1n << 61n : 0n], [0x300, 1n << 11n], [0x341, ramBase], [0x180, (8n << 60n) | (asid << 44n) | (root >> 12n)]] as const) machine.setCsr(number, value, hart);
    machine.setX(6, window, hart);
    machine.setX(8, (8n << 60n) | (7n << 44n) | (root >> 12n), hart);
    machine.setX(9, (8n << 60n) | (asid << 44n) | (root >> 12n), hart);
    machine.setX(10, asid, hart);
  }
  return machine;
}

/** Has it stand in supervisor mode at the program's start. */
function started(words: readonly number[], tier: Tier, setting: Setting = {}): Machine {
  const machine = machineOf(words, tier, setting);
  machine.run(machine.retired + 1);
  expect([machine.pc, machine.traps().exceptions]).toEqual([ramBase, 0]);
  return machine;
}

function runOn(machine: Machine, instructions: number): void {
  for (const end = machine.retired + instructions; machine.retired < end; ) if (!['limit', 'upset'].includes(machine.run(end))) return;
}

describe.each(tiers)('tier %s', (tier) => {
  it('waits for a walk, changes what is found, and stays until it is fenced off', () => {
    const code = [asm.addi(0, 0, 0), asm.ld(5, 6, 0), asm.ld(7, 6, 0), sd(8, 6, 8), sfence(0, 0), asm.ld(11, 6, 0), asm.ld(12, 6, 8), loop];
    const machine = started(code, tier);
    machine.setTranslationUpsets([flip(ppn(0x2000n))]);
    expect(machine.wrongTranslations).toEqual([]);
    expect(machine.run(100)).toBe('upset');
    expect(machine.takeStruckTranslations()).toEqual([{ page: window, before: ppn(dataPage(0)) | right, pc: ramBase + 4n }]);
    expect(machine.takeStruckTranslations()).toEqual([]);
    expect(machine.wrongTranslations).toHaveLength(1);
    expect(machine.run(100)).toBe('limit');
    // Both loads and the store went two pages on; behind the fence all is as the tables say.
    expect([machine.getX(5), machine.getX(7), machine.getX(11), machine.getX(12)]).toEqual([2n, 2n, 0n, 0n]);
    expect([get(machine, dataPage(2) + 8n), get(machine, dataPage(0) + 8n)]).toEqual([machine.getX(8), 0n]);
    expect([machine.wrongTranslations, get(machine, leafOf(0))]).toEqual([[], ppn(dataPage(0)) | right]);
  });

  it('in a loop it is as wrong at full speed, in whatever the tier makes of it', () => {
    // ld x5, 0(x6); add x7 += x5 by addi where it is 2: x7 counts loads of 2.
    const code = [asm.ld(5, 6, 0), (0x33 | (7 << 7) | (7 << 15) | (5 << 20)) >>> 0, asm.jal(0, -8)];
    const machine = started(code, tier);
    runOn(machine, 3000);
    expect(machine.getX(7)).toBe(0n);
    machine.setTranslationUpsets([flip(ppn(0x2000n))]);
    runOn(machine, 300_000);
    expect(machine.getX(7)).toBe(200_000n);
    if (tier === 'translator') expect(machine.translated.retired).toBeGreaterThan(290_000);
  });

  it('stores to page tables do not mend it', () => {
    const code = [asm.ld(5, 6, 0), sd(13, 14, 0), asm.ld(7, 6, 0), sfence(6, 0), asm.ld(11, 6, 0), loop];
    const machine = started(code, tier);
    machine.setX(13, ppn(dataPage(9)) | right);
    machine.setX(14, leafOf(0));
    machine.setTranslationUpsets([flip(ppn(0x2000n))]);
    runOn(machine, 10);
    expect([machine.getX(5), machine.getX(7), machine.getX(11)]).toEqual([2n, 2n, 9n]);
  });

  it.each([
    ['of another page', sfence(14, 0), 2n],
    ['of the page', sfence(6, 0), 0n],
    ['of its address space', sfence(0, 10), 0n],
    ['of the page in its address space', sfence(6, 10), 0n],
    ['of another address space', sfence(0, 15), 2n],
  ])('a fence %s', (_, fence, then) => {
    const machine = started([asm.ld(5, 6, 0), fence, asm.ld(7, 6, 0), loop], tier, { asid: 3n });
    machine.setX(14, window + 0x1000n);
    machine.setX(15, 4n);
    machine.setTranslationUpsets([flip(ppn(0x2000n))]);
    runOn(machine, 8);
    expect([machine.getX(5), machine.getX(7)]).toEqual([2n, then]);
  });

  it('a fence of an address space leaves what belongs to all of them, and a flipped G makes it belong to them', () => {
    const code = [asm.ld(5, 6, 0), sfence(0, 10), asm.csrrw(0, 0x180, 8), asm.ld(7, 6, 0), asm.csrrw(0, 0x180, 9), sfence(0, 0), asm.ld(11, 6, 0), loop];
    const machine = started(code, tier, { asid: 3n });
    machine.setTranslationUpsets([flip(ppn(0x2000n) | G)]);
    runOn(machine, 12);
    expect([machine.getX(5), machine.getX(7), machine.getX(11)]).toEqual([2n, 2n, 0n]);
  });

  it('belongs to the address space by its ASID, and is gone with a write of satp where there are none', () => {
    const code = [asm.ld(5, 6, 0), asm.csrrw(0, 0x180, 8), asm.ld(7, 6, 0), asm.csrrw(0, 0x180, 9), asm.ld(11, 6, 0), loop];
    const [tagged, plain] = [started(code, tier, { asid: 3n }), started(code, tier, { asid: 0n })];
    for (const machine of [tagged, plain]) {
      machine.setTranslationUpsets([flip(ppn(0x2000n))]);
      runOn(machine, 8);
    }
    expect([tagged.getX(5), tagged.getX(7), tagged.getX(11)]).toEqual([2n, 0n, 2n]);
    expect([plain.getX(5), plain.getX(7), plain.getX(11)]).toEqual([2n, 0n, 0n]);
  });

  it('permissions as they are there: a page fault where memory’s entry has none, once', () => {
    // The handler fences and comes back.
    const code = [sd(8, 6, 8), asm.addi(5, 0, 1), loop, asm.addi(0, 0, 0), asm.addi(0, 0, 0), sfence(0, 0), 0x10200073];
    const machine = started(code, tier);
    machine.setCsr(0x105, ramBase + 20n);
    machine.setCsr(0x302, 1n << 15n);
    machine.setTranslationUpsets([flip(W)]);
    runOn(machine, 10);
    expect([machine.traps().exceptions, machine.traps().cause, machine.getX(5), get(machine, dataPage(0) + 8n)]).toEqual([1, 15, 1n, machine.getX(8)]);
    // And none where it has some: the walk of the load has found it.
    const writing = started([asm.ld(5, 6, 0), sd(8, 6, 8), loop], tier, { leaf: right & ~W });
    writing.setTranslationUpsets([flip(W)]);
    runOn(writing, 3);
    expect([writing.traps().exceptions, get(writing, dataPage(0) + 8n)]).toEqual([0, writing.getX(8)]);
  });

  it('an address outside of RAM takes an access fault, and a device’s goes to the device', () => {
    const machine = started([asm.ld(5, 6, 0), loop], tier);
    machine.setCsr(0x305, ramBase + 0x200n);
    machine.setTranslationUpsets([flip(1n << 50n)]);
    runOn(machine, 1);
    expect([machine.traps().exceptions, machine.traps().cause]).toEqual([1, 5]);
    const device = started([asm.addi(5, 0, 65), asm.sb(5, 6, 0), loop], tier);
    device.setTranslationUpsets([{ address: window, keep: 0n, flip: ppn(0x1000_0000n) | right }]);
    runOn(device, 4);
    expect(device.takeOutputs()).toMatchObject([{ kind: 'console', value: 65 }]);
  });

  it('one that is not valid, or lacks a bit that hardware would set, is walked for anew; where it does not, it faults', () => {
    for (const bits of [V, D]) {
      const machine = started([sd(8, 6, 8), asm.ld(5, 6, 0), loop], tier);
      machine.setTranslationUpsets([flip(bits | ppn(0x2000n))]);
      expect(machine.run(10)).toBe('upset');
      runOn(machine, 5);
      expect([machine.wrongTranslations.length, get(machine, dataPage(0) + 8n), machine.getX(5)]).toEqual([0, machine.getX(8), 0n]);
    }
    const faulting = started([sd(8, 6, 8), loop], tier, { updates: false });
    faulting.setTranslationUpsets([flip(D)]);
    faulting.run(faulting.retired + 1);
    expect(faulting.traps()).toMatchObject({ exceptions: 1, cause: 15 });
  });

  it('fetches use it, too: another page of code runs', () => {
    const machine = started([asm.addi(7, 7, 1), (0x67 | (6 << 15) | (1 << 7)) >>> 0, asm.addi(11, 5, 0), loop], tier);
    const routine = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(asm.addi(5, 0, value), (0x67 | (1 << 15)) >>> 0).buffer);
    machine.writeMemory(dataPage(0), routine(10));
    machine.writeMemory(dataPage(2), routine(20));
    machine.setTranslationUpsets([flip(ppn(0x2000n))]);
    runOn(machine, 6);
    expect([machine.getX(7), machine.getX(11)]).toEqual([1n, 20n]);
  });

  it('of a large page, all its addresses, and bits below its size do nothing', () => {
    // The second level has a leaf of 2 MiB at the start of RAM; ld from its page 0x12.
    const setting = { leaf: right };
    const code = [asm.lui(14, 0x40012), asm.ld(5, 14, 0), asm.ld(7, 6, 0), loop];
    const large = (machine: Machine): void => put(machine, table + 0x1000n, ppn(ramBase) | right);
    const machine = started(code, tier, setting);
    large(machine);
    machine.setTranslationUpsets([flip(ppn(0x1000n), window + 0x12000n)]);
    runOn(machine, 4);
    expect([machine.wrongTranslations.length, machine.getX(5)]).toEqual([1, 2n]);
    // Whichever of them is used first.
    const beside = started([asm.ld(7, 6, 0), ...code.slice(0, 2), loop], tier, setting);
    large(beside);
    beside.setTranslationUpsets([flip(V | ppn(0x1000n) | (1n << 19n), window + 0x12000n)]);
    expect(beside.run(100)).toBe('upset');
    expect(beside.takeStruckTranslations()).toMatchObject([{ page: window + 0x12000n, pc: ramBase }]);
    const gone = started(code, tier, setting);
    large(gone);
    gone.setTranslationUpsets([flip(1n << 21n << 10n >> 12n << 3n, window + 0x12000n)]);
    runOn(gone, 2);
    // One bit above its size: outside of a RAM of a mebibyte, for each address in it.
    expect(gone.traps()).toMatchObject({ cause: 5 });
  });

  it('where nothing is translated it waits on', () => {
    const machine = started([loop], tier);
    machine.setCsr(0x180, 0n);
    machine.setTranslationUpsets([flip(ppn(0x2000n), ramBase)]);
    expect(machine.run(machine.retired + 500)).toBe('limit');
    expect([machine.takeStruckTranslations(), machine.wrongTranslations]).toEqual([[], []]);
  });

  it('bits that stick are in each entry for the page, fenced off or not, until they go', () => {
    const code = [asm.ld(5, 6, 0), sfence(0, 0), asm.ld(7, 6, 0), asm.jal(0, -12)];
    const machine = started(code, tier);
    machine.setStuckBits([{ place: { kind: 'tlb', address: window + 5n }, bits: ppn(0x2000n), value: 1 }, { place: { kind: 'tlb', address: window + 0x1000n }, bits: V, value: 0 }]);
    runOn(machine, 40);
    expect([machine.getX(5), machine.getX(7)]).toEqual([2n, 2n]);
    machine.setStuckBits([]);
    runOn(machine, 40);
    expect([machine.getX(5), machine.getX(7)]).toEqual([0n, 0n]);
  });

  it('are no part of the state: a restore leaves none, and who goes back in time gives them back', () => {
    const code = [asm.ld(5, 6, 0), asm.ld(7, 6, 0), asm.ld(11, 6, 0), loop];
    const machine = started(code, tier);
    machine.setTranslationUpsets([flip(ppn(0x2000n))]);
    runOn(machine, 2);
    const [between, wrong] = [machine.snapshot(), machine.wrongTranslations];
    expect(wrong).toHaveLength(1);
    runOn(machine, 2);
    expect([machine.getX(5), machine.getX(7), machine.getX(11)]).toEqual([2n, 2n, 2n]);
    machine.restore(between);
    expect(machine.wrongTranslations).toEqual([]);
    runOn(machine, 2);
    expect(machine.getX(11)).toBe(0n);
    machine.restore(between);
    machine.wrongTranslations = wrong;
    runOn(machine, 2);
    expect(machine.getX(11)).toBe(2n);
  });

  it('one that waits is struck at the same instruction however the run is cut, with the walk of a store, too', () => {
    const code = [asm.addi(5, 5, 1), asm.addi(5, 5, 1), sd(5, 6, 8), asm.addi(5, 5, 1), asm.jal(0, -16)];
    const states = [1, 2, 3, 1000].map((size) => {
      const machine = started(code, tier);
      runOn(machine, 101);
      machine.setTranslationUpsets([flip(ppn(0x4000n))]);
      const end = machine.retired + 500;
      while (machine.retired < end) machine.run(Math.min(end, machine.retired + size));
      return { hash: machine.snapshot().hash(), cycles: machine.cycles, struck: machine.takeStruckTranslations() };
    });
    for (const state of states) expect(state).toEqual(states[0]);
    expect(states[0]?.struck).toHaveLength(1);
  });
});

it('each hart has its own', () => {
  const code = [asm.ld(5, 6, 0), asm.addi(7, 7, 1), asm.jal(0, -8)];
  const machine = started(code, 'interpreter', { harts: 2 });
  machine.setTranslationUpsets([flip(ppn(0x2000n))]);
  runOn(machine, 12_000);
  expect([machine.getX(5, 0), machine.getX(5, 1)]).toEqual([2n, 0n]);
  expect(machine.getX(7, 1)).toBeGreaterThan(100n);
});

it('the firmware fences off other harts’', () => {
  // sbi_remote_sfence_vma of hart 1, then of hart 0, from hart 0.
  const call = (mask: number): number[] => [asm.addi(10, 0, mask), asm.addi(11, 0, 0), asm.addi(12, 0, 0), asm.addi(13, 0, 0), asm.addi(16, 0, 1), asm.ecall];
  const code = [asm.ld(5, 6, 0), ...call(2), asm.ld(7, 6, 0), ...call(1), asm.ld(14, 6, 0), loop];
  const machine = Machine.create({ ramBytes: 4 * 2 ** 20, harts: 2 });
  machine.loadKernel(kernelImage(code));
  map(machine, right);
  machine.setCsr(0x180, (8n << 60n) | (root >> 12n));
  machine.setX(6, window);
  machine.setX(17, 0x52464e43n);
  machine.setTranslationUpsets([flip(ppn(0x2000n))]);
  runOn(machine, 30);
  expect([machine.getX(5), machine.getX(7), machine.getX(14)]).toEqual([2n, 2n, 0n]);
});
