import { describe, expect, it } from 'vitest';
import { asm } from '../machine/guest.test-support';
import { elfOf } from './elf.test-support';
import type { FaultPlan, Plan, ProtectionPlan } from './plan';
import { flipX, planFor } from './plan.test-support';
import { ofKind, runToEnd } from './run.test-support';

const letters = 'abcdefghijkl';
const rounds = 4_000;

/** Counts down, says the next letter, and so on. */
const words = [
  asm.lui(6, 0x10000),
  ...[...letters].flatMap((letter) => [
    asm.lui(5, 1), asm.addi(5, 5, rounds - 4096), asm.addi(5, 5, -1), 0xfe029ee3 /* bnez t0, -4 */,
    asm.addi(7, 0, letter.charCodeAt(0)), asm.sb(7, 6, 0),
  ]),
  asm.lui(10, 0x100), asm.lui(11, 5), asm.addi(11, 11, 0x555), asm.sw(11, 10, 0),
];
const image = elfOf(words);

function planOf(faults: FaultPlan[], protection: Partial<ProtectionPlan> = {}): Plan {
  const plan = planFor('checksum', { faults, protection: { compareOutput: false, epochInstructions: 1_000, compareStateEpochs: 64, checkpointEpochs: 64, cores: [0, 1, 2], ...protection } });
  return { ...plan, guest: { ...plan.guest, name: 'letters', image } };
}

describe('where only states are compared', () => {
  it.each(['dmr', 'tmr'] as const)('a replica that says things later than the others, or not at all, changes nothing of what leaves, under %s', (kind) => {
    for (const [what, fault] of [
      // Of two the first one may be struck, too: they go back, and what is said again is compared with what has left.
      ...(kind === 'dmr' ? [['the first one counts for longer', flipX(5, 14, { kind: 'instruction', count: 1_000 }, { kind: 'replica', replica: 'A' })] as const] : []),
      ['it counts for longer', flipX(5, 14, { kind: 'instruction', count: 1_000 }, { kind: 'replica', replica: 'B' })],
      ['it counts for shorter', flipX(5, 11, { kind: 'instruction', count: 1_000 }, { kind: 'replica', replica: 'B' })],
      ['it says it elsewhere', flipX(6, 29, { kind: 'instruction', count: 1_000 }, { kind: 'replica', replica: 'B' })],
    ] as const) {
      for (const slice of [400_000, 777]) {
        const { system, events } = runToEnd(planOf([fault], { kind }), slice);
        expect(Buffer.from(system.released).toString(), what).toBe(letters);
        expect(system.ended, what).toMatchObject({ how: 'exit', exitCode: 0 });
        expect(ofKind(events, 'detection').length, what).toBeGreaterThan(0);
        expect(ofKind(events, 'release').flatMap(({ bytes }) => bytes).length, what).toBe(letters.length);
      }
    }
  });
});
