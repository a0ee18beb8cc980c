import { ConsoleScript, type ScriptState, type Typing } from './console-script';
import type { Input, InputLog } from './input-log';
import type { DiskOutside } from './disk-outside';
import type { Flush, Output } from '../machine/types';
import type { Outside } from './outside';

/** Where a feed stands; immutable. */
export interface FeedState {
  readonly handed: number;
  readonly decided: number;
  readonly script: ScriptState;
  readonly saw: number;
  readonly asked: { readonly count: number; readonly time: number };
  readonly vain: number;
}

/** What a feed decides from: the guest as all replicas have it now. */
export interface GuestView {
  readonly moment: number;
  /** Retired instructions. */
  readonly count: number;
  /** The guest's clock in ticks of 10 MHz, 0 where nothing depends on it; undefined where the replicas do not agree on it. */
  readonly time: number | undefined;
  /** Bytes that the console's input has room for. */
  readonly consoleRoom: number;
  /** Frames that the network card has room for. */
  readonly frameRoom: number;
  /** Flushes that wait for their answer in any replica. */
  readonly flushes: readonly Flush[];
  /** Outputs compared in the current attempt, and outputs released so far. */
  readonly compared: number;
  readonly released: number;
  /** Console bytes among outputs from that one on. */
  printed(from: number): Uint8Array;
}

const ticksPerMicrosecond = 10;
const nothing: Pick<Input, 'frames' | 'flushed'> = { frames: [] };
/** For so many naps in a row a guest waits for nothing but the network, before it counts as hung: a minute of them. */
const mostInVain = 60_000;

/**
 * Decides at each rendezvous what a guest is handed from the outside, and after
 * a rollback hands over again what had been decided: at the same count, whatever
 * has been released since.
 */
export class InputFeed {
  readonly #script: ConsoleScript;
  /** Inputs handed over in the current attempt, and inputs decided so far. */
  #handed = 0;
  #decided = 0;
  /** Outputs that the script has seen. */
  #saw = 0;
  /** Where the furthest decision was made: before that nothing can be decided any more. */
  #asked = { count: -1, time: -1 };
  /** Naps since the last input in which the guest waited for no timer. */
  #vain = 0;

  constructor(
    private readonly log: InputLog,
    typing: readonly Typing[],
    /** The guest has a network card. */
    readonly isNetworked: boolean,
    /** What that is plugged into, unless all is in the log. */
    private readonly outside: Outside | undefined,
    /** Where writes to its disks go, if anywhere. */
    private readonly disks: DiskOutside | undefined,
  ) {
    this.#script = new ConsoleScript(typing);
  }

  get handed(): number {
    return this.#handed;
  }

  /** Outputs before this one have been looked at. */
  get saw(): number {
    return this.#saw;
  }

  /** True if from a moment on nothing will be handed over any more, unless after a rollback, or the guest says something. */
  isOver(moment: number): boolean {
    const quiet = !this.isNetworked || (this.outside?.isQuiet === true && this.log.isNew(moment));
    return quiet && this.#handed === this.#decided && this.#script.isOver;
  }

  /** The input that is due, counted as handed over; undefined where there is none. */
  next(guest: GuestView): Input | undefined {
    const input = this.#handed < this.#decided ? this.log.at(this.#handed) : this.#decide(guest);
    // After a rollback a count may be passed that the first attempt stopped at, and a sleep is slept again.
    if (!input || input.count > guest.count || (input.count === guest.count && input.time > (guest.time ?? Infinity))) return undefined;
    this.#handed += 1;
    this.#vain = 0;
    return input;
  }

  /** An output has been released. */
  tell(output: Output): void {
    const { kind, sequence, data } = output;
    if (kind === 'net') {
      if (this.outside && data && this.log.tell(sequence)) this.outside.receive(data);
    } else if (kind === 'disk' || kind === 'flush') {
      if (this.disks && this.log.tell(sequence)) this.log.disks.tell(output, this.disks);
    }
  }

  /** The guest naps once more, for a timer or not. False if it has done so in vain for too long. */
  nap(hasTimer: boolean): boolean {
    this.#vain = hasTimer ? 0 : this.#vain + 1;
    return this.#vain <= mostInVain;
  }

  /** Everything from the `handed`-th input on is to be handed over again. */
  rollBack(handed: number): void {
    this.#handed = handed;
    this.#vain = 0;
  }

  /** Nothing before the `handed`-th input will be handed over again. */
  forget(handed: number): void {
    this.log.forget(handed);
  }

  save(): FeedState {
    return { handed: this.#handed, decided: this.#decided, script: this.#script.save(), saw: this.#saw, asked: this.#asked, vain: this.#vain };
  }

  load(state: FeedState): void {
    this.#handed = state.handed;
    this.#decided = state.decided;
    this.#script.load(state.script);
    this.#saw = state.saw;
    this.#asked = state.asked;
    this.#vain = state.vain;
  }

  /** What the outside has for the guest now, written to the log; undefined where that is nothing. */
  #decide(guest: GuestView): Input | undefined {
    const { moment, count, time } = guest;
    // What has been released is said again only by a guest that is handed nothing before that.
    if (time === undefined || guest.compared < guest.released) return undefined;
    // One decision a count and time, so that a guest that takes nothing in cannot be fed for ever.
    if (count < this.#asked.count || (count === this.#asked.count && time <= this.#asked.time)) return undefined;
    this.#asked = { count, time };
    this.#script.look(guest.printed(this.#saw));
    this.#saw = guest.released;
    const console = this.#script.take(guest.consoleRoom);
    const known = this.log.isNew(moment, time) ? undefined : (this.#knownAt(moment, time) ?? nothing);
    if (!known && (this.outside || this.disks)) this.log.ask(moment, time);
    const frames = known?.frames ?? this.outside?.take(Math.floor(time / ticksPerMicrosecond), guest.frameRoom) ?? [];
    const flushed = known ? (known.flushed ?? []) : guest.flushes.map((flush) => this.log.disks.answerTo(flush));
    if (console.length === 0 && frames.length === 0 && flushed.length === 0) return undefined;
    const input = { moment, count, time, console, frames, ...(flushed.length > 0 && { flushed }) };
    this.log.write(this.#decided++, input);
    return input;
  }

  /** What was decided at a rendezvous when the run was there first. */
  #knownAt(moment: number, time: number): Input | undefined {
    const known = this.log.at(this.#decided);
    return known?.moment === moment && known.time === time ? known : undefined;
  }
}
