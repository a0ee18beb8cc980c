import type { Health } from '../chip/health';
import type { Output, PlaceDifference, Snapshot } from '../machine/types';
import { diskStride, flushOf } from '../machine/virtio/block';
import { count } from './numbers';
import { differingBits } from './place';
import type { DetectionMethod } from './plan';
import type { Replica } from './replica';

/** Why the replicas cannot be trusted to be the same any more. */
export interface Detection {
  by: DetectionMethod;
  /** One line in words. */
  what: string;
}

/** An output in words: `byte 0x41 'A'`, `exit 0`, `4096 bytes to sector 17 of disk 0`. */
export function describeOutput(output: Pick<Output, 'kind' | 'value'> & { bytes?: number; data?: Uint8Array }): string {
  if (output.kind === 'exit') return `exit ${output.value}`;
  if (output.kind === 'flush') return `a flush of disk ${flushOf(output.value).disk}`;
  const length = output.data?.length ?? output.bytes ?? 0;
  if (output.kind === 'net') return `a frame of ${length} bytes`;
  if (output.kind === 'disk') {
    return `${length} bytes to sector ${output.value % diskStride} of disk ${Math.floor(output.value / diskStride)}`;
  }
  const hex = `0x${output.value.toString(16).padStart(2, '0')}`;
  const printable = output.value >= 0x20 && output.value < 0x7f;
  return printable ? `byte ${hex} '${String.fromCharCode(output.value)}'` : `byte ${hex}`;
}

/** Whether they say the same, wherever they were said. */
export function sameOutput(a: Output, b: Output): boolean {
  return a.kind === b.kind && a.value === b.value && Buffer.compare(a.data ?? empty, b.data ?? empty) === 0;
}

const empty = new Uint8Array();

/** Where two outputs look the same in words, what differs in their data. */
function contentOf(output: Output | undefined, first: Output | undefined): string {
  if (!output?.data || !first?.data || output === first || describeOutput(output) !== describeOutput(first)) return '';
  const { data } = first;
  const at = output.data.findIndex((byte, i) => byte !== data[i]);
  return at < 0 ? '' : ` that differ at byte ${at}`;
}

/** Compares the oldest pending output of every replica; undefined where they agree. */
export function compareOutputs(replicas: readonly Replica[]): Detection | undefined {
  const heads = replicas.map((replica) => ({ replica, output: replica.pending[0] }));
  const first = heads[0]?.output;
  const same = heads.every(({ output }) => output && first && sameOutput(output, first));
  if (same) return undefined;
  const said = heads.map(({ replica, output }) => `${replica.name} ${output ? describeOutput(output) : 'nothing'}${contentOf(output, first)}`);
  return { by: 'output', what: `output ${1 + (first?.sequence ?? heads[1]?.output?.sequence ?? 0)}: ${said.join(', ')}` };
}

/**
 * What the VMM sees without looking into the guests when all have come to the
 * rendezvous, or should have: a replica that is not there, outputs that only
 * some produced, traps that only some took.
 */
export function inspectArrival(replicas: readonly Replica[], compareOutput: boolean, health: Health): Detection | undefined {
  const dead = findDead(replicas, health);
  if (dead) return dead;
  const furthest = Math.max(...replicas.map((replica) => replica.computer.retired));
  const missing = replicas.filter((replica) => replica.computer.retired < furthest);
  if (missing.length > 0) {
    // One that hangs because of a trap of its own is known by the trap; a core that waits for memory takes none.
    const trap = missing.some(({ computer }) => computer.caches?.isHung) ? undefined : compareTraps(replicas);
    if (trap) return trap;
    const said = missing.map((replica) => `${replica.name} stands at instruction ${count(replica.computer.retired)}`);
    return { by: 'watchdog', what: `no rendezvous at instruction ${count(furthest)}: ${said.join(', ')}` };
  }
  if (compareOutput && replicas.some((replica) => replica.pending.length > 0)) return compareOutputs(replicas);
  return compareTraps(replicas);
}

/** What the chip says of components that died under replicas, or does not say of those that only answer no more. */
function findDead(replicas: readonly Replica[], health: Health): Detection | undefined {
  const dead = replicas.flatMap(({ name, deadBy }) => (deadBy === undefined ? [] : [{ name, component: deadBy, how: health.death(deadBy) }]));
  if (dead.length === 0) return undefined;
  const stopped = dead.filter(({ how }) => how === 'stops');
  if (stopped.length > 0) return { by: 'machine check', what: stopped.map(({ name, component }) => `${component} has stopped under ${name}`).join(', ') };
  return { by: 'watchdog', what: dead.map(({ name, component }) => `${name} does not come, and ${component} does not answer`).join(', ') };
}

/** Exceptions, and reboots: a reboot is a trap to the VMM. */
function compareTraps(replicas: readonly Replica[]): Detection | undefined {
  const reboots = replicas.map(({ computer }) => computer.reboots);
  if (reboots.some((count) => count !== reboots[0])) {
    return { by: 'trap', what: `reboots: ${replicas.map(({ name }, i) => `${name} made ${reboots[i] ?? 0}`).join(', ')}` };
  }
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

/** Differing places that a detection names, and counts at most. */
const shown = 4;
const counted = 10_000;

/** Undefined where all states are equal. `nameOf`: what the guest's program calls a byte of memory. */
export function compareStates(replicas: readonly Replica[], snapshots: readonly Snapshot[], nameOf: (address: bigint) => string | undefined): Detection | undefined {
  const [first, ...others] = snapshots;
  const odd = first ? others.findIndex((other) => !first.equals(other)) : -1;
  if (!first || odd < 0) return undefined;
  const places = first.difference(others[odd] ?? first, counted).map((difference) => ({ ...difference, isMemory: difference.place.includes('[') }));
  // Registers come first; where memory differs too, it is named.
  const memory = places.find(({ isMemory }) => isMemory);
  const named = places.slice(0, shown);
  if (memory !== undefined && !named.includes(memory)) named.splice(-1, 1, memory);
  const more = places.length - named.length;
  const rest = more === 0 ? '' : ` and ${places.length === counted ? `at least ${count(more)}` : count(more)} more`;
  return {
    by: 'state',
    what: `state of ${replicas[0]?.name} and ${replicas[odd + 1]?.name} differs in ${named.map((difference) => nameOfPlace(difference, nameOf)).join(', ')}${rest}`,
  };
}

/** Memory and disks are compared in granules of eight bytes: the first byte of one that differs, with its name. */
function nameOfPlace({ place, a, b }: PlaceDifference, nameOf: (address: bigint) => string | undefined): string {
  const [, where, granule] = /^(\w+)\[(0x[0-9a-f]+)\]$/.exec(place) ?? [];
  if (where === undefined || granule === undefined) return place;
  const [bit = 0] = differingBits(a, b);
  const address = BigInt(granule) + BigInt(Math.floor(bit / 8));
  const name = where === 'memory' ? nameOf(address) : undefined;
  return `${where}[0x${address.toString(16)}]${name === undefined ? '' : ` (${name})`}`;
}
