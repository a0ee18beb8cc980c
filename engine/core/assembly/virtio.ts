import { NEVER } from './clock';
import { COLLECT, LATE_AT, LEAVE } from './layout';
import { lookAtSources } from './plic';

// The board's eight places for virtio devices. What stands there is the host's:
// engine/machine/virtio/. RETIRED and CYCLES are in memory when the host is called.

export const VIRTIO_AT: u64 = 0x10001000;
export const VIRTIO_BYTES: u64 = 0x8000;
/** A place that no device has: what is written there is for the board. */
const BOARD: u32 = 8;

@external("env", "virtioRead")
declare function hostRead(slot: u32, offset: u32, size: u32): u32;
@external("env", "virtioWrite")
declare function hostWrite(slot: u32, offset: u32, size: u32, value: u32): void;

export function readVirtio(offset: u32, size: u32): u64 {
  // No register has 64 bits.
  return size == 8 ? 0 : hostRead(offset >> 12, offset & 0xfff, size);
}

export function writeVirtio(offset: u32, size: u32, value: u32): void {
  if (size != 8) hostWrite(offset >> 12, offset & 0xfff, size, value);
  lookAtSources();
  // Interrupts may be due, outputs wait, and code may have been written over.
  store<u32>(LEAVE, 1);
}

/** Has the host give back the next buffer that a device is late with; false where there is none. It is no instruction's doing. */
export function giveBackLate(): bool {
  if (load<u64>(LATE_AT) == NEVER) return false;
  const collect = load<u32>(COLLECT);
  store<u32>(COLLECT, 0);
  hostWrite(BOARD, 0, 4, 0);
  store<u32>(COLLECT, collect);
  lookAtSources();
  return true;
}
