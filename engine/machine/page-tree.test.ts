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
