import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineWith, asm, ramBase } from '../machine/guest.test-support';
import type { SystemEvent } from './events';
import { FaultInjector } from './fault-injector';
import { addressOf, fault, planFor } from './plan.test-support';
import type { FaultPlan, Place, Trigger } from './plan';
import { System } from './system';

/** Runs checksum under dmr with one fault and gives where it struck. */
function strike(trigger: Trigger, example: 'checksum' | 'ticker' = 'checksum'): Extract<SystemEvent, { kind: 'fault' }> {
  const place: Place = { kind: 'x', index: 0 };
  const system = new System(planFor(example, { faults: [fault({ kind: 'flip', place, bits: [1] }, trigger)] }));
  while (!system.ended) system.advance(system.moment + 100_000);
  const found = system.takeEvents().find((event) => event.kind === 'fault');
  if (found?.kind !== 'fault') throw new Error('it did not strike');
  return found;
}

describe('triggers', () => {
  it('an instruction count strikes just after that many have retired, 0 before the first', () => {
    expect(strike({ kind: 'instruction', count: 0 })).toMatchObject({ instruction: 0, pc: ramBase, replica: 'B', core: 1 });
    expect(strike({ kind: 'instruction', count: 123_457 }).instruction).toBe(123_457);
    expect(strike({ kind: 'instruction', count: 20_000 }).instruction).toBe(20_000);
  });

  it('an address strikes before its n-th execution', () => {
    const address = addressOf('checksum', 'crc32_update');
    const first = strike({ kind: 'execute', address, hit: 1 });
    const fifth = strike({ kind: 'execute', address, hit: 5 });
    expect([first.pc, fifth.pc]).toEqual([address, address]);
    expect(fifth.instruction).toBeGreaterThan(first.instruction);
  });

  it('a cycle count strikes at the first boundary at which the core has spent it', () => {
    const early = strike({ kind: 'cycle', count: 1000 });
    const system = new System(planFor('checksum'));
    const cycles = (): number => system.replicas[1]?.computer.cycles ?? 0;
    while (cycles() < 1000) system.advance(system.moment + 1);
    expect(early.instruction).toBe(system.count);
  });

  it('epochs and checkpoints strike at their beginning', () => {
    expect(strike({ kind: 'epoch', number: 0 }).instruction).toBe(0);
    expect(strike({ kind: 'epoch', number: 7 }).instruction).toBe(70_000);
    expect(strike({ kind: 'checkpoint', number: 0 }).instruction).toBe(0);
    expect(strike({ kind: 'checkpoint', number: 2 }).instruction).toBe(80_000);
  });

  it('outputs and console texts strike just after the guest has sent them', () => {
    const system = new System(planFor('checksum'));
    while (!system.ended) system.advance(system.moment + 100_000);
    const releases = system.takeEvents().filter((event) => event.kind === 'release');
    expect(strike({ kind: 'output', number: 3 }).instruction).toBe(releases[2]?.instruction);
    const text = Buffer.from(system.released).toString();
    const at = text.indexOf('crc=') + 'crc='.length - 1;
    expect(strike({ kind: 'console', text: 'crc=' }).instruction).toBe(releases[at]?.instruction);
  });

  it('a core strikes whoever runs on it', () => {
    const faults = [
      fault({ kind: 'set', place: { kind: 'x', index: 5 }, value: 0n }, { kind: 'instruction', count: 5 }, { kind: 'core', core: 0 }),
    ];
    const system = new System(planFor('checksum', { faults }));
    system.advance(100);
    expect(system.takeEvents()).toMatchObject([{ kind: 'fault', replica: 'A', core: 0 }]);
  });
});

describe('effects', () => {
  const machine = machineWith([asm.jal(0, 0)]);
  const places: Place[] = [
    { kind: 'x', index: 10 },
    { kind: 'f', index: 3 },
    { kind: 'csr', number: 0x340 },
    { kind: 'memory', address: ramBase + 0x800n, bytes: 1 },
    { kind: 'memory', address: ramBase + 0x810n, bytes: 2 },
    { kind: 'memory', address: ramBase + 0x820n, bytes: 4 },
    { kind: 'memory', address: ramBase + 0x831n, bytes: 8 },
  ];

  function inject(plan: FaultPlan, seed = 1): string {
    const injector = new FaultInjector([plan], seed, () => false);
    const boundary = { replica: 'B', core: 1, computer: machine, moment: 0, executing: true, outputs: 0, fresh: 0, console: () => new Uint8Array(), epoch: 0, checkpoint: 0 } as const;
    const struck = injector.strike(boundary);
    expect(struck).toHaveLength(1);
    expect(injector.strike(boundary)).toHaveLength(0);
    return struck[0]?.change.text ?? '';
  }

  it('a flip changes exactly its bits, twice changes nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.uniqueArray(fc.nat(63), { minLength: 1, maxLength: 5 }), (place, bits) => {
        const width = place.kind === 'memory' ? place.bytes * 8 : 64;
        const inside = [...new Set(bits.map((bit) => bit % width))];
        const before = machine.snapshot();
        inject(fault({ kind: 'flip', place, bits: inside }, { kind: 'instruction', count: 0 }));
        const difference = before.difference(machine.snapshot());
        const flipped = difference.reduce((sum, { a, b }) => sum + [...(a ^ b).toString(2)].filter((bit) => bit === '1').length, 0);
        expect(flipped).toBe(inside.length);
        inject(fault({ kind: 'flip', place, bits: inside }, { kind: 'instruction', count: 0 }));
        expect(before.equals(machine.snapshot())).toBe(true);
      }),
    );
  });

  it('random bits are distinct, within the places, and the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 8 }), (seed, count) => {
        const plan = fault({ kind: 'flip-random', places, count }, { kind: 'instruction', count: 0 });
        const before = machine.snapshot();
        inject(plan, seed);
        const after = machine.snapshot();
        const flipped = before
          .difference(after)
          .reduce((sum, { a, b }) => sum + [...(a ^ b).toString(2)].filter((bit) => bit === '1').length, 0);
        expect(flipped).toBe(count);
        machine.restore(before);
        inject(plan, seed);
        expect(machine.snapshot().equals(after)).toBe(true);
        machine.restore(before);
      }),
    );
  });

  it('says what changed', () => {
    machine.setX(10, 5n);
    const said = inject(fault({ kind: 'flip', place: { kind: 'x', index: 10 }, bits: [17] }, { kind: 'instruction', count: 0 }));
    expect(said).toBe('a0: 0x5 -> 0x20005 (bit 17)');
    const none = inject(fault({ kind: 'set', place: { kind: 'x', index: 0 }, value: 3n }, { kind: 'instruction', count: 0 }));
    expect(none).toBe('zero: 0x0, unchanged');
  });
});
