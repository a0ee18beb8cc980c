import { describe, expect, it } from 'vitest';
import { readCorpus } from './corpus';
import { fuzz, FuzzFailure } from './fuzzer';
import type { FuzzTarget } from './target';
import { targets } from './targets';

const seed = 20_261_123;

describe.each(Object.entries(targets))('%s', (name, target) => {
  const corpus = readCorpus(name);
  const { runs = 300 } = target;

  it('bears every input of its corpus', async () => {
    expect(corpus.length).toBeGreaterThan(0);
    for (const { name: file, input } of corpus) await expect((async () => target.run(input))(), file).resolves.toBeTypeOf('string');
  });

  it(`bears ${runs} mutated inputs`, async () => {
    await fuzz(target, { runs, seed, corpus: corpus.map(({ input }) => input) });
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
  const failure = async (seed: number): Promise<FuzzFailure | undefined> => {
    try {
      await fuzz(fragile, { runs: 20_000, seed, corpus: [] });
    } catch (error) {
      if (error instanceof FuzzFailure) return error;
    }
    return undefined;
  };

  it('finds what a reader does not bear, leaves out what does not matter, and finds it again from the same seed', async () => {
    const found = await failure(3);
    expect([...(found?.input ?? [])].sort()).toEqual([0x7f, 0xff]);
    expect(found?.message).toMatch(/^run \d+ from seed 3: both; input (f\/8=|\/38=)$/);
    expect((await failure(3))?.message).toBe(found?.message);
    expect((await failure(4))?.message).not.toBe(found?.message);
  });

  it('tells of inputs that make something new happen', async () => {
    const news: string[] = [];
    await expect(fuzz(fragile, { runs: 20_000, seed: 3, corpus: [], onNew: (_, words) => void news.push(...words) })).rejects.toThrow('both');
    expect(news).toContain('none');
    expect(news.length).toBeGreaterThan(1);
  });
});
