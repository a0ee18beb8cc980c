import type { Computer, StuckBits } from '../machine/types';
import type { FaultPlan, FaultTarget, Lifetime, ReplicaName, StuckPlace } from './plan';

/** When each fault of a plan ends that is there now, Infinity for never; undefined where it is not, or no more. */
export type Endings = readonly (number | undefined)[];

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

  /** `reached` says whether a fault of a component has come to a replica. */
  constructor(
    private readonly faults: readonly FaultPlan[],
    private readonly reached: (fault: number, replica: ReplicaName) => boolean,
  ) {
    this.#endings = faults.map(() => undefined);
  }

  save(): Endings {
    return [...this.#endings];
  }
  load(endings: Endings): void {
    this.#endings = [...endings];
  }

  /** True if any is there now. */
  get any(): boolean {
    return this.#endings.some((ending) => ending !== undefined);
  }

  begin(fault: number, now: Instant): void {
    const lifetime = this.faults[fault]?.lifetime;
    this.#endings[fault] = lifetime === undefined ? Infinity : axis(lifetime, now) + lifetime.length;
  }

  /** Ends those whose time is over for a replica; true if there were any. */
  endDue(replica: ReplicaName, core: number, now: Instant): boolean {
    let ended = false;
    this.#each(replica, core, (index, ending, { lifetime }) => {
      if (lifetime === undefined || axis(lifetime, now) < ending) return;
      this.#endings[index] = undefined;
      ended = true;
    });
    return ended;
  }

  /** Ends those of cores that nobody runs on, whose time is over. */
  endIdle(inUse: readonly number[], now: Instant): void {
    this.#endings.forEach((ending, index) => {
      const { target, lifetime } = this.faults[index] ?? {};
      if (ending === undefined || !lifetime || target?.kind !== 'core' || inUse.includes(target.core)) return;
      if (axis(lifetime, now) >= ending) this.#endings[index] = undefined;
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
      if (effect.kind === 'stick') stuck.push({ place: effect.place, bits: maskOf(effect.bits), value: effect.value });
    });
    computer.setStuckBits(stuck);
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
