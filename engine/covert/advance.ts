import type { ReplicaName } from './plan';
import type { RunOptions } from './replica-runner';

export interface AdvanceOptions extends RunOptions {
  /** The user goes on from here: a breakpoint that a replica stands at now does not stop it again. */
  resume?: boolean;
  /** Come back where a guest with a network sleeps, as often as the outside is asked then. Default false. */
  stopAsleep?: boolean;
}

/**
 * Why `advance` came back. `overrun`: a breakpoint was hit at `hit`, but another
 * replica is already past that count (it ran ahead to an output): load a saved
 * state and advance to the hit's moment to stand there.
 */
export type AdvanceStop =
  | { why: 'moment' }
  | { why: 'end' }
  | { why: 'asleep' }
  | { why: 'breakpoint' | 'overrun'; moment: number; replica: ReplicaName; address: bigint };
