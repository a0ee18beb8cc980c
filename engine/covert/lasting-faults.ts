import type { Computer, StuckBits } from '../machine/types';
import type { FaultPlan, FaultTarget, Lifetime, ReplicaName, StuckPlace } from './plan';

/** When each fault of a plan ends that is there now, Infinity for never; undefined where it is not, or no more. */
export type Endings = readonly (number | undefined)[];

/** A fault of the hardware that is there now, as it is for others than the guest in whose scenario it stands. */
export interface Hazard {
  readonly target: Exclude<FaultTarget, { kind: 'replica' }>;
  readonly stuck: StuckBits;
  /** The cycle at which it ends, if that is known before. */
  readonly until: number;
}

/** Where a replica stands on the axes along which a fault lasts. */
export interface Instant {
  /** Lockstep instructions since the start, also those that a rollback has undone: history/types.ts. */
  moment: number;
  cycles: number;
}

/**
 * The faults of the hardware that have struck and go on. They are the core's or the replica's copy's,
 * so a rollback leaves them; only a debugger that travels takes them back, with the whole system's state.
 */
export class LastingFaults {
  #endings: (number | undefined)[];
  #hazards: readonly Hazard[] | undefined = [];
  /** Replicas that have bits of others' faults. */
  readonly #suffering = new Set<ReplicaName>();

  /** `reached` says whether a fault of a component has come to a replica; `others`, which bits others' faults have stuck where a replica runs. */
  constructor(
    private readonly faults: readonly FaultPlan[],
    private readonly reached: (fault: number, replica: ReplicaName) => boolean,
    private readonly others: (replica: ReplicaName) => readonly StuckBits[],
  ) {
    this.#endings = faults.map(() => undefined);
  }

  save(): Endings {
    return [...this.#endings];
  }
  load(endings: Endings): void {
    this.#endings = [...endings];
    this.#hazards = undefined;
    this.#suffering.clear();
  }

  /** True if a replica has bits of others' faults. */
  get isSuffering(): boolean {
    return this.#suffering.size > 0;
  }

  /** True if any is there now. */
  get any(): boolean {
    return this.isSuffering || this.#endings.some((ending) => ending !== undefined);
  }

  /** Those that stay with the hardware; the same array until they change. */
  get hazards(): readonly Hazard[] {
    this.#hazards ??= this.#endings.flatMap((ending, index) => {
      const { effect, target, lifetime } = this.faults[index] ?? {};
      if (ending === undefined || effect?.kind !== 'stick' || !target || target.kind === 'replica') return [];
      return [{ target, stuck: stuckBits(effect), until: lifetime?.unit === 'cycles' ? ending : Infinity }];
    });
    return this.#hazards;
  }

  begin(fault: number, now: Instant): void {
    const lifetime = this.faults[fault]?.lifetime;
    this.#endings[fault] = lifetime === undefined ? Infinity : axis(lifetime, now) + lifetime.length;
    this.#hazards = undefined;
  }

  /** Ends those whose time is over for a replica; true if there were any. */
  endDue(replica: ReplicaName, core: number, now: Instant): boolean {
    let ended = false;
    this.#each(replica, core, (index, ending, { lifetime }) => {
      if (lifetime === undefined || axis(lifetime, now) < ending) return;
      this.#endings[index] = undefined;
      this.#hazards = undefined;
      ended = true;
    });
    return ended;
  }

  /** Ends those of cores that nobody runs on, whose time is over. */
  endIdle(inUse: readonly number[], now: Instant): void {
    this.#endings.forEach((ending, index) => {
      const { target, lifetime } = this.faults[index] ?? {};
      if (ending === undefined || !lifetime || target?.kind !== 'core' || inUse.includes(target.core)) return;
      if (axis(lifetime, now) < ending) return;
      this.#endings[index] = undefined;
      this.#hazards = undefined;
    });
  }

  /** The next retired count and the next cycle count at which one of a replica's ends. */
  next(replica: ReplicaName, core: number, unit: Lifetime['unit']): number {
    let next = Infinity;
    this.#each(replica, core, (_, ending, { lifetime }) => {
      if (lifetime?.unit === unit) next = Math.min(next, ending);
    });
    return next;
  }

  /** Gives a replica's computer the stuck bits that it has now. */
  apply(replica: ReplicaName, core: number, computer: Computer): void {
    const stuck: StuckBits[] = [];
    this.#each(replica, core, (_, __, { effect }) => {
      if (effect.kind === 'stick') stuck.push(stuckBits(effect));
    });
    const others = this.others(replica).filter(({ place }) => canStick(computer, place));
    if (others.length > 0) this.#suffering.add(replica);
    else this.#suffering.delete(replica);
    computer.setStuckBits([...stuck, ...others]);
  }

  #each(replica: ReplicaName, core: number, action: (index: number, ending: number, fault: FaultPlan) => void): void {
    this.#endings.forEach((ending, index) => {
      const fault = this.faults[index];
      if (ending === undefined || !fault) return;
      if (fault.target.kind === 'component' ? this.reached(index, replica) : strikes(fault.target, replica, core)) action(index, ending, fault);
    });
  }
}

/** True if a fault with this target is one of the replica's on the core. */
export function strikes(target: FaultTarget, replica: ReplicaName, core: number): boolean {
  return target.kind === 'replica' ? target.replica === replica : target.kind === 'core' && target.core === core;
}

function axis({ unit }: Lifetime, { moment, cycles }: Instant): number {
  return unit === 'cycles' ? cycles : moment;
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
  return place.kind !== 'memory' || computer.readMemory(place.address, place.bytes) !== undefined;
}
