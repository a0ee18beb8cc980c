import { strikes } from './lasting-faults';
import { axis, type Instant } from './lifetimes';
import type { FaultPlan, Lifetime, ReplicaName } from './plan';

/** Of a fault that has struck and will again: when it is due on its axis, and how often it has. */
export interface Recurrence {
  readonly due: number;
  readonly struck: number;
}

export type RecurrenceState = readonly (Recurrence | undefined)[];

/**
 * Faults that strike once, again and again: they come with the hardware's time, so a rollback takes nothing of it back. One that is late,
 * since nobody was there or nothing was looked at for longer than its period, strikes once, and is in step again.
 */
export class Recurrences {
  #next: RecurrenceState;

  constructor(private readonly faults: readonly FaultPlan[]) {
    this.#next = faults.map(() => undefined);
  }

  save(): RecurrenceState {
    return this.#next;
  }
  load(state: RecurrenceState): void {
    this.#next = state;
  }

  /** True if any will strike again. */
  get any(): boolean {
    return this.#next.some((next) => next !== undefined);
  }

  /** How often a fault has struck that will again. */
  struck(fault: number): number {
    return this.#next[fault]?.struck ?? 0;
  }

  /** Whether one is due for a replica; one whose time is over never is again. */
  isDue(index: number, replica: ReplicaName, core: number, now: Instant): boolean {
    const [fault, next] = [this.faults[index], this.#next[index]];
    if (next === undefined || fault?.rhythm?.kind !== 'every' || !strikes(fault.target, replica, core)) return false;
    const { unit, until } = fault.rhythm;
    if (axis(unit, now) < next.due) return false;
    if (until === undefined || axis(until.unit, now) <= until.count) return true;
    this.#set(index, undefined);
    return false;
  }

  /** One has struck, for the first time or again. */
  pass(index: number, now: Instant): void {
    const rhythm = this.faults[index]?.rhythm;
    if (rhythm?.kind !== 'every') return;
    const { unit, period } = rhythm;
    const [at, before] = [axis(unit, now), this.#next[index]];
    const due = before === undefined ? at + period : before.due + period * (1 + Math.floor((at - before.due) / period));
    this.#set(index, { due, struck: (before?.struck ?? 0) + 1 });
  }

  #set(index: number, next: Recurrence | undefined): void {
    this.#next = this.#next.map((each, i) => (i === index ? next : each));
  }

  /** When the next one of a replica's is due, on an axis. */
  next(replica: ReplicaName, core: number, unit: Lifetime['unit']): number {
    return this.#next.reduce((least, next, index) => {
      const fault = this.faults[index];
      return next !== undefined && fault?.rhythm?.unit === unit && strikes(fault.target, replica, core) ? Math.min(least, next.due) : least;
    }, Infinity);
  }
}
