import type { ComponentName, Death } from '../chip/health';
import type { Computer } from '../machine/types';
import { draw } from './draw';
import { canStick, LastingFaults, strikes, stuckText, type Endings } from './lasting-faults';
import { PassingFaults, type Met, type Passing, type WaitingState } from './passing-faults';
import { changeText, isPassing, placeName, placeWidth, readPlace, writePlace, type Change } from './place';
import type { FaultEffect, FaultPlan, PassingPlace, Place, ReplicaName, Trigger } from './plan';

/** What a rollback takes back with the guest. */
export interface TriggerCounts {
  /** How far each trigger had counted. */
  readonly hits: readonly number[];
  /** Bytes typed at the console that had been handed over. */
  readonly inputs: number;
}

/** Everything that decides what the injector will still do. */
export interface InjectorState {
  fired: readonly boolean[];
  /** Of faults of components, the replicas that each has reached. */
  reached: readonly (readonly ReplicaName[])[];
  counts: TriggerCounts;
  lasting: Endings;
  waiting: WaitingState;
}

/** What a trigger may look at when its replica stands at an instruction boundary. */
export interface Boundary {
  replica: ReplicaName;
  core: number;
  computer: Computer;
  /** Of the replica: history/types.ts. */
  moment: number;
  /**
   * The instruction at pc is the very next thing that happens. Not so at a
   * count that was merely reached: an interrupt may come first.
   */
  executing: boolean;
  /** Outputs this replica has produced. */
  outputs: number;
  /** Outputs among them that the newest instruction produced. */
  fresh: number;
  /** The console bytes among the replica's newest `outputs` outputs. */
  console: (outputs: number) => Uint8Array;
  epoch: number;
  /** Number of the newest checkpoint, if it was taken at this very count. */
  checkpoint: number | undefined;
}

/** Where the guest stands at a rendezvous: all that a fault of something nobody runs on can be triggered by. */
export interface GuestInstant {
  count: number;
  cycles: number;
  moment: number;
  epoch: number;
  /** Number of the newest checkpoint. */
  checkpoint: number;
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
  #counts: number[];
  #inputs = 0;
  #reached: (readonly ReplicaName[])[];
  readonly #lasting: LastingFaults;
  readonly #passing: PassingFaults;

  /** `reaches` says whether what becomes of a component concerns a replica where it is now. */
  constructor(
    faults: readonly FaultPlan[],
    seed: number,
    private readonly reaches: (component: ComponentName, replica: ReplicaName) => boolean,
  ) {
    this.#faults = faults;
    this.#seed = seed;
    this.#reached = faults.map(() => []);
    this.#fired = faults.map(() => false);
    this.#counts = faults.map(() => 0);
    this.#lasting = new LastingFaults(faults);
    this.#passing = new PassingFaults(faults);
  }

  /** Bytes of the longest text that a trigger looks for among the console's newest bytes. */
  get longestText(): number {
    return Math.max(0, ...this.#faults.map(({ trigger }) => (trigger.kind === 'console' ? Buffer.byteLength(trigger.text) : 0)));
  }

  hasFired(fault: number): boolean {
    return this.#fired[fault] ?? false;
  }

  save(): InjectorState {
    return { fired: [...this.#fired], reached: [...this.#reached], counts: this.counts(), lasting: this.#lasting.save(), waiting: this.#passing.save() };
  }

  load(state: InjectorState): void {
    this.#fired = [...state.fired];
    this.#reached = [...state.reached];
    this.rollBack(state.counts);
    this.#lasting.load(state.lasting);
    this.#passing.load(state.waiting);
  }

  /** True while a fault lasts. */
  get isLasting(): boolean {
    return this.#lasting.any;
  }

  /** Up to this count no fault strikes, lasts, or waits for anything but a count; Infinity where none ever will. */
  get quietUntil(): number {
    if (this.isLasting || this.#passing.any) return 0;
    return Math.min(...this.#faults.map(({ trigger }, index) => (this.#fired[index] ? Infinity : trigger.kind === 'instruction' ? trigger.count : 0)), Infinity);
  }

  /** Gives a replica's computer the faults that last, those that wait for what passes by, and what triggers look for, as after `load`. */
  equip(replica: ReplicaName, core: number, computer: Computer): void {
    this.#lasting.apply(replica, core, computer);
    this.#passing.apply(replica, core, computer);
    this.#lookOut(replica, core, computer);
  }

  /** Has a replica's computer stop where a trigger of its may fire that waits for an access or for a value. */
  #lookOut(replica: ReplicaName, core: number, computer: Computer): void {
    const watches = this.#watching(replica, core).map(({ trigger: { address, access } }) => ({ address, bytes: 1, on: access }));
    computer.setWatches(watches);
    computer.setAwaited(this.#faults.flatMap(({ trigger }, index) => (trigger.kind === 'value' && this.#mayReach(index, replica, core) ? [trigger] : [])));
  }

  counts(): TriggerCounts {
    return { hits: [...this.#counts], inputs: this.#inputs };
  }

  /** A rollback: trigger counts go back, what has fired stays fired. */
  rollBack({ hits, inputs }: TriggerCounts): void {
    this.#counts = [...hits];
    this.#inputs = inputs;
  }

  /** Addresses at which this replica has to stop for a trigger. */
  addresses(replica: ReplicaName, core: number): bigint[] {
    const addresses: bigint[] = [];
    this.#faults.forEach((fault, index) => {
      if (fault.trigger.kind === 'execute' && this.#armed(index, replica, core)) addresses.push(fault.trigger.address);
    });
    return addresses;
  }

  /** The next retired count, past `retired`, at which a count trigger of this replica fires or a fault of it ends. */
  nextInstruction(replica: ReplicaName, core: number, retired: number, moment: number): number {
    let next = retired + this.#lasting.next(replica, core, 'instructions') - moment;
    this.#faults.forEach((fault, index) => {
      if (fault.trigger.kind !== 'instruction' || !this.#armed(index, replica, core)) return;
      if (fault.trigger.count > retired) next = Math.min(next, fault.trigger.count);
    });
    return next;
  }

  /** The lowest cycle count that a trigger of this replica, or the end of a fault of it, still waits for. */
  nextCycle(replica: ReplicaName, core: number): number {
    let next = this.#lasting.next(replica, core, 'cycles');
    this.#faults.forEach((fault, index) => {
      if (fault.trigger.kind === 'cycle' && this.#armed(index, replica, core)) {
        next = Math.min(next, fault.trigger.count);
      }
    });
    return next;
  }

  /** True if a trigger of this replica needs a stop after each output. */
  watchesOutput(replica: ReplicaName, core: number): boolean {
    return this.#faults.some(
      (fault, index) =>
        (fault.trigger.kind === 'output' || fault.trigger.kind === 'console') && this.#armed(index, replica, core),
    );
  }

  /**
   * Fires what is due at a boundary; to be called exactly once for each boundary
   * that the replica comes to rest at. Returns the faults that fired, with what they changed.
   */
  strike(boundary: Boundary): { fault: number; change: Change }[] {
    const struck: { fault: number; change: Change }[] = [];
    const now = { moment: boundary.moment, cycles: boundary.computer.cycles };
    if (this.#lasting.endDue(boundary.replica, boundary.core, now)) this.#lasting.apply(boundary.replica, boundary.core, boundary.computer);
    let triggered = false;
    this.#faults.forEach((fault, index) => {
      if (!this.#armed(index, boundary.replica, boundary.core)) return;
      if (!this.#due(fault, index, boundary)) return;
      triggered = true;
      const change = this.#apply(fault.effect, index, boundary);
      // A place that the computer lacks is not struck, now or later: the fault is reported as not fired.
      this.#fired[index] = change !== undefined;
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
   * that faults have waited for. Gives those faults, with the instruction that was struck, or undefined where they struck its memory.
   */
  meet(replica: ReplicaName, core: number, computer: Computer): (Met & { at: { retired: number; pc: bigint } | undefined })[] {
    const touched = computer.takeTouched();
    if (touched.length > 0) this.#count(touched, replica, core);
    const units = computer.takeStruck().flatMap((unit) => this.#passing.struckUnit(replica, core, unit).map((met) => ({ ...met, at: unit })));
    const transfers = computer.takeStruckTransfer() ? this.#passing.struckTransfer(replica, core).map((met) => ({ ...met, at: undefined })) : [];
    return this.#fire([...units, ...transfers]);
  }

  /** What a replica gets instead of bytes that are typed, and the faults by which it does. `handedOver` is to be told of them once, behind the last replica. */
  hand(replica: ReplicaName, core: number, typed: Uint8Array): { bytes: Uint8Array; met: Met[] } {
    const { bytes, met } = this.#passing.handed(replica, core, typed, this.#inputs + 1);
    return { bytes, met: this.#fire(met) };
  }

  handedOver(bytes: number): void {
    this.#inputs += bytes;
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
      if (index !== undefined && this.#armed(index, replica, core)) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    }
  }

  /** The faults with triggers that wait for an access, in the order in which their places are watched. */
  #watching(replica: ReplicaName, core: number): { trigger: Extract<Trigger, { kind: 'access' }>; index: number }[] {
    return this.#faults.flatMap(({ trigger }, index) => (trigger.kind === 'access' && this.#mayReach(index, replica, core) ? [{ trigger, index }] : []));
  }

  /** True if a fault is armed for a replica, or may be once the chip has been divided. */
  #mayReach(index: number, replica: ReplicaName, core: number): boolean {
    return this.#faults[index]?.target.kind === 'component' ? !this.#reached[index]?.includes(replica) : this.#armed(index, replica, core);
  }

  /**
   * Fires what is due of the faults of cores and components that none of these runs on; to be called at each rendezvous.
   * Only what stays can be: bits that are stuck, and death.
   */
  strikeIdle(inUse: { replicas: readonly ReplicaName[]; cores: readonly number[] }, now: GuestInstant): { fault: number; core: number; change: Change }[] {
    return this.#faults.flatMap(({ target, effect, trigger }, index) => {
      if (this.#fired[index] || target.kind === 'replica' || !isDueIdle(trigger, now)) return [];
      if (target.kind === 'core' ? inUse.cores.includes(target.core) : inUse.replicas.some((replica) => this.reaches(target.component, replica))) return [];
      if (effect.kind === 'die' && target.kind === 'component') {
        this.#fired[index] = true;
        return [{ fault: index, core: -1, change: death(target.component, effect.how) }];
      }
      if (effect.kind !== 'stick' || target.kind !== 'core') return [];
      this.#fired[index] = true;
      this.#lasting.begin(index, now);
      return [{ fault: index, core: target.core, change: { text: `${placeName(effect.place)}: ${stuckText(effect.bits, effect.value)}`, effective: false } }];
    });
  }

  #armed(index: number, replica: ReplicaName, core: number): boolean {
    const target = this.#faults[index]?.target;
    if (!target) return false;
    // It reaches each of those that have the component, once each of them has come to where it strikes.
    if (target.kind === 'component') return !this.#reached[index]?.includes(replica) && this.reaches(target.component, replica);
    return !this.#fired[index] && !this.#passing.waits(index) && strikes(target, replica, core);
  }

  #due(fault: FaultPlan, index: number, at: Boundary): boolean {
    const { trigger } = fault;
    switch (trigger.kind) {
      case 'instruction':
        return at.computer.retired === trigger.count;
      case 'cycle':
        return at.computer.cycles >= trigger.count;
      case 'execute': {
        if (!at.executing || at.computer.pc !== trigger.address) return false;
        const hits = (this.#counts[index] ?? 0) + 1;
        this.#counts[index] = hits;
        return hits === trigger.hit;
      }
      case 'access':
        return (this.#counts[index] ?? 0) >= trigger.hit;
      case 'value':
        return readPlace(at.computer, trigger.register) === trigger.value;
      case 'input':
        return this.#inputs >= trigger.number;
      case 'epoch':
        return at.epoch === trigger.number;
      case 'checkpoint':
        return at.checkpoint === trigger.number;
      case 'output':
        return at.outputs >= trigger.number;
      case 'console':
        return at.fresh > 0 && endsWithin(at, trigger.text);
    }
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
      case 'flip':
        if (isPassing(effect.place)) return this.#await(index, [{ place: effect.place, keep: all, flip: flip(0n, effect.bits) }]);
        return change(computer, effect.place, (old) => flip(old, effect.bits));
      case 'set': {
        const value = BigInt.asUintN(placeWidth(effect.place), effect.value);
        if (isPassing(effect.place)) return this.#await(index, [{ place: effect.place, keep: 0n, flip: value }]);
        return change(computer, effect.place, () => value);
      }
      case 'flip-random': {
        const chosen = [...this.#drawBits(effect.places, effect.count, index)];
        this.#await(index, chosen.flatMap(([place, bits]) => (isPassing(place) ? [{ place, keep: all, flip: flip(0n, bits) }] : [])));
        const changes = chosen.map(([place, bits]) => (isPassing(place) ? undefined : change(computer, place, (old) => flip(old, bits))));
        const made = changes.filter((each) => each !== undefined);
        if (made.length === 0) return undefined;
        return { text: made.map(({ text }) => text).join('; '), effective: made.some(({ effective }) => effective) };
      }
    }
  }

  /** It has been triggered, and strikes what passes by next. */
  #await(index: number, passing: readonly Passing[]): undefined {
    this.#passing.begin(index, passing);
  }

  #stick({ place, bits, value }: Extract<FaultEffect, { kind: 'stick' }>, index: number, { replica, core, computer, moment }: Boundary): Change | undefined {
    if (!canStick(computer, place)) return undefined;
    const old = place.kind === 'alu' ? undefined : readPlace(computer, place);
    this.#lasting.begin(index, { moment, cycles: computer.cycles });
    this.#lasting.apply(replica, core, computer);
    const now = place.kind === 'alu' ? undefined : readPlace(computer, place);
    const values = old === undefined || now === undefined ? '' : old === now ? ` 0x${old.toString(16)}, unchanged so far,` : ` 0x${old.toString(16)} -> 0x${now.toString(16)},`;
    // From now on it may change any result, whatever it has done to this one.
    return { text: `${placeName(place)}:${values} ${stuckText(bits, value)}`, effective: true };
  }

  /** Distinct bits, uniform over all bits of all places together. */
  #drawBits(places: readonly (Place | PassingPlace)[], count: number, index: number): Map<Place | PassingPlace, number[]> {
    const total = places.reduce((sum, place) => sum + placeWidth(place), 0);
    const chosen = new Set<number>();
    for (let n = 0; chosen.size < Math.min(count, total); n++) {
      chosen.add(draw(this.#seed, `fault ${index} bit ${n}`, total));
    }
    const byPlace = new Map<Place | PassingPlace, number[]>();
    for (const bit of [...chosen].sort((a, b) => a - b)) {
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
}

const all = 0xffff_ffff_ffff_ffffn;

function death(component: ComponentName, how: Death): Change {
  return { text: how === 'stops' ? `${component} stops` : `${component} answers no more`, effective: true, dead: { component, how } };
}

function isDueIdle(trigger: Trigger, now: GuestInstant): boolean {
  switch (trigger.kind) {
    case 'instruction':
      return now.count >= trigger.count;
    case 'cycle':
      return now.cycles >= trigger.count;
    case 'epoch':
      return now.epoch >= trigger.number;
    case 'checkpoint':
      return now.checkpoint >= trigger.number;
    default:
      return false;
  }
}

function flip(value: bigint, bits: readonly number[]): bigint {
  return bits.reduce((flipped, bit) => flipped ^ (1n << BigInt(bit)), value);
}

/** Rewrites a place and says in words what became of it; undefined where there is no such place to write. */
function change(computer: Computer, place: Place, rewrite: (old: bigint) => bigint): Change | undefined {
  const name = placeName(place);
  const old = readPlace(computer, place);
  if (old === undefined || !writePlace(computer, place, rewrite(old))) return undefined;
  return changeText(name, old, readPlace(computer, place) ?? old);
}

/** True if the text ends among the bytes that the newest instruction printed. */
function endsWithin(at: Boundary, text: string): boolean {
  const wanted = Buffer.from(text);
  return Buffer.from(at.console(at.fresh + wanted.length - 1)).includes(wanted);
}
