/** One kind of event of a run: how many there are, and what each costs. */
export interface Charge<Event extends string = string> {
  event: Event;
  /** What is counted, as a plural noun: an event may be charged by the piece and by the byte. */
  of: string;
  count: number;
  /** Cycles. */
  each: number;
}

/** A charge that has been summed up. */
export interface Term<Event extends string = string> extends Charge<Event> {
  /** `count` times `each`. */
  cycles: number;
  /** As a fraction of the cycles that the guest itself takes. */
  share: number;
}

export interface Breakdown<Event extends string = string> {
  /** In the order of the charges; their shares add up to the overhead. */
  terms: Term<Event>[];
  /** Cycles beyond the guest's own. */
  cycles: number;
  /** A fraction: 0.2 for 20 %. */
  overhead: number;
}

/** Sums events by count and cost, over a run that takes `guestCycles` by itself (above 0). */
export function breakDown<Event extends string>(charges: readonly Charge<Event>[], guestCycles: number): Breakdown<Event> {
  if (!(guestCycles > 0)) throw new RangeError(`a guest that takes ${guestCycles} cycles has no overhead`);
  const terms = charges.map((charge) => {
    const cycles = charge.count * charge.each;
    return { ...charge, cycles, share: cycles / guestCycles };
  });
  const cycles = terms.reduce((sum, term) => sum + term.cycles, 0);
  return { terms, cycles, overhead: cycles / guestCycles };
}

/** Cycles of all terms of an event. */
export function cyclesOf<Event extends string>({ terms }: Breakdown<Event>, event: Event): number {
  return terms.reduce((sum, term) => sum + (term.event === event ? term.cycles : 0), 0);
}
