import type { CacheEvent } from '../machine/cache-types';
import type { Computer, StruckTranslation, StruckUnit } from '../machine/types';
import { armCaches, metInCaches } from './cache-faults';
import { changeText, placeName, placeWidth, type Change } from './place';
import type { FaultPlan, PassingPlace, ReplicaName } from './plan';

/** What becomes of the next value at a place: `(value & keep) ^ flip`. */
export interface Passing {
  readonly place: PassingPlace;
  readonly keep: bigint;
  readonly flip: bigint;
  /** The moment at which it was triggered. */
  readonly since?: number;
}

/** For each fault of a plan what of it still waits for a value to come by. */
export type WaitingState = readonly (readonly Passing[])[];

/** A fault that has met a value. */
export interface Met {
  fault: number;
  change: Change;
}

/**
 * Faults of what only passes by: they have been triggered, and wait for the next value at their place. Like all soft errors they are
 * the hardware's and not the guest's: a rollback leaves those that wait, and does not bring back those that have struck.
 */
export class PassingFaults {
  #waiting: WaitingState;

  /** `isOf` says whether a fault is one of a replica's where it is now. */
  constructor(
    private readonly faults: readonly FaultPlan[],
    private readonly isOf: (fault: number, replica: ReplicaName, core: number) => boolean,
  ) {
    this.#waiting = faults.map(() => []);
  }

  save(): WaitingState {
    return this.#waiting;
  }
  load(waiting: WaitingState): void {
    this.#waiting = waiting;
  }

  get any(): boolean {
    return this.#waiting.some(({ length }) => length > 0);
  }

  waits(fault: number): boolean {
    return (this.#waiting[fault]?.length ?? 0) > 0;
  }

  begin(fault: number, passing: readonly Passing[]): void {
    this.#waiting = this.#waiting.map((waiting, index) => (index === fault ? passing : waiting));
  }

  /** Gives a replica's computer the faults of its units, and of its devices, that wait now. */
  apply(replica: ReplicaName, core: number, computer: Computer): void {
    const own = this.#own(replica, core);
    computer.setUpsets(own.flatMap(({ place, keep, flip }) => (place.kind === 'unit' ? [{ unit: place.unit, keep, flip }] : [])));
    computer.setTranslationUpsets(own.flatMap(({ place, keep, flip }) => (place.kind === 'tlb' ? [{ address: place.address, keep, flip }] : [])));
    computer.setTransferFlips(own.reduce((bits, { place, flip }) => (place.kind === 'dma' ? bits ^ flip : bits), 0n));
    armCaches(computer, own);
  }

  /** All that waits in a replica, in the order of the plan's faults. */
  #own(replica: ReplicaName, core: number): (Passing & { fault: number })[] {
    return this.#waiting.flatMap((waiting, fault) => (waiting.length > 0 && this.isOf(fault, replica, core) ? waiting.map((passing) => ({ ...passing, fault })) : []));
  }

  /** A replica's caches, or its messages, have been struck. */
  struckCaches(replica: ReplicaName, core: number, events: readonly CacheEvent[]): Met[] {
    const found = metInCaches(events, this.#own(replica, core));
    const isMet = (fault: number, { place, flip }: Passing): boolean => found.some(({ met }) => met.fault === fault && met.place === place && met.flip === flip);
    this.#waiting = this.#waiting.map((waiting, fault) => waiting.filter((passing) => !isMet(fault, passing)));
    return found.map(({ met: { fault }, change }) => ({ fault, change }));
  }

  /** A unit of a replica's has been struck: by these. */
  struckUnit(replica: ReplicaName, core: number, { unit, before, bits }: StruckUnit): Met[] {
    return this.#meet(replica, core, (place) => place.kind === 'unit' && place.unit === unit, before, bits);
  }

  /** A walk of a replica's has brought an entry: by these. */
  struckTranslation(replica: ReplicaName, core: number, { page, before }: StruckTranslation): Met[] {
    return this.#meet(replica, core, (place) => place.kind === 'tlb' && place.address - (place.address & 0xfffn) === page, before, 0xffff_ffff_ffff_ffffn);
  }

  /** A transfer to a replica's memory has been struck: these bits of it have flipped. What all of it was is not told. */
  struckTransfer(replica: ReplicaName, core: number, flipped: bigint): Met[] {
    return this.#take(replica, core, ({ kind }) => kind === 'dma').map(({ fault, passing: { place, flip } }) => {
      const bits = Array.from({ length: placeWidth(place) }, (_, bit) => bit).filter((bit) => ((flip & flipped) >> BigInt(bit)) & 1n);
      const text = bits.length === 0 ? 'unchanged, since it was too short' : `${bits.length === 1 ? 'bit' : 'bits'} ${bits.join(', ')} flipped`;
      return { fault, change: { text: `${placeName(place)}: ${text}`, effective: bits.length > 0 } };
    });
  }

  /**
   * The VMM has a verdict on what replicas have come to, each at its moment: gives the faults that make it another one. Where one stands does not
   * depend on how far the others have run, so a fault that was triggered in a replica counts from that one's own moment on.
   */
  verdict(momentOf: (replica: ReplicaName) => number): number[] {
    const met: number[] = [];
    this.#waiting = this.#waiting.map((waiting, fault) => {
      const { target } = this.faults[fault] ?? {};
      if (target?.kind !== 'replica') return waiting;
      const isMet = ({ place, since = 0 }: Passing): boolean => place.kind === 'comparer' && since <= momentOf(target.replica);
      for (const passing of waiting) if (isMet(passing)) met.push(fault);
      return waiting.filter((passing) => !isMet(passing));
    });
    return met;
  }

  /** What a replica gets instead of the bytes that it is handed, the first of which is its `first`-th input. */
  handed(replica: ReplicaName, core: number, bytes: Uint8Array, first: number): { bytes: Uint8Array; met: Met[] } {
    const met: Met[] = [];
    const changed = bytes.map((byte, i) => {
      const own = this.#meet(replica, core, (place) => place.kind === 'input' && place.number === first + i, BigInt(byte), 0xffn);
      met.push(...own);
      return own.length === 0 ? byte : Number(own.at(-1)?.after);
    });
    return { bytes: changed, met };
  }

  /** Those that a value meets, each of which changes what the one before has made of it. */
  #meet(replica: ReplicaName, core: number, isPlace: (place: PassingPlace) => boolean, value: bigint, bits: bigint): (Met & { after: bigint })[] {
    let now = value;
    return this.#take(replica, core, isPlace).map(({ fault, passing: { place, keep, flip } }) => {
      const old = now;
      now = ((old & keep) ^ flip) & bits;
      return { fault, change: changeText(placeName(place), old, now), after: now };
    });
  }

  /** Takes those out that wait at a place of a replica's. */
  #take(replica: ReplicaName, core: number, isPlace: (place: PassingPlace) => boolean): { fault: number; passing: Passing }[] {
    const taken: { fault: number; passing: Passing }[] = [];
    this.#waiting = this.#waiting.map((waiting, fault) => {
      if (waiting.length === 0 || !this.isOf(fault, replica, core)) return waiting;
      for (const passing of waiting) if (isPlace(passing.place)) taken.push({ fault, passing });
      return waiting.filter(({ place }) => !isPlace(place));
    });
    return taken;
  }
}
