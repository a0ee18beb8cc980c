/** The engine's side of a comparison with an oracle. */
import { Machine, type Tier } from '../../engine/machine/machine';
import { readElf } from '../../engine/symbols/elf';

export interface MachineRun {
  output: Buffer;
  exit: number | null;
  machine: Machine;
}

/** A machine that is about to execute the image's first instruction. */
export function loadMachine(image: Uint8Array, ramBytes = 16 << 20, harts = 1, tier: Tier = 'interpreter'): Machine {
  const machine = Machine.create({ ramBytes, harts, tier });
  machine.load(readElf(image));
  return machine;
}

/** Runs an image to its end, or to `limit` instructions. */
export function runMachine(image: Uint8Array, limit = 1e9, harts = 1, ramBytes = 16 << 20, tier: Tier = 'interpreter'): MachineRun {
  const machine = loadMachine(image, ramBytes, harts, tier);
  const bytes: number[] = [];
  // Outputs wait in a bounded ring, so they are taken every so often.
  for (let next = 0; next < limit && machine.exitCode === null; ) {
    next = Math.min(limit, next + 1_000_000);
    const stop = machine.run(next);
    for (const { kind, value } of machine.takeOutputs()) if (kind === 'console') bytes.push(value);
    if (stop !== 'limit' && stop !== 'output') break;
  }
  return { output: Buffer.from(bytes), exit: machine.exitCode, machine };
}
