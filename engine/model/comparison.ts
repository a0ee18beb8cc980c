import type { CostReport } from '../covert/report';
import type { Prediction } from './overhead';

/** What one event came to, as the model has it or as it was measured. */
export interface Share {
  /** How many there were: epochs, outputs, …, as the emulator counts them. */
  count: number;
  cycles: number;
  /** Of the guest's own cycles. */
  share: number;
}

export interface ComparedEvent {
  event: string;
  predicted: Share;
  measured: Share;
  /** Measured less predicted share. */
  difference: number;
}

export interface Comparison {
  predicted: number;
  measured: number;
  /** Measured less predicted overhead; the sum of that of all events. */
  difference: number;
  /** Those that came to anything, the dearest first. */
  events: ComparedEvent[];
}

/** Cycles that no event was charged for: a guest that did something else than alone, since it was hurt. */
export const unaccounted = 'other work of the guest';

/** Puts what was measured beside a prediction, event by event. `guestCycles` is what the guest takes unprotected. */
export function compare(
  prediction: Prediction,
  events: readonly CostReport[],
  { guestCycles, protectedCycles }: { guestCycles: number; protectedCycles: number },
): Comparison {
  const charged = events.reduce((sum, { cycles }) => sum + cycles, 0);
  const rest = protectedCycles - guestCycles - charged;
  // Each event's cycles are rounded to whole ones.
  const all = Math.abs(rest) > events.length ? [...events, { event: unaccounted, count: 1, cycles: rest }] : events;
  const names = [...new Set([...prediction.terms.map(({ event }) => event as string), ...all.map(({ event }) => event)])];
  const compared = names.map((event): ComparedEvent => {
    const terms = prediction.terms.filter((term) => term.event === event);
    const cycles = terms.reduce((sum, term) => sum + term.cycles, 0);
    const found = all.find((one) => one.event === event) ?? { count: 0, cycles: 0 };
    const [predicted, measured] = [
      // The first term of an event counts the event itself, the others pieces of it.
      { count: terms[0]?.count ?? 0, cycles, share: cycles / guestCycles },
      { count: found.count, cycles: found.cycles, share: found.cycles / guestCycles },
    ];
    return { event, predicted, measured, difference: measured.share - predicted.share };
  });
  const measured = protectedCycles / guestCycles - 1;
  return {
    predicted: prediction.overhead,
    measured,
    difference: measured - prediction.overhead,
    events: compared
      .filter(({ predicted, measured: { cycles } }) => predicted.cycles !== 0 || cycles !== 0)
      .sort((a, b) => Math.max(b.measured.cycles, b.predicted.cycles) - Math.max(a.measured.cycles, a.predicted.cycles)),
  };
}
