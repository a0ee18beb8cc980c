import { expect } from 'vitest';
import type { SystemEvent } from './events';
import type { Plan } from './plan';
import { runReference } from './reference';
import { System, type SystemOptions } from './system';

/** Runs a plan to its end, in slices of so many moments. */
export function runToEnd(plan: Plan, slice = 400_000): { system: System; events: SystemEvent[] } {
  return runInSlices(plan, [slice]);
}

/** Likewise, in slices of these lengths, over and over. */
export function runInSlices(plan: Plan, slices: readonly number[] = [1e9], options: SystemOptions = {}): { system: System; events: SystemEvent[] } {
  const system = new System(plan, options);
  const events = system.takeEvents();
  for (let i = 0; !system.ended; i++) {
    system.advance(system.moment + (slices[i % slices.length] ?? 1));
    // One by one: a call takes some hundred thousand arguments, and a guest that has run wild a million outputs.
    for (const event of system.takeEvents()) events.push(event);
  }
  return { system, events };
}

export function ofKind<Kind extends SystemEvent['kind']>(events: readonly SystemEvent[], kind: Kind): Extract<SystemEvent, { kind: Kind }>[] {
  return events.filter((event): event is Extract<SystemEvent, { kind: Kind }> => event.kind === kind);
}

/** The guest has come to its end, and said what it says without faults. */
export async function expectNothingWrong(plan: Plan, system: System): Promise<void> {
  const reference = await runReference(plan);
  expect(system.ended).toMatchObject({ how: 'exit', exitCode: reference?.exit });
  expect(Buffer.from(system.released).equals(Buffer.from(reference?.console ?? []))).toBe(true);
}

/** Live replicas with their cores. */
export function seats(system: System): string[] {
  return system.live.map(({ name, core }) => `${name}${core}`);
}
