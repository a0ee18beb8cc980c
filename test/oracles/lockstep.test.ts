import { afterAll, describe, expect, test } from 'vitest';
import type { Machine } from '../../engine/machine/machine';
import { lockstep } from './lockstep';
import { privilegedGuest } from './privileged-guest';
import { needsQemu72 } from './qemu';

/** Slots of a guest, which make about a million instructions; and those of a guest whose f registers are compared, too. */
const slots = 6500;
const floatSlots = 3500;
/** Translating what runs only once or twice takes time, too: some guests have a follower. */
const seeds = Array.from({ length: 11 }, (_, index) => ({ seed: 100 + index, float: index >= 9, follows: index % 5 === 0 }));
/** What a whole run has to compare. */
const least = 10_000_000;

describe('random instructions at every privilege, all registers and CSRs compared with qemu after each', () => {
  let compared = 0;
  let whole = 0;

  for (const { seed, float, follows } of seeds) {
    test.skipIf(needsQemu72 !== '')(`seed ${seed}${float ? ', f registers too' : ''}${follows ? ', the translator by random budgets' : ''}${needsQemu72}`, async () => {
      const { image, begin } = privilegedGuest(seed, float ? floatSlots : slots);
      const result = await lockstep(image, { from: begin, most: 5_000_000, float, ...(follows ? { followers: { tiers: ['translator'], seed } } : {}) });
      expect(result.difference, `seed ${seed}`).toBeUndefined();
      if (follows) {
        expect(result.budgets, `seed ${seed}: budgets`).toBeGreaterThan(result.compared / 250);
        expect(result.translated, `seed ${seed}: in translated code`).toBeGreaterThan(result.compared / 2);
      }
      const [user, supervisor, machine] = result.privileges;
      expect(user, `seed ${seed}: in user mode`).toBeGreaterThan(result.compared / 40);
      expect(supervisor, `seed ${seed}: in supervisor mode`).toBeGreaterThan(result.compared / 8);
      expect(machine, `seed ${seed}: in machine mode`).toBeGreaterThan(result.compared / 4);
      expect(result.exceptions, `seed ${seed}: exceptions`).toBeGreaterThan(result.compared / 60);
      expect(result.interrupts, `seed ${seed}: interrupts`).toBeGreaterThan(200);
      compared += result.compared;
      whole++;
    });
  }

  // A part of the seeds alone, as with `-t`, says nothing of the sum.
  afterAll(() => {
    if (whole === seeds.length) expect(compared).toBeGreaterThanOrEqual(least);
  });
});

describe('the comparison itself', () => {
  const nothing = { float: false, most: 200_000 };

  test.skipIf(needsQemu72 !== '')(`finds an instruction that one of the two lacks, and says what differs${needsQemu72}`, async () => {
    // Zicond is here and not in qemu 7.2: czero.eqz t0, t0, t0.
    const { image, begin } = privilegedGuest(1, 20);
    const at = 120 + Number(begin - 0x8000_0000n);
    new DataView(image.buffer, image.byteOffset).setUint32(at, 0x0e52_d2b3, true);
    const { difference } = await lockstep(image, { ...nothing, from: begin });
    expect(difference).toMatch(/^register, here, in qemu, after \d+ instructions/);
    expect(difference).toMatch(/^mcause \S+ 0000000000000002$/m);
  });

  test.skipIf(needsQemu72 !== '')(`finds a wrong register, and only from where it is wrong${needsQemu72}`, async () => {
    const { image, begin } = privilegedGuest(1, 20);
    const result = await lockstep(image, { ...nothing, from: begin, disturb: (machine) => machine.setX(5, machine.getX(5) ^ 1n) });
    expect(result.compared).toBe(0);
    expect(result.difference).toMatch(/^x5\/t0 0000000000000004 0000000000000005$/m);
  });

  test.skipIf(needsQemu72 !== '')(`finds a wrong register of a machine that follows, at the end of a budget${needsQemu72}`, async () => {
    const { image, begin } = privilegedGuest(1, 20);
    const disturb = (_: unknown, [follower]: readonly Machine[]): void => follower?.setX(5, follower.getX(5) ^ 1n);
    const result = await lockstep(image, { ...nothing, from: begin, followers: { tiers: ['translator'], seed: 1 }, disturb });
    expect(result.compared).toBeGreaterThan(0);
    expect(result.difference).toMatch(/^translator, run from \d+ to \d+: register, here, in qemu\nx5\/t0 0000000000000004 0000000000000005$/m);
  });
});

test('the guest is the same for the same seed, and another for another', () => {
  const of = (seed: number): Buffer => Buffer.from(privilegedGuest(seed, 50).image);
  expect(of(7).equals(of(7))).toBe(true);
  expect(of(7).equals(of(8))).toBe(false);
});
