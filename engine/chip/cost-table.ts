/**
 * What each piece of the VMM's work costs, in core cycles. Parameters, never
 * constants in code: a caller may pass a table of its own.
 */
export interface CostTable {
  /** Leaving the guest for the VMM and going back. */
  exit: number;
  /** All replicas meet: on-chip message there and back. */
  rendezvous: number;
  /** Handing an agreed clock value to a replica after an exit. */
  sync: number;
  /** Delivering an interrupt into the guest. */
  inject: number;
  /** Comparing a byte of output. */
  compare: number;
  /** Copying a byte of input into a replica. */
  copy: number;
  /** The write-protect fault at the first store to a page after a checkpoint. */
  protect: number;
  /** Copying one page into a checkpoint. */
  page: number;
  /** Stopping a replica and saving its registers for a checkpoint, or loading them back. */
  suspend: number;
  /** Fingerprinting a byte of a written page for a state comparison. */
  fingerprint: number;
}

/** Where a default comes from: published, or estimated where nothing is. */
export interface CostOrigin {
  value: number;
  /** Lowest and highest value that is published for it; absent where there is none. */
  range?: readonly [number, number];
  source: string;
}

/**
 * Cycles of an exit and back on five generations of processors: Agesen, Mattson, Rugina, Sheldon: "Software
 * Techniques for Avoiding Hardware Virtualization Exits", USENIX ATC 2012.
 */
export const exitCosts = { prescott: 3963, merom: 1579, penryn: 1266, nehalem: 1009, westmere: 761 } as const;
export type Processor = keyof typeof exitCosts;

/** The defaults with where they come from. */
export const costOrigins: Readonly<Record<keyof CostTable, CostOrigin>> = {
  exit: { value: 761, range: [761, 3963], source: 'Westmere, in Agesen et al., USENIX ATC 2012' },
  rendezvous: { value: 1000, range: [500, 1500], source: 'middle of the range' },
  sync: { value: 380, source: 'half an exit, our estimate' },
  inject: { value: 380, source: 'half an exit, our estimate' },
  compare: { value: 1, range: [0.5, 2], source: 'within the range' },
  copy: { value: 0.5, range: [0.25, 1], source: 'within the range' },
  protect: { value: 3000, source: 'about as much as is published' },
  page: { value: 1500, range: [1000, 2000], source: 'middle of the range' },
  suspend: { value: 20_000, range: [10_000, 30_000], source: 'middle of the range' },
  fingerprint: { value: 0.25, source: 'a CRC instruction over 8 bytes every two cycles, our estimate' },
};

/** Cycles where a caller says nothing else: {@link costOrigins}. */
export const defaultCosts: Readonly<CostTable> = Object.freeze(
  Object.fromEntries(Object.entries(costOrigins).map(([name, { value }]) => [name, value])) as Record<keyof CostTable, number>,
);

/** Entries of a table that are not the default. */
export type CostChanges = Readonly<Partial<CostTable>>;

export const costNames = Object.keys(costOrigins) as (keyof CostTable)[];

/** What a processor's exits make of the table: an exit, and the half of it where the default is half an exit. */
export function costsOfProcessor(processor: Processor): CostChanges {
  const exit = exitCosts[processor];
  const half = Math.floor(exit / 2);
  return { exit, sync: half, inject: half };
}

/** The whole table with some entries changed. */
export function costsWith(changes: CostChanges = {}): CostTable {
  return { ...defaultCosts, ...changes };
}

/** The entries of a table that are not the default. */
export function costChanges(costs: CostChanges): CostChanges {
  return Object.fromEntries(costNames.flatMap((name) => (costs[name] === undefined || costs[name] === defaultCosts[name] ? [] : [[name, costs[name]]])));
}
