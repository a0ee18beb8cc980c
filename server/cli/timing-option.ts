import { Option } from 'commander';
import { needsCaches } from '../../engine/covert/cache-faults';
import type { Plan } from '../../engine/covert/plan';
import { timingLevels } from '../language/timings';
import { BadInput } from './failure';

export type Timing = (typeof timingLevels)[number];

/** `--timing`, in place of what the chips say. */
export function timingOption(): Option {
  return new Option('--timing <level>', 'how long memory takes: detailed has caches, banks, links and memory controllers; what the chip says, if left out').choices(timingLevels);
}

/** The scenario with this timing. */
export function withTiming(plan: Plan, timing: Timing | undefined): Plan {
  if (timing === undefined) return plan;
  const fault = plan.faults.find(needsCaches);
  if (timing === 'fast' && fault) throw new BadInput(`--timing fast: "${plan.name}" has faults of caches or messages (${fault.text}), which are there under \`detailed\` timing only`);
  return { ...plan, chip: { ...plan.chip, timing } };
}
