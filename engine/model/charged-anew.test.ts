import { expect, it } from 'vitest';
import { costsOfProcessor, costsWith, defaultCosts } from '../chip/cost-table';
import { planFor, type Example } from '../covert/plan.test-support';
import type { CostReport } from '../covert/report';
import { System } from '../covert/system';
import { chargedAnew, totalOf } from './charged-anew';

function charged(example: Example, costs = defaultCosts): { events: CostReport[]; cycles: number } {
  const plan = planFor(example);
  const changes = Object.fromEntries(Object.entries(costs).filter(([name, value]) => value !== defaultCosts[name as keyof typeof costs]));
  const system = new System({ ...plan, chip: { ...plan.chip, costs: changes } });
  system.advance(Infinity);
  return { events: system.costs(), cycles: system.cycles };
}

it.each<[Example, Parameters<typeof costsWith>[0]]>([
  ['checksum', { exit: 3963, rendezvous: 500 }],
  ['sort', costsOfProcessor('merom')],
  ['ticker', { exit: 0, sync: 1, inject: 2, compare: 3, protect: 4, page: 5, suspend: 6, fingerprint: 7 }],
])('gives what a run is charged by another table: %s', (example, changes) => {
  const costs = costsWith(changes);
  const [before, after] = [charged(example), charged(example, costs)];
  expect(after.cycles).not.toBe(before.cycles);
  const anew = chargedAnew(before.events, defaultCosts, costs);
  for (const { event, count, cycles } of after.events) {
    const own = anew.find((each) => each.event === event);
    expect(own?.count).toBe(count);
    // Both are of whole cycles.
    expect(Math.abs((own?.cycles ?? 0) - cycles)).toBeLessThanOrEqual(0.01 * cycles + 20);
  }
  expect(Math.abs(before.cycles + totalOf(anew) - totalOf(before.events) - after.cycles)).toBeLessThanOrEqual(0.001 * after.cycles);
});
