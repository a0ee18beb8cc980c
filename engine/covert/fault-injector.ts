import type { ComponentName, Death } from '../chip/health';
import type { Computer, StuckBits } from '../machine/types';
import { isFirst, isSoft, messageFault } from './cache-faults';
import { canStick, LastingFaults, strikes, stuckText, type Hazard, type LastingState } from './lasting-faults';
import { PassingFaults, type Met, type WaitingState } from './passing-faults';
import { isPassing, placeName, readPlace, type Change } from './place';
import type { FaultEffect, FaultPlan, ReplicaName, Trigger } from './plan';
import { Recurrences, type RecurrenceState } from './recurrences';
import { applySoftError } from './soft-errors';
import { isDueIdle, Triggers, type Boundary, type GuestInstant, type TriggerCounts } from './triggers';

/** Everything that decides what the injector will still do. */
export interface InjectorState {
  fired: readonly boolean[];
  /** Of faults of components, the replicas that each has reached. */
  reached: readonly (readonly ReplicaName[])[];
  counts: TriggerCounts;
  lasting: LastingState;
  recurring: RecurrenceState;
  waiting: WaitingState;
  /** Replicas whose cores keep translations that are wrong. */
  mistranslating: readonly ReplicaName[];
}

/**
 * Fires the faults of a plan. A soft error is an event of the hardware, not of
 * the guest: once fired it stays fired when the guest is rolled back, while the
 * hit counts of address triggers are the guest's history and go back with it.
 * A hard error stays where it is, whatever the guest goes back to.
 */
export class FaultInjector {
  readonly #faults: readonly FaultPlan[];
  readonly #seed: number;
  #fired: boolean[];
  readonly #triggers: Triggers;
  #reached: (readonly ReplicaName[])[];
  readonly #lasting: LastingFaults;
  readonly #passing: PassingFaults;
  readonly #recurring: Recurrences;
  /** Replicas whose cores keep translations that are wrong. */
  #mistranslating: readonly ReplicaName[] = [];

  /**
   * `reaches` says whether what becomes of a component concerns a replica where it is now; `others`, which bits the faults of other guests'
   * scenarios have stuck in the hardware there.
   */
  constructor(
    faults: readonly FaultPlan[],
    seed: number,
    readonly reaches: (component: ComponentName, replica: ReplicaName, address?: bigint) => boolean,
    others: (replica: ReplicaName) => readonly StuckBits[] = () => [],
  ) {
    this.#faults = faults;
    this.#seed = seed;
    this.#reached = faults.map(() => []);
    this.#fired = faults.map(() => false);
    this.#triggers = new Triggers(faults.map(({ trigger }) => trigger));
    this.#lasting = new LastingFaults(faults, (fault, replica) => this.#reached[fault]?.includes(replica) ?? false, others);
    this.#passing = new PassingFaults(faults, (index, replica, core) => this.#isOf(index, replica, core));
    this.#recurring = new Recurrences(faults);
  }

  /** Bytes of the longest text that a trigger looks for among the console's newest bytes. */
  get longestText(): number {
    return this.#triggers.longestText;
  }

  hasFired(fault: number): boolean {
    return this.#fired[fault] ?? false;
  }

  /** How often a fault's replica has executed, or accessed, what its trigger counts; undefined where it counts nothing of one replica. */
  hitsOf(fault: number): number | undefined {
    const { target, trigger } = this.#faults[fault] ?? {};
    if (target?.kind !== 'replica' || (trigger?.kind !== 'execute' && trigger?.kind !== 'access')) return undefined;
    return this.counts().hits[fault]?.[target.replica] ?? 0;
  }

  save(): InjectorState {
    return { fired: [...this.#fired], reached: [...this.#reached], counts: this.counts(), lasting: this.#lasting.save(), recurring: this.#recurring.save(), waiting: this.#passing.save(), mistranslating: this.#mistranslating };
  }

  load(state: InjectorState): void {
    this.#fired = [...state.fired];
    this.#reached = [...state.reached];
    this.#triggers.load(state.counts);
    this.#lasting.load(state.lasting);
    this.#recurring.load(state.recurring);
    this.#passing.load(state.waiting);
    this.#mistranslating = state.mistranslating;
  }

  /** True while a fault lasts, or what it has left in a core. */
  get isLasting(): boolean {
    return this.#lasting.any || this.#mistranslating.length > 0;
  }

  /** Those that last and are the hardware's, for the others on the chip; the same array until they change. */
  get hazards(): readonly Hazard[] {
    return this.#lasting.hazards;
  }

  /** To be called before all replicas that there are are equipped anew. */
  forgetSuffering(): void {
    this.#lasting.forgetSuffering();
    this.#mistranslating = [];
  }

  /** True if another guest's scenario has stuck bits of the hardware that this one runs on. */
  get isSuffering(): boolean {
    return this.#lasting.isSuffering;
  }

  /** True if a component has died of one of the faults. */
  hasKilled(component: ComponentName): boolean {
    return this.#faults.some(({ effect, target }, index) => this.#fired[index] && effect.kind === 'die' && target.kind === 'component' && target.component === component);
  }

  /** Up to this count no fault strikes, lasts, or waits for anything but a count; Infinity where none ever will. */
  get quietUntil(): number {
    if (this.isLasting || this.#passing.any || this.#recurring.any) return 0;
    return Math.min(...this.#faults.map(({ trigger }, index) => (this.#fired[index] ? Infinity : trigger.kind === 'instruction' ? trigger.count : 0)), Infinity);
  }

  /**
   * Gives a replica's computer the faults that last where it is now, those that wait for what passes by, and what triggers look
   * for: after it has been given a core or a domain, or was loaded.
   */
  equip(replica: ReplicaName, core: number, computer: Computer): void {
    this.#faults.forEach((fault, index) => {
      if (fault.effect.kind !== 'stick' || fault.target.kind !== 'component' || !this.#fired[index]) return;
      const others = (this.#reached[index] ?? []).filter((each) => each !== replica);
      this.#reached[index] = this.#concerns(fault, replica) ? [...others, replica] : others;
    });
    this.#noteTranslations(replica, computer);
    this.#lasting.apply(replica, core, computer);
    this.#passing.apply(replica, core, computer);
    this.#lookOut(replica, core, computer);
  }

  #noteTranslations(replica: ReplicaName, computer: Computer): void {
    const wrong = computer.wrongTranslations.length > 0;
    if (wrong === this.#mistranslating.includes(replica)) return;
    this.#mistranslating = wrong ? [...this.#mistranslating, replica] : this.#mistranslating.filter((each) => each !== replica);
  }

  /** Has a replica's computer stop where a trigger of its may fire that waits for an access or for a value. */
  #lookOut(replica: ReplicaName, core: number, computer: Computer): void {
    const watches = this.#watching(replica, core).map(({ trigger: { address, access } }) => ({ address, bytes: 1, on: access }));
    computer.setWatches(watches);
    computer.setAwaited(this.#faults.flatMap(({ trigger }, index) => (trigger.kind === 'value' && this.#mayReach(index, replica, core) ? [trigger] : [])));
  }

  /** True if a soft error is one of a replica's where it is now. */
  #isOf(index: number, replica: ReplicaName, core: number): boolean {
    const fault = this.#faults[index];
    return fault !== undefined && (fault.target.kind === 'component' ? isFirst(fault, replica, this.reaches) : strikes(fault.target, replica, core));
  }

  /** True if a component's fault is one of a replica's where it is now; of a bank's bits, if its line is in that bank. */
  #concerns({ target, effect }: FaultPlan, replica: ReplicaName): boolean {
    if (target.kind !== 'component') return false;
    return this.reaches(target.component, replica, effect.kind === 'stick' && effect.place.kind === 'memory' ? effect.place.address : undefined);
  }

  /** Faults of cores that nobody runs on end when their time is over, too. */
  endIdle(inUse: readonly number[], now: { moment: number; cycles: number }): void {
    this.#lasting.endIdle(inUse, now);
  }

  counts(): TriggerCounts {
    return this.#triggers.counts();
  }

  /** A rollback: trigger counts go back, what has fired stays fired. */
  rollBack(counts: TriggerCounts): void {
    this.#triggers.rollBack(counts);
    // Whoever gives a core another state empties its TLB.
    this.#mistranslating = [];
  }

  /** Addresses at which this replica has to stop for a trigger. */
  addresses(replica: ReplicaName, core: number): bigint[] {
    const addresses: bigint[] = [];
    this.#faults.forEach((fault, index) => {
      if (fault.trigger.kind === 'execute' && this.#armed(index, replica, core)) addresses.push(fault.trigger.address);
    });
    return addresses;
  }

  /** The next retired count, past `retired`, at which a count trigger of this replica fires, or a fault of it ends, comes, goes or strikes again. */
  nextInstruction(replica: ReplicaName, core: number, retired: number, moment: number): number {
    let next = retired + Math.min(this.#lasting.next(replica, core, 'instructions'), this.#recurring.next(replica, core, 'instructions')) - moment;
    this.#faults.forEach((fault, index) => {
      if (fault.trigger.kind !== 'instruction' || !this.#armed(index, replica, core)) return;
      if (fault.trigger.count > retired) next = Math.min(next, fault.trigger.count);
    });
    return next;
  }

  /** The lowest cycle count that a trigger of this replica, or what comes next of a fault of it, still waits for. */
  nextCycle(replica: ReplicaName, core: number): number {
    let next = Math.min(this.#lasting.next(replica, core, 'cycles'), this.#recurring.next(replica, core, 'cycles'));
    this.#faults.forEach((fault, index) => {
      if (fault.trigger.kind === 'cycle' && this.#armed(index, replica, core)) {
        next = Math.min(next, fault.trigger.count);
      }
    });
    return next;
  }

  /**
   * Fires what is due at a boundary; to be called exactly once for each boundary
   * that the replica comes to rest at. Returns the faults that fired, with what they changed.
   */
  strike(boundary: Boundary): { fault: number; change: Change }[] {
    const struck: { fault: number; change: Change }[] = [];
    const now = { moment: boundary.moment, cycles: boundary.computer.cycles };
    if (this.#lasting.advance(boundary.replica, boundary.core, now)) this.#lasting.apply(boundary.replica, boundary.core, boundary.computer);
    let triggered = false;
    this.#faults.forEach((fault, index) => {
      const isFirst = this.#armed(index, boundary.replica, boundary.core) && this.#triggers.isDue(index, boundary);
      if (!isFirst && !this.#recurring.isDue(index, boundary.replica, boundary.core, now)) return;
      triggered = true;
      // What of it still waits from before is not doubled.
      const change = this.#passing.waits(index) ? undefined : this.#apply(fault.effect, index, boundary);
      this.#recurring.pass(index, now);
      // A place that the computer lacks is not struck, now or later: the fault is reported as not fired.
      this.#fired[index] = (this.#fired[index] ?? false) || change !== undefined;
      if (change?.dead) this.#reached[index] = [...(this.#reached[index] ?? []), boundary.replica];
      if (change) struck.push({ fault: index, change });
    });
    if (triggered) {
      this.#passing.apply(boundary.replica, boundary.core, boundary.computer);
      this.#lookOut(boundary.replica, boundary.core, boundary.computer);
    }
    return struck;
  }

  /**
   * Takes in what a replica's computer has met since the last call, wherever it has come to rest: accesses that triggers count, and values
   * that faults have waited for. Gives those faults, with the pc of the instruction that was struck, or undefined where they struck its memory.
   */
  meet(replica: ReplicaName, core: number, computer: Computer): (Met & { pc: bigint | undefined })[] {
    const touched = computer.takeTouched();
    if (touched.length > 0) this.#count(touched, replica, core);
    const units = computer.takeStruck().flatMap((unit) => this.#passing.struckUnit(replica, core, unit).map((met) => ({ ...met, pc: unit.pc })));
    const walks = computer.takeStruckTranslations().flatMap((walk) => this.#passing.struckTranslation(replica, core, walk).map((met) => ({ ...met, pc: walk.pc })));
    this.#noteTranslations(replica, computer);
    const flipped = computer.takeStruckTransfer();
    const transfers = flipped === undefined ? [] : this.#passing.struckTransfer(replica, core, flipped).map((met) => ({ ...met, pc: undefined }));
    const events = computer.caches?.take() ?? [];
    const caches = this.#passing.struckCaches(replica, core, events).map((met) => ({ ...met, pc: undefined }));
    // They know those that wait by their place among them.
    if (events.length > 0) this.#passing.apply(replica, core, computer);
    return this.#fire([...units, ...walks, ...transfers, ...caches]);
  }

  /** What a replica gets instead of bytes that are typed, and the faults by which it does. `handedOver` is to be told of them once, behind the last replica. */
  hand(replica: ReplicaName, core: number, typed: Uint8Array): { bytes: Uint8Array; met: Met[] } {
    const { bytes, met } = this.#passing.handed(replica, core, typed, this.#triggers.inputs + 1);
    return { bytes, met: this.#fire(met) };
  }

  /** The faults that invert a verdict of the comparer: `momentOf` is where what it is on stands in a replica. */
  invertVerdict(momentOf: (replica: ReplicaName) => number): number[] {
    const faults = this.#passing.verdict(momentOf);
    for (const fault of faults) this.#fired[fault] = true;
    return faults;
  }

  handedOver(bytes: number): void {
    this.#triggers.countInputs(bytes);
  }

  #fire<M extends Met>(met: M[]): M[] {
    for (const { fault } of met) this.#fired[fault] = true;
    return met;
  }

  /** Counts accesses to watched places. */
  #count(touched: readonly number[], replica: ReplicaName, core: number): void {
    const watching = this.#watching(replica, core);
    for (const place of touched) {
      const index = watching[place]?.index;
      if (index !== undefined && this.#armed(index, replica, core)) this.#triggers.count(index, replica);
    }
  }

  /** The faults with triggers that wait for an access, in the order in which their places are watched. */
  #watching(replica: ReplicaName, core: number): { trigger: Extract<Trigger, { kind: 'access' }>; index: number }[] {
    return this.#faults.flatMap(({ trigger }, index) => (trigger.kind === 'access' && this.#mayReach(index, replica, core) ? [{ trigger, index }] : []));
  }

  /** True if a fault is armed for a replica, or may be once the chip has been divided. */
  #mayReach(index: number, replica: ReplicaName, core: number): boolean {
    const fault = this.#faults[index];
    return fault?.target.kind === 'component' && !(isSoft(fault) && this.#isOver(index)) ? !this.#reached[index]?.includes(replica) : this.#armed(index, replica, core);
  }

  /**
   * Fires what is due of the faults of cores and components that none of these runs on; to be called at each rendezvous.
   * Only what stays can be: bits that are stuck, and death.
   */
  strikeIdle(inUse: { replicas: readonly ReplicaName[]; cores: readonly number[] }, now: GuestInstant): { fault: number; core: number; change: Change }[] {
    return this.#faults.flatMap(({ target, effect, trigger }, index) => {
      if (this.#fired[index] || target.kind === 'replica' || !isDueIdle(trigger, now)) return [];
      // One that replicas have, but that were made anew behind where it is due: it dies under them now.
      const isPast = effect.kind === 'die' && trigger.kind === 'instruction' && now.count > trigger.count;
      if (!isPast && (target.kind === 'core' ? inUse.cores.includes(target.core) : inUse.replicas.some((replica) => this.reaches(target.component, replica)))) return [];
      if (effect.kind === 'die' && target.kind === 'component') {
        this.#fired[index] = true;
        return [{ fault: index, core: -1, change: death(target.component, effect.how) }];
      }
      if (effect.kind !== 'stick' || target.kind !== 'core') return [];
      this.#fired[index] = true;
      this.#lasting.begin(index, undefined, now);
      return [{ fault: index, core: target.core, change: { text: `${placeName(effect.place)}: ${stuckText(effect.bits, effect.value)}`, effective: false } }];
    });
  }

  #armed(index: number, replica: ReplicaName, core: number): boolean {
    const fault = this.#faults[index];
    if (!fault) return false;
    const { target } = fault;
    // It reaches each of those that have the component, once each of them has come to where it strikes.
    if (target.kind === 'component' && !isSoft(fault)) return !this.#reached[index]?.includes(replica) && this.#concerns(fault, replica);
    return !this.#isOver(index) && this.#isOf(index, replica, core);
  }

  /** True if a fault that strikes once has been triggered. */
  #isOver(index: number): boolean {
    return (this.#fired[index] ?? false) || this.#passing.waits(index);
  }

  #apply(effect: FaultEffect, index: number, boundary: Boundary): Change | undefined {
    const { computer } = boundary;
    switch (effect.kind) {
      case 'die': {
        const target = this.#faults[index]?.target;
        return target?.kind === 'component' ? death(target.component, effect.how) : undefined;
      }
      case 'stick':
        return this.#stick(effect, index, boundary);
      case 'message':
        this.#passing.begin(index, [messageFault(effect, this.#seed, index)]);
        return undefined;
      case 'flip':
      case 'set':
      case 'flip-random': {
        const again = this.#recurring.struck(index);
        const { change, passing } = applySoftError(effect, computer, this.#seed, `fault ${index}${again === 0 ? '' : ` again ${again}`}`);
        this.#passing.begin(index, passing.map((each) => ({ ...each, since: boundary.moment })));
        return change;
      }
    }
  }

  #stick({ place, bits, value }: Extract<FaultEffect, { kind: 'stick' }>, index: number, { replica, core, computer, moment }: Boundary): Change | undefined {
    if (!canStick(computer, place)) return undefined;
    const read = (): bigint | undefined => (place.kind === 'alu' || isPassing(place) ? undefined : readPlace(computer, place));
    const old = read();
    this.#lasting.begin(index, replica, { moment, cycles: computer.cycles });
    if (this.#faults[index]?.target.kind === 'component') this.#reached[index] = [...(this.#reached[index] ?? []), replica];
    this.#lasting.apply(replica, core, computer);
    const now = read();
    const values = old === undefined || now === undefined ? '' : old === now ? ` 0x${old.toString(16)}, unchanged so far,` : ` 0x${old.toString(16)} -> 0x${now.toString(16)},`;
    // From now on it may change any result, whatever it has done to this one.
    return { text: `${placeName(place)}:${values} ${stuckText(bits, value)}`, effective: true };
  }
}

function death(component: ComponentName, how: Death): Change {
  return { text: how === 'stops' ? `${component} stops` : `${component} answers no more`, effective: true, dead: { component, how } };
}
