/** Every way in which the engine can execute instructions: the directed tests run in each. */
import { Machine, type MachineOptions } from '../machine/machine';

export interface Tier {
  name: string;
  /** A machine that executes this way alone. */
  create: (options: MachineOptions) => Machine;
}

export const tiers: readonly Tier[] = (['interpreter', 'translator'] as const).map((tier) => ({
  name: tier,
  create: (options) => Machine.create({ ...options, tier }),
}));
