import { defaultTier, type Tier } from '../machine/tier';
import { withoutNeighbours } from './beside';
import type { AnyInstruction, BoundPlan, CampaignPlan } from './campaign-plan';
import { CampaignError, type InstructionRange } from './campaign-runs';
import { digits } from './fault-text';
import type { FaultPlan, Plan, Trigger } from './plan';
import { runReference } from './reference';
import { Stride } from './stride';
import { System } from './system';

export interface RangeOptions {
  signal?: AbortSignal;
  /** Called a few times a second with the instructions run so far, where the guest has to be run. */
  onProgress?: (instructions: number) => void;
  tier?: Tier;
}

/**
 * What the instructions of each alternative are drawn from; undefined of those that strike at one trigger. Where bounds are no counts
 * of instructions, or there are none, the guest is run without faults; gives undefined as a whole where that was aborted.
 * Throws a {@link CampaignError} where the guest never comes to a bound, or comes to them in the wrong order.
 */
export async function campaignRanges({ base, alternatives }: CampaignPlan, options: RangeOptions = {}): Promise<(InstructionRange | undefined)[] | undefined> {
  const drawn = alternatives.map(({ trigger }) => (trigger.kind === 'any' ? trigger : undefined));
  const bounds = drawn.flatMap((any) => (any?.between ? [any.between.lower, any.between.upper] : []));
  const located = await locate(base, bounds.filter((bound) => exact(bound) === undefined), options);
  if (!located) return undefined;
  let length: number | undefined;
  if (drawn.some((any) => any && !any.between)) {
    const reference = await runReference(base, options.signal, options.onProgress, options.tier);
    if (!reference) return undefined;
    length = reference.instructions;
  }
  return drawn.map((any) => any && (any.between ? rangeBetween(any.between, located) : { first: 0, count: length ?? 0 }));
}

/** The range that is known without running the guest; undefined where none is. */
export function exactRange({ between }: AnyInstruction): InstructionRange | undefined {
  const [first, last] = between ? [exact(between.lower), exact(between.upper)] : [];
  return first === undefined || last === undefined || last < first ? undefined : { first, count: last - first + 1 };
}

function exact({ trigger }: BoundPlan): number | undefined {
  return trigger.kind === 'instruction' ? trigger.count : undefined;
}

function rangeBetween({ lower, upper }: NonNullable<AnyInstruction['between']>, located: ReadonlyMap<BoundPlan, number>): InstructionRange {
  const [first, last] = [lower, upper].map((bound) => {
    const count = exact(bound) ?? located.get(bound);
    if (count === undefined) throw new CampaignError(`without faults the guest never comes to the bound \`${bound.text}\``);
    return count;
  }) as [number, number];
  if (last < first) {
    throw new CampaignError(`the bounds are in the wrong order: without faults the guest comes to \`${upper.text}\` at instruction ${digits(last)}, before \`${lower.text}\` at instruction ${digits(first)}`);
  }
  return { first, count: last - first + 1 };
}

/** Triggers of one kind that a core has room for at a time are more than these (fault-limits.ts). */
const mostAtOnce = 128;

/** The instruction at which the guest comes to each bound when nothing strikes; bounds that it never comes to are left out. */
async function locate(base: Plan, bounds: readonly BoundPlan[], { signal, onProgress, tier = defaultTier }: RangeOptions): Promise<Map<BoundPlan, number> | undefined> {
  const found = new Map<BoundPlan, number>();
  for (let from = 0; from < bounds.length; from += mostAtOnce) {
    const some = bounds.slice(from, from + mostAtOnce);
    const { switches: _, ...plan } = withoutNeighbours(base);
    const probed: Plan = { ...plan, protection: { ...plan.protection, kind: 'none', uncoordinated: [] }, faults: some.map(({ trigger }) => probe(trigger, plan)) };
    const system = new System(probed, { tier });
    const stride = new Stride();
    for (let left = some.length; left > 0 && !system.ended; ) {
      if (signal?.aborted) return undefined;
      system.advance(system.moment + stride.length);
      stride.look(system.replicas[0]?.computer.reboots ?? 0);
      for (const event of system.takeEvents()) {
        const bound = event.kind === 'fault' ? some[event.fault] : undefined;
        if (!bound) continue;
        found.set(bound, event.instruction);
        left--;
      }
      onProgress?.(system.count);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
  return found;
}

/** A fault that changes nothing, to see when a trigger strikes. Nobody takes checkpoints of a guest that runs alone: they come at the ends of epochs. */
function probe(trigger: Trigger, { protection }: Plan): FaultPlan {
  return {
    name: 'probe',
    text: 'a bound',
    effect: { kind: 'flip', place: { kind: 'x', index: 0 }, bits: [0] },
    target: { kind: 'replica', replica: 'A' },
    trigger: trigger.kind === 'checkpoint' ? { kind: 'epoch', number: trigger.number * protection.checkpointEpochs } : trigger,
    optional: true,
  };
}
