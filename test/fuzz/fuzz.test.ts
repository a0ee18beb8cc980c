import { describe, expect, it } from 'vitest';
import { readCorpus } from './corpus';
import { fuzz, FuzzFailure } from './fuzzer';
import type { FuzzTarget } from './target';
import { targets } from './targets';

const runs = 300;

describe.each(Object.entries(targets))('%s', (name, target) => {
  const corpus = readCorpus(name);

  it('bears every input of its corpus', () => {
    expect(corpus.length).toBeGreaterThan(0);
    for (const { name: file, input } of corpus) expect(() => target.run(input), file).not.toThrow();
  });

  it(`bears ${runs} mutated inputs`, () => {
    fuzz(target, { runs, seed: 20_261_123, corpus: corpus.map(({ input }) => input) });
  });
});

describe('the fuzzer', () => {
  const fragile: FuzzTarget = {
    what: 'a reader that does not bear two bytes',
    seeds: () => [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
    run(input) {
      if (input.includes(0xff) && input.includes(0x7f)) throw new Error('both');
      return input.includes(0xff) ? 'one' : input.includes(0x7f) ? 'other' : 'none';
    },
  };
  const failure = (seed: number): FuzzFailure | undefined => {
    try {
      fuzz(fragile, { runs: 20_000, seed, corpus: [] });
    } catch (error) {
      if (error instanceof FuzzFailure) return error;
    }
    return undefined;
  };

  it('finds what a reader does not bear, leaves out what does not matter, and finds it again from the same seed', () => {
    const found = failure(3);
    expect([...(found?.input ?? [])].sort()).toEqual([0x7f, 0xff]);
    expect(failure(3)?.run).toBe(found?.run);
    expect(failure(4)?.run).not.toBe(found?.run);
  });

  it('tells of inputs that make something new happen', () => {
    const news: string[] = [];
    expect(() => fuzz(fragile, { runs: 20_000, seed: 3, corpus: [], onNew: (_, label) => void news.push(label) })).toThrow('both');
    expect(news).toContain('none');
    expect(news.length).toBeGreaterThan(1);
  });
});
