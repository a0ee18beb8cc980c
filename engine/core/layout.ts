/**
 * Where the resident core keeps what: the same numbers as core/assembly/layout.ts
 * (layout.test.ts compares them).
 */

/** Everything architectural: one block that is snapshotted, hashed and restored as a whole. */
export const stateAt = 0x10000;
/** Bytes of the state block that are in use; the rest is zero. */
export const stateBytes = 0x2000;
/** The block begins with the state of the hart whose turn it is; the others' have their places in the banks. */
export const hartBytes = 0x400;
export const banksOffset = 0x1000;
export const mostHarts = 4;
/** Counts of 64 bits at `seenAt`: of the interrupt controller's wires, and of each hart's timers. */
export const seenCounts = 1 + mostHarts;

const hostAt = 0x14000;

/** What a page of decoded code takes, and how many are kept at most. */
export const decodedPageBytes = 0x8200;
export const mostDecodedPages = 1024;

export const at = {
  x: stateAt,
  f: stateAt + 0x100,
  pc: stateAt + 0x200,
  mstatus: stateAt + 0x210,
  fflags: stateAt + 0x250,
  frm: stateAt + 0x254,
  reservation: stateAt + 0x260,
  cycleOffset: stateAt + 0x278,
  instretOffset: stateAt + 0x280,
  retired: stateAt + 0x400,
  timeOffset: stateAt + 0x408,
  exceptions: stateAt + 0x410,
  lastCause: stateAt + 0x418,
  lastPc: stateAt + 0x420,
  outputSequence: stateAt + 0x428,
  exited: stateAt + 0x430,
  exitCode: stateAt + 0x438,
  harts: stateAt + 0x448,
  hart: stateAt + 0x450,
  switchAt: stateAt + 0x458,
  uartInterrupts: stateAt + 0x460,
  uartCount: stateAt + 0x468,
  reboots: stateAt + 0x550,
  uartLooks: stateAt + 0x558,
  virtio: stateAt + 0x600,
  virtioRaised: stateAt + 0xa00,
  cycles: hostAt + 0x08,
  interrupts: hostAt + 0x10,
  clockReads: hostAt + 0x18,
  limit: hostAt + 0x20,
  cycleLimit: hostAt + 0x28,
  perTick: hostAt + 0x30,
  corePhase: hostAt + 0x38,
  corePpm: hostAt + 0x40,
  timeFromCore: hostAt + 0x48,
  cycleFromCore: hostAt + 0x4c,
  stopOnOutput: hostAt + 0x50,
  collect: hostAt + 0x54,
  effects: hostAt + 0x58,
  tohost: hostAt + 0x60,
  ramBytes: hostAt + 0x68,
  ramAt: hostAt + 0x70,
  outputs: hostAt + 0x74,
  watches: hostAt + 0x78,
  decodedPages: hostAt + 0x94,
  outputsFull: hostAt + 0xb8,
  dataTlb: hostAt + 0x98,
  fetchContext: hostAt + 0x9c,
  sampling: hostAt + 0xbc,
  hotVa: hostAt + 0xc0,
  hotAt: hostAt + 0xc8,
  wakeful: hostAt + 0xd0,
  rtcFromCore: hostAt + 0x1a0,
  interruptsFromCore: hostAt + 0x1a4,
  losesReservations: hostAt + 0x1a8,
  ownSeed: hostAt + 0x1b0,
  lateAt: hostAt + 0x1b8,
  seenAt: hostAt + 0x1c0,
  directBytes: hostAt + 0x1f0,
  translated: hostAt + 0xe8,
  called: 0x1c000,
  stuck: 0x2c000,
  stuckWords: 0x2c004,
  stuckInX: 0x2c008,
  stuckInF: 0x2c00c,
  stuckInAlu: 0x2c010,
  stuckX: 0x2c100,
  stuckF: 0x2c300,
  stuckAlu: 0x2c500,
  stuckList: 0x2c600,
  upsets: 0x2e000,
  upsetsDone: 0x2e004,
  awaited: 0x2e008,
  awaitedInX: 0x2e00c,
  upsetAt: 0x2e010,
  upsetPc: 0x2e018,
  upsetList: 0x2e020,
  awaitedList: 0x2e200,
  stuckUnits: 0x2f400,
  stuckCsrs: 0x2f404,
  stuckReads: 0x2f408,
  tlbListed: 0x2f40c,
  tlbWaiting: 0x2f410,
  tlbWrong: 0x2f414,
  tlbStuck: 0x2f418,
  tlbFaults: 0x2f41c,
  stuckUnitList: 0x2f420,
  stuckCsrList: 0x2f500,
  stuckReadList: 0x2f800,
  tlbWaitingList: 0x2f980,
  tlbWrongList: 0x2fc00,
  tlbStuckList: 0x2fe00,
  caches: hostAt + 0x2c0,
  watchList: 0x15000,
  breakpoints: 0x30000,
  outputRing: 0x40000,
  dirty: 0x100000 + decodedPageBytes * mostDecodedPages,
} as const;

/** A record of a decoded instruction, one for each two bytes of code; and those of translated code's own, at `called`. */
export const recordBytes = 16;
/** Where the number of times that a page's records were dropped, and the bits of slots with decoded code, stand behind its records. */
export const decodedDropsOffset = 0x8020;
/** Where a byte says how long a page's records stay, and what it is once code of the page was translated. */
export const decodedChancesOffset = 0x8030;
export const translatedChances = 0x88;
export const decodedBitmapOffset = 0x8100;
export const mostCalled = 4096;

export const outputEntryBytes = 16;
export const watchEntryBytes = 24;
export const stuckWordBytes = 24;
export const upsetBytes = 40;
export const awaitedBytes = 16;
export const mostAwaited = 256;
export const stuckCsrBytes = 24;
export const mostStuckCsrs = 32;
export const mostStuckReads = 16;
export const tlbWaitingBytes = 40;
export const tlbWrongBytes = 32;
export const tlbStuckBytes = 24;
/** Of each kind of fault of translations. */
export const mostTlbFaults = 16;
export const mostStuckWords = 256;
export const uartFifoBytes = 16;
/** Looks in vain from which on a guest counts as one that polls the UART. */
export const uartPollerLooks = 16;
export const mostWatches = 256;
export const mostBreakpoints = 0x1fff;

export const pageBytes = 4096;
export const wasmPageBytes = 65_536;

/** Host address of the first byte of RAM. */
export function ramHostAddress(ramBytes: number): number {
  const pages = ramBytes / pageBytes;
  // Two bytes, a 32-bit word and an aligned one of 64 bits for each page stand before it.
  return Math.ceil((at.dirty + pages * 14 + 8) / wasmPageBytes) * wasmPageBytes;
}

/** WebAssembly pages of a machine's memory. */
export function memoryPages(ramBytes: number): number {
  return Math.ceil((ramHostAddress(ramBytes) + ramBytes) / wasmPageBytes);
}

interface StateField {
  name: string;
  offset: number;
  bytes: 4 | 8;
}

/** Fields of 8 bytes in a row. */
function row(offset: number, names: readonly string[]): StateField[] {
  return names.map((name, i) => ({ name, offset: offset + i * 8, bytes: 8 }));
}

/** Names of a hart's fields that are no x or f register. */
export const hartFields: readonly StateField[] = [
  ...row(0x200, ['pc', 'hart status', 'mstatus', 'mie', 'mtvec', 'mepc', 'mcause', 'mtval', 'mscratch', 'mcounteren']),
  { name: 'fflags', offset: 0x250, bytes: 4 },
  { name: 'frm', offset: 0x254, bytes: 4 },
  ...row(0x258, ['privilege', 'reservation', 'mtimecmp', 'msip', 'cycle offset', 'instret offset', 'last exception instret']),
  ...row(0x290, ['menvcfg', 'stvec', 'sepc', 'scause', 'stval', 'sscratch', 'scounteren', 'senvcfg', 'satp', 'medeleg', 'mideleg']),
  ...row(0x2e8, ['mip (written)', 'stimecmp', 'pmpcfg0', 'pmpcfg2']),
  ...row(0x308, Array.from({ length: 16 }, (_, i) => `pmpaddr${i}`)),
];

/** Names of the fields that all harts share. */
export const sharedFields: readonly StateField[] = [
  ...row(0x400, ['instret', 'time offset', 'exceptions taken', 'last exception cause', 'last exception pc']),
  ...row(0x428, ['outputs sent', 'exited', 'exit code', 'built-in firmware', 'harts', 'current hart', 'end of turn']),
  ...row(0x460, ['uart registers', 'uart fifo count', 'uart fifo 0', 'uart fifo 8', 'plic pending', 'plic claimed']),
  ...row(0x490, Array.from({ length: 8 }, (_, i) => `plic priority ${i * 8}`)),
  ...row(0x4d0, Array.from({ length: 8 }, (_, i) => `plic enable ${i}`)),
  ...Array.from({ length: 8 }, (_, i) => ({ name: `plic threshold ${i}`, offset: 0x510 + i * 4, bytes: 4 as const })),
  ...row(0x530, ['rtc offset', 'rtc latch', 'rtc alarm', 'rtc flags', 'reboots', 'uart looks in vain']),
  ...Array.from({ length: 8 }, (_, slot) =>
    Array.from({ length: 16 }, (_, i) => ({ name: `virtio ${slot} state ${i}`, offset: 0x600 + slot * 0x80 + i * 8, bytes: 8 as const })),
  ).flat(),
  { name: 'virtio interrupts', offset: 0xa00, bytes: 4 },
];
