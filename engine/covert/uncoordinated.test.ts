import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Session } from '../history/session';
import { disassemble } from '../isa/disassemble';
import { fillPool, pool } from '../machine/threads/thread.test-support';
import { tiers } from '../machine/tier';
import { answerTo, framesPlan, Thrower } from './frames.test-support';
import { inputsAddress, inputsPlan, inputSteps } from './inputs.test-support';
import type { InputClass, Plan } from './plan';
import { inputClasses } from './plan';
import { fault, flipX } from './plan.test-support';
import { run } from './run';
import { runToEnd } from './run.test-support';
import { System } from './system';

const onwards = { stopAt: new Set<never>(), breakpoints: new Set<bigint>() };
const but = (input: InputClass): InputClass[] => inputClasses.filter((other) => other !== input);

describe('each class of input', () => {
  it.each(inputSteps)('$name: replicas that get the same $input agree', async ({ bit }) => {
    const report = await run(inputsPlan({ steps: bit }));
    expect(report.guest).toMatchObject({ exit: 0, ended: 'exit' });
    expect(report.divergences).toEqual([]);
    expect(report.released.corrupt).toBe(false);
  });

  it.each(inputSteps)('$name: where $input alone is uncoordinated they come apart by the instruction that takes it in', async ({ bit, input, in: place, by, isFirst }) => {
    const plan = inputsPlan({ steps: bit, protection: { uncoordinated: [input] } });
    const report = await run(plan);
    const [divergence] = report.divergences;
    expect(divergence).toMatchObject({ function: place });
    const { instruction, pc } = divergence ?? { instruction: 0, pc: '0x0' };
    const system = new System(plan);
    const [a, b] = system.replicas.map(({ computer }) => computer);
    if (!a || !b) throw new Error('there are two');
    system.advance(instruction - 1);
    const before = a.snapshot();
    const address = BigInt(pc);
    if (by) expect(disassemble(b.readMemory(address, 4) ?? new Uint8Array(4), address).text).toMatch(by);
    if (isFirst) expect(b.compareState([a], before).equal).toBe(true);
    system.advance(instruction);
    expect(b.compareState([a], before).equal).toBe(false);
    expect(report.detections.length).toBeGreaterThan(0);
    expect(report.guest.ended).toBe('stopped');
  });

  it.each(inputSteps)('$name: nothing else that is uncoordinated comes to it', async ({ bit, input }) => {
    const report = await run(inputsPlan({ steps: bit, protection: { uncoordinated: but(input) } }));
    expect(report.guest).toMatchObject({ exit: 0, ended: 'exit' });
    expect(report.divergences).toEqual([]);
    expect(report.detections).toEqual([]);
  });

  it('is drawn from the seed', async () => {
    const said = async (seed: number): Promise<unknown> => {
      const { divergences } = await run(inputsPlan({ steps: 32, seed, protection: { uncoordinated: ['entropy'] } }));
      return divergences[0]?.differs;
    };
    expect(await said(1)).toEqual(await said(1));
    expect(await said(1)).not.toEqual(await said(2));
  });
});

describe('frames that reach each replica when they reach it', () => {
  const plan = framesPlan({ protection: { uncoordinated: ['network'] } });

  it('make replicas come apart that agree where frames are coordinated, whatever else is not', async () => {
    const others = await run(framesPlan({ protection: { uncoordinated: but('network') } }), { outside: new Thrower() });
    expect(others).toMatchObject({ guest: { exit: 0 }, divergences: [], detections: [] });
    const thrower = new Thrower();
    const report = await run(plan, { outside: thrower });
    expect(report.divergences[0]).toMatchObject({ function: 'main' });
    expect(report.guest.ended).toBe('stopped');
    // Nothing that only one of them has said has left.
    const answers = Array.from({ length: 60 }, (_, number) => Buffer.from(answerTo(number)).toString('hex'));
    const caught = thrower.caught.map((frame) => Buffer.from(frame).toString('hex'));
    expect(new Set(caught).size).toBe(caught.length);
    for (const frame of caught) expect(answers).toContain(frame);
  });

  it('come in another order', () => {
    const system = new System(plan, { outside: new Thrower() });
    const orders = new Set<string>();
    for (let i = 0; i < 400 && !system.ended; i++) {
      system.advance(system.moment + 50);
      const [a, b] = system.replicas.map(({ arrivals }) => arrivals.map(({ frame }) => frame?.length));
      if (a && b && a.length === b.length && a.length > 1) orders.add(`${a.join()} ${b.join()}`);
    }
    expect([...orders].some((order) => order.split(' ')[0] !== order.split(' ')[1])).toBe(true);
  });
});

/** All that can be told of a run, advanced by these many instructions, over and over. */
function story(plan: Plan, slices: readonly number[], options: ConstructorParameters<typeof System>[1] = {}): unknown {
  const system = new System(plan, options);
  try {
    const events = system.takeEvents();
    for (let i = 0; !system.ended; i++) {
      system.advance(system.moment + (slices[i % slices.length] ?? 1));
      for (const event of system.takeEvents()) events.push(event);
    }
    const { moment, count, epoch, ended, cycles } = system;
    return { events, moment, count, epoch, ended, cycles, hashes: system.replicas.map(({ computer }) => computer.snapshot().hash()), costs: system.costs(), own: system.replicas.map(({ computer }) => computer.own) };
  } finally {
    system.close();
  }
}

const ablations = fc
  .record({
    steps: fc.integer({ min: 1, max: 511 }),
    uncoordinated: fc.subarray([...inputClasses], { minLength: 1 }),
    kind: fc.constantFrom('dmr' as const, 'tmr' as const),
    epochInstructions: fc.integer({ min: 700, max: 40_000 }),
    checkpointEpochs: fc.integer({ min: 0, max: 5 }),
    compareOutput: fc.boolean(),
    compareStateEpochs: fc.integer({ min: 0, max: 5 }),
    retry: fc.nat(2),
    seed: fc.nat(1000),
    flip: fc.record({ register: fc.integer({ min: 1, max: 31 }), bit: fc.nat(63), count: fc.nat(200_000) }),
    dies: fc.option(fc.nat(150_000)),
  })
  .map(({ steps, seed, flip: { register, bit, count }, dies, ...protection }): Plan => {
    const faults = [
      flipX(register, bit, { kind: 'instruction', count }),
      ...(dies === null ? [] : [fault({ kind: 'die', how: 'stops' }, { kind: 'instruction', count: dies }, { kind: 'component', component: 'core 1' })]),
    ];
    const plan = inputsPlan({ steps, seed, faults, protection: { ...protection, cores: [0, 1, 2] }, maxInstructions: 400_000 });
    return { ...plan, chip: { ...plan.chip, spares: [5] } };
  });

describe('a run with inputs that nobody coordinates', () => {
  beforeAll(() => fillPool(2));
  afterAll(() => pool().close());

  it('is the same by slices of whatever length, on threads, and by whatever executes it', { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(ablations, fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 5 }), fc.constantFrom(...tiers), (plan, slices, tier) => {
        const whole = story(plan, [1e9], { tier: 'interpreter' });
        expect(story(plan, slices.map((slice) => Math.max(slice, 50)), { tier })).toEqual(whole);
        expect(story(plan, [30_000], { tier, threads: 3, threadsFrom: 0 })).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('is found again at every moment by a time traveller', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(ablations, fc.array(fc.nat(), { minLength: 3, maxLength: 3 }), async (plan, places) => {
        const session = Session.create(plan);
        expect((await session.forward(onwards)).why).toBe('end');
        const hashes = (one: Session): string[] => one.replicas.map(({ computer }) => `${computer.snapshot().hash()} ${JSON.stringify(computer.own)}`);
        for (const moment of places.map((place) => place % (session.moment + 1))) {
          await session.travel(moment);
          const fresh = Session.create(plan);
          await fresh.travel(moment);
          expect(hashes(session)).toEqual(hashes(fresh));
        }
      }),
      { numRuns: 12 },
    );
  });

  it.each(['disk', 'console'] as const)('goes on from a state that was saved while something of the %s was on its way', (input) => {
    const plan = inputsPlan({ steps: 64 | 128, protection: { uncoordinated: ['disk', 'console'], compareOutput: false, compareStateEpochs: 0, checkpointEpochs: 0, watchdogEpochs: 1000 }, maxInstructions: 200_000 });
    const system = new System(plan);
    const isUnderWay = (): boolean => system.replicas.every(({ arrivals, computer }) => (input === 'disk' ? computer.own.late : arrivals).length > 0);
    while (!isUnderWay()) system.advance(system.moment + 100);
    const state = system.save();
    const other = new System(plan);
    other.load(state);
    system.takeEvents();
    const ends = [other, system].map((each) => {
      each.advance(state.moment + 15_000);
      return [each.takeEvents(), each.replicas.map(({ arrivals, computer }) => [computer.snapshot().hash(), computer.own, arrivals])];
    });
    expect(ends[0]).toEqual(ends[1]);
    expect(isUnderWay()).toBe(false);
  });

  it('types nothing twice where a rollback comes while something is on its way', () => {
    // The first byte that is echoed is wrong in B.
    const wrong = flipX(10, 0, { kind: 'execute', address: inputsAddress('put_char'), hit: 7 });
    const { system, events } = runToEnd(inputsPlan({ steps: 128, faults: [wrong], protection: { uncoordinated: ['console'] } }), 100);
    const [recovery] = events.filter(({ kind }) => kind === 'recovery');
    expect(recovery).toMatchObject({ by: 'rollback' });
    expect(events.find(({ kind }) => kind === 'detection')).toMatchObject({ what: expect.stringMatching(/^output 7: A byte 0x73 's'/) as string });
    expect(Buffer.from(system.released).toString()).toMatch(/^name\? somebody\nline after /);
  });

  it('has nothing under way at a rendezvous', () => {
    const plan = inputsPlan({ steps: 64 | 128, protection: { uncoordinated: ['disk', 'console'], epochInstructions: 1000, compareOutput: false, compareStateEpochs: 0, checkpointEpochs: 0, watchdogEpochs: 1000 } });
    const system = new System(plan);
    let [meetings, under] = [0, 0];
    while (!system.ended && meetings < 200) {
      system.advance(system.moment + 25);
      const waiting = system.replicas.reduce((sum, { arrivals, computer }) => sum + arrivals.length + computer.own.late.length, 0);
      under += waiting;
      if (system.count % 1000 !== 0) continue;
      meetings += 1;
      for (const { arrivals, computer } of system.replicas) {
        expect(computer.own.late).toEqual([]);
        // What has been typed by now is there before the next one.
        for (const { at } of arrivals) expect(at > system.count && at < system.count + 1000).toBe(true);
      }
    }
    expect(under).toBeGreaterThan(0);
  });

  it('says what was wrong with nobody in particular: what left is compared with the run in which all was coordinated', async () => {
    const plan = inputsPlan({ steps: 4, protection: { kind: 'none', cores: [1], uncoordinated: ['time'] } });
    expect((await run(plan)).released.corrupt).toBe(true);
    expect((await run({ ...plan, protection: { ...plan.protection, uncoordinated: [] } })).released.corrupt).toBe(false);
    expect(runToEnd(plan).system.ended).toMatchObject({ how: 'exit' });
  });
});
