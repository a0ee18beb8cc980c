import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SystemState } from '../covert/system';
import { StateShelf } from './state-shelf';

/** The shelf looks at nothing but the moment. */
const at = (moment: number): SystemState => ({ moment }) as SystemState;

it('gives the newest state at or before a moment', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 50 }), fc.nat(1100), (moments, asked) => {
      const shelf = new StateShelf();
      for (const moment of moments) shelf.put(at(moment));
      const expected = (strictly: boolean): number | undefined =>
        moments.filter((moment) => moment < asked || (!strictly && moment === asked)).sort((a, b) => b - a)[0];
      expect(shelf.before(asked, false)?.moment).toBe(expected(false));
      expect(shelf.before(asked, true)?.moment).toBe(expected(true));
    }),
  );
});

it('keeps a bounded number, the first among them, however long the run', () => {
  const shelf = new StateShelf();
  shelf.put(at(0));
  let kept = 0;
  for (let moment = 0; moment < 3e9; ) {
    moment = shelf.nextBoundary(moment);
    if (shelf.wants(moment)) shelf.put(at(moment));
  }
  for (let moment = 3e9; ; ) {
    const state = shelf.before(moment, true);
    if (!state) break;
    kept++;
    moment = state.moment;
  }
  expect(kept).toBeGreaterThan(64);
  expect(kept).toBeLessThanOrEqual(256);
  expect(shelf.before(1, false)?.moment).toBe(0);
});
