import type { OwnInputs } from '../machine/types';
import { draw } from './draw';
import type { ProtectionPlan } from './plan';

/** What a guest gets as a core has it where its inputs are not all coordinated; clocks are the chip's (Chip.timeSource), and what comes from outside is {@link Delivery}'s. */
export function ownInputsOf(core: number, { uncoordinated, epochInstructions }: Pick<ProtectionPlan, 'uncoordinated' | 'epochInstructions'>, seed: number): OwnInputs | undefined {
  const [entropy, reservations, disk] = (['entropy', 'reservations', 'disk'] as const).map((input) => uncoordinated.includes(input));
  if (!entropy && !reservations && !disk) return undefined;
  return {
    seed: draw(seed, `inputs of core ${core}`, 2 ** 48),
    entropy: entropy === true,
    reservations: reservations === true,
    // Nothing is under way at a rendezvous.
    ...(disk && { transfersWithin: epochInstructions }),
  };
}
