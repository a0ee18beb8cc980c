import type { ChipPlan, Plan, ProtectionPlan } from '../../engine/covert/plan';
import { imageOfFile } from '../../engine/machine/virtio/disk-image';
import type { DebianFiles } from '../../server/guest/debian';
import { readWhole } from '../../server/whole-file';

/** Of the guest of the benchmarks. */
export const ramBytes = 256 << 20;

export const chip: ChipPlan = { name: 'octo', cores: 8, hertz: 2e9, l2Banks: 8, l2BankBytes: 512 << 10, memoryControllers: 4, ring: true, spares: [] };

/** The guest that runs the programs of a benchmark on {@link chip}. */
export async function debianPlan(files: DebianFiles, initrd: string, protection: ProtectionPlan): Promise<Plan> {
  return {
    name: `Debian, ${protection.kind}`,
    chip,
    guest: {
      name: 'debian',
      path: files.kernel,
      image: await readWhole(files.kernel),
      ramBytes,
      harts: 1,
      disks: [{ image: imageOfFile(files.programs) }],
      linux: {
        initialDisk: await readWhole(initrd),
        bootArguments: 'console=ttyS0 quiet',
        systemMap: await readWhole(files.systemMap),
      },
    },
    protection,
    faults: [],
    expectations: [],
    seed: 1,
    maxInstructions: Number.MAX_SAFE_INTEGER,
  };
}
