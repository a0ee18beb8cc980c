import { expect, test } from 'vitest';
import { budgets } from './budgets';
import { budgetGuest } from './guest';

test('random guests by random budgets in each tier have the states that single steps have', () => {
  const { totals, difference } = budgets({ seed: 1, cases: 6000, ways: ['interpreter', 'translator', 'auto'] });
  expect(difference).toBeUndefined();
  // Or the guests have become too tame to show anything.
  expect(totals.exceptions).toBeGreaterThan(totals.guests * 20);
  expect(totals.interrupts).toBeGreaterThan(totals.guests * 2);
  expect(totals.translated).toBeGreaterThan(totals.retired / 2);
  const [user, supervisor, machine] = totals.privileges;
  expect(Math.min(user * 3, supervisor * 2)).toBeGreaterThan(machine / 10);
  for (const why of ['limit', 'breakpoint', 'watch', 'output', 'upset', 'awaited'] as const) expect(totals.stops[why], why).toBeGreaterThan(5);
});

test('a guest is the same for the same seed, and another for another', () => {
  const of = (seed: number): string => JSON.stringify(budgetGuest(seed), (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  expect(of(7)).toBe(of(7));
  expect(of(7)).not.toBe(of(8));
});
