const firstAfter = 2_000;
const everyOnTerminal = 200;
const everyElsewhere = 10_000;

/**
 * A line on stderr about work that takes longer than two seconds: on a terminal
 * one that is rewritten and wiped at the end, elsewhere a new one now and then.
 */
export class Progress {
  readonly #started = Date.now();
  #next = this.#started + firstAfter;
  #shown = false;

  constructor(
    private readonly what: string,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {}

  /** To be called often; `done` in words ("12 million instructions"). */
  update(done: () => string): void {
    const now = Date.now();
    if (now < this.#next) return;
    const terminal = this.stream.isTTY;
    this.#next = now + (terminal ? everyOnTerminal : everyElsewhere);
    const line = `${this.what}: ${done()}, ${((now - this.#started) / 1000).toFixed(0)} s`;
    this.stream.write(terminal ? `\r\x1b[2K${line.slice(0, this.stream.columns - 1)}` : `${line}\n`);
    this.#shown = true;
  }

  /** Wipes the line. */
  end(): void {
    if (this.#shown && this.stream.isTTY) this.stream.write('\r\x1b[2K');
    this.#shown = false;
  }
}
