import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plansOfAll, withoutNeighbours } from './beside';
import { beside, type GuestSetting } from './beside.test-support';
import type { SystemEvent } from './events';
import type { FaultPlan, Isolation, Plan, ProtectionPlan, SwitchPlan } from './plan';
import { fault, flipX, type Example } from './plan.test-support';
import { ofKind } from './run.test-support';
import { replicaCount } from './switching';
import { InputLog } from './input-log';
import { ReleaseLog } from './release-log';
import { System } from './system';

interface Story {
  events: SystemEvent[];
  ended: SystemEvent | undefined;
  count: number;
  moment: number;
  cycles: number;
  hashes: string[];
  costs: unknown;
  cores: number[];
  released: string;
}

/** All that can be told of each guest, in their order, with one of them in front and advanced by these many instructions, over and over. */
function stories(plan: Plan, seat = 0, slices: readonly number[] = [1e9], travels = false): Story[] {
  const all = plansOfAll(plan);
  const own = all[seat] ?? plan;
  const logs = all.map(() => ({ log: new ReleaseLog(), inputs: new InputLog() }));
  const options = { ...logs[seat], beside: logs.toSpliced(seat, 1) };
  let system = new System(own, options);
  const inOrder = (): System[] => system.neighbours.toSpliced(seat, 0, system);
  const events = inOrder().map((each) => each.takeEvents());
  const take = (): void => inOrder().forEach((each, i) => (events[i] = [...(events[i] ?? []), ...each.takeEvents()]));
  for (let i = 0; !system.ended; i++) {
    const slice = slices[i % slices.length] ?? 1;
    if (travels) {
      // Somewhere else and back, and on in another system that has not been here.
      const state = system.save();
      system.advance(system.moment + 2 * slice);
      if (i % 2 === 0) system = new System(own, options);
      system.load(state);
    }
    system.advance(system.moment + slice);
    take();
  }
  for (const each of system.neighbours) while (!each.ended) each.advance(each.moment + (slices[0] ?? 1));
  take();
  return inOrder().map((each, i) => storyOf(each, events[i] ?? []));
}

function storyOf(system: System, events: SystemEvent[]): Story {
  const { ended, count, moment, cycles } = system;
  const hashes = system.replicas.map(({ computer }) => computer.snapshot().hash());
  // What was held back when an error was noticed, and is released when that is over, comes behind it though it was before.
  events.sort((a, b) => a.moment - b.moment);
  return { events, ended, count, moment, cycles, hashes, costs: system.costs(), cores: system.live.map(({ core }) => core), released: Buffer.from(system.released).toString() };
}

const none: Partial<ProtectionPlan> = { kind: 'none', cores: [4] };
const at = (count: number) => ({ kind: 'instruction' as const, count });
const dies = (component: string, count: number, how: 'stops' | 'hangs' = 'stops'): FaultPlan => fault({ kind: 'die', how }, at(count), { kind: 'component', component });
const sticks = (core: number, count = 250_000): FaultPlan => fault({ kind: 'stick', place: { kind: 'x', index: 10 }, bits: [17], value: 1 }, at(count), { kind: 'core', core });
/** Without what it said. */
const what = (events: readonly SystemEvent[]): SystemEvent[] => events.filter(({ kind }) => kind !== 'release' && kind !== 'checkpoint');

describe('guests on one chip', () => {
  it('do what each of them does alone', () => {
    const settings: GuestSetting[] = [{ example: 'checksum' }, { example: 'ticker', protection: { kind: 'tmr', cores: [2, 3, 4] } }, { example: 'sort', protection: { kind: 'none', cores: [6] } }];
    const together = stories(beside(settings));
    settings.forEach((setting, i) => {
      // A guest alone runs several epochs at once, which comes to the same.
      expect(together[i]).toEqual(stories(beside([setting]))[0]);
    });
  });

  it('have domains of their own, and all of them links that are cut', () => {
    const system = new System(beside([{}, { protection: { cores: [4, 5] } }]));
    const [first, second] = [system, system.neighbours[0]].map((each) => each?.placement.domains ?? []);
    const all = [...(first ?? []), ...(second ?? [])];
    expect(all.map(({ core }) => core)).toEqual([0, 1, 4, 5]);
    for (const part of ['banks', 'controllers', 'links'] as const) {
      const parts = all.flatMap((domain) => domain[part]);
      expect(new Set(parts).size).toBe(parts.length);
    }
    expect(system.placement.cuts).toHaveLength(4);
    expect(() => new System(beside([{}, { protection: { cores: [4, 5] } }], [], 3))).toThrow('only 3 memory controllers that work for 4 replicas');
  });

  it('take turns: none is more than its own epoch ahead of one that still runs', () => {
    for (const example of ['sort', 'ticker'] as const) {
      const system = new System(beside([{ example, protection: { epochInstructions: 1_000 } }, { protection: { ...none, epochInstructions: 1_000 } }]));
      const [other] = system.neighbours;
      if (!other) throw new Error('nobody there');
      let looked = 0;
      for (;;) {
        system.advance(system.moment + 1_000);
        if (system.ended || other.ended) break;
        // What one has slept is time, too; 200 cycles a tick.
        const computer = system.live[0]?.computer;
        const slept = Number(computer?.getCsr(0xc01)) * 200 - (computer?.retired ?? 0);
        // An epoch, and what it has slept and paid in that.
        expect(Math.abs(system.cycles + slept - other.cycles), `${example} at ${system.count}`).toBeLessThan(100_000);
        looked += 1;
      }
      expect(looked).toBeGreaterThan(10);
    }
  });
});

describe('what dies', () => {
  it('under one guest is nothing to the other, whose domain does not have it', () => {
    const [first, second] = stories(beside([{ faults: [dies('core 1', 333_333), dies('l2 bank 0', 500_000)] }, { protection: { cores: [4, 5] } }], [7]));
    expect(ofKind(first?.events ?? [], 'recovery').map(({ by }) => by)).toEqual(['failover', 'failover']);
    expect(first?.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(second).toEqual(stories(beside([{ protection: { cores: [4, 5] } }]))[0]);
  });

  it('strikes whoever runs there, whichever guest: a fault of the first under the second', () => {
    for (const how of ['stops', 'hangs'] as const) {
      const [first, second] = stories(beside([{ faults: [dies('core 5', 200_000, how)] }, { protection: { cores: [4, 5] } }], [7]));
      expect(what(first?.events ?? [])).toMatchObject([{ kind: 'fault', replica: undefined, change: how === 'stops' ? 'core 5 stops' : 'core 5 answers no more' }, { kind: 'end', how: 'exit' }]);
      expect(what(second?.events ?? []).map(({ kind }) => kind)).toEqual(['detection', 'retirement', 'clone', 'recovery', 'end']);
      expect(ofKind(second?.events ?? [], 'detection')).toMatchObject([{ by: how === 'stops' ? 'machine check' : 'watchdog' }]);
      expect(second?.cores).toEqual([4, 7]);
      expect(second?.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    }
  });

  it('and is shared, without isolation, reaches both', () => {
    const protection = { isolation: 'none' as const };
    const plan = beside([{ protection, faults: [dies('l2 bank 2', 333_333)] }, { protection: { ...protection, cores: [4, 5] } }]);
    const both = stories(plan);
    for (const story of both) {
      expect(ofKind(story.events, 'detection')).toMatchObject([{ by: 'machine check', what: 'l2 bank 2 has stopped under A, l2 bank 2 has stopped under B' }]);
      expect(ofKind(story.events, 'recovery')).toMatchObject([{ by: 'failover' }]);
      expect(story.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    }
    // One of them has retired it.
    expect(both.flatMap(({ events }) => ofKind(events, 'retirement'))).toMatchObject([{ component: 'l2 bank 2' }]);
    const apart = stories(beside([{ faults: [dies('l2 bank 2', 333_333)] }, { protection: { cores: [4, 5] } }]));
    expect(apart.filter(({ events }) => ofKind(events, 'detection').length > 0)).toHaveLength(1);
  });

  it('under an unprotected guest ends it, and the other one goes on', () => {
    const [first, second] = stories(beside([{ faults: [dies('core 4', 200_000)] }, { protection: none }]));
    expect(first?.ended).toMatchObject({ how: 'exit', exitCode: 0 });
    expect(second?.ended).toMatchObject({ how: 'hung', why: 'the guest ran on core 4, which is dead' });
  });
});

describe('spare cores', () => {
  it('are whose who needs them first, in modelled time, and cores that a guest was on are never another one\'s', () => {
    const order = [[0, 300_000, 500_000], [1, 500_000, 300_000]] as const;
    for (const [winner, a, b] of order) {
      const both = stories(beside([{ faults: [dies('core 1', a)] }, { faults: [dies('core 5', b)], protection: { cores: [4, 5] } }], [7]));
      expect(both.map(({ events }) => ofKind(events, 'clone').map(({ core }) => core))).toEqual(winner === 0 ? [[7], []] : [[], [7]]);
      expect(both.map(({ events }) => ofKind(events, 'degradation').length)).toEqual(winner === 0 ? [0, 1] : [1, 0]);
    }
  });

  it('a guest that has ended leaves its cores and its domains to the others', () => {
    const long = { example: 'checksum' as const, faults: [dies('core 1', 900_000)] };
    const [first, second] = stories(beside([long, { example: 'checksum', maxInstructions: 400_000, protection: { cores: [4, 5] } }]));
    expect(second?.ended).toMatchObject({ how: 'limit' });
    expect(ofKind(first?.events ?? [], 'clone')).toMatchObject([{ replica: 'B', core: 4 }]);
    const system = new System(beside([long, { example: 'checksum', maxInstructions: 400_000, protection: { cores: [4, 5] } }]));
    const banks = (): number => system.placement.domains.flatMap((each) => each.banks).length;
    const before = banks();
    system.advance(850_000);
    expect(banks()).toBeGreaterThan(before);
  });

  it('a switch takes cores that are free, and others where they are not', () => {
    const switches: SwitchPlan[] = [{ kind: 'dmr', cores: [0, 4], trigger: at(200_000) }];
    const [first, second] = stories(beside([{ protection: { kind: 'none', cores: [0] }, switches }, { protection: none }], [7]));
    expect(ofKind(first?.events ?? [], 'switch')).toMatchObject([{ to: 'dmr', cores: [0, 7] }]);
    expect(second?.cores).toEqual([4]);
  });
});

describe('a fault that lasts in the hardware', () => {
  it('strikes another guest that comes to run there', () => {
    // The first one's scenario breaks the spare that the second one needs.
    const [first, second] = stories(beside([{ faults: [sticks(7)] }, { faults: [dies('core 5', 400_000)], protection: { cores: [4, 5] } }], [6, 7].slice(1)));
    expect(what(first?.events ?? [])).toMatchObject([{ kind: 'fault', core: 7 }, { kind: 'end', how: 'exit' }]);
    expect(ofKind(second?.events ?? [], 'clone')).toMatchObject([{ core: 7 }]);
    expect(ofKind(second?.events ?? [], 'recovery').map(({ by }) => by).slice(0, 2)).toEqual(['failover', 'rollback']);
    expect(second?.ended).toMatchObject({ how: 'stopped' });
  });

  it.each([['cycles', 500_000], ['instructions', 500_000]] as const)('is over by the clock, also when the guest is gone in whose scenario it stands: %s', (unit, length) => {
    const short: FaultPlan = { ...sticks(7, 100_000), lifetime: { unit, length } };
    const [first, second] = stories(beside([{ faults: [short], maxInstructions: 200_000 }, { faults: [dies('core 5', 1_500_000)], protection: { cores: [4, 5] } }], [7]));
    expect(first?.ended).toMatchObject({ how: 'limit' });
    expect(second?.cores).toEqual([4, 7]);
    expect(ofKind(second?.events ?? [], 'recovery').map(({ by }) => by)).toEqual(['failover']);
    expect(second?.ended).toMatchObject({ how: 'exit', exitCode: 0 });
  });

  it.each(['cycles', 'instructions'] as const)('comes and goes when that guest is gone: %s', (unit) => {
    // Its guest ends when it is there, or when it is not.
    for (const maxInstructions of [101_000, 200_000]) {
      const period = 1_000_000;
      const duty: FaultPlan = { ...sticks(7, 100_000), rhythm: { kind: 'duty', unit, period, on: 30_000 } };
      const epochs = { epochInstructions: 10_000 };
      const system = new System(beside([{ faults: [duty], maxInstructions, protection: epochs }, { protection: { cores: [4, 7], retry: 9, ...epochs } }]));
      const [other] = system.neighbours;
      if (!other) throw new Error('nobody there');
      system.advance(100_000);
      const start = system.cycles;
      const found: number[] = [];
      for (system.advance(1e9); !other.ended; other.advance(other.moment + 10_000)) if (ofKind(other.takeEvents(), 'detection').length > 0) found.push(other.cycles);
      expect(system.ended).toMatchObject({ how: 'limit' });
      expect(other.ended).toMatchObject({ how: 'exit', exitCode: 0 });
      // A comparison every 40,000 instructions, which are twice as many cycles; once more where a rollback is into what is stuck.
      expect(found.filter((cycles) => (cycles - start) % period > 250_000)).toEqual([]);
      expect(new Set(found.map((cycles) => Math.floor((cycles - start) / period))).size).toBeGreaterThan(3);
    }
  });
});

const kinds = fc.constantFrom('none' as const, 'dmr' as const, 'tmr' as const);
const components = ['core 0', 'core 1', 'core 3', 'core 5', 'core 6', 'core 7', 'l2 bank 0', 'l2 bank 5', 'memory controller 1', 'memory controller 6', 'link 1 -> 2', 'link 4 -> 5'];
const own = (cores: readonly number[]) =>
  fc.record({
    example: fc.constantFrom<Example>('checksum', 'sort', 'ticker'),
    kind: kinds,
    cores: fc.constant(cores),
    epochInstructions: fc.integer({ min: 3_000, max: 60_000 }),
    maxInstructions: fc.constantFrom(700_000, 3_000_000),
    flips: fc.array(fc.record({ register: fc.integer({ min: 1, max: 31 }), bit: fc.nat(63), at: fc.integer({ min: 0, max: 1_500_000 }), replica: fc.constantFrom('A' as const, 'B' as const, 'C' as const), sticks: fc.boolean() }), { maxLength: 2 }),
    deaths: fc.array(fc.record({ component: fc.constantFrom(...components), how: fc.constantFrom('stops' as const, 'hangs' as const), at: fc.integer({ min: 0, max: 1_500_000 }) }), { maxLength: 2 }),
    broken: fc.array(fc.record({ core: fc.integer({ min: 0, max: 7 }), at: fc.integer({ min: 0, max: 1_000_000 }) }), { maxLength: 1 }),
    switches: fc.array(fc.record({ to: kinds, at: fc.integer({ min: 0, max: 1_500_000 }) }), { maxLength: 1 }),
  });

type Own = (ReturnType<typeof own> extends fc.Arbitrary<infer T> ? T : never) & { isolation: Isolation };

function settingOf({ example, kind, cores, epochInstructions, maxInstructions, flips, deaths, broken, switches, isolation }: Own): GuestSetting {
  return {
    example,
    maxInstructions,
    protection: { kind, cores: [...cores], epochInstructions, isolation },
    faults: [
      ...flips.map((each) => {
        const flip = flipX(each.register, each.bit, at(each.at), { kind: 'replica', replica: kind === 'none' ? 'A' : kind === 'dmr' && each.replica === 'C' ? 'B' : each.replica });
        return each.sticks ? { ...flip, effect: { kind: 'stick' as const, place: { kind: 'x' as const, index: each.register }, bits: [each.bit], value: 1 as const } } : flip;
      }),
      ...deaths.map((each) => dies(each.component, each.at, each.how)),
      ...broken.map((each) => sticks(each.core, each.at)),
    ],
    switches: switches.map(({ to, at: count }) => ({ kind: to, cores: cores.slice(0, replicaCount[to]), trigger: at(count) })),
  };
}

const isolations = fc.constantFrom<Isolation>('full', 'none', 'caches', 'memory');
const pairs = fc
  .record({ first: own([0, 1, 2]), second: own([4, 5, 6]), isolation: fc.tuple(isolations, isolations), spares: fc.constantFrom([], [7], [7, 3]) })
  .map(({ first, second, isolation, spares }) => ({ guests: [settingOf({ ...first, isolation: isolation[0] }), settingOf({ ...second, isolation: isolation[1] })], spares }));

it('a run is the same whoever is in front, however it is cut, and through states that are saved and loaded', { timeout: 900_000 }, () => {
  fc.assert(
    fc.property(pairs, fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 4 }), ({ guests, spares }, slices) => {
      const plan = beside(guests, spares);
      const whole = stories(plan);
      const longer = slices.map((slice) => Math.max(slice, 5_000));
      expect(stories(plan, 0, longer)).toEqual(whole);
      expect(stories(plan, 1, longer)).toEqual(whole);
      expect(stories(plan, 1, longer.map((slice) => Math.max(slice, 40_000)), true)).toEqual(whole);
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

it('faults in one guest are nothing to the other under full isolation', { timeout: 900_000 }, () => {
  let struck = 0;
  fc.assert(
    fc.property(own([0, 1, 2]), fc.constantFrom([], [3], [3, 7]), fc.boolean(), (random, spares, isFirst) => {
      const example = 'checksum' as const;
      const quiet: GuestSetting = { example, protection: { cores: [4, 5], epochInstructions: 20_000 } };
      const noisy = settingOf({ ...random, isolation: 'full' });
      // Those of components that are the other one's, or come to be, are meant for it; so are cores that it could not do without.
      const system = new System(beside([noisy, quiet], spares));
      const theirs = system.placement.domains.flatMap(({ core, banks }) => [`core ${core}`, ...banks.map((bank) => `l2 bank ${bank}`)]);
      const faults = noisy.faults?.filter(({ target }) => target.kind === 'replica' || (target.kind === 'component' ? theirs.includes(target.component) : target.core < 3)) ?? [];
      const guests = [{ ...noisy, faults }, quiet];
      const both = stories(beside(isFirst ? guests : guests.toReversed(), spares));
      if (ofKind(both[isFirst ? 0 : 1]?.events ?? [], 'fault').length > 0) struck += 1;
      expect(both[isFirst ? 1 : 0]).toEqual(alone);
    }),
    { numRuns: 15, endOnFailure: true },
  );
  expect(struck).toBeGreaterThan(4);
});

const alone = stories(withoutNeighbours(beside([{ protection: { cores: [4, 5], epochInstructions: 20_000 } }])))[0];
