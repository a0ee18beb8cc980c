// Where everything stands in the linear memory. The host side (core/layout.ts) has the same numbers;
// a test compares them through the exported `layoutOf`.

/** Everything architectural, hashed and snapshotted as one block. */
export const STATE: usize = 0x10000;

// The state of the hart whose turn it is. Integer registers are at 0.
export const F: usize = 0x100;
export const PC: usize = 0x200;
/** Whether the hart takes part: see harts.ts. */
export const STATUS: usize = 0x208;
export const MSTATUS: usize = 0x210;
export const MIE: usize = 0x218;
export const MTVEC: usize = 0x220;
export const MEPC: usize = 0x228;
export const MCAUSE: usize = 0x230;
export const MTVAL: usize = 0x238;
export const MSCRATCH: usize = 0x240;
export const MCOUNTEREN: usize = 0x248;
export const FFLAGS: usize = 0x250;
export const FRM: usize = 0x254;
export const PRIVILEGE: usize = 0x258;
/** Physical address of the LR reservation, or NO_RESERVATION. */
export const RESERVATION: usize = 0x260;
export const MTIMECMP: usize = 0x268;
export const MSIP: usize = 0x270;
/** Cycles that idling and writes to mcycle have added. */
export const CYCLE_OFFSET: usize = 0x278;
/** What minstret is above RETIRED; in a bank, minstret itself. */
export const INSTRET_OFFSET: usize = 0x280;
/** Retired count at which the hart's newest exception was taken, or NO_EXCEPTION. */
export const LAST_RETIRED: usize = 0x288;
export const MENVCFG: usize = 0x290;
export const STVEC: usize = 0x298;
export const SEPC: usize = 0x2a0;
export const SCAUSE: usize = 0x2a8;
export const STVAL: usize = 0x2b0;
export const SSCRATCH: usize = 0x2b8;
export const SCOUNTEREN: usize = 0x2c0;
export const SENVCFG: usize = 0x2c8;
export const SATP: usize = 0x2d0;
export const MEDELEG: usize = 0x2d8;
export const MIDELEG: usize = 0x2e0;
/** The pending bits that software writes: SSIP, STIP, SEIP. */
export const MIP_SOFT: usize = 0x2e8;
export const STIMECMP: usize = 0x2f0;
/** A configuration byte for each of 16 regions. */
export const PMPCFG: usize = 0x2f8;
export const PMPADDR: usize = 0x308;
export const HART_BYTES: usize = 0x400;

// What all harts share.
export const RETIRED: usize = 0x400;
/** Timer ticks that idling and writes to mtime have added. */
export const TIME_OFFSET: usize = 0x408;
/** Synchronous exceptions taken, and cause and pc of the newest. */
export const EXCEPTIONS: usize = 0x410;
export const LAST_CAUSE: usize = 0x418;
export const LAST_PC: usize = 0x420;
export const OUTPUT_SEQUENCE: usize = 0x428;
export const EXITED: usize = 0x430;
export const EXIT_CODE: usize = 0x438;
/** 1 if the core answers environment calls of supervisor mode itself: the built-in SBI. */
export const FIRMWARE: usize = 0x440;
/** How many harts there are, whose turn it is, and the retired count at which the turn ends. */
export const HARTS: usize = 0x448;
export const CURRENT: usize = 0x450;
export const SWITCH_AT: usize = 0x458;
export const UART: usize = 0x460;
export const PLIC_PENDING: usize = 0x480;
export const PLIC_CLAIMED: usize = 0x488;
/** A byte for each of 64 sources. */
export const PLIC_PRIORITY: usize = 0x490;
/** For each of eight contexts a word of 64 sources, then a threshold. */
export const PLIC_ENABLE: usize = 0x4d0;
export const PLIC_THRESHOLD: usize = 0x510;
/** Nanoseconds that writes to the clock's registers have added. */
export const RTC_OFFSET: usize = 0x530;
/** The high half that the last read of the low half has latched. */
export const RTC_HIGH: usize = 0x538;
/** The clock's alarm, in its nanoseconds; and bytes: it is set, its interrupt is on, it has rung. */
export const RTC_ALARM: usize = 0x540;
export const RTC_ARMED: usize = 0x548;
export const RTC_ENABLED: usize = 0x549;
export const RTC_RUNG: usize = 0x54a;
/** Reboots that the guest has asked for. */
export const REBOOTS: usize = 0x550;
/** How often in a row the guest has looked in vain for a received byte without sending one: uart.ts. */
export const UART_LOOKS: usize = 0x558;

/** The virtio devices' state, which is the host's (machine/virtio/), and a word with a bit for each that interrupts. */
export const VIRTIO: usize = 0x600;
export const VIRTIO_RAISED: usize = 0xa00;

/** A bank for each of four harts; that of the hart whose turn it is, and those of harts that are not there, are zero. */
export const BANKS: usize = 0x1000;

/** More than any retired count. */
export const NO_EXCEPTION: u64 = 0xffffffffffffffff;
export const NO_RESERVATION: u64 = 0xffffffffffffffff;

/** Not architectural from here on. Writes to x0 land in the sink, which nothing reads. */
export const SINK: usize = 0x4000;
export const HOST: usize = 0x14000;
export const CYCLES: usize = HOST + 0x08;
export const INTERRUPTS: usize = HOST + 0x10;
export const CLOCK_READS: usize = HOST + 0x18;
/** Retired count to stop at, cycle count to stop at. */
export const LIMIT: usize = HOST + 0x20;
export const CYCLE_LIMIT: usize = HOST + 0x28;
export const PER_TICK: usize = HOST + 0x30;
export const CORE_PHASE: usize = HOST + 0x38;
export const CORE_PPM: usize = HOST + 0x40;
export const TIME_FROM_CORE: usize = HOST + 0x48;
export const CYCLE_FROM_CORE: usize = HOST + 0x4c;
export const STOP_ON_OUTPUT: usize = HOST + 0x50;
export const COLLECT: usize = HOST + 0x54;
export const EFFECTS: usize = HOST + 0x58;
export const TOHOST: usize = HOST + 0x60;
export const RAM_BYTES: usize = HOST + 0x68;
export const RAM_AT: usize = HOST + 0x70;
export const OUTPUTS: usize = HOST + 0x74;
export const WATCHES: usize = HOST + 0x78;
export const WATCH_HIT: usize = HOST + 0x7c;
/** Cause and value of the exception that a slow path has found. */
export const CAUSE: usize = HOST + 0x80;
export const VALUE: usize = HOST + 0x88;
/** What a slow store asks the block to do afterwards. */
export const LEAVE: usize = HOST + 0x90;
export const PAGES_USED: usize = HOST + 0x94;
/** Where the TLBs of data accesses and of fetches stand: those of the hart's context that each has now. */
export const DATA_TLB: usize = HOST + 0x98;
export const FETCH_CONTEXT: usize = HOST + 0x9c;
/** How many page-table pages are in TABLE_LIST. */
export const TABLES: usize = HOST + 0xa0;
/** Physical address of the newest atomic access. */
export const ATOMIC_AT: usize = HOST + 0xa8;
/** A byte a hart: what of its TLBs has to be emptied before its next turn. */
export const STALE: usize = HOST + 0xb0;
/** Set by the host: as much output waits there as it keeps. */
export const OUTPUTS_FULL: usize = HOST + 0xb8;
/** Set by the host: code that runs much is to be reported for translation. */
export const SAMPLING: usize = HOST + 0xbc;
/** The code that is: the virtual and physical address of a block's first instruction. */
export const HOT_VA: usize = HOST + 0xc0;
export const HOT_AT: usize = HOST + 0xc8;
/** Set by the host: where all harts wait, no time passes but what it lets pass. */
export const WAKEFUL: usize = HOST + 0xd0;
/** Retired count of the next look at where the guest is. */
export const LOOK_AT: usize = HOST + 0xf0;
/** Instructions that translated code has retired. */
export const TRANSLATED: usize = HOST + 0xe8;
export const HOT_RETIRED: usize = HOST + 0xe0;
export const SCRATCH: usize = HOST + 0x100;
/** The current hart's memory protection around the newest address: first and end of where it is the same, and the rights there. */
export const PMP_FROM: usize = HOST + 0x180;
export const PMP_TO: usize = HOST + 0x188;
export const PMP_RIGHTS: usize = HOST + 0x190;
/** Set by the host, who leaves inputs uncoordinated: what goes by the core's own clock besides the two above, and whether its reservations get lost. */
export const RTC_FROM_CORE: usize = HOST + 0x1a0;
export const INTERRUPTS_FROM_CORE: usize = HOST + 0x1a4;
export const LOSES_RESERVATIONS: usize = HOST + 0x1a8;
/** What makes the core's own draws its own. */
export const OWN_SEED: usize = HOST + 0x1b0;
/** The retired count at which a virtio device is to give back a buffer that it is late with, or NEVER. */
export const LATE_AT: usize = HOST + 0x1b8;
/** The core's clock in cycles from which on it sees the requests of the interrupt controller; and for each hart its timers, 0 where none is due: clock.ts. */
export const SEEN_AT: usize = HOST + 0x1c0;
export const TIMER_SEEN_AT: usize = HOST + 0x1c8;
/** How far into RAM a load of up to 8 bytes may begin that needs no look-up at all, since addresses are physical and nothing forbids or watches reads; or 0. */
export const DIRECT_BYTES: usize = HOST + 0x1f0;
/** Records that no page has any more, a list, or 0. */
export const FREE_RECORDS: usize = HOST + 0x198;
/** Which of the pool's pages makes room next. */
export const POOL_HAND: usize = HOST + 0x19c;

/** For blocks by their address, folded: in how many slices each was met. */
export const SAMPLES: usize = 0x1a000;
export const SAMPLES_MOST: usize = 4096;
/** Records of instructions that translated code leaves to the core. */
export const CALLED: usize = 0x1c000;
export const CALLED_MOST: usize = 4096;

/** Stuck bits: see stuck.ts. 1 if there are any of registers or of the arithmetic-logic unit. */
export const STUCK: usize = 0x2c000;
/** How many doublewords of memory have stuck bits. */
export const STUCK_WORDS: usize = 0x2c004;
/** A bit for each register with stuck bits, and 1 if the unit has some. */
export const STUCK_IN_X: usize = 0x2c008;
export const STUCK_IN_F: usize = 0x2c00c;
export const STUCK_IN_ALU: usize = 0x2c010;
/** The bits that are as written, then those that are 1: for each register, the unit's results, and behind its address each doubleword. */
export const STUCK_X: usize = 0x2c100;
export const STUCK_F: usize = 0x2c300;
export const STUCK_ALU: usize = 0x2c500;
export const STUCK_LIST: usize = 0x2c600;
export const STUCK_BYTES: usize = 24;

/** Upsets: see upset.ts. A bit for each unit with one that waits, and for each with one that has struck and nobody has been told of. */
export const UPSETS: usize = 0x2e000;
export const UPSETS_DONE: usize = 0x2e004;
/** How many values of registers are waited for. */
export const AWAITED: usize = 0x2e008;
/** A bit for each x register among them, and bit 0 for all others. */
export const AWAITED_IN_X: usize = 0x2e00c;
/** The retired count and the pc of the instruction that is struck. */
export const UPSET_AT: usize = 0x2e010;
export const UPSET_PC: usize = 0x2e018;
/** For each unit: the bits that are kept, then those that flip; the value before and after, and the bits that it has. */
export const UPSET_LIST: usize = 0x2e020;
export const UPSET_BYTES: usize = 40;
/** Values that are waited for: behind each an offset in the state, or a CSR's number, and 1 if it is that. */
export const AWAITED_LIST: usize = 0x2e200;
export const AWAITED_BYTES: usize = 16;
/** Operands of an upset record, where its fields can reach them. */
export const UPSET_OPERAND: usize = HOST + 0x240;
export const UPSET_ADDRESS: usize = HOST + 0x248;
/** Where the caches stand, in the variant of the core that has them: see caches.ts. */
export const CACHES_AT: usize = HOST + 0x2c0;

/** Units with bits that are stuck: see upset.ts. A bit for each, and above them one for pc and one for what floating point writes to CSRs. */
export const STUCK_UNITS: usize = 0x2f400;
/** How many CSRs have stuck bits where they are kept, and how many where they are read: see stuck-csrs.ts. */
export const STUCK_CSRS: usize = 0x2f404;
export const STUCK_READS: usize = 0x2f408;
/** Faults of translations: see tlb-faults.ts. How many have been listed to wait for a walk, how many of these still do; entries that are wrong; pages with stuck bits; 1 if there are any. */
export const TLB_LISTED: usize = 0x2f40c;
export const TLB_WAITING: usize = 0x2f410;
export const TLB_WRONG: usize = 0x2f414;
export const TLB_STUCK: usize = 0x2f418;
export const TLB_FAULTS: usize = 0x2f41c;
/** For each unit, then for pc: the bits that are as they are, then those that are 1. */
export const STUCK_UNIT_LIST: usize = 0x2f420;
/** Behind the place in a hart's state, or the number of the CSR, and its bytes: masks likewise. */
export const STUCK_CSR_LIST: usize = 0x2f500;
export const STUCK_READ_LIST: usize = 0x2f800;
export const STUCK_CSR_BYTES: usize = 24;
/** Page, bits that are kept, bits that flip, what the entry was, and 1 once it has struck. */
export const TLB_WAITING_LIST: usize = 0x2f980;
export const TLB_WAITING_BYTES: usize = 40;
/** First address, mask of the addresses in it, the entry, and its ASID with the hart above. */
export const TLB_WRONG_LIST: usize = 0x2fc00;
export const TLB_WRONG_BYTES: usize = 32;
export const TLB_WRONG_MOST: u32 = 16;
/** Page, and masks as of a unit. */
export const TLB_STUCK_LIST: usize = 0x2fe00;
export const TLB_STUCK_BYTES: usize = 24;

/** Behind the address and the bytes that are watched: the kinds of access, and 1 if there has been one. */
export const WATCH_LIST: usize = 0x15000;
export const WATCH_BYTES: usize = 24;

/** For each hart one set of TLBs (read, write, fetch) for each context: see tlb.ts. */
export const TLBS: usize = 0x80000;
export const TLB_ENTRIES: usize = 512;
export const TLB_BYTES: usize = 0x2000;
export const WRITE_SET: usize = TLB_BYTES;
export const FETCH_SET: usize = 2 * TLB_BYTES;
export const CONTEXT_BYTES: usize = 3 * TLB_BYTES;
export const CONTEXTS: usize = 4;
export const HART_TLBS: usize = CONTEXTS * CONTEXT_BYTES;
/** RAM page numbers of the page tables that TLB entries were made from. */
export const TABLE_LIST: usize = 0x17000;
export const TABLES_MOST: u32 = 2048;

export const OUTPUT_RING: usize = 0x40000;
export const OUTPUT_BYTES: usize = 16;
export const OUTPUT_MOST: u32 = 0x4000;

/** Decoded pages: records of 2048 slots, the end-of-page record, and a bit for each slot that holds code. */
export const POOL: usize = 0x100000;
export const POOL_PAGES: u32 = 1024;
export const RECORD_BYTES: usize = 16;
export const PAGE_STRIDE: usize = 0x8200;
export const PAGE_BITMAP: usize = 0x8100;
/** How often a page's records have been dropped since it has them. */
export const PAGE_DROPS: usize = 0x8020;
/** The next records that are free, while these are. */
export const PAGE_NEXT: usize = 0x8028;
/** The RAM page that they are of. */
export const PAGE_OWNER: usize = 0x802c;
/** A byte: how many times the pool's hand will still pass by, and TRANSLATED if code of the page was translated. */
export const PAGE_CHANCES: usize = 0x8030;
export const TRANSLATED_PAGE: u8 = 0x80;
/** What a page has once it is met: translations are dear, other records are soon made anew. */
export const TRANSLATED_CHANCES: u8 = 8;
/** A byte a RAM page: written since the last snapshot. */
export const DIRTY: usize = POOL + PAGE_STRIDE * POOL_PAGES;

export const RAM_BASE: u64 = 0x80000000;

@inline export function dirtyOf(page: usize): usize {
  return DIRTY + page;
}
/** Address of the records of a RAM page, or 0. */
@inline export function codeMap(): usize {
  return DIRTY + (load<usize>(RAM_BYTES) >> 12);
}
/** What is known of a RAM page: PAGE_IS_TABLE, PAGE_IS_WRITTEN. */
@inline export function flagsOf(page: usize): usize {
  return DIRTY + 5 * (load<usize>(RAM_BYTES) >> 12) + page;
}
/** Of a RAM page that is a page table: which addresses its entries are for. See mmu.ts. */
@inline export function tableUseOf(page: usize): usize {
  return ((DIRTY + 6 * (load<usize>(RAM_BYTES) >> 12) + 7) & ~7) + (page << 3);
}
