/** The guest of a soak: stock Debian in two replicas, with a load that never ends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../engine/covert/plan';
import { imageOfFile } from '../../engine/machine/virtio/disk-image';
import type { DebianFiles } from '../../server/guest/debian';
import { startArchive } from '../../server/guest/start-archive';

const epochInstructions = 1_000_000;
const checkpointEpochs = 64;

/** Instructions between two checkpoints. */
export const checkpointInstructions = epochInstructions * checkpointEpochs;

/** What the load comes as: in the order of the seed, or one kind of work after the other. */
export type Order = 'drawn' | 'turns';

/** The seed decides what the guest does in which order, and what its source of entropy says. */
export function soakPlan(files: DebianFiles, seed: number, order: Order = 'drawn'): Plan {
  const load = readFileSync(join(import.meta.dirname, 'load.sh'), 'utf8');
  const archives = [files.initialDisk, files.modules].map((file) => readFileSync(file));
  const start = startArchive({ run: ['sh', '-c', load, 'soak', String(seed), ...(order === 'turns' ? [order] : [])], root: true });
  return {
    name: `soak, seed ${seed}`,
    chip: { name: 'octo', cores: 8, hertz: 2e9, l2Banks: 8, l2BankBytes: 512 << 10, memoryControllers: 4, ring: true, spares: [] },
    guest: {
      name: 'debian',
      path: files.kernel,
      image: new Uint8Array(readFileSync(files.kernel)),
      ramBytes: 256 << 20,
      harts: 1,
      disks: [{ image: imageOfFile(files.programs) }],
      linux: {
        initialDisk: Buffer.concat([...archives, start]),
        bootArguments: 'console=ttyS0 quiet',
        systemMap: readFileSync(files.systemMap),
      },
    },
    protection: {
      kind: 'dmr',
      cores: [0, 1],
      isolation: 'full',
      epochInstructions,
      checkpointEpochs,
      compareOutput: true,
      compareStateEpochs: 16,
      watchdogEpochs: 4,
      retry: 2,
      uncoordinated: [],
    },
    faults: [],
    expectations: [],
    seed,
    maxInstructions: Number.MAX_SAFE_INTEGER,
  };
}
