import type { Output, Snapshot } from '../machine/types';
import type { DetectionMethod } from './plan';
import type { Replica } from './replica';

/** Why the replicas cannot be trusted to be the same any more. */
export interface Detection {
  by: DetectionMethod;
  /** One line in words. */
  what: string;
}

/** An output in words: `byte 0x41 'A'`, `exit 0`. */
export function describeOutput(output: Pick<Output, 'kind' | 'value'>): string {
  if (output.kind === 'exit') return `exit ${output.value}`;
  const hex = `0x${output.value.toString(16).padStart(2, '0')}`;
  const printable = output.value >= 0x20 && output.value < 0x7f;
  return printable ? `byte ${hex} '${String.fromCharCode(output.value)}'` : `byte ${hex}`;
}

/** Compares the oldest pending output of every replica; undefined where they agree. */
export function compareOutputs(replicas: readonly Replica[]): Detection | undefined {
  const heads = replicas.map((replica) => ({ replica, output: replica.pending[0] }));
  const first = heads[0]?.output;
  const same = heads.every(({ output }) => output && first && output.kind === first.kind && output.value === first.value);
  if (same) return undefined;
  const said = heads.map(({ replica, output }) => `${replica.name} ${output ? describeOutput(output) : 'nothing'}`);
  return { by: 'output', what: `output ${first?.sequence ?? heads[1]?.output?.sequence ?? 0}: ${said.join(', ')}` };
}

/**
 * What the VMM sees without looking into the guests when all have come to the
 * rendezvous, or should have: a replica that is not there, outputs that only
 * some produced, traps that only some took.
 */
export function inspectArrival(replicas: readonly Replica[], compareOutput: boolean): Detection | undefined {
  const furthest = Math.max(...replicas.map((replica) => replica.computer.retired));
  const missing = replicas.filter((replica) => replica.computer.retired < furthest);
  if (missing.length > 0) {
    // One that hangs because of a trap of its own is known by the trap.
    const trap = compareTraps(replicas);
    if (trap) return trap;
    const said = missing.map((replica) => `${replica.name} stands at instruction ${replica.computer.retired}`);
    return { by: 'watchdog', what: `no rendezvous at instruction ${furthest}: ${said.join(', ')}` };
  }
  if (replicas.some((replica) => replica.pending.length > 0)) {
    if (compareOutput) return compareOutputs(replicas);
    // Nothing is pending after a rendezvous; what only some have said is nobody's concern here.
    for (const replica of replicas) replica.pending = [];
  }
  return compareTraps(replicas);
}

function compareTraps(replicas: readonly Replica[]): Detection | undefined {
  const traps = replicas.map((replica) => replica.computer.traps());
  const [first] = traps;
  const agree = traps.every(
    (trap) =>
      first !== undefined &&
      trap.exceptions === first.exceptions &&
      (trap.exceptions === 0 || (trap.cause === first.cause && trap.pc === first.pc)),
  );
  if (agree) return undefined;
  const said = replicas.map((replica, i) => {
    const trap = traps[i];
    if (!trap || trap.exceptions === 0) return `${replica.name} took none`;
    return `${replica.name} took ${trap.exceptions}, the last with cause ${trap.cause} at 0x${trap.pc.toString(16)}`;
  });
  return { by: 'trap', what: `exceptions: ${said.join('; ')}` };
}

/** Snapshots of all replicas; pages that are equal are stored once. */
export function snapshotAll(replicas: readonly Replica[]): Snapshot[] {
  const snapshots: Snapshot[] = [];
  for (const replica of replicas) snapshots.push(replica.computer.snapshot(snapshots[0]));
  return snapshots;
}

/** Undefined where all states are equal. */
export function compareStates(replicas: readonly Replica[], snapshots: readonly Snapshot[]): Detection | undefined {
  const [first, ...others] = snapshots;
  const odd = first ? others.findIndex((other) => !first.equals(other)) : -1;
  if (!first || odd < 0) return undefined;
  const places = first.difference(others[odd] ?? first, 4).map((difference) => difference.place);
  return {
    by: 'state',
    what: `state of ${replicas[0]?.name} and ${replicas[odd + 1]?.name} differs in ${places.join(', ')}`,
  };
}
