import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asm, ramBase } from '../machine/guest.test-support';
import { Machine, type Tier } from '../machine/machine';

const bne = (rs1: number, rs2: number, offset: number): number =>
  ((((offset >> 12) & 1) << 31) | (((offset >> 5) & 0x3f) << 25) | (rs2 << 20) | (rs1 << 15) | (1 << 12) | (((offset >> 1) & 15) << 8) | (((offset >> 11) & 1) << 7) | 0x63) >>> 0;
const add = (rd: number, rs1: number, rs2: number): number => ((rs2 << 20) | (rs1 << 15) | (rd << 7) | 0x33) >>> 0;
const jalr = (rd: number, rs1: number, imm: number): number => (((imm & 0xfff) << 20) | (rs1 << 15) | (rd << 7) | 0x67) >>> 0;
const amoaddW = (rd: number, rs2: number, rs1: number): number => ((rs2 << 20) | (rs1 << 15) | (2 << 12) | (rd << 7) | 0x2f) >>> 0;
const mul = (rd: number, rs1: number, rs2: number): number => ((1 << 25) | (rs2 << 20) | (rs1 << 15) | (rd << 7) | 0x33) >>> 0;

const data = 0x400;
const [counter, sum, pointer, link, other, target] = [5, 6, 7, 1, 28, 29];

/** A loop that loads, stores, calls a function, jumps over something, and never ends. */
const loop = [
  asm.auipc(pointer, 1),
  asm.addi(pointer, pointer, data),
  asm.addi(target, 0, 7),
  // The loop.
  asm.addi(counter, counter, 1),
  asm.lw(other, pointer, 0),
  add(sum, sum, other),
  asm.sw(sum, pointer, 4),
  asm.jal(link, 24), // the function
  bne(counter, target, 8),
  asm.addi(sum, sum, 3),
  amoaddW(other, counter, pointer),
  asm.jal(0, -32),
  asm.jal(0, 0),
  // The function.
  mul(sum, sum, target),
  jalr(0, link, 0),
];

function machineOf(words: readonly number[], tier: Tier): Machine {
  const machine = Machine.create({ ramBytes: 64 * 1024, tier });
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  machine.load({ entry: ramBase, segments: [{ address: ramBase, data: bytes, memoryBytes: bytes.length }] });
  return machine;
}

const stateOf = (machine: Machine): unknown[] => [machine.retired, machine.pc, machine.cycles, machine.snapshot().hash()];

const ways = [['call', 'auto'], ['call', 'translator'], ['jump', 'auto'], ['jump', 'translator']] as const;

/** A loop that goes over the next page, over and over: by a call of another function, or by a jump, which is translated with it. */
function farLoop(tier: Tier, way: 'call' | 'jump'): Machine {
  const machine = machineOf([asm.addi(counter, counter, 1), asm.jal(way === 'call' ? link : 0, 4096 - 4), asm.jal(0, -8)], tier);
  const back = way === 'call' ? jalr(0, link, 0) : asm.jal(0, 8 - 4100);
  machine.writeMemory(ramBase + 4096n, new Uint8Array(Uint32Array.of(asm.addi(sum, sum, 3), back).buffer));
  return machine;
}

it.each(ways)('a %s to what was translated on another page goes to what stands there now, tier %s', (way, tier) => {
  fc.assert(
    fc.property(fc.array(fc.record({ budget: fc.integer({ min: 1, max: 900_000 }), adds: fc.nat(2000), kind: fc.constantFrom('write', 'write here', 'breakpoint', 'none') }), { minLength: 1, maxLength: 6 }), (steps) => {
      const [ours, theirs] = [farLoop(tier, way), farLoop('interpreter', way)];
      for (const { budget, adds, kind } of [{ budget: 1_500_000, adds: 0, kind: 'none' }, ...steps]) {
        for (const machine of [ours, theirs]) {
          machine.setBreakpoints(kind === 'breakpoint' ? [ramBase + 4100n] : []);
          if (kind === 'write') machine.writeMemory(ramBase + 4096n, new Uint8Array(Uint32Array.of(asm.addi(sum, sum, adds)).buffer));
          if (kind === 'write here') machine.writeMemory(ramBase, new Uint8Array(Uint32Array.of(asm.addi(counter, counter, adds)).buffer));
        }
        const limit = ours.retired + budget;
        expect(ours.run(limit, { stepOver: true })).toBe(theirs.run(limit, { stepOver: true }));
        expect(ours.snapshot().hash()).toBe(theirs.snapshot().hash());
      }
      expect(ours.translated.retired).toBeGreaterThan(500_000);
    }),
    // Run hot, overwritten, and run again: what a page's drops are counted for.
    { numRuns: 12, examples: [[[{ budget: 300_000, adds: 7, kind: 'write' }]], [[{ budget: 300_000, adds: 7, kind: 'write here' }]]] },
  );
});

const changes: readonly [string, (machine: Machine) => void][] = [
  ['a watch', (machine) => machine.setWatches([{ address: ramBase + 4096n + BigInt(data), bytes: 4, on: 'read' }])],
  // MPRV with MPP for user mode, which no region of memory protection lets read.
  ['the privilege of loads', (machine) => void machine.setCsr(0x300, 1n << 17n)],
  // A locked region of all addresses without rights to read, but for instructions.
  ['a locked region', (machine) => void (machine.setCsr(0x3b0, 0x3f_ffff_ffff_ffffn) && machine.setCsr(0x3a0, 0x9cn))],
];

/** Loads in a loop that the translator enters behind a call, so that the next one is its. */
const loading = [asm.auipc(pointer, 1), asm.addi(pointer, pointer, data), asm.lw(other, pointer, 0), add(sum, sum, other), asm.jal(link, 8), asm.jal(0, -12), jalr(0, link, 0)];

it.each(changes)('%s is seen by loads in machine mode that were translated without it', (_, change) => {
  // Wherever in the loop it comes.
  for (let past = 0; past < 5; past++) {
    const [ours, theirs] = [machineOf(loading, 'auto'), machineOf(loading, 'interpreter')];
    for (const machine of [ours, theirs]) {
      machine.run(2_000_000 + past);
      change(machine);
    }
    expect(ours.translated.retired).toBeGreaterThan(1_000_000);
    expect(ours.run(2_100_000)).toBe(theirs.run(2_100_000));
    expect(ours.snapshot().hash()).toBe(theirs.snapshot().hash());
    // It has made a difference: a stop, or a trap that nobody handles.
    expect(theirs.retired).toBeLessThan(2_000_020);
  }
});

describe.each(['auto', 'translator'] as const)('translated code, tier %s', (tier) => {
  it('is what mostly runs, and ends at any count with the state that the interpreter has there', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700_000 }), { minLength: 1, maxLength: 6 }), (steps) => {
        const [ours, theirs] = [machineOf(loop, tier), machineOf(loop, 'interpreter')];
        ours.run(1_500_000);
        theirs.run(1_500_000);
        for (const step of steps) {
          expect(ours.run(ours.retired + step)).toBe('limit');
          theirs.run(theirs.retired + step);
          expect(stateOf(ours)).toEqual(stateOf(theirs));
        }
        expect(ours.translated.retired).toBeGreaterThan(ours.retired / 2);
        expect(theirs.translated.retired).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('stops at a breakpoint inside of it, before the instruction, every time', () => {
    const machine = machineOf(loop, tier);
    machine.run(300_000);
    const at = ramBase + 4n * 13n;
    machine.setBreakpoints([at]);
    for (let i = 0; i < 5; i++) {
      const before = machine.retired;
      expect(machine.run(before + 1000, { stepOver: true })).toBe('breakpoint');
      expect(machine.pc).toBe(at);
      if (i > 0) expect(machine.retired - before).toBe(10);
    }
    machine.setBreakpoints([]);
    expect(machine.run(machine.retired + 100_000)).toBe('limit');
  });

  it('stops after a watched store', () => {
    const machine = machineOf(loop, tier);
    machine.run(300_000);
    machine.setWatches([{ address: ramBase + BigInt(4096 + data) + 4n, bytes: 4, on: 'write' }]);
    for (let i = 0; i < 5; i++) {
      expect(machine.run(machine.retired + 1000)).toBe('watch');
      expect(machine.pc).toBe(ramBase + 4n * 7n);
    }
  });

  it('goes on as ever where what is watched is on another page', () => {
    const machine = machineOf(loop, tier);
    machine.run(1_000_000);
    const { retired } = machine.translated;
    machine.setWatches([{ address: ramBase + 0x3000n, bytes: 8, on: 'access' }]);
    expect(machine.run(2_000_000)).toBe('limit');
    expect(machine.translated.retired - retired).toBeGreaterThan(999_000);
  });

  it('is replaced when the guest overwrites it', () => {
    // Stores one of two instructions over one of the loop in turn: sum is counted up by 1, then by 2, and so on.
    const patched = (addend: number): number => asm.addi(sum, sum, addend);
    const words = [
      asm.auipc(pointer, 0),
      asm.lw(other, pointer, 52),
      asm.lw(target, pointer, 56),
      asm.addi(counter, counter, 1),
      patched(0), // overwritten
      asm.addi(10, 0, 200),
      asm.addi(11, 11, 1),
      bne(11, 10, -4),
      asm.addi(11, 0, 0),
      asm.sw(other, pointer, 16),
      asm.addi(12, other, 0),
      asm.addi(other, target, 0),
      asm.jal(0, 12),
      patched(1),
      patched(2),
      asm.addi(target, 12, 0),
      asm.jal(0, -52),
    ];
    const [ours, theirs] = [machineOf(words, tier), machineOf(words, 'interpreter')];
    for (let i = 1; i <= 20; i++) {
      ours.run(i * 50_021);
      theirs.run(i * 50_021);
      expect(stateOf(ours)).toEqual(stateOf(theirs));
    }
    expect(theirs.getX(sum)).toBeGreaterThan(1000n);
    // Hardly warm before it is overwritten again.
    expect(ours.translated.retired).toBeGreaterThan(tier === 'auto' ? 500 : ours.retired / 2);
  });

  it('is replaced when the host overwrites it, and is none of another state', () => {
    const [ours, theirs] = [machineOf(loop, tier), machineOf(loop, 'interpreter')];
    const before = [ours, theirs].map((machine) => machine.snapshot());
    for (const machine of [ours, theirs]) {
      machine.run(300_000);
      machine.writeMemory(ramBase + 4n * 13n, new Uint8Array(Uint32Array.of(add(sum, sum, target)).buffer));
      machine.run(600_000);
    }
    expect(stateOf(ours)).toEqual(stateOf(theirs));
    [ours, theirs].forEach((machine, i) => {
      machine.restore(before[i]!);
      machine.cycles = 0;
      machine.run(450_001);
    });
    expect(stateOf(ours)).toEqual(stateOf(theirs));
  });
});

it('a breakpoint throws away what stands at its place in pages, the same ones once more nothing, and a watch nothing', () => {
  const machine = machineOf(loop, 'translator');
  // Also from where it stops, the same place of the loop each time, and from behind its accesses, which miss the TLB after a change of watches.
  for (const limit of [10_000, 20_000]) machine.run(limit);
  machine.setWatches([{ address: ramBase + 0x3000n, bytes: 8, on: 'write' }]);
  for (const limit of [30_000, 40_000]) machine.run(limit);
  const { functions } = machine.translated;
  const after = (change: () => void): number => {
    change();
    machine.run(machine.retired + 10_000);
    return machine.translated.functions;
  };
  // Where no code is.
  expect(after(() => machine.setBreakpoints([ramBase + 0x800n]))).toBe(functions);
  expect(after(() => machine.setWatches([{ address: ramBase + 0x2000n, bytes: 8, on: 'write' }]))).toBe(functions);
  expect(after(() => machine.setBreakpoints([ramBase + 0x800n, ramBase + 4n * 9n]))).toBeGreaterThan(functions);
  const more = machine.translated.functions;
  expect(after(() => machine.setBreakpoints([ramBase + 4n * 9n, ramBase + 0x800n, ramBase + 4n * 9n]))).toBe(more);
});

it('a machine that is to interpret translates nothing', () => {
  const machine = machineOf(loop, 'interpreter');
  machine.run(2_000_000);
  expect(machine.translated).toEqual({ functions: 0, instructions: 0, evictions: 0, retired: 0 });
});
