/**
 * What a campaign consists of: many runs of one plan, each with another fault. Like a plan it is plain data, with every
 * address resolved; campaign-runs.ts makes of it the plan of each run.
 */

import type { FaultPlan, Plan, SourceRange, Trigger } from './plan';

/** One of what strikes in the runs of a campaign. */
export interface AlternativePlan extends Pick<FaultPlan, 'text' | 'effect' | 'target' | 'lifetime' | 'rhythm' | 'range'> {
  /** One and the same in every run, or drawn. */
  trigger: Trigger | AnyInstruction;
  /** How often it is drawn beside the others: a whole number, at least 1. */
  weight: number;
}

/**
 * Between two instructions of the run, as many as its replica has retired. Where a bound is another trigger than a count of
 * instructions, it is where the guest comes to it when nothing strikes. Without bounds: every instruction of the run without faults.
 */
export interface AnyInstruction {
  kind: 'any';
  between?: {
    /** The first instruction that may be struck. */
    lower: BoundPlan;
    /** The last one. */
    upper: BoundPlan;
  };
}

export interface BoundPlan {
  trigger: Trigger;
  /** As written, white space folded: for messages. */
  text: string;
}

/** Which faults a campaign injects. */
export type Injections =
  /** So many, each drawn from the seed and its number alone. */
  | { kind: 'drawn'; count: number; seed: number }
  /** Each one that there is, one after the other. */
  | { kind: 'every' };

/** What is expected of all runs together. */
export interface CoveragePlan {
  /** At least this share of the faults is to be covered: 0.99 for 99 %. */
  least: number;
  /** With this confidence: 0.95 for 95 %. */
  confidence: number;
  text: string;
  range?: SourceRange;
}

export interface CampaignPlan {
  /** What all runs have in common: no fault, and what is expected of each of them. */
  base: Plan;
  /** At least one. */
  alternatives: AlternativePlan[];
  injections: Injections;
  coverage?: CoveragePlan;
}

/** Shares of the alternatives add up to a number that can still be drawn from. */
export const mostWeight = 1_000_000;
