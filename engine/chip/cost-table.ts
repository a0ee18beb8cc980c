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

/**
 * Defaults. `exit` is the round trip measured on Westmere, the newest of the
 * five generations (3963, 1579, 1266, 1009, 761 cycles) in Agesen, Mattson,
 * Rugina, Sheldon: "Software Techniques for Avoiding Hardware Virtualization
 * Exits", USENIX ATC 2012. The others are the middle of the published ranges
 * that docs/architecture.md lists; `sync` and `inject` are taken as half an
 * exit, and `fingerprint` as a CRC instruction over 8 bytes every two cycles.
 */
export const defaultCosts: Readonly<CostTable> = {
  exit: 761,
  rendezvous: 1000,
  sync: 380,
  inject: 380,
  compare: 1,
  copy: 0.5,
  protect: 3000,
  page: 1500,
  suspend: 20_000,
  fingerprint: 0.25,
};
