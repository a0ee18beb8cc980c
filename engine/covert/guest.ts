import { cacheRoom } from '../chip/hierarchy';
import type { ChipPlan } from '../chip/plan';
import { Machine } from '../machine/machine';
import type { Tier } from '../machine/tier';
import { readElf } from '../symbols/elf';
import { readSymbols } from '../symbols/symbols';
import { readSystemMap } from '../symbols/system-map';
import type { Symbols } from '../symbols/types';
import { variableAt } from '../symbols/variable-at';
import type { GuestPlan, LinuxPlan } from './plan';

/**
 * A machine with the guest loaded, before its first instruction. The seed is what
 * a guest's source of random numbers starts from. `chip`: the one that it runs on; under `detailed` timing the machine has caches, which are still to be set.
 * @throws LoadError where the guest does not fit into its RAM.
 */
export function createMachine(guest: GuestPlan, seed: number, tier: Tier, chip?: ChipPlan): Machine {
  const { ramBytes, harts, image, linux, network, disks = [], start } = guest;
  const machine = Machine.create({ ramBytes, harts, tier, ...(chip?.timing === 'detailed' && { caches: cacheRoom(chip) }), ...(network && { network: { mac: network.mac } }), ...(disks.length > 0 && { disks }), ...((linux || guest.entropy) && { entropySeed: seed }) });
  if (linux) {
    const { initialDisk: initrd, bootArguments, firmware } = linux;
    machine.loadKernel(image, { initrd, bootArguments, ...(firmware ? { firmware } : {}) });
  } else {
    const tohost = symbolsOf(guest).find('tohost')?.address;
    machine.load(readElf(image), tohost === undefined ? {} : { tohost });
  }
  if (start) machine.restore(start);
  return machine;
}

const known = new WeakMap<Uint8Array, Symbols>();

/** The names of a guest's program, or of its kernel, read once. */
export function symbolsOf({ image, linux }: { image: Uint8Array; linux?: Pick<LinuxPlan, 'systemMap'> | undefined }): Symbols {
  const source = linux ? linux.systemMap : image;
  const before = known.get(source);
  if (before) return before;
  const symbols = linux ? readSystemMap(source) : readSymbols(source);
  known.set(source, symbols);
  return symbols;
}

/** What a guest's program calls a byte of its memory. Names of a kernel are of virtual addresses, so there it is unknown. */
export const nameOf = (guest: Pick<GuestPlan, 'image' | 'linux'>, address: bigint): string | undefined => (guest.linux ? undefined : variableAt(symbolsOf(guest), address));
