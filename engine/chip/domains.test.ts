import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partition, place, reaches, type Isolation, type Placement } from './domains';
import { bankName, controllerName, coreName, Health, linkName } from './health';
import type { ChipPlan } from './plan';

const octo: ChipPlan = { name: 'octo', cores: 8, hertz: 2e9, l2Banks: 8, l2BankBytes: 512 << 10, memoryControllers: 4, ring: true, spares: [] };

const components = [
  ...Array.from({ length: 8 }, (_, i) => coreName(i)),
  ...Array.from({ length: 8 }, (_, i) => bankName(i)),
  ...Array.from({ length: 4 }, (_, i) => controllerName(i)),
  ...Array.from({ length: 8 }, (_, i) => linkName(i, 8)),
];
const dead = fc.uniqueArray(fc.constantFrom(...components), { maxLength: 8 });
const isolations = fc.constantFrom<Isolation>('full', 'none', 'caches', 'memory');
const cores = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 1, maxLength: 3 });

function healthWithout(names: readonly string[]): Health {
  const health = new Health();
  for (const name of names) health.kill(name, 'stops');
  return health;
}

const isWhole = (placement: Placement | string): placement is Placement => typeof placement !== 'string';

describe('a partition', () => {
  it('does not depend on the order in which cores are named, and keeps that order', () => {
    fc.assert(
      fc.property(dead, isolations, cores, (names, isolation, some) => {
        const health = healthWithout(names);
        const [found, sorted] = [partition(octo, health, some, isolation), partition(octo, health, [...some].sort((a, b) => a - b), isolation)];
        expect(isWhole(found)).toBe(isWhole(sorted));
        if (!isWhole(found) || !isWhole(sorted)) return;
        expect(found.domains.map(({ core }) => core)).toEqual(some);
        expect([...found.domains].sort((a, b) => a.core - b.core)).toEqual(sorted.domains);
      }),
    );
  });

  it('gives each domain a bank and a controller that work, and under full isolation nothing to two of them', () => {
    fc.assert(
      fc.property(dead, isolations, cores, (names, isolation, some) => {
        const health = healthWithout(names);
        const found = partition(octo, health, some, isolation);
        if (!isWhole(found)) return;
        for (const { banks, controllers, core } of found.domains) {
          expect(banks.length * controllers.length).toBeGreaterThan(0);
          expect([coreName(core), ...banks.map(bankName), ...controllers.map(controllerName)].every((name) => health.isWhole(name))).toBe(true);
        }
        if (isolation !== 'full') return;
        for (const component of components) expect(found.domains.filter((domain) => reaches(domain, component, 8)).length, component).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('of two takes two cut links, and of three takes three', () => {
    expect(partition(octo, new Health(), [0, 1], 'full')).toMatchObject({ cuts: { length: 2 } });
    expect(partition(octo, new Health(), [0, 1, 2], 'full')).toMatchObject({ cuts: { length: 3 } });
    expect(partition(octo, new Health(), [0, 1], 'none')).toMatchObject({ cuts: { length: 0 } });
  });

  it('says what is missing where there is none', () => {
    expect(partition({ ...octo, memoryControllers: 1 }, new Health(), [0, 1], 'full')).toBe('only 1 memory controller that works for 2 replicas');
    expect(partition(octo, healthWithout(['core 1']), [0, 1], 'full')).toBe('core 1 does not work');
    expect(partition(octo, healthWithout(['link 0 -> 1', 'link 1 -> 2', 'l2 bank 1']), [1, 4], 'full')).toBe('core 1 would have no L2 bank');
  });
});

it('replicas stay where they can, and move to spares in their order', () => {
  expect(place(octo, new Health(), [0, 1], [6, 7], 2, 'full')).toEqual([0, 1]);
  expect(place(octo, healthWithout(['core 1']), [0, 1], [6, 7], 2, 'full')).toEqual([0, 6]);
  expect(place(octo, healthWithout(['core 0', 'core 1', 'core 6']), [0, 1], [6, 7], 2, 'full')).toBeUndefined();
});

it('a large chip is no reason to think for long', () => {
  const large: ChipPlan = { ...octo, cores: 96, l2Banks: 96, memoryControllers: 3 };
  const all = Array.from({ length: 96 }, (_, core) => core);
  expect(place(large, healthWithout(['memory controller 1']), [0, 32, 64], all, 3, 'full')).toBeUndefined();
  expect(isWhole(partition(large, new Health(), [0, 32, 64], 'full'))).toBe(true);
});

describe('domains for several guests', () => {
  const two = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 2, maxLength: 5 }).chain((all) => fc.tuple(fc.constant(all), fc.integer({ min: 1, max: all.length - 1 }), isolations, isolations));
  const chip = { ...octo, memoryControllers: 8 };

  it('are the same whoever asks, and keep what is private from everybody', () => {
    let found = 0;
    fc.assert(
      fc.property(dead, two, (names, [all, count, isolation, other]) => {
        const health = healthWithout(names);
        const [own, theirs] = [all.slice(0, count), all.slice(count)];
        const placement = partition(chip, health, own, isolation, theirs.map((core) => ({ core, isolation: other })));
        const asked = partition(chip, health, theirs, other, own.map((core) => ({ core, isolation })));
        expect(isWhole(placement)).toBe(isWhole(asked));
        if (!isWhole(placement) || !isWhole(asked)) return;
        found += 1;
        const byCore = (each: Placement): Placement['domains'] => [...each.domains].sort((a, b) => a.core - b.core);
        expect(byCore(placement)).toEqual(byCore(asked));
        placement.domains.forEach(({ core, banks, controllers, links }, i) => {
          const mine = i < count ? isolation : other;
          expect(core).toBe(all[i]);
          expect(banks.length * controllers.length).toBeGreaterThan(0);
          const elsewhere = placement.domains.filter((_, j) => j !== i);
          if (mine === 'full' || mine === 'caches') expect(elsewhere.flatMap((each) => each.banks).filter((bank) => banks.includes(bank))).toEqual([]);
          if (mine === 'full' || mine === 'memory') expect(elsewhere.flatMap((each) => each.controllers).filter((controller) => controllers.includes(controller))).toEqual([]);
          if (mine === 'full') expect(elsewhere.flatMap((each) => each.links).filter((link) => links.includes(link))).toEqual([]);
        });
      }),
    );
    expect(found).toBeGreaterThan(20);
  });

  it('without isolation are what those with isolation leave', () => {
    const placement = partition(octo, new Health(), [0, 1], 'full', [4, 5].map((core) => ({ core, isolation: 'none' as const })));
    expect(placement).toMatchObject({ cuts: { length: 3 } });
    if (!isWhole(placement)) return;
    const [a, b, c, d] = placement.domains;
    expect(c?.banks).toEqual(d?.banks);
    expect([...(a?.banks ?? []), ...(b?.banks ?? []), ...(c?.banks ?? [])].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('are found in time on a large chip with many replicas', () => {
    const large: ChipPlan = { ...octo, cores: 64, l2Banks: 64, memoryControllers: 64 };
    const others = [8, 16, 24, 32, 40, 48, 56].map((core) => ({ core, isolation: 'full' as const }));
    expect(place(large, healthWithout(['core 0']), [0, 1, 2], [3, 4, 5], 3, 'full', others)).toEqual([1, 2, 3]);
  });
});
