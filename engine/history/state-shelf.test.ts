import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SystemState } from '../covert/system';
import { PageTree } from '../machine/page-tree';
import { MachineSnapshot } from '../machine/snapshot';
import { StateShelf } from './state-shelf';

/** The shelf looks at nothing but the moment, and the replicas' pages. */
const at = (moment: number): SystemState => ({ moment, replicas: [] as SystemState['replicas'] }) as SystemState;

const pages = 64;

/** The same of one replica, which has another content in the first `changed` pages of its RAM. */
function withPages(moment: number, changed: number, tree: PageTree): { state: SystemState; tree: PageTree } {
  const contents = Array.from({ length: changed }, (_, page): [number, Uint8Array] => [page, new Uint8Array(4096).fill(1 + (moment % 251))]);
  const next = tree.with(new Map(contents));
  const snapshot = new MachineSnapshot(new Uint8Array(), next, pages * 4096, 1);
  return { state: { moment, replicas: [{ snapshot }] as unknown as SystemState['replicas'] } as SystemState, tree: next };
}

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

it('keeps fewer states where they take much, and many where they take little', () => {
  const room = 10 * pages;
  for (const changed of [1, 4, pages]) {
    const shelf = new StateShelf(room);
    let tree = PageTree.zero(pages);
    for (let moment = 0; moment < 1e8; ) {
      const made = withPages(moment, changed, tree);
      ({ tree } = made);
      shelf.put(made.state);
      const kept: MachineSnapshot[] = [];
      for (let state = shelf.before(moment, false); state; state = shelf.before(state.moment, true)) kept.push(state.replicas[0]?.snapshot as MachineSnapshot);
      const distinct = new Set(kept.flatMap((snapshot) => Array.from({ length: pages }, (_, page) => snapshot.pages.page(page))));
      expect(distinct.size).toBeLessThanOrEqual(room + pages);
      if (moment > 5e7) expect(kept.length).toBeGreaterThanOrEqual(Math.min(100, Math.floor(room / changed / 2) - 1));
      do moment = shelf.nextBoundary(moment);
      while (!shelf.wants(moment));
    }
    expect(shelf.before(1, false)?.moment).toBe(0);
  }
});

it('counts pages once that a state shares with the one put before it', () => {
  const shelf = new StateShelf(1.5 * pages);
  const first = withPages(0, pages, PageTree.zero(pages));
  const second = withPages(131_072, pages, first.tree);
  const third = withPages(262_144, 0, second.tree);
  for (const { state } of [first, third, second]) shelf.put(state);
  expect([0, 131_072, 262_144].map((moment) => shelf.before(moment, false)?.moment)).toEqual([0, 131_072, 262_144]);
});
