import { CYCLES, LOSES_RESERVATIONS, NO_RESERVATION, OWN_SEED, RESERVATION, RETIRED, STATE } from './layout';

// The reservation of LR and SC. A core may lose one for reasons of its own (The RISC-V Instruction Set Manual,
// volume I, on load-reserved and store-conditional): others want the line, its cache wants the place. Here that happens only where the host
// leaves it to the core, and then once in so many conditional stores that would have succeeded.

const USES_A_LOSS: u64 = 32;

/** True if the reservation covers the physical address; it is gone afterwards either way. RETIRED and CYCLES must be in memory. */
export function takeReservation(at: u64): bool {
  const held = load<u64>(STATE + RESERVATION) == at;
  store<u64>(STATE + RESERVATION, NO_RESERVATION);
  return held && !(load<u32>(LOSES_RESERVATIONS) != 0 && ownDraw() % USES_A_LOSS == 0);
}

/** Bits that only this core has at this moment of its own: the output function of SplitMix64. */
function ownDraw(): u64 {
  let bits = load<u64>(OWN_SEED) + load<u64>(CYCLES) * 0x9e3779b97f4a7c15 + load<u64>(STATE + RETIRED);
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}
