/** Debian under the load of a soak, alone, to see what translations a machine keeps and how fast it goes. */
import { Machine } from '../../engine/machine/machine';
import type { Tier } from '../../engine/machine/tier';
import type { DebianFiles } from '../../server/guest/debian';
import { soakPlan } from '../soak/guest';
import { LoadLog } from '../soak/load-log';

export interface LoadOptions {
  seed: number;
  tier: Tier;
  /** What translations a machine keeps at most; left out, as many as it usually does. */
  bound?: { functions: number; instructions: number };
  /** Asked after each slice: is it over? */
  over: (load: Load) => boolean;
  /** Called after each slice. */
  onSlice?: (load: Load) => void;
}

/** What there is now. */
export interface Load {
  instructions: number;
  translated: Machine['translated'];
  /** The most that there was at the end of any slice. */
  most: { functions: number; instructions: number };
  log: LoadLog;
  /** Why the guest does not run any more, though it should. */
  ended: string | undefined;
}

/** Instructions between two looks. */
const slice = 10_000_000;

/** Runs the guest, each kind of work in turn, until it is over. Gives the machine as it stands then. */
export async function runLoad(files: DebianFiles, { seed, tier, bound, over, onSlice }: LoadOptions): Promise<{ load: Load; machine: Machine }> {
  const { guest } = soakPlan(files, seed, 'turns');
  const { linux, disks, ramBytes, image } = guest;
  if (!linux) throw new Error('the guest of a soak is no Linux');
  const machine = Machine.create({ ramBytes, tier, ...(disks && { disks }), entropySeed: seed, ...(bound ? { translations: bound } : {}) });
  machine.loadKernel(image, { initrd: linux.initialDisk, bootArguments: linux.bootArguments });
  const load: Load = { instructions: 0, translated: machine.translated, most: { functions: 0, instructions: 0 }, log: new LoadLog(), ended: undefined };
  do {
    const stop = machine.run(machine.retired + slice);
    load.log.read(machine.takeOutputs().filter(({ kind }) => kind === 'console').map(({ value }) => value));
    load.instructions = machine.retired;
    load.translated = machine.translated;
    load.most.functions = Math.max(load.most.functions, load.translated.functions);
    load.most.instructions = Math.max(load.most.instructions, load.translated.instructions);
    if (stop !== 'limit' && stop !== 'output') load.ended = stop;
    onSlice?.(load);
    await new Promise<void>((resolve) => setImmediate(resolve));
  } while (load.ended === undefined && load.log.missing === undefined && !over(load));
  return { load, machine };
}
