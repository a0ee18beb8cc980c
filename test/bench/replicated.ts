/**
 * A process of its own that runs the guest of a benchmark in a system of
 * replicas, and tells its parent what the console says at which instruction.
 */
import type { Plan, ProtectionKind } from '../../engine/covert/plan';
import { System } from '../../engine/covert/system';
import { machineSnapshot } from '../../engine/machine/snapshot';
import type { Tier } from '../../engine/machine/tier';
import type { DebianFiles } from '../../server/guest/debian';
import { debianPlan, ramBytes } from './debian-plan';
import { residentRam } from './resident-ram';

/** What the parent asks for. */
export interface ReplicatedRun {
  files: DebianFiles;
  initrd: string;
  kind: ProtectionKind;
  tier: Tier;
  threads: number;
}

export type Message =
  | { kind: 'console'; text: string; instruction: number }
  /** `beyond`: bytes of host memory a replica takes beyond what its guest's RAM takes. */
  | { kind: 'end'; exit: number | null; why: string; detections: number; beyond: number };

const pageBytes = 4096;
const epochInstructions = 1_000_000;
/** Instructions between two looks at what was released. */
const stride = 16 * epochInstructions;

const planOf = ({ files, initrd, kind }: ReplicatedRun): Promise<Plan> =>
  debianPlan(files, initrd, {
    kind, cores: [0, 1], isolation: 'full', epochInstructions, checkpointEpochs: 64,
    compareOutput: true, compareStateEpochs: 16, watchdogEpochs: 4, retry: 2, uncoordinated: [],
  });

const tell = (message: Message): void => void process.send?.(message);

/** Bytes of RAM in pages that are not zero: less than what is resident. */
function usedRam(system: System): number {
  const snapshot = system.replicas[0]?.computer.snapshot();
  return snapshot ? [...machineSnapshot(snapshot).pages.used()].length * pageBytes : 0;
}

async function runReplicated(run: ReplicatedRun): Promise<void> {
  const base = process.memoryUsage.rss();
  const system = new System(await planOf(run), { forgetful: true, tier: run.tier, threads: run.threads });
  let detections = 0;
  let end = { exit: null as number | null, why: '' };
  do {
    system.advance(system.moment + stride);
    for (const event of system.takeEvents()) {
      if (event.kind === 'release') tell({ kind: 'console', text: Buffer.from(event.bytes).toString(), instruction: event.instruction });
      else if (event.kind === 'detection') detections++;
      else if (event.kind === 'end') end = { exit: event.exitCode, why: event.why };
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  } while (!system.ended);
  const rss = process.memoryUsage.rss();
  const replicas = system.replicas.length;
  const ram = residentRam(ramBytes) ?? replicas * usedRam(system);
  tell({ kind: 'end', ...end, detections, beyond: (rss - base - ram) / replicas });
  system.close();
  process.disconnect();
}

process.once('message', (run: ReplicatedRun) => void runReplicated(run));
