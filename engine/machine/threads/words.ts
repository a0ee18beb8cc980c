/** What the owner of a machine and the thread that executes its code share besides the machine's memory: words of 32 bits. */
export const word = {
  turn: 0,
  /** Of a run: 1 where it steps over a breakpoint, and why it came back. */
  over: 1,
  reason: 2,
  /** Of an access to a virtio device: 1 where it writes, what it is about, and the value either way. */
  write: 3,
  slot: 4,
  offset: 5,
  size: 6,
  value: 7,
  /** Of the thread's translator. */
  functions: 8,
  instructions: 9,
  /** Bytes of the text that stands behind the words: why the thread is no more. */
  whyBytes: 10,
  /** Of the thread's translator, too. */
  evictions: 11,
} as const;

/** Value of the word `turn`. Whoever's turn it is not touches neither the machine's memory nor, but for `dead`, this word. */
export const turn = {
  /** The owner's: the thread has nothing to do. */
  resting: 0,
  /** The thread's: the core runs. */
  running: 1,
  /** The owner's: the guest accesses a device, which is with the owner. */
  asking: 2,
  /** The thread's: that is done. */
  answered: 3,
  /** The thread's: that has thrown, and the run is over. */
  refused: 4,
  /** The thread's: it is being made, or a message has come that names the machine. */
  preparing: 5,
  /** The thread is no more. Written by who watches it, and never changed. */
  dead: 6,
  /** Both's, who compare pages and change nothing; the thread passes it on. */
  comparing: 7,
} as const;

const wordBytes = 64;
const mostWhyBytes = 960;

/** Looks at the turn, some hundred microseconds, before a thread goes to sleep: to wake it takes tens of them. */
const looks = 100_000;

export class Words {
  readonly #words: Int32Array;
  readonly #why: Uint8Array;

  constructor(readonly shared = new SharedArrayBuffer(wordBytes + mostWhyBytes)) {
    this.#words = new Int32Array(shared, 0, wordBytes / 4);
    this.#why = new Uint8Array(shared, wordBytes);
  }

  get(index: number): number {
    return this.#words[index] ?? 0;
  }
  set(index: number, value: number): void {
    this.#words[index] = value;
  }

  get turn(): number {
    return Atomics.load(this.#words, word.turn);
  }

  /** Passes the turn on; false where it is not `from`, since the other side is dead. What has been written before is seen. */
  pass(from: number, to: number): boolean {
    if (Atomics.compareExchange(this.#words, word.turn, from, to) !== from) return false;
    Atomics.notify(this.#words, word.turn);
    return true;
  }

  /** Looks for as long as is cheap; then the turn may still be `old`. */
  look(old: number): number {
    for (let i = 0; i < looks; i++) {
      const now = this.turn;
      if (now !== old) return now;
    }
    return old;
  }

  /** The turn, once it is not `old`. */
  wait(old: number): number {
    let now = this.look(old);
    while (now === old) {
      // Woken is not passed on to: who has passed the turn on notifies a moment later, and that may be when it has long come to `old`.
      Atomics.wait(this.#words, word.turn, old);
      now = this.turn;
    }
    return now;
  }

  /** Says that the thread is no more, and why. */
  die(why: string): void {
    const { written } = new TextEncoder().encodeInto(why, this.#why);
    this.set(word.whyBytes, written);
    Atomics.store(this.#words, word.turn, turn.dead);
    Atomics.notify(this.#words, word.turn);
  }

  get why(): string {
    return Buffer.from(this.#why.slice(0, this.get(word.whyBytes))).toString();
  }
}
