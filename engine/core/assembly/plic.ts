import { coreClock, nextOwnTick } from './clock';
import {
  HARTS, INTERRUPTS_FROM_CORE, LEAVE, PLIC_CLAIMED, PLIC_ENABLE, PLIC_PENDING, PLIC_PRIORITY, PLIC_THRESHOLD, SEEN_AT,
  STATE, VIRTIO_RAISED,
} from './layout';
import { isAlarmDue, rtcEnabled, rtcInterrupt } from './rtc';
import { uartInterrupt } from './uart';

// The platform-level interrupt controller: RISC-V Platform-Level Interrupt
// Controller Specification 1.0. 63 sources, seven priorities, and two contexts
// a hart: its machine mode (2 * hart) and its supervisor mode (2 * hart + 1).

export const PLIC: u64 = 0xc000000;
export const PLIC_BYTES: u64 = 0x600000;

/** Of the first of eight. */
const VIRTIO_SOURCE: u64 = 1;
const UART_SOURCE: u64 = 10;
const RTC_SOURCE: u64 = 11;
const SOURCES: u32 = 64;
const ENABLES: u32 = 0x2000;
const CONTEXTS_AT: u32 = 0x200000;

@inline function contexts(): u32 {
  return 2 * <u32>load<u64>(STATE + HARTS);
}

/** Lets the gateways look at their sources. A request waits until it is claimed, and the next until that is completed. */
export function lookAtSources(): void {
  const virtio = <u64>load<u32>(STATE + VIRTIO_RAISED) << VIRTIO_SOURCE;
  const raised = virtio | (<u64>uartInterrupt() << UART_SOURCE) | (<u64>rtcInterrupt() << RTC_SOURCE);
  const requests = raised & ~load<u64>(STATE + PLIC_CLAIMED);
  if (requests == 0) return;
  const pending = load<u64>(STATE + PLIC_PENDING);
  // While there is one, others are seen with it.
  if (pending == 0 && load<u32>(INTERRUPTS_FROM_CORE) != 0) store<u64>(SEEN_AT, nextOwnTick());
  store<u64>(STATE + PLIC_PENDING, pending | requests);
}

/** Of these sources, the one with the highest priority above `floor` that a context is enabled for, then the lowest number; 0 if none. */
function best(context: usize, pending: u64, floor: u32): u32 {
  let ready = pending & load<u64>(STATE + PLIC_ENABLE + (context << 3));
  let most = floor;
  let found: u32 = 0;
  while (ready != 0) {
    const source = <u32>ctz(ready);
    ready &= ready - 1;
    const priority: u32 = load<u8>(STATE + PLIC_PRIORITY + source);
    if (priority > most) {
      most = priority;
      found = source;
    }
  }
  return found;
}

/** MEIP and SEIP of a hart. Nothing changes by asking: an alarm that is due counts as rung, as it will have before the next instruction. */
export function externalPending(hart: usize): u64 {
  if (load<u32>(INTERRUPTS_FROM_CORE) != 0 && (load<u64>(STATE + PLIC_PENDING) == 0 || coreClock() < load<u64>(SEEN_AT))) return 0;
  return externalRaised(hart);
}

/** The same whether the core sees it yet or not. */
export function externalRaised(hart: usize): u64 {
  let pending = load<u64>(STATE + PLIC_PENDING);
  if (rtcEnabled() && isAlarmDue()) pending |= ((<u64>1) << RTC_SOURCE) & ~load<u64>(STATE + PLIC_CLAIMED);
  if (pending == 0) return 0;
  return (notifies(2 * hart, pending) ? 1 << 11 : 0) | (notifies(2 * hart + 1, pending) ? 1 << 9 : 0);
}

function notifies(context: usize, pending: u64): bool {
  return best(context, pending, load<u32>(STATE + PLIC_THRESHOLD + (context << 2))) != 0;
}

/** Registers are 32 bits, and aligned; anything else reads as 0. */
export function readPlic(offset: u32): u32 {
  if ((offset & 3) != 0) return 0;
  if (offset < SOURCES << 2) return load<u8>(STATE + PLIC_PRIORITY + (offset >> 2));
  if (offset == 0x1000 || offset == 0x1004) return load<u32>(STATE + PLIC_PENDING + (offset & 4));
  if (offset >= ENABLES && offset < ENABLES + 0x80 * contexts() && (offset & 0x7f) < 8) {
    return load<u32>(STATE + PLIC_ENABLE + ((offset - ENABLES) >> 7 << 3) + (offset & 4));
  }
  if (offset < CONTEXTS_AT || offset >= CONTEXTS_AT + (contexts() << 12)) return 0;
  const context = (offset - CONTEXTS_AT) >> 12;
  if ((offset & 0xfff) == 0) return load<u32>(STATE + PLIC_THRESHOLD + (context << 2));
  return (offset & 0xfff) == 4 ? claim(context) : 0;
}

/** The threshold has no say in a claim (chapter 8), so a driver that masks everything by it can poll; qemu 7.2 gives such a driver 0. */
function claim(context: usize): u32 {
  const source = best(context, load<u64>(STATE + PLIC_PENDING), 0);
  if (source != 0) {
    const bit: u64 = <u64>1 << source;
    store<u64>(STATE + PLIC_PENDING, load<u64>(STATE + PLIC_PENDING) & ~bit);
    store<u64>(STATE + PLIC_CLAIMED, load<u64>(STATE + PLIC_CLAIMED) | bit);
  }
  return source;
}

export function writePlic(offset: u32, value: u32): void {
  store<u32>(LEAVE, 1);
  if ((offset & 3) != 0) return;
  if (offset < SOURCES << 2) {
    // There is no source 0.
    if (offset != 0) store<u8>(STATE + PLIC_PRIORITY + (offset >> 2), value & 7);
  } else if (offset >= ENABLES && offset < ENABLES + 0x80 * contexts() && (offset & 0x7f) < 8) {
    store<u32>(STATE + PLIC_ENABLE + ((offset - ENABLES) >> 7 << 3) + (offset & 4), (offset & 4) != 0 ? value : value & ~1);
  } else if (offset >= CONTEXTS_AT && offset < CONTEXTS_AT + (contexts() << 12)) {
    const context = (offset - CONTEXTS_AT) >> 12;
    if ((offset & 0xfff) == 0) {
      store<u32>(STATE + PLIC_THRESHOLD + (context << 2), value & 7);
    } else if ((offset & 0xfff) == 4) {
      complete(context, value);
    }
  }
}

/** A context completes only what it may be sent. */
function complete(context: usize, source: u32): void {
  if (source >= SOURCES) return;
  const bit: u64 = <u64>1 << source;
  if ((load<u64>(STATE + PLIC_ENABLE + (context << 3)) & bit) == 0) return;
  store<u64>(STATE + PLIC_CLAIMED, load<u64>(STATE + PLIC_CLAIMED) & ~bit);
  lookAtSources();
}
