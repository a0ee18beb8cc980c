/**
 * Where the resident core keeps what: the same numbers as core/assembly/layout.ts
 * (layout.test.ts compares them).
 */

/** Everything architectural: one block that is snapshotted, hashed and restored as a whole. */
export const stateAt = 0x10000;
/** Bytes of the state block that are in use; the rest is zero. */
export const stateBytes = 0x500;

export const at = {
  x: stateAt,
  f: stateAt + 0x100,
  pc: stateAt + 0x200,
  retired: stateAt + 0x208,
  cycleOffset: stateAt + 0x288,
  instretOffset: stateAt + 0x290,
  exceptions: stateAt + 0x298,
  lastCause: stateAt + 0x2a0,
  lastPc: stateAt + 0x2a8,
  outputSequence: stateAt + 0x2b8,
  exited: stateAt + 0x2c0,
  exitCode: stateAt + 0x2c8,
  uartInterrupts: stateAt + 0x300,
  uartCount: stateAt + 0x308,
  cycles: 0x11008,
  interrupts: 0x11010,
  clockReads: 0x11018,
  limit: 0x11020,
  cycleLimit: 0x11028,
  perTick: 0x11030,
  corePhase: 0x11038,
  corePpm: 0x11040,
  timeFromCore: 0x11048,
  cycleFromCore: 0x1104c,
  stopOnOutput: 0x11050,
  collect: 0x11054,
  effects: 0x11058,
  tohost: 0x11060,
  ramBytes: 0x11068,
  ramAt: 0x11070,
  outputs: 0x11074,
  watches: 0x11078,
  watchList: 0x14000,
  breakpoints: 0x30000,
  outputRing: 0x40000,
  dirty: 0x80000 + 0x8200 * 2048,
} as const;

export const outputEntryBytes = 16;
export const watchEntryBytes = 24;
export const uartFifoBytes = 16;
export const mostWatches = 256;
export const mostBreakpoints = 0x1fff;

export const pageBytes = 4096;
const wasmPageBytes = 65_536;

/** Host address of the first byte of RAM. */
export function ramHostAddress(ramBytes: number): number {
  const pages = ramBytes / pageBytes;
  // Two bytes and a 32-bit word for each page stand before it.
  return Math.ceil((at.dirty + pages * 6) / wasmPageBytes) * wasmPageBytes;
}

/** WebAssembly pages of a machine's memory. */
export function memoryPages(ramBytes: number): number {
  return Math.ceil((ramHostAddress(ramBytes) + ramBytes) / wasmPageBytes);
}

/** Names of the state block's fields that are no x or f register: offset and bytes. */
export const stateFields: readonly { name: string; offset: number; bytes: 4 | 8 }[] = [
  { name: 'pc', offset: 0x200, bytes: 8 },
  { name: 'instret', offset: 0x208, bytes: 8 },
  { name: 'mstatus', offset: 0x210, bytes: 8 },
  { name: 'mie', offset: 0x218, bytes: 8 },
  { name: 'mtvec', offset: 0x228, bytes: 8 },
  { name: 'mepc', offset: 0x230, bytes: 8 },
  { name: 'mcause', offset: 0x238, bytes: 8 },
  { name: 'mtval', offset: 0x240, bytes: 8 },
  { name: 'mscratch', offset: 0x248, bytes: 8 },
  { name: 'mcounteren', offset: 0x250, bytes: 8 },
  { name: 'fflags', offset: 0x258, bytes: 4 },
  { name: 'frm', offset: 0x25c, bytes: 4 },
  { name: 'time offset', offset: 0x260, bytes: 8 },
  { name: 'mtimecmp', offset: 0x268, bytes: 8 },
  { name: 'msip', offset: 0x270, bytes: 8 },
  { name: 'reservation', offset: 0x278, bytes: 8 },
  { name: 'privilege', offset: 0x280, bytes: 8 },
  { name: 'cycle offset', offset: 0x288, bytes: 8 },
  { name: 'instret offset', offset: 0x290, bytes: 8 },
  { name: 'exceptions taken', offset: 0x298, bytes: 8 },
  { name: 'last exception cause', offset: 0x2a0, bytes: 8 },
  { name: 'last exception pc', offset: 0x2a8, bytes: 8 },
  { name: 'last exception instret', offset: 0x2b0, bytes: 8 },
  { name: 'outputs sent', offset: 0x2b8, bytes: 8 },
  { name: 'exited', offset: 0x2c0, bytes: 8 },
  { name: 'exit code', offset: 0x2c8, bytes: 8 },
  { name: 'menvcfg', offset: 0x2d0, bytes: 8 },
  { name: 'uart registers', offset: 0x300, bytes: 8 },
  { name: 'uart fifo count', offset: 0x308, bytes: 8 },
  { name: 'uart fifo 0', offset: 0x310, bytes: 8 },
  { name: 'uart fifo 8', offset: 0x318, bytes: 8 },
  { name: 'stvec', offset: 0x320, bytes: 8 },
  { name: 'sepc', offset: 0x328, bytes: 8 },
  { name: 'scause', offset: 0x330, bytes: 8 },
  { name: 'stval', offset: 0x338, bytes: 8 },
  { name: 'sscratch', offset: 0x340, bytes: 8 },
  { name: 'scounteren', offset: 0x348, bytes: 8 },
  { name: 'senvcfg', offset: 0x350, bytes: 8 },
  { name: 'satp', offset: 0x358, bytes: 8 },
  { name: 'medeleg', offset: 0x360, bytes: 8 },
  { name: 'mideleg', offset: 0x368, bytes: 8 },
  { name: 'mip (written)', offset: 0x370, bytes: 8 },
  { name: 'stimecmp', offset: 0x378, bytes: 8 },
  { name: 'pmpcfg0', offset: 0x380, bytes: 8 },
  { name: 'pmpcfg2', offset: 0x388, bytes: 8 },
  { name: 'plic pending', offset: 0x390, bytes: 8 },
  { name: 'plic claimed', offset: 0x398, bytes: 8 },
  { name: 'plic machine enable', offset: 0x3a0, bytes: 8 },
  { name: 'plic supervisor enable', offset: 0x3a8, bytes: 8 },
  { name: 'plic machine threshold', offset: 0x3b0, bytes: 4 },
  { name: 'plic supervisor threshold', offset: 0x3b4, bytes: 4 },
  { name: 'rtc offset', offset: 0x3b8, bytes: 8 },
  { name: 'rtc latch', offset: 0x3c0, bytes: 8 },
  { name: 'built-in firmware', offset: 0x3c8, bytes: 8 },
  { name: 'rtc alarm', offset: 0x490, bytes: 8 },
  { name: 'rtc flags', offset: 0x498, bytes: 8 },
  ...Array.from({ length: 8 }, (_, i) => ({ name: `plic priority ${i * 8}`, offset: 0x3d0 + i * 8, bytes: 8 as const })),
  ...Array.from({ length: 16 }, (_, i) => ({ name: `pmpaddr${i}`, offset: 0x410 + i * 8, bytes: 8 as const })),
];
