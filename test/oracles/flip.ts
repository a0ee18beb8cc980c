import type { Place } from '../../engine/covert/plan';
import type { Machine } from '../../engine/machine/machine';

/** Flips bits of a register or of memory, without the engine's own fault injector. */
export function flipPlace(machine: Machine, place: Place, bits: readonly number[]): void {
  const mask = bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
  if (place.kind === 'x') machine.setX(place.index, machine.getX(place.index) ^ mask);
  else if (place.kind === 'pc') machine.pc ^= mask;
  else if (place.kind === 'memory') {
    const bytes = machine.readMemory(place.address, place.bytes);
    if (!bytes) throw new Error('no such memory');
    machine.writeMemory(place.address, bytes.map((byte, index) => byte ^ Number((mask >> BigInt(8 * index)) & 0xffn)));
  } else throw new Error(`not for a ${place.kind}`);
}
