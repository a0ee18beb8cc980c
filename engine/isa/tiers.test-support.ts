/** Every way in which the engine can execute instructions: the directed tests run in each. */
import { Machine, type MachineOptions } from '../machine/machine';
import type { Tier as MachineTier } from '../machine/tier';

export interface Tier {
  name: MachineTier;
  /** A machine that executes this way alone. */
  create: (options: MachineOptions) => Machine;
}

export const tiers: readonly Tier[] = (['interpreter', 'translator'] as const).map((tier) => ({
  name: tier,
  create: (options) => Machine.create({ ...options, tier }),
}));
