import type { Computer } from '../machine/types';
import { draw } from './draw';
import type { Passing } from './passing-faults';
import { changeText, isPassing, placeName, placeWidth, readPlace, writePlace, type Change } from './place';
import type { FaultEffect, PassingPlace, Place } from './plan';
import { strikeLineNow } from './cache-faults';

type SoftError = Extract<FaultEffect, { kind: 'flip' | 'set' | 'flip-random' }>;

const all = 0xffff_ffff_ffff_ffffn;

/**
 * Does at once what a soft error does to registers and memory: `change` is undefined where there are no such places. What it does to
 * values that only pass by is still to come. `fault` says for the draw which one it is.
 */
export function applySoftError(effect: SoftError, computer: Computer, seed: number, fault: string): { change: Change | undefined; passing: Passing[] } {
  switch (effect.kind) {
    case 'flip':
      return strike(computer, [{ place: effect.place, keep: all, flip: maskOf(effect.bits) }]);
    case 'set':
      return strike(computer, [{ place: effect.place, keep: 0n, flip: BigInt.asUintN(placeWidth(effect.place), effect.value) }]);
    case 'flip-random':
      return strike(computer, [...drawBits(effect.places, effect.count, seed, fault)].map(([place, bits]) => ({ place, keep: all, flip: maskOf(bits) })));
  }
}

/** What becomes of a value: `(value & keep) ^ flip`. */
interface Stroke {
  place: Place | PassingPlace;
  keep: bigint;
  flip: bigint;
}

function strike(computer: Computer, strokes: readonly Stroke[]): { change: Change | undefined; passing: Passing[] } {
  const passing: Passing[] = [];
  const changes: Change[] = [];
  for (const { place, keep, flip } of strokes) {
    const now = place.kind === 'line' ? strikeLineNow(computer, { place, keep, flip }) : undefined;
    if (now) changes.push(now);
    else if (isPassing(place)) {
      passing.push({ place, keep, flip });
    } else {
      const made = rewrite(computer, place, (old) => (old & keep) ^ flip);
      if (made) changes.push(made);
    }
  }
  if (changes.length === 0) return { change: undefined, passing };
  return { change: { text: changes.map(({ text }) => text).join('; '), effective: changes.some(({ effective }) => effective) }, passing };
}

function maskOf(bits: readonly number[]): bigint {
  return bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
}

/** Rewrites a place and says in words what became of it; undefined where there is no such place to write. */
function rewrite(computer: Computer, place: Place, by: (old: bigint) => bigint): Change | undefined {
  const name = placeName(place);
  const old = readPlace(computer, place);
  if (old === undefined || !writePlace(computer, place, by(old))) return undefined;
  return changeText(name, old, readPlace(computer, place) ?? old);
}

/** Distinct bits, uniform over all bits of all places together; a function of the seed and of which fault it is. */
export function drawBits(places: readonly (Place | PassingPlace)[], count: number, seed: number, fault: string): Map<Place | PassingPlace, number[]> {
  const total = places.reduce((sum, place) => sum + placeWidth(place), 0);
  const chosen = new Set<number>();
  for (let n = 0; chosen.size < Math.min(count, total); n++) {
    chosen.add(draw(seed, `${fault} bit ${n}`, total));
  }
  return bitsByPlace(places, [...chosen].sort((a, b) => a - b));
}

/** Bits of all bits of all places together, counted from 0 in their order, as those of each place. */
export function bitsByPlace(places: readonly (Place | PassingPlace)[], bits: readonly number[]): Map<Place | PassingPlace, number[]> {
  const byPlace = new Map<Place | PassingPlace, number[]>();
  for (const bit of bits) {
    let rest = bit;
    for (const place of places) {
      if (rest < placeWidth(place)) {
        byPlace.set(place, [...(byPlace.get(place) ?? []), rest]);
        break;
      }
      rest -= placeWidth(place);
    }
  }
  return byPlace;
}
