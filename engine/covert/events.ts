import type { PlaceDifference } from '../machine/types';
import type { DetectionMethod, ProtectionKind, RecoveryMethod, ReplicaName } from './plan';

/** How a run came to its end. */
export type Ending = 'exit' | 'limit' | 'hung' | 'stopped';

/**
 * Something that happened in a replicated guest. `moment` is explained in
 * history/types.ts; `instruction` is the retired count that the replicas had.
 */
export type SystemEvent = { moment: number; instruction: number } & (
  | { kind: 'fault'; fault: number; replica: ReplicaName; core: number; pc: bigint; change: string }
  /** `replica` gave another result than `peer`, the run without faults where that is undefined. Of what differs, `a` is the value of whose name comes first. */
  | { kind: 'divergence'; replica: ReplicaName; peer: ReplicaName | undefined; pc: bigint; differs: PlaceDifference[]; differing: number }
  | { kind: 'detection'; by: DetectionMethod; what: string; latency: number }
  | { kind: 'recovery'; by: RecoveryMethod; to: number; replayed: number }
  /** A replica has been given up for good: what protects the guest from then on. */
  | { kind: 'degradation'; replica: ReplicaName; to: ProtectionKind; why: string }
  | { kind: 'checkpoint'; number: number; validated: boolean }
  | { kind: 'release'; bytes: number[] }
  | { kind: 'end'; how: Ending; exitCode: number | null; why: string }
);

export type EventKind = SystemEvent['kind'];
