import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { needsQemu, qemuVersion, runQemu } from './qemu';
import { loadMachine, runMachine } from './run-machine';

const path = 'test/oracles/smp/smp.elf';
const image = readFileSync(path);

describe.each([1, 2, 3, 4])('a guest on %i harts', (harts) => {
  it('loses no count, no interrupt and no instruction that another hart has written', () => {
    const { output, exit } = runMachine(image, 1e9, harts);
    const sum = (of: (hart: number) => number): number => Array.from({ length: harts }, (_, i) => of(i)).reduce((a, b) => a + b);
    expect(output.toString('latin1').split('\n')).toEqual([
      `harts ${harts}`,
      `guarded ${2000 * harts}`,
      `odd ${1000 * harts}`,
      `added ${sum((hart) => (hart + 1) * ((2000 * 1999) / 2))}`,
      `mixed ${[0, 8, 16, 24].slice(0, harts).reduce((mixed, shift) => mixed ^ (2000n << BigInt(shift)), 0n)}`,
      `greatest ${19_990 + harts - 1}`,
      `conditional ${3 * 2000 * harts}`,
      `token ${50 * harts}`,
      `interrupts ${50 * harts}`,
      `patched ${210 * harts}`,
      '',
    ]);
    expect(exit).toBe(0);
  });

  test.skipIf(!qemuVersion)(`prints what it prints under qemu${needsQemu}`, async () => {
    const theirs = await runQemu(path, { harts });
    const ours = runMachine(image, 1e9, harts);
    expect(ours.output.toString('latin1')).toBe(theirs.output.toString('latin1'));
    expect([ours.exit, theirs.exit]).toEqual([0, 0]);
  });
});

it('is in the same state after the same count, however the run is cut, rewound and looked at', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4 }), cuts, fc.integer({ min: 1, max: 800_000 }), (harts, sizes, end) => {
      const [whole, cut] = [loadMachine(image, 1 << 20, harts), loadMachine(image, 1 << 20, harts)];
      const stop = whole.run(end);
      let last = cut.run(1);
      for (let i = 0; last === 'limit' && cut.retired < end; i++) {
        if (i % 7 === 3) {
          const back = cut.snapshot();
          cut.run(cut.retired + 12_345);
          cut.restore(back);
        }
        last = cut.run(Math.min(end, cut.retired + (sizes[i % sizes.length] ?? 1)), { collectEffects: i % 11 === 5 });
      }
      expect(last).toBe(stop);
      const state = whole.snapshot();
      expect(state.difference(cut.snapshot(state), 8)).toEqual([]);
      expect(cut.snapshot().hash()).toBe(state.hash());
    }),
    { numRuns: 40 },
  );
});
