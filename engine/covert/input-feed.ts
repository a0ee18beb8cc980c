import { ConsoleScript, type ScriptState, type Typing } from './console-script';
import type { Input, InputLog } from './input-log';

/** Where a feed stands; immutable. */
export interface FeedState {
  readonly handed: number;
  readonly decided: number;
  readonly script: ScriptState;
  readonly saw: number;
}

/** What a feed decides from: the guest as all replicas have it now. */
export interface GuestView {
  /** Retired instructions. */
  readonly count: number;
  /** Bytes that the console's input has room for. */
  readonly consoleRoom: number;
  /** Outputs released so far. */
  readonly released: number;
  /** Console bytes among outputs from that one on. */
  printed(from: number): Uint8Array;
}

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

  constructor(
    private readonly log: InputLog,
    typing: readonly Typing[],
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

  /** True if nothing will be handed over any more, unless after a rollback. */
  get isOver(): boolean {
    return this.#handed === this.#decided && this.#script.isOver;
  }

  /** The input that is due, counted as handed over; undefined where there is none. */
  next(guest: GuestView): Input | undefined {
    const input = this.#handed < this.#decided ? this.log.at(this.#handed) : this.#decide(guest);
    // After a rollback a count may be passed that the first attempt stopped at.
    if (!input || input.count > guest.count) return undefined;
    this.#handed += 1;
    return input;
  }

  /** Everything from the `handed`-th input on is to be handed over again. */
  rollBack(handed: number): void {
    this.#handed = handed;
  }

  /** Nothing before the `handed`-th input will be handed over again. */
  forget(handed: number): void {
    // The newest one says at which count there has been an input already.
    this.log.forget(Math.min(handed, this.#decided - 1));
  }

  save(): FeedState {
    return { handed: this.#handed, decided: this.#decided, script: this.#script.save(), saw: this.#saw };
  }

  load(state: FeedState): void {
    this.#handed = state.handed;
    this.#decided = state.decided;
    this.#script.load(state.script);
    this.#saw = state.saw;
  }

  /** What the outside has for the guest now, written to the log; undefined where that is nothing. */
  #decide(guest: GuestView): Input | undefined {
    // One input a count, so that a guest that does not take it in cannot be fed for ever.
    if (this.log.at(this.#decided - 1)?.count === guest.count) return undefined;
    this.#script.look(guest.printed(this.#saw));
    this.#saw = guest.released;
    const console = this.#script.take(guest.consoleRoom);
    if (console.length === 0) return undefined;
    const input = { count: guest.count, console };
    this.log.write(this.#decided++, input);
    return input;
  }
}
