import { lineBytes } from '../chip/domains';
import type { ComponentName, Death } from '../chip/health';
import { csrNames, fNames, xNames } from '../isa/registers';
import { leastTransferBits } from '../machine/virtio/block';
import type { Computer } from '../machine/types';
import type { PassingPlace, Place, StuckPlace } from './plan';

/** What a fault has done to its place. */
export interface Change {
  /** `a0: 0x5 -> 0x20005 (bit 17)`. */
  text: string;
  /** A bit is different now. */
  effective: boolean;
  /** The component that is dead now, under whoever runs on it. */
  dead?: { component: ComponentName; how: Death };
}

/** Flags and page number of a page-table entry; what is above belongs to extensions that are not there. */
const entryBits = 54;
/** The address that the line with a byte begins at. */
export function lineOf(address: bigint): bigint {
  return address - (address % BigInt(lineBytes));
}

/** Width in bits: of a place through which values of several widths pass, the largest, and of transfers what all of them have. */
export function placeWidth(place: Place | StuckPlace | PassingPlace): number {
  switch (place.kind) {
    case 'memory':
      return place.bytes * 8;
    case 'unit':
      return place.unit === 'branch' ? 1 : place.unit === 'fetch' ? 32 : 64;
    case 'input':
      return 8;
    case 'dma':
      return leastTransferBits;
    case 'tlb':
      return entryBits;
    case 'line':
      return 8;
    case 'message':
      return 8 * lineBytes;
    case 'comparer':
      return 1;
    default:
      return 64;
  }
}

/** True if only values on their way are there. */
export function isPassing(place: Place | StuckPlace | PassingPlace): place is PassingPlace {
  return place.kind === 'unit' || place.kind === 'input' || place.kind === 'dma' || place.kind === 'tlb' || place.kind === 'line' || place.kind === 'message' || place.kind === 'comparer';
}

/** The field's name for a place: `a0`, `ft0`, `pc`, `mstatus`, `alu`, `store address`, `input 3`, `comparer`, `memory[0x80001000].w`. */
export function placeName(place: Place | StuckPlace | PassingPlace): string {
  switch (place.kind) {
    case 'alu':
    case 'dma':
    case 'comparer':
      return place.kind;
    case 'unit':
      return place.unit;
    case 'input':
      return `input ${place.number}`;
    case 'tlb':
      return `tlb entry 0x${place.address.toString(16)}`;
    case 'line':
      return `${place.cache} line 0x${lineOf(place.address).toString(16)} byte ${place.address - lineOf(place.address)}`;
    case 'message':
      return `message on link ${place.from} -> ${place.to}`;
    case 'x':
      return xNames[place.index] ?? `x${place.index}`;
    case 'f':
      return fNames[place.index] ?? `f${place.index}`;
    case 'pc':
      return 'pc';
    case 'csr':
      return csrNames.get(place.number) ?? `csr 0x${place.number.toString(16)}`;
    case 'memory':
      return `memory[0x${place.address.toString(16)}].${{ 1: 'b', 2: 'h', 4: 'w', 8: 'd' }[place.bytes]}`;
  }
}

/** The place's bits, or undefined where the computer has no such place. */
export function readPlace(computer: Computer, place: Place): bigint | undefined {
  switch (place.kind) {
    case 'x':
      return computer.getX(place.index);
    case 'f':
      return computer.getF(place.index);
    case 'pc':
      return computer.pc;
    case 'csr':
      return computer.getCsr(place.number);
    case 'memory': {
      const bytes = computer.readMemory(place.address, place.bytes);
      return bytes && bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    }
  }
}

/** False where the computer has no such place. */
export function writePlace(computer: Computer, place: Place, value: bigint): boolean {
  switch (place.kind) {
    case 'x':
      computer.setX(place.index, value);
      return true;
    case 'f':
      computer.setF(place.index, value);
      return true;
    case 'pc':
      computer.pc = value;
      return true;
    case 'csr':
      return computer.setCsr(place.number, value);
    case 'memory': {
      const bytes = Uint8Array.from({ length: place.bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
      return computer.writeMemory(place.address, bytes);
    }
  }
}

/** What has become of a value, in words. */
export function changeText(name: string, old: bigint, now: bigint): Change {
  const bits = differingBits(old, now);
  if (bits.length === 0) return { text: `${name}: 0x${old.toString(16)}, unchanged`, effective: false };
  const which = `${bits.length === 1 ? 'bit' : 'bits'} ${bits.join(', ')}`;
  return { text: `${name}: 0x${old.toString(16)} -> 0x${now.toString(16)} (${which})`, effective: true };
}

/** The bits that two values do not share, lowest first. */
export function differingBits(a: bigint, b: bigint): number[] {
  const bits: number[] = [];
  for (let rest = a ^ b, bit = 0; rest !== 0n; rest >>= 1n, bit++) if (rest & 1n) bits.push(bit);
  return bits;
}
