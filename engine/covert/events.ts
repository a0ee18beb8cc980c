import type { ComponentName } from '../chip/health';
import type { PlaceDifference } from '../machine/types';
import type { DetectionMethod, ProtectionKind, RecoveryMethod, ReplicaName } from './plan';

/** How a run came to its end. */
export type Ending = 'exit' | 'limit' | 'hung' | 'stopped';

/**
 * Something that happened in a replicated guest. `moment` is explained in
 * history/types.ts; `instruction` is the retired count that the replicas had.
 */
export type SystemEvent = { moment: number; instruction: number } & (
  /** `replica` is undefined where nobody ran on what was struck; `core` is -1 where that is no core. `escape`: what a comparer that was struck has let through. */
  | { kind: 'fault'; fault: number; replica: ReplicaName | undefined; core: number; pc: bigint; change: string; escape?: string }
  /** `replica` gave another result than `peer`, the run without faults where that is undefined. Of what differs, `a` is the value of whose name comes first. */
  | { kind: 'divergence'; replica: ReplicaName; peer: ReplicaName | undefined; pc: bigint; differs: PlaceDifference[]; differing: number }
  | { kind: 'detection'; by: DetectionMethod; what: string; latency: number }
  | { kind: 'recovery'; by: RecoveryMethod; to: number; replayed: number }
  /** A replica has been given up for good: what protects the guest from then on. */
  | { kind: 'degradation'; replica: ReplicaName; to: ProtectionKind; why: string }
  /** A component of the chip is not used any more. */
  | { kind: 'retirement'; component: ComponentName; why: string }
  /** A replica has been made anew on a core, from the state of another or from a checkpoint; the guest stood still for so many cycles of copying. */
  | { kind: 'clone'; replica: ReplicaName; core: number; to: ProtectionKind; cycles: number }
  /** The guest has been given another protection while it ran. */
  | { kind: 'switch'; to: ProtectionKind; cores: readonly number[] }
  /** A third replica runs along to see whose error it is, or is not needed any more. */
  | { kind: 'diagnosis'; replica: ReplicaName; core: number; what: string }
  | { kind: 'checkpoint'; number: number; validated: boolean }
  | { kind: 'release'; bytes: number[] }
  | { kind: 'end'; how: Ending; exitCode: number | null; why: string }
);

export type EventKind = SystemEvent['kind'];
