import type { FaultPlan, Lifetime, Rhythm } from './plan';

/** Where a replica stands on the axes along which a fault lasts. */
export interface Instant {
  /** Lockstep instructions since the start, also those that a rollback has undone: history/types.ts. */
  moment: number;
  cycles: number;
}

/** Where a fault that has struck stands in its lifetime. */
export interface Phase {
  /** When it struck, on its axis. */
  readonly start: number;
  /** It is there now. */
  readonly on: boolean;
  /** When that is to be looked at again; Infinity for never. */
  readonly next: number;
}

/** One whose time is over: it never comes back. */
export const over = 'over';

export function axis(unit: Lifetime['unit'], { moment, cycles }: Instant): number {
  return unit === 'cycles' ? cycles : moment;
}

export type Timed = Pick<FaultPlan, 'lifetime' | 'rhythm'>;

/** What the lifetime of a fault is counted in; undefined where it stays. */
export function unitOf({ lifetime, rhythm }: Timed): Lifetime['unit'] | undefined {
  return lifetime?.unit ?? (rhythm?.kind === 'duty' ? rhythm.unit : undefined);
}

/** The phase of one that strikes now. */
export function begun(fault: Timed, now: Instant): Phase {
  const unit = unitOf(fault);
  if (unit === undefined) return { start: 0, on: true, next: Infinity };
  const start = axis(unit, now);
  const { lifetime, rhythm } = fault;
  return { start, on: true, next: start + (lifetime?.length ?? (rhythm?.kind === 'duty' ? rhythm.on : Infinity)) };
}

/** The phase that follows one now, which is that one itself as long as nothing is due. */
export function advanced(fault: Timed, phase: Phase, now: Instant): Phase | typeof over {
  const unit = unitOf(fault);
  if (unit === undefined || axis(unit, now) < phase.next) return phase;
  if (fault.rhythm?.kind !== 'duty') return over;
  return inPeriod(fault.rhythm, phase.start, axis(unit, now));
}

/** Wherever it is looked at: a core on which nobody has run for a while has not stood still. */
function inPeriod({ period, on }: Extract<Rhythm, { kind: 'duty' }>, start: number, now: number): Phase {
  const since = now - start;
  const from = start + since - (since % period);
  const isOn = now - from < on;
  return { start, on: isOn, next: from + (isOn ? on : period) };
}
