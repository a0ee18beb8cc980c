import type { Output, Snapshot } from '../machine/types';
import type { ProtectionKind } from './plan';
import { sameOutput } from './rendezvous';
import type { Replica, ReplicaState } from './replica';

/** The replica that stands alone against a majority of equal ones; undefined where there is no such majority. `since`: any earlier state of theirs. */
export function outvoted(replicas: readonly Replica[], since: Snapshot): Replica | undefined {
  if (replicas.length < 3) return undefined;
  const alone = replicas.filter((one) => !replicas.some((other) => other !== one && areEqual(one, other, since)));
  return alone.length === 1 ? alone[0] : undefined;
}

/** True if all of them are equal. */
export function areAllEqual(replicas: readonly Replica[], since: Snapshot): boolean {
  const [first, ...others] = replicas;
  return first !== undefined && others.every((other) => areEqual(first, other, since));
}

/** Equal in all that decides what comes of them: state, what they have said and nobody has compared, and whether they go on. */
function areEqual(a: Replica, b: Replica, since: Snapshot): boolean {
  if (a.halted !== b.halted || a.computer.retired !== b.computer.retired || a.produced !== b.produced) return false;
  if (a.pending.length !== b.pending.length || !a.pending.every((output, i) => isSame(output, b.pending[i]))) return false;
  return a.computer.compareState([b.computer], since).equal;
}

function isSame(output: Output, other: Output | undefined): boolean {
  return other !== undefined && output.instruction === other.instruction && sameOutput(output, other);
}

/** Makes a replica the copy of another one, in all but what its core has spent. */
export function cloneInto(replica: Replica, state: ReplicaState): void {
  const { cycles, interrupts, clockReads } = replica.computer;
  replica.load({ ...state, caches: undefined, cycles, interrupts, clockReads });
}

/** What so many replicas that are compared give. */
export function protectionOf(replicas: number): ProtectionKind {
  return replicas >= 3 ? 'tmr' : replicas === 2 ? 'dmr' : 'none';
}
