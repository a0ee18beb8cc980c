import type { Navigation, Rest, TrailPoint } from '../../engine/history/types';
import type { Frame, Symbol as ElfSymbol, Symbols } from '../../engine/symbols/types';
import type { Debuggee, Thread } from './debuggee';

/** What stops a step besides its own end: the user's breakpoints and exception filters. */
export type Stops = Pick<Navigation, 'stopAt' | 'breakpoints' | 'signal'>;

/** Moments looked back over at first, and at most, in one trail. */
const firstLook = 1024;
const longestLook = 262_144;

/**
 * Source-line stepping for all replicas together, judged by the thread that is in
 * focus: one hart of one of them. Forward steps plant temporary breakpoints at the beginnings of the
 * function's other lines and at the return address and let the guest run, so
 * that a line that loops or calls costs no single-stepping.
 */
export class Stepper {
  readonly #entries: readonly bigint[];

  constructor(private readonly debuggee: Debuggee) {
    const { symbols } = debuggee;
    this.#entries = symbols.symbols
      .filter((symbol) => symbol.kind === 'function' && symbols.lineAt(symbol.address))
      .map((symbol) => symbols.afterPrologue(symbol));
  }

  /** To the next line of this function, or out of it; over calls. */
  over(thread: Thread, stops: Stops): Promise<Rest> {
    return this.#byLine(thread, stops, false);
  }

  /** To the next line that runs, in this function or one it calls. */
  into(thread: Thread, stops: Stops): Promise<Rest> {
    return this.#byLine(thread, stops, true);
  }

  /** To the caller, just after the call. */
  async out(thread: Thread, stops: Stops): Promise<Rest> {
    const [frame, ...others] = this.debuggee.frames(thread, 32);
    const caller = others.find(({ inlined, cfa }) => !inlined && cfa !== frame?.cfa);
    if (!frame || !caller) return this.instruction(thread, stops);
    return this.#runTo(thread, [caller.pc], stops, (now) => now.cfa > frame.cfa);
  }

  /** One instruction; of a hart that has not the turn, none: it is run to its turn. */
  instruction(thread: Thread, stops: Stops): Promise<Rest> {
    const { replica, hart } = thread;
    if (replica.computer.hart === hart) return this.forwardBy(1, stops);
    return this.#runTo(thread, [replica.computer.getPc(hart)], stops, () => true);
  }

  /** Forward by instructions, stopping early at an event that the user asked for. */
  async forwardBy(count: number, stops: Stops): Promise<Rest> {
    const { session } = this.debuggee;
    const from = session.moment;
    const rest = await session.step(count);
    const event = session.events.find(({ moment, kind }) => moment > from && moment <= session.moment && stops.stopAt.has(kind));
    if (!event) return rest;
    await session.travel(event.moment);
    return { why: 'event', event };
  }

  async #byLine(thread: Thread, stops: Stops, enterCalls: boolean): Promise<Rest> {
    const { symbols } = this.debuggee;
    const frames = this.debuggee.frames(thread, 32);
    const [frame] = frames;
    const pc = thread.replica.computer.getPc(thread.hart);
    const here = symbols.lineAt(pc);
    // Without a source line there is no line to step by.
    if (!frame || !here) return this.instruction(thread, stops);
    const caller = frames.find(({ inlined, cfa }) => !inlined && cfa !== frame.cfa);
    const targets = lineStarts(symbols, pc, here.location.line);
    if (caller) targets.push(caller.pc);
    const entries = new Set(enterCalls ? this.#entries : []);
    return this.#runTo(thread, [...targets, ...entries], stops, (now, pc) => {
      if (now.cfa > frame.cfa) return true;
      if (now.cfa < frame.cfa) return entries.has(pc);
      return !(now.location?.line === here.location.line && now.location.file === here.location.file);
    });
  }

  /** Forward until it is the turn of `thread` and it stands at a target for which `done` holds, or one of `stops`. */
  async #runTo(
    thread: Thread,
    targets: readonly bigint[],
    stops: Stops,
    done: (frame: Frame, pc: bigint) => boolean,
  ): Promise<Rest> {
    const breakpoints = new Set([...stops.breakpoints, ...targets]);
    const wanted = new Set(targets);
    for (;;) {
      const rest = await this.debuggee.session.forward({ ...stops, breakpoints });
      if (rest.why !== 'breakpoint') return rest;
      if (stops.breakpoints.has(rest.address)) return rest;
      const { pc, hart } = thread.replica.computer;
      if (hart !== thread.hart) continue;
      const [frame] = this.debuggee.frames(thread, 1);
      if (frame && wanted.has(pc) && done(frame, pc)) return { why: 'step' };
    }
  }

  /**
   * Back to the beginning of the line that ran before, in this function or its
   * caller; over the calls in between. In the middle of a line: to its beginning.
   */
  async back(thread: Thread, signal?: AbortSignal): Promise<Rest> {
    const { session } = this.debuggee;
    const now = session.moment;
    const search = new LineSearch(this.debuggee.symbols, thread);
    for (let end = session.moment, look = firstLook; end > 0; ) {
      const from = Math.max(0, end - look);
      const trail = await session.trail(thread.replica.name, from, end, signal);
      if (signal?.aborted) {
        await session.travel(now);
        return { why: 'interrupted' };
      }
      const found = search.through(trail, from);
      if (found !== undefined) return this.#land(found);
      const call = search.insideCall ? await this.#callBefore(thread, from, search, signal) : undefined;
      end = call === undefined ? from : call + 1;
      // Trails that lead nowhere get longer, so that a long way back is made in few of them.
      look = call === undefined ? Math.min(look * 4, longestLook) : firstLook;
    }
    return this.#land(search.start ?? 0);
  }

  async #land(moment: number): Promise<Rest> {
    const rest = await this.debuggee.session.travel(moment);
    return rest.why === 'moment' ? { why: 'step' } : rest;
  }

  /**
   * The moment before `from` at which the call was made that the search is
   * inside of: full speed instead of a trail through all that was called.
   * Undefined where it was no call (a trap handler), or is not to be found.
   */
  async #callBefore(
    { replica, hart }: Thread,
    from: number,
    search: LineSearch,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const { session } = this.debuggee;
    const { computer } = replica;
    const now = session.moment;
    const sites = new Set([search.pc - 4n, search.pc - 2n]);
    let call: number | undefined;
    await session.travel(from);
    for (;;) {
      const rest = await session.backward({ stopAt: new Set(), breakpoints: sites, ...(signal ? { signal } : {}) });
      if (rest.why !== 'breakpoint') break;
      if (computer.hart !== hart || !sites.has(computer.pc) || computer.getX(2) < search.frame) continue;
      const moment = session.moment;
      await session.travel(moment + 1);
      // A call leaves the address after it in ra.
      if (computer.getX(1, hart) === search.pc && computer.getPc(hart) !== search.pc) call = moment;
      break;
    }
    await session.travel(now);
    return call;
  }
}

/**
 * Looks for the beginning of the previous line, from the newest moment to older
 * ones. What a callee did is passed over: its stack pointer is lower, or it came
 * back from another function (a leaf may have no stack frame at all).
 */
class LineSearch {
  /** Stack pointer of the frame that the search is in. */
  frame: bigint;
  /** The pc of the oldest moment looked at that is not a callee's. */
  pc: bigint;
  /** True if the oldest moment looked at is a callee's. */
  insideCall = false;
  /** The oldest moment that belongs to the line found. */
  start: number | undefined;
  readonly #hart: number;
  #line: string | undefined;
  #function: ElfSymbol | undefined;

  constructor(
    private readonly symbols: Symbols,
    { replica: { computer }, hart }: Thread,
  ) {
    this.#hart = hart;
    this.frame = computer.getX(2, hart);
    this.pc = computer.getPc(hart);
    this.#function = symbols.at(this.pc);
  }

  /** Goes through a trail whose first moment is `first`. The moment at which the line began, once that is known. */
  through(trail: readonly TrailPoint[], first: number): number | undefined {
    for (let i = trail.length - 1; i >= 0; i--) {
      const at = trail[i];
      // What other harts did in the meantime is passed over, too.
      if (at?.hart !== this.#hart) continue;
      const here = this.symbols.at(at.pc);
      // Whoever stands before a function's first instruction has called it; anybody else has returned to it.
      const called = this.pc === this.#function?.address;
      this.insideCall = at.sp < this.frame || (here !== this.#function && (this.insideCall || !called));
      if (this.insideCall) continue;
      this.pc = at.pc;
      this.#function = here;
      const location = this.symbols.lineAt(at.pc)?.location;
      if (!location) continue;
      const line = `${location.file}:${location.line}:${here?.name}`;
      if (this.#line === undefined) {
        this.#line = line;
        this.frame = at.sp;
      } else if (line !== this.#line) {
        return this.start;
      }
      this.start = first + i;
    }
    return undefined;
  }
}

/** Where the other lines of the function around `pc` begin. */
function lineStarts(symbols: Symbols, pc: bigint, line: number): bigint[] {
  const symbol = symbols.at(pc);
  if (!symbol) return [];
  const starts: bigint[] = [];
  const end = symbol.address + BigInt(symbol.size);
  for (let address = symbol.address; address < end; ) {
    const range = symbols.lineAt(address);
    if (!range || range.end <= address) break;
    if (range.location.line !== line && range.isStatement) starts.push(range.start);
    address = range.end;
  }
  return starts;
}
