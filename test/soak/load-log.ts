/** Lines that are remembered, to show how it ended. */
const remembered = 12;

/** What the guest's load has said on the console: how often each kind of work was done, and what failed. */
export class LoadLog {
  /** Rounds that came out right, by kind of work. */
  readonly done = new Map<string, number>();
  /** The first lines that say otherwise. */
  readonly failures: string[] = [];
  newest: string[] = [];
  /** The load says that something is not in the guest. */
  missing: string | undefined;
  #text = '';

  get rounds(): number {
    return [...this.done.values()].reduce((sum, times) => sum + times, 0);
  }

  read(bytes: readonly number[]): void {
    const lines = (this.#text + Buffer.from(bytes).toString('latin1')).split(/\r?\n/);
    this.#text = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    this.newest = [...this.newest, ...lines].slice(-remembered);
  }

  #line(line: string): void {
    this.missing ??= /^SOAK missing (.*)/.exec(line)?.[1];
    const [, work, result] = /^\d+ (\w+): ?(.*)/.exec(line) ?? [];
    if (work === undefined) return;
    if (result?.startsWith('FAILED') !== true) this.done.set(work, (this.done.get(work) ?? 0) + 1);
    else if (this.failures.length < remembered) this.failures.push(line);
  }
}
