import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PageTree } from './page-tree';

const count = 300;
const changes = fc.dictionary(fc.nat(count - 1).map(String), fc.nat(3), { maxKeys: 20 });

function pages(record: Record<string, number>): Map<number, Uint8Array> {
  return new Map(Object.entries(record).map(([index, value]) => [Number(index), new Uint8Array(4096).fill(value)]));
}

it('holds what was put in, whatever the order, and its hash says so', () => {
  fc.assert(
    fc.property(changes, changes, (first, second) => {
      const tree = PageTree.zero(count).with(pages(first)).with(pages(second));
      const at = PageTree.zero(count).with(pages({ ...first, ...second }));
      for (let index = 0; index < count; index++) {
        expect(tree.page(index).bytes[0]).toBe(second[index] ?? first[index] ?? 0);
      }
      expect(tree.hash()).toEqual(at.hash());
      expect([...tree.differing(at)]).toEqual([]);
    }),
  );
});

it('finds exactly the pages that differ', () => {
  fc.assert(
    fc.property(changes, changes, (first, second) => {
      const [a, b] = [PageTree.zero(count).with(pages(first)), PageTree.zero(count).with(pages(second))];
      const expected = Array.from({ length: count }, (_, i) => i).filter((i) => (first[i] ?? 0) !== (second[i] ?? 0));
      expect([...a.differing(b)]).toEqual(expected);
      expect(a.hash().equals(b.hash())).toBe(expected.length === 0);
    }),
  );
});

it('stores equal pages once', () => {
  fc.assert(
    fc.property(changes, (record) => {
      const peer = PageTree.zero(count).with(pages(record));
      const tree = PageTree.zero(count).with(pages(record), peer);
      for (let index = 0; index < count; index++) expect(tree.page(index)).toBe(peer.page(index));
      expect(tree.with(pages(record))).toBe(tree);
    }),
  );
});

// Few places and no zeros, so that most pages that are replaced were stored under the same lease.
const some = 24;
const fewChanges = fc.dictionary(fc.nat(some - 1).map(String), fc.integer({ min: 1, max: 3 }), { maxKeys: 8 });
const step = fc.record({ kind: fc.constantFrom('replace', 'replace', 'with', 'keep'), changes: fewChanges });

it('is as it was for good once it is kept or others were made of it, whatever replaces it', () => {
  let rewritten = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let tree = PageTree.zero(some);
      let now: Record<string, number> = {};
      const kept: { tree: PageTree; held: Record<string, number> }[] = [];
      for (const each of steps) {
        if (each.kind === 'keep') tree.keep();
        if (each.kind !== 'replace') kept.push({ tree, held: now });
        // What has been cached of a tree is none of its successor's.
        tree.hash();
        const before = Array.from({ length: some }, (_, index) => ({ page: tree.page(index), first: tree.page(index).bytes[0] }));
        if (each.kind === 'with') tree = tree.with(pages(each.changes));
        else tree = tree.replace(pages(each.changes));
        now = { ...now, ...each.changes };
        before.forEach(({ page, first }, index) => {
          if (tree.page(index) === page && page.bytes[0] !== first) rewritten++;
        });
        const fresh = PageTree.zero(some).with(pages(now));
        expect(tree.hash()).toEqual(fresh.hash());
        expect([...tree.differing(fresh)]).toEqual([]);
        const page = tree.reader();
        for (let index = some - 1; index >= 0; index -= 7) expect(page(index)).toBe(tree.page(index));
      }
      for (const { tree: old, held } of kept) {
        for (let index = 0; index < some; index++) expect(old.page(index).bytes[0]).toBe(held[index] ?? 0);
        expect(old.hash()).toEqual(PageTree.zero(some).with(pages(held)).hash());
      }
    }),
  );
  expect(rewritten).toBeGreaterThan(20);
});

it('is kept by whoever made another tree of it, or shares pages with it', () => {
  const first = (value: number): Map<number, Uint8Array> => pages({ 0: value });
  for (const take of [(tree: PageTree) => tree.with(new Map()), (tree: PageTree) => PageTree.zero(some).with(first(1), tree), (tree: PageTree) => tree.with(pages({ 5: 1 }))]) {
    const tree = PageTree.zero(some).replace(first(1));
    const taken = take(tree);
    const next = tree.replace(first(2)).replace(first(3));
    expect([taken.page(0).bytes[0], tree.page(0).bytes[0], next.page(0).bytes[0]]).toEqual([1, 1, 3]);
  }
});
