import type { FaultPlan, Neighbour, Plan, ProtectionPlan, SwitchPlan } from './plan';
import { planFor, type Example } from './plan.test-support';

export interface GuestSetting {
  example?: Example;
  protection?: Partial<ProtectionPlan>;
  faults?: FaultPlan[];
  switches?: SwitchPlan[];
  maxInstructions?: number;
}

/** Guests on one chip of eight cores, the first being the plan's own. */
export function beside(guests: readonly GuestSetting[], spares: readonly number[] = [], memoryControllers = 8): Plan {
  const [first, ...others] = guests.map(({ example = 'checksum', switches, ...changes }): Plan => ({ ...planFor(example, changes), ...(switches && { switches }) }));
  if (!first) throw new Error('no guest');
  const neighbours = others.map(({ guest, protection, faults, expectations, maxInstructions, switches }, i): Neighbour => ({
    guest: { ...guest, name: `${guest.name} ${i + 2}` }, protection, faults, expectations, maxInstructions, ...(switches && { switches }),
  }));
  return { ...first, chip: { ...first.chip, spares: [...spares], memoryControllers }, ...(neighbours.length > 0 && { neighbours }) };
}
