import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plansOfAll } from '../covert/beside';
import { beside } from '../covert/beside.test-support';
import { addressOf, fault, flipX } from '../covert/plan.test-support';
import { run } from '../covert/run';
import { Session } from './session';
import type { Navigation } from './types';

const nothing: Navigation = { stopAt: new Set(), breakpoints: new Set() };
const at = (count: number) => ({ kind: 'instruction' as const, count });
const wrongTable = fault({ kind: 'flip', place: { kind: 'memory', address: addressOf('checksum', 'table') + 308n, bytes: 4 }, bits: [9] }, at(250_000));
const dies = (component: string, count: number) => fault({ kind: 'die', how: 'stops' }, at(count), { kind: 'component', component });

/** The first guest kills a core of the second, has an error of its own, and ends before it; the third is alone, and wrong. */
const plan = beside(
  [
    { faults: [flipX(10, 17, at(300_000)), dies('core 3', 900_000)], maxInstructions: 2_000_000 },
    { protection: { cores: [2, 3], epochInstructions: 7_000 }, faults: [{ ...wrongTable, trigger: at(1_200_000) }] },
    { example: 'sort', protection: { kind: 'none', cores: [5] }, faults: [flipX(8, 3, at(400_000), { kind: 'replica', replica: 'A' })], maxInstructions: 1_500_000 },
  ],
  [7],
);

async function finished(seat: number): Promise<Session> {
  const session = Session.create(plansOfAll(plan)[seat] ?? plan);
  expect(await session.forward(nothing)).toMatchObject({ why: 'end' });
  expect(await session.finish()).toBe(true);
  return session;
}

describe('guests beside the one that is looked at', () => {
  it('have the same events, divergences among them, whoever of them is looked at', async () => {
    const sessions = [await finished(0), await finished(1), await finished(2)];
    const seen = sessions.map((session, seat) => session.bystanders.map(({ events }) => events).toSpliced(seat, 0, session.events));
    expect(seen[0]?.map((events) => events.filter(({ kind }) => kind === 'divergence').length)).toEqual([1, 1, 1]);
    expect(seen[0]?.[1]?.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['detection', 'retirement', 'clone']));
    for (const each of seen.slice(1)) expect(each).toEqual(seen[0]);
  });

  it('are in the same states at every moment, from either side', async () => {
    const session = Session.create(plan);
    await session.forward(nothing);
    const end = session.moment;
    const states = (from: Session): string[] => [from.stateHash(), ...from.bystanders.map((each) => `${each.count} ${each.stateHash()}`)];
    const known = new Map<number, string[]>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: end }), fc.integer({ min: 0, max: end }), async (one, other) => {
        for (const moment of [one, other, one]) {
          await session.travel(moment);
          const before = known.get(moment);
          if (before) expect(states(session)).toEqual(before);
          else known.set(moment, states(session));
        }
      }),
      { numRuns: 8 },
    );
    const fresh = Session.create(plan);
    for (const moment of [...known.keys()].sort((a, b) => a - b)) {
      await fresh.travel(moment);
      expect(states(fresh)).toEqual(known.get(moment));
    }
  });

  it('are recorded once, however one goes about', async () => {
    const wandering = Session.create(plan);
    for (const moment of [1_000_000, 100, 700_000, 900_001, 899_999]) await wandering.travel(moment);
    await wandering.forward(nothing);
    await wandering.travel(200_000);
    await wandering.travel(1e9);
    await wandering.finish();
    const straight = await finished(0);
    expect(wandering.bystanders.map(({ events }) => events)).toEqual(straight.bystanders.map(({ events }) => events));
  });
});

it('a report has what each guest did, by its own measure, and passes if all of them do', async () => {
  const [own, ...others] = await Promise.all(plansOfAll(plan).map((each) => run(each)));
  const { scenario, passed, neighbours = [], ...about } = own ?? (await run(plan));
  expect([about, ...neighbours].map(({ guest }) => guest.name)).toEqual(['checksum', 'checksum 2', 'sort 3']);
  // The same of each, whoever is in front.
  others.forEach(({ scenario: _, neighbours: theirs, passed: __, ...front }, i) => {
    const { passed: ___, ...beside } = neighbours[i] ?? {};
    expect(front).toEqual(beside);
    expect(theirs).toHaveLength(2);
  });
  expect(neighbours[0]?.released).toMatchObject({ corrupt: false, ofBytes: 211 });
  expect({ scenario, passed }).toEqual({ scenario: plan.name, passed: true });

  const wants = (code: number) => [{ expectation: { kind: 'exit' as const, code }, text: `exit ${code}` }];
  const judged = async (code: number) => run({ ...plan, neighbours: plan.neighbours?.map((each, i) => (i === 0 ? { ...each, expectations: wants(code) } : each)) ?? [] }, { withoutDivergences: true });
  expect((await judged(0)).passed).toBe(true);
  const failed = await judged(1);
  expect(failed.passed).toBe(false);
  expect(failed.neighbours?.map((each) => each.passed)).toEqual([false, true]);
});
