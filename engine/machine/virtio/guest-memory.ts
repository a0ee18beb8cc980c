/** RAM as a device sees it. */
export interface GuestMemory {
  /** The bytes themselves, to be read; undefined where any of them is no RAM. */
  range(address: number, bytes: number): Uint8Array | undefined;
  /** To be called with every range that was written: what is derived from it is stale. */
  wrote(address: number, bytes: number): void;
}
