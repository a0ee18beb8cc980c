// What the host calls. Everything else goes through the memory, whose layout is in layout.ts.
import { BREAKPOINTS, dropCode, invalidate } from './code';
import { csrAddress, csrExists, csrRead } from './csr';
import {
  CAUSE, CYCLES, DIRTY, EFFECTS, MTIMECMP, NO_RESERVATION, OUTPUTS, OUTPUT_RING, PC, PRIVILEGE, RAM_BASE, RESERVATION,
  STATE, TOHOST, WATCHES, WATCH_LIST, WRITE_TLB,
} from './layout';
import { prepareScratch } from './drive';
import { NONE, codeOf } from './memory';
import { flush, flushAll } from './tlb';
import { receiveUart } from './uart';

export { run } from './drive';
export { csrAddress, csrExists };

/** The state after reset, with PC at `entry`. */
export function reset(entry: u64): void {
  store<u64>(STATE + PC, entry);
  store<u64>(STATE + PRIVILEGE, 3);
  store<u64>(STATE + RESERVATION, NO_RESERVATION);
  store<u64>(STATE + MTIMECMP, 0xffffffffffffffff);
  store<u64>(CAUSE, NONE);
  prepareScratch();
  flushAll();
  dropCode();
}

/** Reads a CSR without side effects. */
export function peekCsr(number: u32): u64 {
  return csrRead(number, true);
}

/** True if the byte found room in the UART's FIFO. */
export function receive(byte: u32): bool {
  return receiveUart(byte);
}

/** The host has written RAM: decoded code there is stale. */
export function hostWrote(address: u64, size: u32): void {
  const page = <usize>(address - RAM_BASE) >> 12;
  if (codeOf(page) != 0) invalidate(page, address, size);
}

/** After a snapshot: the next store to each page is to be noticed. */
export function watchPages(): void {
  flush(WRITE_TLB);
}

/** After a restore or a change of breakpoints or watches: nothing derived from memory is valid. */
export function forget(): void {
  flushAll();
  dropCode();
}

/** For the host's test that its copy of the layout is this one. */
export function layoutOf(index: u32): usize {
  switch (index) {
    case 0: return STATE;
    case 1: return CYCLES;
    case 2: return EFFECTS;
    case 3: return OUTPUT_RING;
    case 4: return WATCH_LIST;
    case 5: return BREAKPOINTS;
    case 6: return DIRTY;
    case 7: return TOHOST;
    case 8: return OUTPUTS;
    case 9: return WATCHES;
    default: return 0;
  }
}
