import { expect, test } from 'vitest';
import { decline, isServedBest } from './attrition';

test.each(['dmr', 'tmr'] as const)('under %s a guest is served to the last possible configuration, and nothing wrong is said', { timeout: 600_000 }, async (kind) => {
  const orders = 20;
  let restored = 0;
  for (let seed = 1; seed <= orders; seed++) {
    const one = await decline(kind, 'full', seed);
    expect(one.exact, `seed ${seed}`).toBe(true);
    expect(isServedBest(one), `seed ${seed}: ${one.service.join()} of ${one.possible.join()}; ${one.end.why}`).toBe(true);
    expect(one.service.at(-1), `seed ${seed}`).toBe('stopped');
    restored += one.service.filter((each) => each === kind).length;
  }
  expect(restored).toBeGreaterThan(3 * orders);
});
