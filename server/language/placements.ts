import { partition, type Placement, type Tenant } from '../../engine/chip/domains';
import { Health } from '../../engine/chip/health';
import type { ChipPlan, Isolation } from '../../engine/covert/plan';

const known = new WeakMap<ChipPlan, Map<string, Placement | string>>();

/** How a chip is divided when a run begins, or why it cannot be. Worked out once: scenarios that share a chip often place their replicas alike. */
export function placementOn(chip: ChipPlan, cores: readonly number[], isolation: Isolation, others: readonly Tenant[] = []): Placement | string {
  const key = JSON.stringify([cores, isolation, others]);
  let ofChip = known.get(chip);
  if (!ofChip) {
    ofChip = new Map<string, Placement | string>();
    known.set(chip, ofChip);
  }
  const before = ofChip.get(key);
  if (before !== undefined) return before;
  const placement = partition(chip, new Health(), cores, isolation, others);
  ofChip.set(key, placement);
  return placement;
}
