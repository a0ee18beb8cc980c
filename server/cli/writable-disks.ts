import type { Plan } from '../../engine/covert/plan';
import { WritableDiskError, WritableDisks } from '../disk/writable-disks';
import { BadInput } from './failure';

/**
 * Runs a plan with its writable disks open, if it has any, and closes them however it ends. `lost`: a line for each disk for which something
 * could not be written, without the guest's hearing of it. Throws {@link BadInput} where an image cannot be written to.
 */
export async function withDisks<Result>(
  plan: Plan,
  run: (plan: Plan, disks: WritableDisks | undefined) => Promise<Result>,
): Promise<{ result: Result; lost: string[] }> {
  const opened = open(plan);
  if (!opened) return { result: await run(plan, undefined), lost: [] };
  const { disks } = opened;
  try {
    const result = await run(opened.plan, disks);
    return { result, lost: disks.finish() };
  } finally {
    disks.close();
  }
}

function open(plan: Plan): ReturnType<typeof WritableDisks.open> {
  try {
    return WritableDisks.open(plan);
  } catch (error) {
    throw error instanceof WritableDiskError ? new BadInput(`${plan.name}: ${error.message}`, { cause: error }) : error;
  }
}
