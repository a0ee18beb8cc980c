import type { CostTable } from '../chip/cost-table';
import { predict, type ModelSetting } from './overhead';
import type { Profile } from './profile';

/**
 * The figures of "Hypervisor-based Fault Tolerance", Bressoud and Schneider, SOSP 1995: a primary and a backup on two HP 9000/720,
 * of which the backup takes over where the primary stops. In their terms:
 *
 *     NPC(EL) = (RT + n h_sim + (VI / EL) h_epoch + C) / RT
 */
export const bressoudSchneider = {
  /** RT: seconds that the workload takes on the bare machine. */
  seconds: 8.8,
  /** n: instructions that the hypervisor simulates, since they see the environment. */
  simulated: 104_762,
  /** h_sim: seconds that one of them takes. */
  simulationSeconds: 15.12e-6,
  /** VI: instructions of the workload. */
  instructions: 4.2e8,
  /** h_epoch: seconds at the end of an epoch. */
  epochSeconds: 442.59e-6,
  /** C: seconds of waiting for messages, over the whole run. */
  communicationSeconds: 41e-3,
  /** Of the processor, by which seconds become cycles; it takes itself out of the result. */
  hertz: 50e6,
} as const;

/** Epoch lengths in instructions, and the normalised performance that the paper's curve has there. */
export const publishedPoints: readonly { epochInstructions: number; performance: number }[] = [
  { epochInstructions: 1_000, performance: 22.24 },
  { epochInstructions: 2_000, performance: 11.83 },
  { epochInstructions: 4_000, performance: 6.5 },
  { epochInstructions: 8_000, performance: 3.83 },
  { epochInstructions: 32_000, performance: 1.84 },
  { epochInstructions: 385_000, performance: 1.24 },
];

const { hertz } = bressoudSchneider;

/** Their workload as what COVERT's model is fed with. */
const profile: Profile = {
  name: 'Bressoud and Schneider',
  instructions: bressoudSchneider.instructions,
  cycles: bressoudSchneider.seconds * hertz,
  clockReads: bressoudSchneider.simulated,
  interrupts: 0, outputs: 0, outputBytes: 0, inputs: 0, inputBytes: 0, dirtyPages: [],
};

/**
 * Their two costs in our table. What leaving the guest takes is in both of them and not known apart, so `exit` is 0; the rest of the
 * table is of events that their system does not have (it takes no checkpoints) or that were measured as part of the two.
 */
const costs: CostTable = {
  exit: 0,
  sync: bressoudSchneider.simulationSeconds * hertz,
  rendezvous: bressoudSchneider.epochSeconds * hertz,
  inject: 0, compare: 0, copy: 0, protect: 0, page: 0, suspend: 0, fingerprint: 0,
};

/** Run time through that of the bare machine, at an epoch of so many instructions: {@link predict} with their figures. */
export function normalizedPerformance(epochInstructions: number): number {
  const setting: ModelSetting = {
    epochInstructions,
    checkpointEpochs: 0,
    compareStateEpochs: 0,
    skew: bressoudSchneider.communicationSeconds / bressoudSchneider.seconds,
  };
  return 1 + predict(profile, costs, setting).overhead;
}
