import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encode } from '../isa/encode.test-support';
import { instructions } from '../isa/instructions';
import { StruckMachine, tinyHierarchy, tinyRoom } from './caches.test-support';
import { asm, ramBase } from './guest.test-support';
import { Machine, type Tier } from './machine';
import type { TimeSource } from './types';

// Guests of valid instructions whose registers point at their own code, at data,
// at devices and nowhere: they overwrite themselves, trap, take interrupts and
// read clocks. Whatever they do, it must not matter how their run is cut.

const clint = 0x2000000n;
const sd = (rs2: number, rs1: number, offset: number): number =>
  (((offset >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (3 << 12) | ((offset & 31) << 7) | 0x23) >>> 0;
/** mtimecmp = x1, msip = x2, with addresses in x3 and x4. */
const prologue = [sd(1, 3, 0), asm.sw(2, 4, 0)];

const field = fc.nat(31);
const word = fc
  .tuple(fc.nat(instructions.length - 1), field, field, field, fc.integer({ min: -2048, max: 2047 }))
  .map(([index, rd, rs1, rs2, imm]) => {
    const row = instructions[index];
    if (row === undefined) throw new RangeError(`no instruction ${index}`);
    // Even, so that it is an offset for a branch too.
    return encode(row, { rd, rs1, rs2, rs3: rd, rm: 0, imm: imm & ~1 }) >>> 0;
  });
const value = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

const guest = fc.record({
  harts: fc.constantFrom(1, 1, 2, 3, 4),
  words: fc.array(word, { minLength: 20, maxLength: 200 }),
  values: fc.array(value, { minLength: 31, maxLength: 31 }),
  timer: fc.nat(60),
  software: fc.boolean(),
  clock: fc.constantFrom<TimeSource['time']>('instructions', 'core'),
  perTick: fc.integer({ min: 1, max: 20 }),
  corePhase: fc.nat(500),
  corePpm: fc.integer({ min: -500, max: 500 }),
  // Of lines with code, mostly.
  lines: fc.array(fc.record({ cache: fc.constantFrom('l1i' as const, 'l1i' as const, 'l1d' as const, 'l2' as const), line: fc.nat(12).map((number) => ramBase + 64n * BigInt(number)), byte: fc.nat(63), keep: fc.constant(0xff), flip: fc.nat(255) }), { maxLength: 6 }),
  messages: fc.array(fc.record({ how: fc.constantFrom('drop' as const, 'duplicate' as const, 'corrupt' as const), from: fc.constantFrom(0, 2), to: fc.constant(1), bit: fc.nat(511) }), { maxLength: 1 }),
});
type Guest = typeof guest extends fc.Arbitrary<infer T> ? T : never;

function machineOf({ harts, words, values, timer, software, clock, perTick, corePhase, corePpm }: Guest, tier: Tier | 'detailed' = 'interpreter'): Machine {
  const machine = Machine.create({
    ...(tier === 'detailed' ? { caches: tinyRoom } : { tier }),
    ramBytes: 64 * 1024,
    harts,
    timeSource: { time: clock, cycle: clock, perTick, corePhase, corePpm },
  });
  const data = new Uint8Array((prologue.length + words.length) * 4);
  const view = new DataView(data.buffer);
  [...prologue, ...words].forEach((raw, i) => view.setUint32(i * 4, raw, true));
  machine.load({ entry: ramBase, segments: [{ address: ramBase, data, memoryBytes: data.length }] });
  machine.caches?.set(tinyHierarchy);
  for (let hart = 0; hart < harts; hart++) {
    values.forEach((random, i) => {
      const kinds = [random, ramBase + (random & 0xffffn), ramBase + (random & 0x3fcn), clint + 0x4000n, ramBase + (random & 0xfff8n)];
      machine.setX(i + 1, kinds[(i + hart) % kinds.length] ?? 0n, hart);
    });
    machine.setX(1, BigInt(timer + hart), hart);
    machine.setX(2, software ? 1n : 0n, hart);
    // The software interrupt is the next hart's.
    machine.setX(3, clint + 0x4000n + 8n * BigInt(hart), hart);
    machine.setX(4, clint + 4n * BigInt((hart + 1) % harts), hart);
    // Interrupts on, floating point on, a handler in the middle of it all.
    machine.setCsr(0x300, 0x6008n, hart);
    machine.setCsr(0x304, 0x88n, hart);
    machine.setCsr(0x305, ramBase + 4n * BigInt(Math.floor(words.length / 2)), hart);
  }
  return machine;
}

it.each(['interpreter', 'translator', 'detailed'] as const)('runs the same however its run is cut, rewound and looked at: %s', (tier) => {
  let interrupts = 0;
  let exceptions = 0;
  let retired = 0;
  /** Faults of caches and messages that have struck. */
  let met = 0;
  /** Guests whose turns ended by themselves. */
  let turns = 0;
  fc.assert(
    fc.property(guest, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }), (plan, sizes) => {
      const all = [machineOf(plan, tier), machineOf(plan, tier), machineOf(plan, tier === 'detailed' ? tier : 'interpreter')] as const;
      const [whole, sliced, watched] = all;
      const [wholeRun, slicedRun, watchedRun] = all.map((machine) => new StruckMachine(machine)) as [StruckMachine, StruckMachine, StruckMachine];
      for (const each of [wholeRun, slicedRun, watchedRun]) each.arm(plan.lines, plan.messages);
      // Several harts are to have several turns.
      const limit = plan.harts === 1 ? 600 : 25_000;
      const stop = wholeRun.run(limit);

      let cut = slicedRun.run(1);
      for (let i = 0; cut === 'limit' && sliced.retired < limit; i++) {
        if (i % 5 === 2) {
          // There and back: what ran since must leave no trace.
          slicedRun.andBack(() => void slicedRun.run(sliced.retired + 33, { collectEffects: i % 2 === 0 }));
        }
        cut = slicedRun.run(Math.min(limit, sliced.retired + (sizes[i % sizes.length] ?? 1)));
      }

      expect([cut, watchedRun.run(limit, { collectEffects: true })]).toEqual([stop, stop]);
      const state = whole.snapshot();
      for (const other of [sliced, watched]) {
        expect(state.difference(other.snapshot(state), 8)).toEqual([]);
        expect(other.snapshot().hash()).toBe(state.hash());
        expect([other.cycles, other.interrupts]).toEqual([whole.cycles, whole.interrupts]);
        expect(other.caches?.save()).toEqual(whole.caches?.save());
      }
      expect([slicedRun.met, watchedRun.met]).toEqual([wholeRun.met, wholeRun.met]);
      met += wholeRun.met.length;
      expect(whole.getX(0)).toBe(0n);
      interrupts += whole.interrupts;
      exceptions += whole.traps().exceptions;
      retired += whole.retired;
      if (whole.retired > 10_000) turns++;
    }),
    { numRuns: 250 },
  );
  // Or the guests have become too tame to show anything.
  expect(interrupts).toBeGreaterThan(100);
  expect(exceptions).toBeGreaterThan(1000);
  expect(retired).toBeGreaterThan(20_000);
  expect(turns).toBeGreaterThan(20);
  if (tier === 'detailed') expect(met).toBeGreaterThan(50);
});
