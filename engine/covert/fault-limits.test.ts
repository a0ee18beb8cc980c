import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstBeyond } from './fault-limits';
import type { FaultEffect, FaultPlan, Trigger } from './plan';
import { fault, planFor } from './plan.test-support';
import { System } from './system';

const stick = (place: Extract<FaultEffect, { kind: 'stick' }>['place']): FaultEffect => ({ kind: 'stick', place, bits: [0], value: 1 });
const flip = (place: Extract<FaultEffect, { kind: 'flip' }>['place']): FaultEffect => ({ kind: 'flip', place, bits: [0] });
const start: Trigger = { kind: 'instruction', count: 0 };
const page = (n: number) => ({ kind: 'tlb', address: 0x8000_0000n + BigInt(n) * 4096n }) as const;

/** One fault of a kind of which there is room for so many. */
const kinds: readonly [string, number, (n: number) => [FaultEffect, Trigger, FaultPlan['target']?]][] = [
  ['messages', 32, () => [{ kind: 'message', how: 'drop', from: 0, to: 1 }, start, { kind: 'component', component: 'link 0 -> 1' }]],
  ['lines', 128, (n) => [flip({ kind: 'line', cache: 'l1d', address: 0x8000_0000n + BigInt(n) }), start, { kind: 'core', core: 0 }]],
  ['translations', 16, (n) => [flip(page(n)), start]],
  ['stuck translations', 16, (n) => [stick(page(n)), start]],
  ['stuck words', 256, (n) => [stick({ kind: 'memory', address: 0x8020_0000n + BigInt(n) * 8n, bytes: 8 }), start]],
  ['stuck CSRs', 16, (n) => [stick({ kind: 'csr', number: ([0x300, 0x100, 0x104, 0x304, 0x003, 0x301, 0xf11, 0xf12, 0xf13, 0xf14][n] ?? 0xb03 + n) }), start]],
  ['values', 256, (n) => [flip({ kind: 'x', index: 5 }), { kind: 'value', register: { kind: 'x', index: 6 }, value: BigInt(n) + 12345n }]],
  ['accesses', 256, (n) => [flip({ kind: 'x', index: 5 }), { kind: 'access', access: 'read', address: 0x8030_0000n + BigInt(n), hit: 1 }]],
  ['instructions', 8191, (n) => [flip({ kind: 'x', index: 5 }), { kind: 'execute', address: 0x8030_0000n + BigInt(n) * 4n, hit: 1 }]],
];

it.each(kinds)('%s: what there is room for runs, and one more is refused', (_, most, make) => {
  const faults = Array.from({ length: most + 1 }, (_unused, n) => {
    const [effect, trigger, target] = make(n);
    return fault(effect, trigger, target ?? { kind: 'replica', replica: 'A' });
  });
  expect(firstBeyond(faults)).toMatchObject({ index: most });
  expect(firstBeyond(faults)?.why).toContain(`${most} `);
  expect(firstBeyond(faults.slice(1))).toBeUndefined();
  const plan = planFor('checksum', { faults: faults.slice(1), maxInstructions: 20_000 });
  const system = new System({ ...plan, chip: { ...plan.chip, timing: 'detailed' } });
  system.advance(20_000);
  expect(system.moment).toBeGreaterThan(0);
});

it('counts what several faults need in common once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(15), { maxLength: 300 }), (pages) => {
      expect(firstBeyond(pages.map((n) => fault(stick(page(n)), start)))).toBeUndefined();
    }),
  );
});
