/**
 * What a run consists of: a plain, serialisable description that the scenario
 * language compiles to and that {@link System} executes. No symbol names are
 * left in it: every address is resolved.
 *
 * Addresses and register values are `bigint` (64 bits, unsigned); instruction
 * counts, cycles and sizes are `number` (always below 2^53).
 */

import type { Isolation } from '../chip/domains';
import type { ComponentName, Death } from '../chip/health';
import type { ChipPlan } from '../chip/plan';
import type { CacheName, MessageUpset } from '../machine/cache-types';
import type { AwaitedValue, Snapshot, UnitName } from '../machine/types';
import type { DiskImage } from '../machine/virtio/disk-image';
import type { Typing } from './console-script';

/** A replica's letter, in order of creation. */
export type ReplicaName = 'A' | 'B' | 'C';

/** A position in a source file, 1-based, as diagnostics and reports show it. */
export interface SourceRange {
  file: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

export type { ChipPlan } from '../chip/plan';

export interface GuestPlan {
  name: string;
  /** Absolute path of the ELF or the kernel, for messages and for the debugger. */
  path: string;
  /** The bytes of the ELF file, or of a flat Linux kernel if there is `linux`. */
  image: Uint8Array;
  ramBytes: number;
  harts: number;
  /** What is typed at the console, in order. */
  typing?: readonly Typing[];
  network?: NetworkPlan;
  /** It has a source of random numbers, which starts from the plan's seed. One with `linux` always has. */
  entropy?: boolean;
  /** Its virtio disks, in order. */
  disks?: readonly DiskPlan[];
  linux?: LinuxPlan;
  /** Where it begins in place of its first instruction: a state of such a guest that ran before. Counts go on from there. */
  start?: Snapshot;
}

/** A guest's network card, and who of this machine can reach the guest over it. */
export interface NetworkPlan {
  /** The card's address: six bytes. */
  mac: Uint8Array;
  forwards: readonly ForwardPlan[];
}

/** A port of this machine's loopback whose connections or datagrams go to a port of the guest. */
export interface ForwardPlan {
  protocol: 'tcp' | 'udp';
  host: string;
  port: number;
  guestPort: number;
}

/** What a Linux kernel is started with. */
export interface LinuxPlan {
  /** The initial RAM disk: archives, one behind the other. */
  initialDisk: Uint8Array;
  /** The kernel's command line. */
  bootArguments: string;
  /** Flat firmware; without it the built-in SBI starts the kernel. */
  firmware?: Uint8Array;
  /** The kernel's `System.map`. */
  systemMap: Uint8Array;
}

/** A virtio disk. What is written to it is compared and counted, and lost at the end unless it is `writable`: then whoever runs the plan has it (disk-outside.ts). */
export interface DiskPlan {
  image: DiskImage;
  /** The guest may only read it. */
  readOnly?: boolean;
  writable?: boolean;
}

export type ProtectionKind = 'none' | 'dmr' | 'tmr';
export type { Isolation } from '../chip/domains';

export interface ProtectionPlan {
  kind: ProtectionKind;
  /** One core a replica, in replica order. */
  cores: number[];
  isolation: Isolation;
  /** Retired instructions an epoch. */
  epochInstructions: number;
  /** A checkpoint at the end of every n-th epoch. */
  checkpointEpochs: number;
  compareOutput: boolean;
  /** Compare state hashes every n-th epoch; 0: never. */
  compareStateEpochs: number;
  /** A replica this many epochs behind the others has hung. */
  watchdogEpochs: number;
  /** Rollbacks from the same place before a fault counts as permanent. */
  retry: number;
  /** A component with so many errors within so many instructions of the run is retired. Default: one more than `retry`, within as many checkpoint periods. */
  retireAfter?: { errors: number; instructions: number };
  /** Classes of input that are left uncoordinated on purpose (an ablation). */
  uncoordinated: InputClass[];
}

/**
 * What a guest is handed that is no function of its state. `interrupts`: when a timer or a device interrupts it; `console`, `network`: when what
 * is typed, and each frame, reaches it; `disk`: when a transfer is over; `reservations`: which conditional stores fail.
 */
export const inputClasses = ['time', 'cycle', 'rtc', 'interrupts', 'entropy', 'disk', 'console', 'network', 'reservations'] as const;
export type InputClass = (typeof inputClasses)[number];

/** A place whose bits a fault changes. */
export type Place =
  /** `index` 0..31; x0 is accepted and has no effect. */
  | { kind: 'x'; index: number }
  | { kind: 'f'; index: number }
  | { kind: 'pc' }
  /** A CSR by its 12-bit number. */
  | { kind: 'csr'; number: number }
  /** A physical address and a width in bytes: 1, 2, 4 or 8 (little-endian). */
  | { kind: 'memory'; address: bigint; bytes: 1 | 2 | 4 | 8 };

/**
 * A place through which values only pass: the next one after the trigger is struck. What a unit comes to in the next
 * instruction that uses it (machine/types.ts); the `number`-th byte typed at the console (1 = first), as one replica gets it; the
 * payload of the next transfer of a disk or of the network card to memory; the entry that the next walk brings for the page of a virtual address; under
 * `detailed` timing the next message over a link; the next verdict of the VMM's comparer, which a flip of its one bit inverts. A byte of a line, at its address, is one as long as the cache does not have it: it is struck at once, or when the line comes in.
 */
export type PassingPlace = { kind: 'unit'; unit: UnitName } | { kind: 'input'; number: number } | { kind: 'dma' } | { kind: 'comparer' } | TlbPlace | LinePlace | ({ kind: 'message' } & MessageFault);

/** The TLB's entry for the page of a virtual address: a page-table entry, as it is kept there. */
export interface TlbPlace {
  kind: 'tlb';
  address: bigint;
}

/** Under `detailed` timing: of a first-level cache of the target; or of the second level, whose bank is the target. */
export interface LinePlace {
  kind: 'line';
  cache: CacheName;
  address: bigint;
}

/** What becomes of the next message from one node of the ring to its neighbour. */
export type MessageFault = Pick<MessageUpset, 'how' | 'from' | 'to'>;

export type FaultEffect =
  | { kind: 'flip'; place: Place | PassingPlace; bits: number[] }
  /** `count` distinct bits, drawn from the plan's seed over all bits of all places. */
  | { kind: 'flip-random'; places: (Place | PassingPlace)[]; count: number }
  | { kind: 'set'; place: Exclude<Place | PassingPlace, { kind: 'dma' | 'message' | 'comparer' }>; value: bigint }
  /** The next message of the target, a link, is lost, sent twice, or has one bit of its line flipped, drawn from the plan's seed. */
  | ({ kind: 'message' } & MessageFault)
  /** A hard error: the bits read as `value` however often they are written. It lasts. */
  | { kind: 'stick'; place: StuckPlace; bits: number[]; value: 0 | 1 }
  /** A hard error: its target, a component, works no more, and all whose domain has it stand still. */
  | { kind: 'die'; how: Death };

/** A place with bits that can be stuck: of a unit, all that it comes to (machine/types.ts); of a TLB, every entry for the page. */
export type StuckPlace = Place | { kind: 'alu' } | { kind: 'unit'; unit: Exclude<UnitName, 'alu'> } | TlbPlace;

/** How long a fault lasts from when it strikes: lockstep instructions, with those that a rollback has undone, or cycles of its core. */
export interface Lifetime {
  unit: 'instructions' | 'cycles';
  length: number;
}

/** How a fault comes again and again, from when it strikes first; in what a lifetime is counted in. */
export type Rhythm =
  /** Of an effect that lasts: it is there at the beginning of each period, for so long. */
  | { kind: 'duty'; unit: Lifetime['unit']; period: number; on: number }
  /** Of one that strikes once: it strikes again after each period, as long as the whole run has not passed `until`. */
  | { kind: 'every'; unit: Lifetime['unit']; period: number; until?: { unit: Lifetime['unit']; count: number } };

export type FaultTarget = { kind: 'replica'; replica: ReplicaName } | { kind: 'core'; core: number } | { kind: 'component'; component: ComponentName };

/** When a fault strikes, always in terms of the target's own run: that of the replica which it reaches; for what nobody runs on, of the guest at its rendezvous. */
export type Trigger =
  /** After the replica has retired `count` instructions, before the next one. */
  | { kind: 'instruction'; count: number }
  /** At the first instruction boundary at which its core's cycle count is at least `count`. */
  | { kind: 'cycle'; count: number }
  /** Before the `hit`-th execution of the instruction at `address` (1 = first). */
  | { kind: 'execute'; address: bigint; hit: number }
  /** Just after the `hit`-th instruction that reads, or writes, the byte at the physical `address` (1 = first). */
  | { kind: 'access'; access: 'read' | 'write'; address: bigint; hit: number }
  /** At the first instruction boundary at which the register has the value. */
  | { kind: 'value'; register: AwaitedValue['register']; value: bigint }
  /** Just after the replica was handed the `number`-th byte typed at its console (1 = first). */
  | { kind: 'input'; number: number }
  /** At the start of epoch `number` (0 = first). */
  | { kind: 'epoch'; number: number }
  /** Just after checkpoint `number` was taken (0 = the one at the start). */
  | { kind: 'checkpoint'; number: number }
  /** Just after the replica produced its `number`-th output (1 = first). */
  | { kind: 'output'; number: number }
  /** Just after the replica's console output contains `text`. */
  | { kind: 'console'; text: string };

/** Another protection for a guest that runs, from the first rendezvous at which the trigger has been reached. */
export interface SwitchPlan {
  kind: ProtectionKind;
  /** One core a replica. */
  cores: number[];
  trigger: Extract<Trigger, { kind: 'instruction' | 'cycle' | 'epoch' | 'output' | 'console' }>;
}

export interface FaultPlan {
  /** The name given in the file, or `fault 1`, `fault 2`, … */
  name: string;
  /** The fault as the file has it, white space folded: for reports. */
  text: string;
  effect: FaultEffect;
  target: FaultTarget;
  trigger: Trigger;
  /** Of an effect that lasts; for ever without. */
  lifetime?: Lifetime;
  rhythm?: Rhythm;
  /** A fault that never fires fails the scenario, unless it is optional. */
  optional: boolean;
  range?: SourceRange;
}

export type DetectionMethod = 'output' | 'state' | 'watchdog' | 'trap' | 'vote' | 'machine check';
export type RecoveryMethod = 'rollback' | 'failover' | 'vote';

/** A span of the modelled run. Durations in time or cycles are converted when compared. */
export type Span =
  | { unit: 'instructions'; value: number }
  | { unit: 'cycles'; value: number }
  | { unit: 'epochs'; value: number }
  | { unit: 'seconds'; value: number };

export type Expectation =
  | { kind: 'clean' }
  | { kind: 'masked' }
  | { kind: 'detected'; by: DetectionMethod[]; within?: Span }
  | { kind: 'recovered'; by: RecoveryMethod[] }
  | { kind: 'unrecoverable' }
  | { kind: 'corruption' }
  | { kind: 'no-corruption' }
  /** Any address in [start, end). */
  | { kind: 'divergence-in'; symbol: string; start: bigint; end: bigint }
  /** The half-open address ranges that the line table gives for the line. */
  | { kind: 'divergence-at'; file: string; line: number; ranges: { start: bigint; end: bigint }[] }
  | { kind: 'output-contains'; text: string }
  | { kind: 'output-is'; text: string }
  | { kind: 'output-matches'; pattern: string }
  | { kind: 'exit'; code: number }
  /** A fraction: 0.2 for 20 %. */
  | { kind: 'overhead-below'; fraction: number }
  | { kind: 'degraded-to'; protection: ProtectionKind }
  | { kind: 'redundancy-restored' };

export interface ExpectationPlan {
  expectation: Expectation;
  /** As written, white space folded. */
  text: string;
  range?: SourceRange;
}

/** Another guest on the same chip, with all that concerns it. Its faults of components are the chip's, and strike whoever has them. */
export type Neighbour = Pick<Plan, 'guest' | 'protection' | 'switches' | 'faults' | 'expectations' | 'maxInstructions' | 'range'>;

export interface Plan {
  /** The scenario's name. */
  name: string;
  range?: SourceRange;
  chip: ChipPlan;
  guest: GuestPlan;
  /** The other guests, in their order; their names differ. All cores of `protection` can be given at the same time. */
  neighbours?: readonly Neighbour[];
  /** How many neighbours come before the guest itself, whose turn it is before where they are level. Default 0. */
  seat?: number;
  protection: ProtectionPlan;
  /** In order: each waits for the one before. */
  switches?: readonly SwitchPlan[];
  faults: FaultPlan[];
  expectations: ExpectationPlan[];
  /** Seeds every random draw of the run. */
  seed: number;
  /** A run longer than this many instructions is cut off and reported as such. */
  maxInstructions: number;
}
