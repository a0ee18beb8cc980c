import type { Computer, StuckBits } from '../machine/types';
import { advanced, axis, begun, over, unitOf, type Instant, type Phase, type Timed } from './lifetimes';
import type { FaultPlan, FaultTarget, Lifetime, ReplicaName, StuckPlace } from './plan';

/** Of each replica that has a component's fault; of all that have another, under one name. */
type Phases = Readonly<Partial<Record<ReplicaName | 'all', Phase | typeof over>>>;

/** How each fault of a plan stands that has struck and lasts. */
export type LastingState = readonly Phases[];

/** A fault of the hardware that has struck and is not over, as it is for others than the guest in whose scenario it stands. */
export interface Hazard extends Timed {
  readonly target: Exclude<FaultTarget, { kind: 'replica' }>;
  readonly stuck: StuckBits;
  /** On the axis of its own guest; once that is gone, in cycles of the time that guests share ({@link outliving}). */
  readonly phase: Phase;
}

/**
 * What becomes of a hazard when its guest ends, `at` and, in the time that guests share, at the cycle `clock`. Cores go on, so what
 * was counted in the guest's instructions is counted in cycles then, one for each.
 */
export function outliving(hazard: Hazard, at: Instant, clock: number): Hazard {
  const { target, stuck, phase, lifetime, rhythm } = hazard;
  const unit = unitOf(hazard);
  const shift = unit === undefined ? 0 : clock - axis(unit, at);
  return {
    target,
    stuck,
    phase: { on: phase.on, start: phase.start + shift, next: phase.next + shift },
    ...(lifetime && { lifetime: { ...lifetime, unit: 'cycles' } }),
    ...(rhythm && { rhythm: { ...rhythm, unit: 'cycles' } }),
  };
}

/** A hazard whose guest is gone, at a cycle of the time that guests share; the same one until something is due, undefined once it is over. */
export function later(hazard: Hazard, clock: number): Hazard | undefined {
  const phase = advanced(hazard, hazard.phase, { moment: clock, cycles: clock });
  return phase === over ? undefined : phase === hazard.phase ? hazard : { ...hazard, phase };
}

/**
 * The faults of the hardware that have struck and go on, or come and go. They are the core's or the replica's copy's,
 * so a rollback leaves them; only a debugger that travels takes them back, with the whole system's state.
 */
export class LastingFaults {
  #phases: LastingState;
  #hazards: readonly Hazard[] | undefined = [];
  /** Replicas that have bits of others' faults. */
  readonly #suffering = new Set<ReplicaName>();

  /** `reached` says whether a fault of a component has come to a replica; `others`, which bits others' faults have stuck where a replica runs. */
  constructor(
    private readonly faults: readonly FaultPlan[],
    private readonly reached: (fault: number, replica: ReplicaName) => boolean,
    private readonly others: (replica: ReplicaName) => readonly StuckBits[],
  ) {
    this.#phases = faults.map(() => ({}));
  }

  save(): LastingState {
    return this.#phases;
  }

  load(state: LastingState): void {
    this.#phases = state;
    this.#hazards = undefined;
    this.#suffering.clear();
  }

  /** To be called before all replicas that there are get theirs anew: others may have left. */
  forgetSuffering(): void {
    this.#suffering.clear();
  }

  /** True if a replica has bits of others' faults. */
  get isSuffering(): boolean {
    return this.#suffering.size > 0;
  }

  /** True if any is there now, or will be again. */
  get any(): boolean {
    return this.isSuffering || this.#phases.some((phases) => Object.values(phases).some((phase) => phase !== over));
  }

  /** Those that stay with the hardware and are not over; the same array until they change. */
  get hazards(): readonly Hazard[] {
    this.#hazards ??= this.#phases.flatMap((phases, index) => {
      const { effect, target, lifetime, rhythm } = this.faults[index] ?? {};
      const phase = phases.all ?? this.#newcomers(phases);
      if (phase === undefined || phase === over || effect?.kind !== 'stick' || !target || target.kind === 'replica') return [];
      return [{ target, stuck: stuckBits(effect), phase, ...(lifetime && { lifetime }), ...(rhythm && { rhythm }) }];
    });
    return this.#hazards;
  }

  /** A fault strikes; one of a component, a replica that has it. */
  begin(index: number, replica: ReplicaName | undefined, now: Instant): void {
    const fault = this.faults[index];
    if (fault) this.#set(index, this.#keyOf(fault, replica), begun(fault, now));
  }

  #keyOf({ target }: FaultPlan, replica: ReplicaName | undefined): ReplicaName | 'all' {
    return target.kind === 'component' && replica !== undefined ? replica : 'all';
  }

  #set(index: number, key: ReplicaName | 'all', phase: Phase | typeof over): void {
    this.#phases = this.#phases.map((phases, i) => (i === index ? { ...phases, [key]: phase } : phases));
    this.#hazards = undefined;
  }

  /** Brings those of a replica to where they are now in their lifetimes; true if what is stuck is something else by that. */
  advance(replica: ReplicaName, core: number, now: Instant): boolean {
    let changed = false;
    this.#each(replica, core, (index, phase, fault, key) => {
      const next = advanced(fault, phase, now);
      if (next === phase) return;
      this.#set(index, key, next);
      if (next === over || next.on !== phase.on) changed = true;
    });
    return changed;
  }

  /** Ends those of cores that nobody runs on, whose time is over. */
  endIdle(inUse: readonly number[], now: Instant): void {
    this.faults.forEach((fault, index) => {
      const phase = this.#phases[index]?.all;
      if (phase === undefined || phase === over || fault.target.kind !== 'core' || inUse.includes(fault.target.core)) return;
      const next = advanced(fault, phase, now);
      if (next !== phase) this.#set(index, 'all', next);
    });
  }

  /** The next retired count and the next cycle count at which one of a replica's ends, comes or goes. */
  next(replica: ReplicaName, core: number, unit: Lifetime['unit']): number {
    let next = Infinity;
    this.#each(replica, core, (_, phase, fault) => {
      if (unitOf(fault) === unit) next = Math.min(next, phase.next);
    });
    return next;
  }

  /** Gives a replica's computer the stuck bits that it has now. */
  apply(replica: ReplicaName, core: number, computer: Computer): void {
    const stuck: StuckBits[] = [];
    this.#each(replica, core, (_, { on }, { effect }) => {
      if (on && effect.kind === 'stick') stuck.push(stuckBits(effect));
    });
    const others = this.others(replica).filter(({ place }) => canStick(computer, place));
    if (others.length > 0) this.#suffering.add(replica);
    else this.#suffering.delete(replica);
    computer.setStuckBits([...stuck, ...others]);
  }

  #each(replica: ReplicaName, core: number, action: (index: number, phase: Phase, fault: FaultPlan, key: ReplicaName | 'all') => void): void {
    this.faults.forEach((fault, index) => {
      const isOwn = fault.target.kind === 'component' ? this.reached(index, replica) : strikes(fault.target, replica, core);
      const phases = this.#phases[index];
      if (!isOwn || !phases) return;
      const key = this.#keyOf(fault, replica);
      const phase = phases[key] ?? this.#newcomers(phases);
      if (phase !== undefined && phase !== over) action(index, phase, fault, key);
    });
  }

  /** Who comes to have a component later finds its fault as the others have it. */
  #newcomers(phases: Phases): Phase | typeof over | undefined {
    const known = [phases.A, phases.B, phases.C].filter((phase) => phase !== undefined);
    return known.includes(over) ? over : known[0];
  }
}

/** True if a fault with this target is one of the replica's on the core. */
export function strikes(target: FaultTarget, replica: ReplicaName, core: number): boolean {
  return target.kind === 'replica' ? target.replica === replica : target.kind === 'core' && target.core === core;
}

function stuckBits({ place, bits, value }: Extract<FaultPlan['effect'], { kind: 'stick' }>): StuckBits {
  return { place, bits: maskOf(bits), value };
}

function maskOf(bits: readonly number[]): bigint {
  return bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
}

/** `bit 5 stuck at 1`. */
export function stuckText(bits: readonly number[], value: 0 | 1): string {
  return `${bits.length === 1 ? 'bit' : 'bits'} ${bits.join(', ')} stuck at ${value}`;
}

/** True if the computer has the place. */
export function canStick(computer: Computer, place: StuckPlace): boolean {
  if (place.kind === 'memory') return computer.readMemory(place.address, place.bytes) !== undefined;
  return place.kind !== 'csr' || computer.getCsr(place.number) !== undefined;
}
