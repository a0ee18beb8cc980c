import type { CostChanges } from '../chip/cost-table';
import type { CacheAccount } from '../machine/cache-types';
import type { DetectionMethod, InputClass, ProtectionKind, RecoveryMethod, ReplicaName } from './plan';

/** Where in the guest something happened. Names are absent where the ELF has none. */
export interface Location {
  /** Retired instructions of that replica. */
  instruction: number;
  /** `0x…`, 16 digits are not padded. */
  pc: string;
  function?: string;
  file?: string;
  line?: number;
}

/** One place whose value differs. Values are `0x…`; absent where there is no such replica. */
export interface Difference {
  place: string;
  A?: string;
  B?: string;
  C?: string;
  /** The fault-free run's value: the only peer that an unprotected guest has. */
  reference?: string;
}

export interface FaultReport extends Partial<Location> {
  name: string;
  /** The fault as the scenario has it. */
  text: string;
  fired: boolean;
  optional?: boolean;
  replica?: ReplicaName;
  core?: number;
  /** It is in something that all replicas have in common, and none of them. */
  shared?: boolean;
  /** What it changed: `a0: 0x5 -> 0x20005 (bit 17)`. */
  change?: string;
  /** Of one that never struck and waited for the `hit`th time: how often its replica executed the instruction, or accessed the byte, where that is known. */
  hits?: number;
  /** How often it struck, of one that comes again and again; the rest is of the first time. */
  times?: number;
}

export interface DivergenceReport extends Location {
  replica: ReplicaName;
  differs: Difference[];
  /** How many places differ when `differs` is cut short. */
  differing?: number;
}

export interface DetectionReport {
  by: DetectionMethod;
  /** Instructions of the run, with those that a rollback took back. */
  moment: number;
  instruction: number;
  /** Instructions from the fault to its detection; -1 if no fault came before. */
  latency: number;
  /** One line in words. */
  what: string;
}

export interface RecoveryReport {
  by: RecoveryMethod;
  /** Instructions of the run, with those that a rollback took back. */
  moment: number;
  /** The instruction count gone back to. */
  to: number;
  /** Instructions run again. */
  replayed: number;
}

/** A replica that was given up for good. */
export interface DegradationReport {
  replica: ReplicaName;
  /** Instructions of the run, with those that a rollback took back. */
  moment: number;
  instruction: number;
  to: ProtectionKind;
  why: string;
}

/** A component of the chip that is not used any more. */
export interface RetirementReport {
  component: string;
  /** Instructions of the run, with those that a rollback took back. */
  moment: number;
  instruction: number;
  why: string;
}

/** A replica that was made anew on a core. */
export interface CloneReport {
  replica: ReplicaName;
  core: number;
  /** Instructions of the run, with those that a rollback took back. */
  moment: number;
  instruction: number;
  /** Core cycles for which the guest stood still while its state was copied, and the same in seconds of the chip. */
  cycles: number;
  seconds: number;
}

/** A third replica that ran along to see whose error it was, or left. */
export interface DiagnosisReport {
  replica: ReplicaName;
  core: number;
  /** Instructions of the run, with those that a rollback took back. */
  moment: number;
  instruction: number;
  what: string;
}

/** Under `detailed` timing: what the caches of a replica's core have come to, also where a rollback has taken back what it was for. */
export interface MemoryReport extends CacheAccount {
  replica: ReplicaName;
  core: number;
}

/** Something that differed and was let through, which only who stands outside of the model can know. */
export interface EscapeReport {
  /** By what: `the comparer itself`. */
  by: string;
  instruction: number;
  what: string;
}

/** Flushes that the guest was told had failed, and why the first one did. */
export interface RefusedReport {
  flushes: number;
  why: string;
}

export interface ExpectationReport {
  text: string;
  line: number;
  held: boolean;
  /** Why it did not hold, in one line. */
  reason?: string;
}

/** What one cycle of overhead was paid for: cost-table event, count, cycles. */
export interface CostReport {
  event: string;
  count: number;
  cycles: number;
}

/** `covert run --json`: an array of these. */
export interface Report {
  scenario: string;
  /** All that was expected came true, of all guests, and all faults struck that have to. */
  passed: boolean;
  guest: {
    /** Present where there are several guests. */
    name?: string;
    /** The exit code, or null if the guest did not end by itself. */
    exit: number | null;
    /** Released console output, as UTF-8 text (invalid bytes become U+FFFD). */
    output: string;
    instructions: number;
    /** SHA-256 of the first live replica's whole state at the end: registers, CSRs, devices, RAM, disks. */
    state: string;
    /** How the run ended. */
    ended: 'exit' | 'limit' | 'hung' | 'stopped';
  };
  faults: FaultReport[];
  divergences: DivergenceReport[];
  detections: DetectionReport[];
  recoveries: RecoveryReport[];
  /** Present if any difference was let through by what should have found it. */
  escapes?: EscapeReport[];
  /** Present if any replica was given up. */
  degradations?: DegradationReport[];
  /** Present if the VMM stopped using any component. */
  retirements?: RetirementReport[];
  /** Present if any replica was made anew. */
  clones?: CloneReport[];
  diagnoses?: DiagnosisReport[];
  /** Present if the protection was switched while the guest ran. */
  switches?: { moment: number; instruction: number; to: ProtectionKind; cores: number[] }[];
  /** Present if the run was over before a switch was due: then the scenario fails, as by a fault that never strikes. */
  missedSwitches?: { to: ProtectionKind; cores: number[] }[];
  released: {
    /** Of the console. */
    bytes: number;
    /** What the fault-free guest releases; null where there is no such run, since what comes over real sockets does not come again. */
    ofBytes: number | null;
    sha256: string;
    /** Anything wrong has left: a console byte, a disk write, a frame, the exit code. Null where there is no fault-free run to compare with. */
    corrupt: boolean | null;
    firstWrongByte?: number;
    /** Present if the guest has written to a disk; `refused` if not all of that could be written to the image, of which it was told. */
    disk?: { writes: number; bytes: number; sha256: string; corrupt: boolean | null; refused?: RefusedReport };
    /** Present if the guest has sent a frame to its network. */
    network?: { frames: number; bytes: number; sha256: string; corrupt: boolean | null };
  };
  expectations: ExpectationReport[];
  /**
   * `wanted`: what the last switch asked for; present if there was any. `uncoordinated`: present in an ablation; replicas that
   * differ there without a fault differ by these inputs.
   */
  protection: { start: ProtectionKind; wanted?: ProtectionKind; end: ProtectionKind; uncoordinated?: InputClass[] };
  /** `costs`: entries of the cost table that are not the default, if any. `overhead` is a fraction, or null where the run or the fault-free one did not end by itself, or there is no fault-free one; then `unprotected` is null, too. */
  cycles: { unprotected: number | null; protected: number; overhead: number | null; events: CostReport[]; costs?: CostChanges };
  /** Present under `detailed` timing: of each replica that there is at the end, and of the fault-free guest alone, which has all banks of the chip. */
  memory?: { replicas: MemoryReport[]; unprotected: CacheAccount | null };
  /** Of the other guests on the chip, if any, in the order of the scenario; `passed` is what is expected of each alone. */
  neighbours?: NeighbourReport[];
}

export type NeighbourReport = Omit<Report, 'scenario' | 'neighbours'>;
