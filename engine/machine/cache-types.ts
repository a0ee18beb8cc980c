/** What lies between a core and its memory under `detailed` timing, as the border of a computer has it. */

export type CacheName = 'l1i' | 'l1d' | 'l2';

/** A step of a message, from one node of the interconnect to the next. */
export interface Hop {
  readonly from: number;
  readonly to: number;
}

/** A way that requests and write-backs go, and answers come back. */
export interface Route {
  /** From sending the request to having the answer. */
  readonly cycles: number;
  /** Of a request. */
  readonly route: readonly Hop[];
}

/** The caches of a core and of its domain. Lines have 64 bytes and go round the banks of L2; pages of 4 KiB go round the memory controllers. */
export interface Hierarchy {
  /** `sets` is a power of two. */
  readonly l1i: { readonly sets: number; readonly ways: number };
  readonly l1d: { readonly sets: number; readonly ways: number };
  /** Sets are those of one bank. */
  readonly l2: { readonly sets: number; readonly ways: number };
  /** To each bank of the domain, from the core. */
  readonly banks: readonly Route[];
  /** From each of these banks to each memory controller of the domain. */
  readonly routes: readonly (readonly Route[])[];
}

/** How often a cache was asked for a line, how often it did not have it, and how often it has sent a changed line down. */
export interface CacheCounts {
  accesses: number;
  misses: number;
  writeBacks: number;
}

/** What a core's caches have come to since its computer was made. */
export interface CacheAccount {
  /** Cycles in which the core waited for what its first level did not have. */
  cycles: number;
  l1i: CacheCounts;
  l1d: CacheCounts;
  l2: CacheCounts;
}

/** A transient fault of a byte of a line that a cache has, or the next time that it has it: `(byte & keep) ^ flip`, once. */
export interface LineUpset {
  cache: CacheName;
  /** The line's physical address. */
  line: bigint;
  /** 0 to 63. */
  byte: number;
  keep: number;
  flip: number;
}

/** A transient fault of the next message over a link: it is lost, is sent twice, or has a bit of its line (0 to 511) flipped; one without a line passes by. */
export interface MessageUpset {
  how: 'drop' | 'duplicate' | 'corrupt';
  from: number;
  to: number;
  bit: number;
}

/** A fault has met what it waited for. `upset`: its place in the list that was set. */
export type CacheEvent =
  /** The byte before and after. */
  | { kind: 'line'; upset: number; before: number; after: number }
  /** `ofMemory`: between a bank and a memory controller. */
  | { kind: 'message'; upset: number; what: 'request' | 'fill' | 'write-back'; ofMemory: boolean; line: bigint };

/** All that caches have come to; immutable. No part of an architectural state. */
export interface CacheState {
  readonly hierarchy: Hierarchy | undefined;
  readonly head: Uint8Array;
  /** Of l1i, l1d and l2. */
  readonly parts: readonly { readonly tags: Uint8Array; readonly ages: Uint8Array }[];
  /** Of each the lines that the level below has otherwise, in the order of their slots. */
  readonly data: readonly Uint8Array[];
}

/** The caches of a computer that has been made with some. Like cycles, they are the hardware's. */
export interface CacheControl {
  /** What there is behind the core now. Where it is another hierarchy than before, all that was dirty is written back, and the caches are empty. */
  set(hierarchy: Hierarchy): void;
  account(): CacheAccount;
  /** The core waits for an answer that was lost, until `restore`: a run stops with `stalled` at once. */
  readonly isHung: boolean;
  /** Counts from nothing again: another core's. */
  restart(): void;
  save(): CacheState;
  /** Back to a state of the same hierarchy. To be called with the computer in the state that it had then. */
  load(state: CacheState): void;
  /** Strikes a line that the cache has now; undefined where it has not. The byte before and after. */
  strikeNow(upset: LineUpset): { before: number; after: number } | undefined;
  /** These faults wait for a line to come in, and no others. Once one has struck, the run stops with `upset`, if with nothing else. */
  setLines(lines: readonly LineUpset[]): void;
  /** These faults wait for a message, and no others; likewise. */
  setMessages(upsets: readonly MessageUpset[]): void;
  /** What has met faults since the last call. Those wait no more. */
  take(): CacheEvent[];
}
