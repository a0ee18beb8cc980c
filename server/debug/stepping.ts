import type { Navigation, ReplicaView, Rest } from '../../engine/history/types';
import type { Frame, Symbols } from '../../engine/symbols/types';
import type { Debuggee } from './debuggee';

/** What stops a step besides its own end: the user's breakpoints and exception filters. */
export type Stops = Pick<Navigation, 'stopAt' | 'breakpoints' | 'signal'>;

/** Moments looked back over at first; four times as many at each further try. */
const firstLook = 4096;

/**
 * Source-line stepping for all replicas together, judged by the one that is in
 * focus. Forward steps plant temporary breakpoints at the beginnings of the
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
  over(replica: ReplicaView, stops: Stops): Promise<Rest> {
    return this.#byLine(replica, stops, false);
  }

  /** To the next line that runs, in this function or one it calls. */
  into(replica: ReplicaView, stops: Stops): Promise<Rest> {
    return this.#byLine(replica, stops, true);
  }

  /** To the caller, just after the call. */
  async out(replica: ReplicaView, stops: Stops): Promise<Rest> {
    const [frame, ...others] = this.debuggee.frames(replica, 32);
    const caller = others.find(({ inlined, cfa }) => !inlined && cfa !== frame?.cfa);
    if (!frame || !caller) return this.#instruction(replica, stops);
    return this.#runTo(replica, [caller.pc], stops, (now) => now.cfa > frame.cfa);
  }

  /** One instruction. */
  async #instruction(_replica: ReplicaView, stops: Stops): Promise<Rest> {
    return this.forwardBy(1, stops);
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

  async #byLine(replica: ReplicaView, stops: Stops, enterCalls: boolean): Promise<Rest> {
    const { symbols } = this.debuggee;
    const frames = this.debuggee.frames(replica, 32);
    const [frame] = frames;
    const here = symbols.lineAt(replica.computer.pc);
    // Without a source line there is no line to step by.
    if (!frame || !here) return this.#instruction(replica, stops);
    const caller = frames.find(({ inlined, cfa }) => !inlined && cfa !== frame.cfa);
    const targets = lineStarts(symbols, replica.computer.pc, here.location.line);
    if (caller) targets.push(caller.pc);
    const entries = new Set(enterCalls ? this.#entries : []);
    return this.#runTo(replica, [...targets, ...entries], stops, (now, pc) => {
      if (now.cfa > frame.cfa) return true;
      if (now.cfa < frame.cfa) return entries.has(pc);
      return !(now.location?.line === here.location.line && now.location.file === here.location.file);
    });
  }

  /** Forward until `replica` stands at a target for which `done` holds, or one of `stops`. */
  async #runTo(
    replica: ReplicaView,
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
      const { pc } = replica.computer;
      const [frame] = this.debuggee.frames(replica, 1);
      if (frame && wanted.has(pc) && done(frame, pc)) return { why: 'step' };
    }
  }

  /**
   * Back to the beginning of the line that ran before, in this function or its
   * caller; over the calls in between. In the middle of a line: to its beginning.
   */
  async back(replica: ReplicaView): Promise<Rest> {
    const { session } = this.debuggee;
    const now = session.moment;
    if (now === 0) return { why: 'start' };
    for (let look = firstLook; ; look *= 4) {
      const from = Math.max(0, now - look);
      const trail = await session.trail(replica.name, from, now);
      const start = this.#previousLine(trail, replica.computer.getX(2));
      // Index 0 may be the middle of a line that began before the trail does.
      if (start !== undefined && (start > 0 || from === 0)) return this.#land(from + start);
      if (from === 0) return this.#land(0);
    }
  }

  async #land(moment: number): Promise<Rest> {
    const rest = await this.debuggee.session.travel(moment);
    return rest.why === 'moment' ? { why: 'step' } : rest;
  }

  /** Index in the trail at which the previous line began; undefined where it reaches further back. */
  #previousLine(trail: readonly { pc: bigint; sp: bigint }[], sp: bigint): number | undefined {
    const { symbols } = this.debuggee;
    let frame = sp;
    let line: string | undefined;
    let start: number | undefined;
    for (let i = trail.length - 1; i >= 0; i--) {
      const at = trail[i];
      // A lower stack pointer is a callee's: the stack grows down.
      if (!at || at.sp < frame) continue;
      const location = symbols.lineAt(at.pc)?.location;
      const key = location ? `${location.file}:${location.line}:${symbols.at(at.pc)?.name}` : undefined;
      if (key === undefined) continue;
      if (line === undefined) {
        line = key;
        frame = at.sp;
      } else if (key !== line) {
        return start;
      }
      start = i;
    }
    return start === 0 ? 0 : undefined;
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
