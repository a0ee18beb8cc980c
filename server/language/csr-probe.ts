import { Machine } from '../../engine/machine/machine';

/** A machine that runs nothing: it knows best which CSRs it has and which of their bits hold what is written. */
let probe: Machine | undefined;

function machine(): Machine {
  return (probe ??= Machine.create({ ramBytes: 65_536 }));
}

export function hasCsr(number: number): boolean {
  return machine().getCsr(number) !== undefined;
}

/** True if a fault in any of these bits changes what the CSR reads as. */
export function csrHolds(number: number, bits: readonly number[]): boolean {
  const value = machine().getCsr(number);
  if (value === undefined) return false;
  const holds = bits.some((bit) => machine().setCsr(number, value ^ (1n << BigInt(bit))) && machine().getCsr(number) !== value);
  machine().setCsr(number, value);
  return holds;
}
