/** Text that is typed once the guest has printed something. */
export interface Typing {
  /** Waited for in what the guest has printed since the last text that was waited for. */
  awaited: string;
  text: string;
}

/** Where a script stands; immutable. */
export interface ScriptState {
  /** How many entries have been met. */
  readonly met: number;
  /** The newest console bytes, in which a cue may have begun. */
  readonly tail: readonly number[];
  /** Bytes that are due and have not been typed. */
  readonly due: readonly number[];
}

/**
 * What is typed at a guest's console: a list of texts, each after its cue, in
 * order. A function of the released console bytes alone, so all replicas and
 * all replays of a run get the same.
 */
export class ConsoleScript {
  readonly #entries: readonly { cue: Buffer; bytes: Buffer }[];
  #state: ScriptState = { met: 0, tail: [], due: [] };

  constructor(entries: readonly Typing[]) {
    this.#entries = entries.map(({ awaited, text }) => ({ cue: Buffer.from(awaited), bytes: Buffer.from(text) }));
  }

  /** All has been typed. */
  get isOver(): boolean {
    return this.#state.met === this.#entries.length && this.#state.due.length === 0;
  }

  save(): ScriptState {
    return this.#state;
  }

  load(state: ScriptState): void {
    this.#state = state;
  }

  /** Takes in what has been printed since the last look. */
  look(printed: Uint8Array): void {
    let { met } = this.#state;
    let entry = this.#entries[met];
    if (!entry) return;
    const due = [...this.#state.due];
    let fresh = Buffer.from([...this.#state.tail, ...printed]);
    for (; entry; entry = this.#entries[met]) {
      const at = fresh.indexOf(entry.cue);
      if (at < 0) break;
      fresh = fresh.subarray(at + entry.cue.length);
      met += 1;
      due.push(...entry.bytes);
    }
    const kept = entry ? Math.min(fresh.length, entry.cue.length - 1) : 0;
    this.#state = { met, tail: [...fresh.subarray(fresh.length - kept)], due };
  }

  /** The next bytes to type, at most `most`. */
  take(most: number): Uint8Array {
    const { due, ...rest } = this.#state;
    if (due.length === 0 || most <= 0) return new Uint8Array();
    this.#state = { ...rest, due: due.slice(most) };
    return Uint8Array.from(due.slice(0, most));
  }
}
