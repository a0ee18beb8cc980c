import type { Snapshot } from '../machine/types';
import type { TriggerCounts } from './triggers';

/**
 * A state to go back to. Only validated checkpoints exist as objects: the
 * replicas were equal when it was taken, so one snapshot serves them all.
 */
export interface Checkpoint {
  readonly number: number;
  /** Retired instructions. */
  readonly count: number;
  readonly epoch: number;
  /** Lasts until the next checkpoint, unless somebody keeps it. */
  readonly snapshot: Snapshot;
  /** Outputs compared by then. Nothing is pending at a checkpoint. */
  readonly compared: number;
  /** Inputs handed over before it was taken. */
  readonly inputs: number;
  readonly triggers: TriggerCounts;
  /**
   * Where its copies are: the memory controllers of each domain whose replica has been in this state. A copy is lost with any of its
   * controllers, and lasts longer than the replica that it was for.
   */
  readonly copies: readonly (readonly number[])[];
}
