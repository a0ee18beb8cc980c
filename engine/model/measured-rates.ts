import type { ProtectionKind, ProtectionPlan } from '../covert/plan';
import type { CostReport } from '../covert/report';
import rates from './debian-rates.json';
import type { Profile } from './profile';

/** A program as it ran in the emulator. */
export interface MeasuredProgram extends Profile {
  /** Programs that compute, or servers with a client in the same guest. */
  group: 'compute' | 'loads';
  what: string;
  /** The same part of the run in replicas: core cycles, and what of them went to the VMM. */
  replicated: { cycles: number; events: CostReport[] };
}

export interface MeasuredRates {
  /** What makes the file. */
  command: string;
  /** Of the chip's cores. */
  hertz: number;
  /** What the replicas ran under. */
  protection: Pick<ProtectionPlan, 'epochInstructions' | 'checkpointEpochs' | 'compareStateEpochs'> & { kind: ProtectionKind };
  programs: MeasuredProgram[];
}

/** Real programs in stock Debian: `npm run measure:rates`. */
export const debianRates = rates as MeasuredRates;
