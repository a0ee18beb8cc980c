// Where the caches keep what, behind RAM: offsets from CACHES_AT. The host (machine/caches.ts) has the same numbers through `cacheLayoutOf`.

/** Words of 64 bits. What the hardware has come to, until HEAD_BYTES: saved and restored as a whole. Cycles that the core has waited for memory. */
export const STALL: usize = 0x00;
/** How often the core looked a line up in each cache, and how often it was not there; and lines written back. */
export const L1I_ACCESSES: usize = 0x08;
export const L1I_MISSES: usize = 0x10;
export const L1D_ACCESSES: usize = 0x18;
export const L1D_MISSES: usize = 0x20;
export const L1D_WRITE_BACKS: usize = 0x28;
export const L2_ACCESSES: usize = 0x30;
export const L2_MISSES: usize = 0x38;
export const L2_WRITE_BACKS: usize = 0x40;
/** Words of 32 bits from here on. The two lines that the core has fetched last: instructions of these are fetched from no cache. */
export const LAST_FETCH: usize = 0x48;
export const PREVIOUS_FETCH: usize = 0x4c;
/** 1 if an answer was lost that the core waits for. */
export const HUNG: usize = 0x50;
export const HEAD_BYTES: usize = 0x58;

/** The line of the newest data access, and its slot, or NO_LINE. */
export const LAST_DATA: usize = 0x58;
export const LAST_SLOT: usize = 0x5c;
/** How many faults have met what they waited for; how many lines have changed without a store; lines of L1I that differ from what loads see. */
export const EVENTS: usize = 0x60;
export const PENDING: usize = 0x64;
export const OVERLAYS: usize = 0x68;
/** How many faults wait for a line; a bit for each fault that waits for a message. */
export const ARMED_LINES: usize = 0x6c;
export const ARMED_MESSAGES: usize = 0x70;
/** No instruction waits longer. */
export const WORST: usize = 0x74;

/** A description of each cache: sets (of L2 those of a bank) and ways, and where its tags stand (a word of 32 bits each), its ages (a byte each) and its data. */
export const CACHE_L1I: usize = 0x80;
export const CACHE_L1D: usize = 0xa0;
export const CACHE_L2: usize = 0xc0;
export const CACHE_SETS: usize = 0;
export const CACHE_WAYS: usize = 4;
export const CACHE_TAGS: usize = 8;
export const CACHE_AGES: usize = 12;
export const CACHE_DATA: usize = 16;

export const L2_BANKS: usize = 0xe0;
export const CONTROLLERS: usize = 0xe4;
/** Where tables stand. For each bank: cycles from a miss to the line, and which armed messages' links the request and the answer cross. */
export const BANKS_AT: usize = 0xe8;
export const BANK_BYTES: usize = 16;
export const BANK_CYCLES: usize = 0;
export const BANK_REQUEST: usize = 4;
export const BANK_REPLY: usize = 8;
/** For each bank and, within that, each controller the same between those two. */
export const ROUTES_AT: usize = 0xec;
/** For each armed message what is to become of it (1 lost, 2 sent twice, 3 a bit of its line flipped), and the bit. */
export const MESSAGE_LIST: usize = 0xf0;
export const MESSAGE_BYTES: usize = 8;
/** For each armed line the cache (0 L1I, 1 L1D, 2 L2), the line, the byte, bits that are kept, bits that flip. */
export const LINE_LIST: usize = 0xf4;
export const LINE_FAULT_BYTES: usize = 20;
/** What has met faults: 0 and the place in the list of lines, the byte before and after; or 1 and the message's place, what kind of message, the line. */
export const EVENT_LIST: usize = 0xf8;
export const EVENT_BYTES: usize = 16;
export const EVENTS_MOST: u32 = 128;
export const PENDING_LIST: usize = 0xfc;
export const PENDING_MOST: u32 = 1024;
export const CACHES_HEADER: usize = 0x100;

export const NO_LINE: u32 = 0xffffffff;
