import { begins, ends, type Program } from './programs';

/** What was seen of a program. */
export interface Seen {
  seconds: number;
  /** In units of the program; 1 where the work is fixed. */
  work: number;
  /** Retired instructions from one mark to the other, as far as whoever reads the console knows them. */
  instructions: number;
  /** The count at the first mark. */
  from: number;
  output: string;
}

interface Mark {
  seconds: number;
  instructions: number;
}

/** Reads a guest's console as it comes, and times what stands between marks by the host's clock. */
export class Marks {
  readonly seen = new Map<string, Seen>();
  #rest = '';
  #program: Program | undefined;
  #from: Mark | undefined;
  #to: Mark | undefined;
  #work = 1;
  #lines: string[] = [];

  constructor(private readonly programs: readonly Program[]) {}

  /** The program that runs now. */
  get current(): string | undefined {
    return this.#program?.name;
  }

  read(text: string, now: Mark): void {
    const lines = `${this.#rest}${text}`.split(/\r*\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#readLine(line, now);
  }

  #readLine(line: string, now: Mark): void {
    const program = this.#program;
    if (!program) {
      this.#program = this.programs.find(({ name }) => line === begins(name));
      [this.#from, this.#to, this.#work, this.#lines] = [this.#program?.between ? undefined : now, undefined, 1, []];
      return;
    }
    const { name, between, work } = program;
    if (line !== ends(name)) {
      this.#lines.push(line);
      if (between?.from.test(line) === true) this.#from ??= now;
      if (between?.to.test(line) === true) this.#to ??= now;
      const done = work?.exec(line)?.[1];
      if (done !== undefined) this.#work = Number(done);
      return;
    }
    this.#program = undefined;
    const to = between ? this.#to : now;
    if (!this.#from || !to) return;
    this.seen.set(name, {
      seconds: to.seconds - this.#from.seconds,
      work: this.#work,
      instructions: to.instructions - this.#from.instructions,
      from: this.#from.instructions,
      output: this.#lines.join('\n'),
    });
  }
}
