import type { Computer } from '../machine/types';
import { csrNames, fNames, xNames } from '../isa/registers';
import type { Place, StuckPlace } from './plan';

/** Width in bits. */
export function placeWidth(place: Place | StuckPlace): number {
  return place.kind === 'memory' ? place.bytes * 8 : 64;
}

/** The field's name for a place: `a0`, `ft0`, `pc`, `mstatus`, `alu`, `memory[0x80001000].w`. */
export function placeName(place: Place | StuckPlace): string {
  switch (place.kind) {
    case 'alu':
      return 'alu';
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

/** The bits that two values do not share, lowest first. */
export function differingBits(a: bigint, b: bigint): number[] {
  const bits: number[] = [];
  for (let rest = a ^ b, bit = 0; rest !== 0n; rest >>= 1n, bit++) if (rest & 1n) bits.push(bit);
  return bits;
}
