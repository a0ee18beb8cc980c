import { countClockRead, mtime, writeMtime } from './clock';
import { hartAt } from './harts';
import { HARTS, LEAVE, MSIP, MTIMECMP, STATE } from './layout';
import { exit, reboot } from './output';
import { PLIC, PLIC_BYTES, lookAtSources, readPlic, writePlic } from './plic';
import { RTC, readRtc, writeRtc } from './rtc';
import { readUart, writeUart } from './uart';
import { VIRTIO_AT, VIRTIO_BYTES, readVirtio, writeVirtio } from './virtio';

// The `virt` board's addresses.
const SYSCON: u64 = 0x100000;
/** A word a hart, then a doubleword a hart, then the time. */
const CLINT: u64 = 0x2000000;
const CLINT_MTIMECMP: u64 = CLINT + 0x4000;
const CLINT_MTIME: u64 = CLINT + 0xbff8;
const UART_AT: u64 = 0x10000000;

/** True if a device answers at the address. */
export function isDevice(address: u64, size: u32): bool {
  const last = address + size - 1;
  return (
    (address >= UART_AT && last < UART_AT + 0x100) ||
    (address >= VIRTIO_AT && last < VIRTIO_AT + VIRTIO_BYTES) ||
    (address >= PLIC && last < PLIC + PLIC_BYTES) ||
    (address >= CLINT && last < CLINT + 0x10000) ||
    (address >= RTC && last < RTC + 0x1000) ||
    (address >= SYSCON && last < SYSCON + 0x1000)
  );
}

/** Zero-extended. RETIRED and CYCLES must be in memory: a device may look at the clock. */
export function readDevice(address: u64, size: u32): u64 {
  if (address >= VIRTIO_AT) return readVirtio(<u32>(address - VIRTIO_AT), size);
  if (address >= UART_AT) {
    const value = readUart(<u32>(address - UART_AT));
    lookAtSources();
    return value;
  }
  if (address >= PLIC) {
    // A claim may take an interrupt back that was pending.
    store<u32>(LEAVE, 1);
    return readPlic(<u32>(address - PLIC));
  }
  if (address >= CLINT) return readClint(address, size);
  if (address >= RTC) return readRtc(<u32>(address - RTC));
  return 0;
}

export function writeDevice(address: u64, size: u32, value: u64): void {
  if (address >= VIRTIO_AT) {
    writeVirtio(<u32>(address - VIRTIO_AT), size, <u32>value);
  } else if (address >= UART_AT) {
    writeUart(<u32>(address - UART_AT), <u32>value & 0xff);
    lookAtSources();
    store<u32>(LEAVE, 1);
  } else if (address >= PLIC) {
    writePlic(<u32>(address - PLIC), <u32>value);
  } else if (address >= CLINT) {
    writeClint(address, size, value);
    // An interrupt may have become due, or not due.
    store<u32>(LEAVE, 1);
  } else if (address >= RTC) {
    writeRtc(<u32>(address - RTC), <u32>value);
    lookAtSources();
    // The next alarm may be nearer.
    store<u32>(LEAVE, 1);
  } else if (address == SYSCON) {
    const command = <u32>value & 0xffff;
    if (command == 0x5555) exit(0);
    else if (command == 0x7777) reboot();
    else if (command == 0x3333) exit((<u32>value >> 16) & 0xffff);
  }
}

/** `size` bytes of a 64-bit register. */
@inline function part(register: u64, address: u64, size: u32): u64 {
  const shifted = register >> ((address & 7) << 3);
  return size == 8 ? shifted : shifted & ((<u64>1 << (size << 3)) - 1);
}

@inline function merged(register: u64, address: u64, size: u32, value: u64): u64 {
  if (size == 8) return value;
  const shift = (address & 7) << 3;
  const mask = ((<u64>1 << (size << 3)) - 1) << shift;
  return (register & ~mask) | ((value << shift) & mask);
}

function readClint(address: u64, size: u32): u64 {
  const harts = load<u64>(STATE + HARTS);
  if (address - CLINT < harts << 2) return part(load<u64>(hartAt((address - CLINT) >> 2) + MSIP), address & 3, size);
  if (address - CLINT_MTIMECMP < harts << 3) {
    return part(load<u64>(hartAt((address - CLINT_MTIMECMP) >> 3) + MTIMECMP), address, size);
  }
  if (address - CLINT_MTIME < 8) {
    countClockRead();
    return part(mtime(), address, size);
  }
  return 0;
}

function writeClint(address: u64, size: u32, value: u64): void {
  const harts = load<u64>(STATE + HARTS);
  if (address - CLINT < harts << 2) {
    if ((address & 3) == 0) store<u64>(hartAt((address - CLINT) >> 2) + MSIP, value & 1);
  } else if (address - CLINT_MTIMECMP < harts << 3) {
    const at = hartAt((address - CLINT_MTIMECMP) >> 3) + MTIMECMP;
    store<u64>(at, merged(load<u64>(at), address, size, value));
  } else if (address - CLINT_MTIME < 8) {
    writeMtime(merged(mtime(), address, size, value));
  }
}
