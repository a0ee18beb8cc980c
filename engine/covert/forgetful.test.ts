import { describe, expect, it } from 'vitest';
import { kernelImage } from '../machine/guest.test-support';
import type { SystemEvent } from './events';
import { InputLog } from './input-log';
import type { Plan } from './plan';
import { fault, flipX, planFor } from './plan.test-support';
import { ReleaseLog } from './release-log';
import { System } from './system';

function runToEnd(plan: Plan, forgetful: boolean): { system: System; events: SystemEvent[]; log: ReleaseLog } {
  const log = new ReleaseLog();
  const system = new System(plan, { log, forgetful });
  const events = system.takeEvents();
  while (!system.ended) {
    system.advance(system.moment + 12_345);
    for (const event of system.takeEvents()) events.push(event);
  }
  return { system, events, log };
}

/** A guest that listens to its console and prints all bytes from 1 on, over and over. */
function chatterbox(maxInstructions: number): Plan {
  const plan = planFor('checksum', { maxInstructions });
  // lui a0, 0x10000; li a1, 1; sb a1, 1(a0); sb a1, 0(a0); addi a1, a1, 1; j -8
  const image = kernelImage([0x10000537, 0x00100593, 0x00b500a3, 0x00b50023, 0x00158593, 0xff9ff06f]);
  const linux = { initialDisk: new Uint8Array(), bootArguments: '', systemMap: new Uint8Array() };
  return { ...plan, guest: { ...plan.guest, image, linux } };
}

describe('a system that keeps only what a rollback needs', () => {
  const flips = [1, 2, 3].map((n) => flipX(9 + n, 7, { kind: 'instruction', count: n * 111_111 }));
  const short = chatterbox(100_000);
  // Less is printed in an epoch than the texts are long.
  const talking = { ...short, protection: { ...short.protection, epochInstructions: 100, checkpointEpochs: 1 } };
  const typing = ['XYZ[', 'ABCDEF', 'xyz'].map((awaited) => ({ awaited, text: 'typed' }));
  const text = Buffer.from(Array.from({ length: 90 }, (_, n) => 0x21 + n)).toString();
  const cases: [string, Plan][] = [
    ['under dmr', planFor('checksum')],
    ['alone', planFor('ticker', { protection: { kind: 'none', cores: [0] } })],
    ['with faults', planFor('sort', { faults: flips })],
    ['typed at', { ...talking, guest: { ...talking.guest, typing } }],
    ['with a fault at a text', { ...talking, faults: [fault({ kind: 'flip', place: { kind: 'x', index: 9 }, bits: [3] }, { kind: 'console', text })] }],
  ];

  it.each(cases)('%s: does the same as one that keeps everything', (_, plan) => {
    const whole = runToEnd(plan, false);
    const short = runToEnd(plan, true);
    expect(short.events).toEqual(whole.events);
    const [a, b] = [short, whole].map(({ system }) => system.replicas[0]?.computer.snapshot().hash());
    expect(a).toBe(b);
    expect(short.system.costs()).toEqual(whole.system.costs());
    const count = (name: string): number | undefined => short.system.costs().find(({ event }) => event === name)?.count;
    if (plan.guest.typing) expect(count('input')).toBe(plan.guest.typing.length);
    expect(plan.faults.every((_, index) => short.system.hasFired(index))).toBe(true);
    expect(short.log.first).toBeGreaterThan(0);
    expect(whole.log.first).toBe(0);
    const { released } = whole.system;
    expect(short.system.released).toEqual(released.subarray(released.length - short.system.released.length));
  });

  it.each([true, false])('of more outputs than are kept, forgetful: %s', { timeout: 1_200_000 }, (forgetful) => {
    const log = new ReleaseLog();
    const system = new System(chatterbox(3_400_000), { log, forgetful });
    let released = 0;
    while (!system.ended) {
      system.advance(system.moment + 100_000);
      for (const event of system.takeEvents()) released += event.kind === 'release' ? event.bytes.length : 0;
    }
    const why = forgetful ? 'the guest was still running after 3,400,000 instructions' : 'the guest has sent 1,048,576 outputs, which is as much as is kept';
    expect(system.ended).toMatchObject({ how: 'limit', why });
    if (forgetful) expect(released).toBeGreaterThan(2 ** 20);
    expect(released - log.first).toBeLessThanOrEqual(forgetful ? 50_000 : 2 ** 20);
  });
});

it('forgets inputs that no rollback hands over again', () => {
  const inputs = new InputLog();
  for (let index = 0; index < 10; index++) inputs.write(index, { moment: index, count: index * 1000, time: 0, frames: [], console: Uint8Array.of(index) });
  inputs.forget(7);
  expect([6, 7, 9].map((index) => inputs.at(index)?.count)).toEqual([undefined, 7000, 9000]);
  inputs.write(7, { moment: 1, count: 1, time: 0, frames: [], console: Uint8Array.of() });
  expect(inputs.at(7)?.count).toBe(7000);
});
