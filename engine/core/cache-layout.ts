/**
 * Where the variant of the core with caches keeps them: the same numbers as core/assembly/cache-layout.ts
 * (cache-layout.test.ts compares them). Offsets from where they begin, in bytes.
 */
export const cacheAt = {
  /** Words of 64 bits. */
  stall: 0x00,
  l1iAccesses: 0x08,
  l1iMisses: 0x10,
  l1dAccesses: 0x18,
  l1dMisses: 0x20,
  l1dWriteBacks: 0x28,
  l2Accesses: 0x30,
  l2Misses: 0x38,
  l2WriteBacks: 0x40,
  /** Words of 32 bits. */
  lastFetch: 0x48,
  hung: 0x50,
  events: 0x60,
  armedLines: 0x6c,
  armedMessages: 0x70,
  worst: 0x74,
  l1i: 0x80,
  l1d: 0xa0,
  l2: 0xc0,
  l2Banks: 0xe0,
  controllers: 0xe4,
  banksAt: 0xe8,
  routesAt: 0xec,
  messageList: 0xf0,
  lineList: 0xf4,
  eventList: 0xf8,
  pendingList: 0xfc,
} as const;

/** What of it is the hardware's state, besides tags, ages and data. */
export const cacheHeadBytes = 0x58;
export const cacheHeaderBytes = 0x100;

/** Within the description of a cache. */
export const cacheSetsOffset = 0;
export const cacheWaysOffset = 4;
export const cacheTagsOffset = 8;
export const cacheAgesOffset = 12;
export const cacheDataOffset = 16;

/** In a tag. */
export const lineDiffers = 4;

export const cacheLineBytes = 64;
export const routeBytes = 16;
export const messageFaultBytes = 8;
export const lineFaultBytes = 20;
export const cacheEventBytes = 16;
export const mostMessageFaults = 32;
export const mostLineFaults = 128;
export const mostCacheEvents = 128;
export const mostPendingLines = 1024;
