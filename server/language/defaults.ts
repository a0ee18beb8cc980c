import type { ChipPlan, Isolation } from '../../engine/covert/plan';

/** What holds where a file says nothing; docs/language.md lists the same. */
export const defaults = {
  epochInstructions: 100_000,
  watchdogEpochs: 4,
  retry: 2,
  isolation: 'full' as Isolation,
  ramBytes: 64 * 2 ** 20,
  linuxRamBytes: 256 * 2 ** 20,
  harts: 1,
  seed: 1,
  maxInstructions: 1e9,
  linuxMaxInstructions: 20e9,
};

/** How often states are kept and compared, in epochs. */
export interface Periods {
  readonly checkpointEpochs: number;
  readonly compareStateEpochs: number;
}

/**
 * A program on the bare machine is over soon, so that it is looked at often. Linux goes on, and writes to many pages
 * in no time, which is what checkpoints and comparisons cost: some twenty checkpoints a second.
 */
export const periods: Readonly<Record<'bare' | 'linux', Periods>> = {
  bare: { checkpointEpochs: 16, compareStateEpochs: 4 },
  linux: { checkpointEpochs: 1024, compareStateEpochs: 1024 },
};

/** The chip of a scenario that names none, and the value of each setting that a chip leaves out. */
export const defaultChip: Readonly<ChipPlan> = {
  name: 'default',
  cores: 4,
  hertz: 2e9,
  l2Banks: 4,
  l2BankBytes: 512 * 1024,
  memoryControllers: 2,
  ring: true,
  spares: [],
};

/** The machine's RAM lies in one WebAssembly memory of at most 4 GiB, beside the core's own data. */
export const mostRamBytes = 2 ** 31;
/** Where RAM begins on the board that every guest sees. */
export const ramBase = 0x8000_0000n;
export const pageBytes = 4096;
export { mostHarts } from '../../engine/core/layout';
