/**
 * How long a core waits for memory under `detailed` timing, and how large its first-level caches are. Parameters, never constants in code: a chip may
 * have values of its own. Cycles are the core's; an L1 hit is part of what an instruction costs (isa/instructions.ts).
 */
export interface MemoryTiming {
  /** Bytes of each first-level cache, and its ways. */
  l1iBytes: number;
  l1iWays: number;
  l1dBytes: number;
  l1dWays: number;
  /** Ways of each bank of the second level. */
  l2Ways: number;
  /** From a miss of the first level to the line, if a bank at the core's own node has it. */
  bank: number;
  /** For a message to cross a link of the ring, or the crossbar. */
  link: number;
  /** From a bank's miss to the line, from a memory controller at the bank's own node. */
  memory: number;
}

/** Where a default comes from. */
export interface TimingOrigin {
  value: number;
  source: string;
}

export const timingOrigins: Readonly<Record<keyof MemoryTiming, TimingOrigin>> = {
  l1iBytes: { value: 32 * 1024, source: 'Intel 64 and IA-32 Architectures Optimization Reference Manual: Nehalem to Skylake' },
  l1iWays: { value: 8, source: 'the same: Sandy Bridge to Skylake' },
  l1dBytes: { value: 32 * 1024, source: 'the same: Nehalem to Skylake' },
  l1dWays: { value: 8, source: 'the same' },
  l2Ways: { value: 16, source: 'the shared cache of Nehalem and Sandy Bridge, the same' },
  bank: { value: 24, source: 'Sandy Bridge: 26 to 31 cycles to a slice of the shared cache, by its distance on the ring, the same; less the way there and back' },
  link: { value: 1, source: 'a stop of the ring a cycle, Sandy Bridge' },
  memory: { value: 120, source: '60 ns at 2 GHz, our estimate for DDR3 with the controller' },
};

/** The values of a chip that says nothing else: {@link timingOrigins}. */
export const defaultTiming: Readonly<MemoryTiming> = Object.freeze(
  Object.fromEntries(Object.entries(timingOrigins).map(([name, { value }]) => [name, value])) as Record<keyof MemoryTiming, number>,
);
