import { Machine } from '../../engine/machine/machine';

/** A machine that runs nothing: it knows best which CSRs it has and which of their bits hold what is written. */
let probe: Machine | undefined;

function machine(): Machine {
  return (probe ??= Machine.create({ ramBytes: 65_536 }));
}

export function hasCsr(number: number): boolean {
  return machine().getCsr(number) !== undefined;
}

/** True if any of these bits reads otherwise when it sticks at 0 than when it does at 1. */
export function csrSticks(number: number, bits: readonly number[]): boolean {
  const mask = bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
  const before = machine().snapshot();
  const [zero, one] = ([0, 1] as const).map((value) => {
    machine().setStuckBits([{ place: { kind: 'csr', number }, bits: mask, value }]);
    return machine().getCsr(number);
  });
  machine().setStuckBits([]);
  machine().restore(before);
  return zero !== one;
}

/** True if a fault in any of these bits changes what the CSR reads as. */
export function csrHolds(number: number, bits: readonly number[]): boolean {
  const value = machine().getCsr(number);
  if (value === undefined) return false;
  const holds = bits.some((bit) => machine().setCsr(number, value ^ (1n << BigInt(bit))) && machine().getCsr(number) !== value);
  machine().setCsr(number, value);
  return holds;
}
