import { expect, test } from 'vitest';
import { Random } from '../../engine/isa/random.test-support';
import type { Machine } from '../../engine/machine/machine';
import { tiers } from '../../engine/machine/tier';
import type { StuckBits } from '../../engine/machine/types';
import { budgetGuest } from './guest';
import { Bench, prepare, requests, stuckBits } from './trial';

/** What hardware with these faults would make of a state. Results of the arithmetic-logic unit are no places. */
function force(machine: Machine, faults: readonly StuckBits[]): void {
  for (const { place, bits, value } of faults) {
    const forced = (old: bigint): bigint => (value === 1 ? old | bits : old & ~bits);
    if (place.kind === 'memory') {
      const bytes = machine.readMemory(place.address, place.bytes) ?? new Uint8Array();
      const old = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      if (forced(old) !== old) machine.writeMemory(place.address, bytes.map((_, i) => Number((forced(old) >> BigInt(8 * i)) & 0xffn)));
    } else if (place.kind === 'x' || place.kind === 'f') {
      for (let hart = 0; hart < machine.harts; hart++) {
        if (place.kind === 'x') machine.setX(place.index, forced(machine.getX(place.index, hart)), hart);
        else machine.setF(place.index, forced(machine.getF(place.index, hart)), hart);
      }
    }
  }
}

test('stuck bits of registers and memory are, in each tier and by random budgets, what a host that forces them after each single step makes', () => {
  const bench = new Bench();
  let retired = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed ^ 0x2c1b3c6d);
    const guest = budgetGuest(seed);
    const kinds = random.below(2) === 0 ? ['x', 'f', 'memory'] : ['memory'];
    const faults = Array.from({ length: [4, 20, 200][random.below(3)] ?? 4 }, () => stuckBits(random.word(), guest)).filter(({ place }) => kinds.includes(place.kind) && (place.kind === 'memory' || random.below(20) === 0));
    const forcedByHost = bench.machine('interpreter', guest.harts, 'forced');
    const others = tiers.map((tier) => bench.machine(tier, guest.harts, 'stuck'));
    for (const machine of [forcedByHost, ...others]) prepare(machine, bench.start(guest.harts), guest, requests(new Random(seed)));
    for (const machine of others) machine.setStuckBits(faults);
    force(forcedByHost, faults);
    let stop = 'limit';
    while (stop === 'limit' && forcedByHost.retired < 2000) {
      const limit = forcedByHost.retired + 1 + random.below([3, 40, 400][random.below(3)] ?? 3);
      while (stop === 'limit' && forcedByHost.retired < limit) {
        stop = forcedByHost.run(forcedByHost.retired + 1);
        force(forcedByHost, faults);
      }
      for (const machine of others) {
        const difference = (): string[] => forcedByHost.snapshot().difference(machine.snapshot(), 5).map(({ place, a, b }) => `${place}: 0x${a.toString(16)} forced by the host, 0x${b.toString(16)}`);
        expect([seed, machine.run(limit), ...difference()]).toEqual([seed, stop]);
      }
    }
    retired += forcedByHost.retired;
  }
  expect(retired).toBeGreaterThan(60_000);
});
