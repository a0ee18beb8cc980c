import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FaultPlan, Plan } from './plan';
import { flipX, planFor } from './plan.test-support';
import { runReference } from './reference';
import { System } from './system';

const path = resolve(import.meta.dirname, '../../test/oracles/smp/smp.elf');
const image = new Uint8Array(readFileSync(path));

function plan(harts: number, faults: FaultPlan[] = []): Plan {
  const base = planFor('checksum', { faults });
  return { ...base, guest: { name: 'smp', path, image, ramBytes: 16 * 2 ** 20, harts } };
}

function runToEnd(given: Plan, slice: number): System {
  const system = new System(given);
  while (!system.ended) system.advance(system.moment + slice);
  return system;
}

describe('a replicated guest of several harts', () => {
  it.each([2, 4])('says the same on %i harts as alone', async (harts) => {
    const system = runToEnd(plan(harts), 1e9);
    const reference = await runReference(plan(harts));
    expect(Buffer.from(system.released).toString()).toBe(Buffer.from(reference?.console ?? []).toString());
    expect(Buffer.from(system.released).toString()).toContain(`harts ${harts}\n`);
    expect(system.ended).toMatchObject({ kind: 'end', how: 'exit', exitCode: 0 });
  });

  it('recovers from a bit flip in a register of whichever hart runs', async () => {
    const expected = Buffer.from((await runReference(plan(4)))?.console ?? []).toString();
    let recovered = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31 }), fc.nat(63), fc.integer({ min: 1, max: 1_200_000 }), (index, bit, count) => {
        const faulty = plan(4, [flipX(index, bit, { kind: 'instruction', count })]);
        const system = new System(faulty);
        const kinds: string[] = [];
        while (!system.ended) {
          system.advance(system.moment + 333_333);
          kinds.push(...system.takeEvents().map(({ kind }) => kind));
        }
        expect(Buffer.from(system.released).toString()).toBe(expected);
        expect(system.ended).toMatchObject({ kind: 'end', how: 'exit', exitCode: 0 });
        if (kinds.includes('recovery')) recovered++;
      }),
      { numRuns: 25 },
    );
    expect(recovered).toBeGreaterThan(3);
  });
});
