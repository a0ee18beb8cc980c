import type { ReadStream } from 'node:tty';

const ctrlA = 1;
const leave = new Set(['x', 'X'].map((letter) => letter.charCodeAt(0)));

/**
 * What is typed for a guest, or comes from a file or a pipe. On a terminal the
 * keys come raw, so that Ctrl-C is the guest's; Ctrl-A X leaves, and Ctrl-A
 * twice sends one.
 */
export class ConsoleInput {
  readonly #stream: ReadStream;
  readonly #raw: boolean;
  #waiting: number[] = [];
  #escaped = false;
  #left = false;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: ReadStream) {
    this.#stream = stream;
    this.#raw = stream.isTTY;
    if (this.#raw) stream.setRawMode(true);
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
  }

  /** True once the user has left. */
  get left(): boolean {
    return this.#left;
  }

  /** True if somebody types at a terminal. */
  get interactive(): boolean {
    return this.#raw;
  }

  /** Bytes that nobody has taken yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** True while more bytes are there than so many, or may come. */
  open(held: number): boolean {
    return !this.#ended || this.#waiting.length > held;
  }

  /** At most `most` bytes, oldest first. */
  take(most: number): Uint8Array {
    return Uint8Array.from(this.#waiting.splice(0, most));
  }

  /**
   * Resolves when more bytes are there than the `held` that the guest has no room for, the user has left, the input has
   * ended, after so many milliseconds, or when the signal is aborted.
   */
  async wait(signal: AbortSignal, milliseconds = Infinity, held = 0): Promise<void> {
    if (this.#waiting.length > held || this.#ended || this.#left || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = milliseconds === Infinity ? undefined : setTimeout(done, milliseconds);
      this.#wake = done;
      signal.addEventListener('abort', done);
    });
    this.#wake = undefined;
  }

  /** Gives the terminal back. */
  close(): void {
    if (this.#raw) this.#stream.setRawMode(false);
    this.#stream.off('data', this.#onData);
    this.#stream.off('end', this.#onEnd);
    this.#stream.pause();
  }

  readonly #onData = (chunk: Buffer): void => {
    for (const byte of chunk) this.#key(byte);
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  #key(byte: number): void {
    if (!this.#raw) {
      this.#waiting.push(byte);
    } else if (this.#escaped) {
      this.#escaped = false;
      if (leave.has(byte)) this.#left = true;
      else this.#waiting.push(byte);
    } else if (byte === ctrlA) {
      this.#escaped = true;
    } else {
      this.#waiting.push(byte);
    }
  }
}
