import type { MessagePort } from 'node:worker_threads';
import type { CoreImports } from '../../core/core';
import type { Machinery } from './messages';
import { turn, word, type Words } from './words';

/** A thread that executed a machine's code is no more; what state the machine is in is unknown. */
export class ThreadLost extends Error {
  constructor(why: string) {
    super(`the thread of a replica is no more: ${why}`);
  }
}

/**
 * A thread that executes a machine's code, as the machine's owner sees it. The
 * machine's devices stay with the owner: an access is a question that
 * `finish` or `attend` answers, and the thread stands still until then, so what
 * the guest sees does not depend on when that is.
 */
export class ReplicaThread {
  #devices: CoreImports | undefined;
  /** What a device has thrown. */
  #failure: { error: unknown } | undefined;
  #running = false;
  /** Whether it seems worth waiting for the thread's next access: it comes where the owner's own replica has one, too. */
  #abreast = false;

  constructor(
    readonly number: number,
    private readonly words: Words,
    private readonly port: MessagePort,
  ) {}

  /** True once it can be given something to do; a new thread needs a while. */
  get isReady(): boolean {
    return this.words.turn === turn.resting;
  }
  get isDead(): boolean {
    return this.words.turn === turn.dead;
  }
  /** Of its translator: functions, guest instructions in them, and how often all were forgotten. */
  get translated(): { functions: number; instructions: number; evictions: number } {
    return { functions: this.words.get(word.functions), instructions: this.words.get(word.instructions), evictions: this.words.get(word.evictions) };
  }

  /** From now on it executes this machine, or none; to be called while it rests. */
  prepare(machinery: Machinery | undefined, devices?: CoreImports): void {
    this.#devices = devices;
    this.port.postMessage(machinery);
    this.#pass(turn.resting, turn.preparing);
    for (let now = this.words.turn; now !== turn.resting; now = this.words.wait(now)) if (now === turn.dead) throw this.#lost();
  }

  /** Lets the core run, until `finish`. Throws {@link ThreadLost}. */
  start(stepOver: boolean): void {
    this.words.set(word.over, stepOver ? 1 : 0);
    this.#pass(turn.resting, turn.running);
    this.#running = true;
    this.#abreast = true;
  }

  /** Lets it take part in the comparison that it was prepared for, until `finish`. Throws {@link ThreadLost}. */
  compare(): void {
    this.#pass(turn.resting, turn.comparing);
  }

  /** Why the core has stopped, once it has; after a comparison nothing of meaning. Throws {@link ThreadLost}, and what a device throws. */
  finish(): number {
    for (let now = this.words.turn; now !== turn.resting; now = this.words.turn) {
      if (now === turn.dead) {
        this.#running = false;
        throw this.#lost();
      }
      // Not to be waited on once it is answered: the next question may have come since, and looks the same.
      if (now === turn.asking) this.#answer();
      else this.words.wait(now);
    }
    this.#running = false;
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    return this.words.get(word.reason);
  }

  /** Answers an access while the owner is busy with something else: it waits for one as long as is cheap. */
  attend(): void {
    if (!this.#running) return;
    let now = this.words.turn;
    for (let looks = 0; this.#abreast && (now === turn.running || now === turn.answered); looks++) {
      now = this.words.look(now);
      if (looks === 1) break;
    }
    this.#abreast = now === turn.asking;
    if (now === turn.asking) this.#answer();
  }

  #answer(): void {
    const { words } = this;
    const [slot, offset, size, value] = [word.slot, word.offset, word.size, word.value].map((each) => words.get(each)) as [number, number, number, number];
    let answer: number = turn.answered;
    try {
      if (words.get(word.write) === 1) this.#devices?.virtioWrite(slot, offset, size, value);
      else words.set(word.value, this.#devices?.virtioRead(slot, offset, size) ?? 0);
    } catch (error) {
      // It may not leave through whatever called: the run that has asked is over.
      this.#failure = { error };
      answer = turn.refused;
    }
    words.pass(turn.asking, answer);
  }

  #pass(from: number, to: number): void {
    if (!this.words.pass(from, to)) throw this.#lost();
  }

  #lost(): ThreadLost {
    return new ThreadLost(this.words.why);
  }
}
