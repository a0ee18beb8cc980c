import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asm } from '../machine/guest.test-support';
import { elfOf } from './elf.test-support';
import { inputClasses, type FaultPlan, type InputClass, type Plan, type StuckPlace } from './plan';
import { fault, flipX, planFor, type Example } from './plan.test-support';
import { replicaCount } from './switching';
import { System } from './system';

/** All that can be told of a run, advanced by these many instructions, over and over. */
function story(plan: Plan, slices: readonly number[]): Record<string, unknown> {
  const system = new System(plan);
  const events = system.takeEvents();
  for (let i = 0; !system.ended; i++) {
    system.advance(system.moment + (slices[i % slices.length] ?? 1));
    // One by one: a guest that prints what lies behind its text has a million outputs, more than a call takes arguments.
    for (const event of system.takeEvents()) events.push(event);
  }
  const { moment, count, epoch, ended, cycles } = system;
  const hashes = system.replicas.map(({ computer }) => computer.snapshot().hash());
  return { events, moment, count, epoch, ended, cycles, hashes, costs: system.costs() };
}

const plans = fc
  .record({
    example: fc.constantFrom<Example>('checksum', 'sort', 'ticker'),
    kind: fc.constantFrom('none' as const, 'dmr' as const, 'tmr' as const),
    // Some of these end where the run is cut off.
    epochInstructions: fc.oneof(fc.integer({ min: 3_000, max: 60_000 }), fc.constantFrom(7_000, 10_000, 35_000)),
    checkpointEpochs: fc.integer({ min: 0, max: 9 }),
    compareStateEpochs: fc.integer({ min: 0, max: 9 }),
    maxInstructions: fc.constantFrom(700_000, 50_000_000),
    faults: fc.array(fc.record({ register: fc.integer({ min: 1, max: 31 }), bit: fc.nat(63), at: fc.integer({ min: 0, max: 2_000_000 }), by: fc.constantFrom('instruction' as const, 'cycle' as const, 'output' as const), in: fc.constantFrom('A' as const, 'B' as const, 'C' as const), sticks: fc.boolean(), place: fc.constantFrom<StuckPlace | undefined>(undefined, undefined, { kind: 'unit', unit: 'load' }, { kind: 'unit', unit: 'fetch' }, { kind: 'pc' }, { kind: 'csr', number: 0x304 }), period: fc.constantFrom(0, 0, 90_001, 400_000) }), { maxLength: 3 }),
    deaths: fc.array(fc.record({ component: fc.constantFrom('core 0', 'core 1', 'core 2', 'core 5', 'l2 bank 0', 'memory controller 1', 'link 1 -> 2'), how: fc.constantFrom('stops' as const, 'hangs' as const), at: fc.integer({ min: 0, max: 2_000_000 }) }), { maxLength: 2 }),
    switches: fc.array(fc.record({ to: fc.constantFrom('none' as const, 'dmr' as const, 'tmr' as const), at: fc.integer({ min: 0, max: 2_000_000 }) }), { maxLength: 2 }),
    spares: fc.constantFrom([], [5], [5, 6]),
    isolation: fc.constantFrom('full' as const, 'none' as const),
    uncoordinated: fc.oneof({ weight: 3, arbitrary: fc.constant<InputClass[]>([]) }, { weight: 1, arbitrary: fc.subarray([...inputClasses]) }),
  })
  .map(({ example, kind, faults, deaths, switches, spares, maxInstructions, ...protection }): Plan => {
    const plan = planFor(example, {
      protection: { ...protection, kind, cores: [0, 1, 2] },
      maxInstructions,
      faults: faults.map(({ register, bit, at, by, in: name, sticks, place, period }): FaultPlan => {
        const struck = flipX(register, bit, by === 'output' ? { kind: by, number: at % 100 } : { kind: by, count: at }, { kind: 'replica', replica: kind === 'none' ? 'A' : kind === 'dmr' ? 'B' : name });
        const unit = by === 'cycle' ? 'cycles' : 'instructions';
        if (!sticks) return period === 0 ? struck : { ...struck, rhythm: { kind: 'every', unit, period } };
        const stuck: FaultPlan = { ...struck, effect: { kind: 'stick', place: place ?? { kind: 'x', index: register }, bits: [bit], value: 1 } };
        return period === 0 ? stuck : { ...stuck, rhythm: { kind: 'duty', unit, period, on: period >> 4 } };
      }),
    });
    return {
      ...plan,
      chip: { ...plan.chip, spares: [...spares] },
      faults: [...plan.faults, ...deaths.map(({ component, how, at }) => fault({ kind: 'die', how }, { kind: 'instruction', count: at }, { kind: 'component', component }))],
      switches: switches.map(({ to, at }) => ({ kind: to, cores: [0, 1, 2].slice(0, replicaCount[to]), trigger: { kind: 'instruction', count: at } })),
    };
  });

it.each([4_999, 5_000, 5_001])('a guest that waits for ever from instruction %i on is found to in the same epoch, however the run was cut', (last) => {
  const nops = last - 1 - 2 * 2_400 - 2;
  // lui t0, 1; addi t0, t0, -1696; then twice 2,400 instructions of a loop.
  const words = [asm.lui(5, 1), asm.addi(5, 5, -1696), asm.addi(5, 5, -1), 0xfe029ee3 /* bnez t0, -4 */, ...Array<number>(nops).fill(asm.addi(0, 0, 0)), asm.wfi];
  const plan = planFor('ticker', { protection: { epochInstructions: 1_000, checkpointEpochs: 0, compareStateEpochs: 0 } });
  const waiting = { ...plan, guest: { ...plan.guest, image: elfOf(words) } };
  const whole = story(waiting, [1e9]);
  expect(whole).toMatchObject({ count: last, ended: { how: 'hung' }, epoch: Math.floor(last / 1000) });
  expect(story(waiting, [999])).toEqual(whole);
});

it('a run is the same in one go as by slices of whatever length, epochs that are run together included', { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(plans, fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 5 }), (plan, slices) => {
      // A slice of an epoch at most runs none of them together.
      const { epochInstructions } = plan.protection;
      const whole = story(plan, [1e9]);
      expect(story(plan, slices.map((slice) => Math.max(slice, 2_000)))).toEqual(whole);
      expect(story(plan, [epochInstructions - 1])).toEqual(whole);
    }),
    { numRuns: 60 },
  );
});

it('a guest that prints on and on ends at the same output, however its run was cut', { timeout: 600_000 }, () => {
  // Each byte loaded looks as if more text followed.
  const loads: FaultPlan = { ...flipX(11, 55, { kind: 'instruction', count: 543_758 }, { kind: 'replica', replica: 'A' }), effect: { kind: 'stick', place: { kind: 'unit', unit: 'load' }, bits: [55], value: 1 } };
  const plan = planFor('checksum', { protection: { kind: 'none', epochInstructions: 54_949 }, maxInstructions: 50_000_000, faults: [loads] });
  const whole = story(plan, [1e9]);
  expect(whole).toMatchObject({ ended: { how: 'limit', why: 'the guest has sent 1,048,576 outputs, which is as much as is kept' } });
  const sliced = story(plan, [200_000, 77_777]);
  // Not by toEqual, whose report of a million events would not end.
  expect(isDeepStrictEqual(sliced, whole)).toBe(true);
});
