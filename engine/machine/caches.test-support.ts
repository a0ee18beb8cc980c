import type { CacheRoom } from './caches';
import type { Hierarchy, Hop, LineUpset, MessageUpset } from './cache-types';
import type { Machine } from './machine';
import type { RunOptions, StopReason } from './types';

/** Caches so small that everything in them is soon gone. Core at node 0, banks at nodes 0 and 1, controllers at nodes 0 and 2. */
export const tinyHierarchy: Hierarchy = {
  l1i: { sets: 1, ways: 2 },
  l1d: { sets: 1, ways: 4 },
  l2: { sets: 3, ways: 2 },
  banks: [{ cycles: 10, route: [] }, { cycles: 12, route: [{ from: 0, to: 1 }] }],
  routes: [
    [{ cycles: 100, route: [] }, { cycles: 104, route: [{ from: 0, to: 1 }, { from: 1, to: 2 }] }],
    [{ cycles: 102, route: [{ from: 1, to: 0 }] }, { cycles: 103, route: [{ from: 1, to: 2 }] }],
  ],
};

export const tinyRoom: CacheRoom = { l1i: tinyHierarchy.l1i, l1d: tinyHierarchy.l1d, l2Lines: 64, banks: 4, controllers: 2 };

interface Copy {
  line: number;
  /** Of its first eight bytes; the others are as they were. */
  value: bigint;
  dirty: boolean;
}

/** A cache whose sets are lists, the newest first. */
class Cache {
  readonly sets = new Map<number, Copy[]>();
  constructor(
    private readonly index: (line: number) => number,
    readonly ways: number,
  ) {}

  set(line: number): Copy[] {
    const key = this.index(line);
    let set = this.sets.get(key);
    if (!set) this.sets.set(key, (set = []));
    return set;
  }
  find(line: number): Copy | undefined {
    return this.set(line).find((copy) => copy.line === line);
  }
  use(copy: Copy): void {
    const set = this.set(copy.line);
    set.splice(set.indexOf(copy), 1);
    set.unshift(copy);
  }
  remove(line: number): Copy | undefined {
    const set = this.set(line);
    const at = set.findIndex((copy) => copy.line === line);
    return at < 0 ? undefined : set.splice(at, 1)[0];
  }
}

const absolute = (line: number): number => 0x8000_0000 / 64 + line;

/** Waits for a message that never comes. */
export class Hung extends Error {}

/** The same caches with a copy of each line in each of them, as hardware has it: what core/assembly/caches.ts is held against. */
export class CacheOracle {
  readonly memory = new Map<number, bigint>();
  cycles = 0;
  counts = { l1d: { accesses: 0, misses: 0, writeBacks: 0 }, l2: { accesses: 0, misses: 0, writeBacks: 0 } };
  readonly #l1d: Cache;
  readonly #l1i: Cache;
  readonly #l2: Cache;
  messages: MessageUpset[] = [];
  lines: LineUpset[] = [];

  constructor(private readonly hierarchy: Hierarchy) {
    const { l1i, l1d, l2, banks } = hierarchy;
    this.#l1i = new Cache((line) => line % l1i.sets, l1i.ways);
    this.#l1d = new Cache((line) => line % l1d.sets, l1d.ways);
    this.#l2 = new Cache((line) => (absolute(line) % banks.length) * 1000 + (Math.floor(absolute(line) / banks.length) % l2.sets), l2.ways);
  }

  #bank(line: number): { cycles: number; route: readonly Hop[] } {
    return this.hierarchy.banks[absolute(line) % this.hierarchy.banks.length] ?? { cycles: 0, route: [] };
  }
  #route(line: number): { cycles: number; route: readonly Hop[] } {
    const routes = this.hierarchy.routes[absolute(line) % this.hierarchy.banks.length] ?? [];
    return routes[Math.floor(absolute(line) / 64) % routes.length] ?? { cycles: 0, route: [] };
  }

  /** What becomes of a message: undefined if it is lost. `value`: of its line, if it has one. */
  #send(route: readonly Hop[], back: boolean, value?: bigint): bigint | undefined {
    const hops = back ? route.map(({ from, to }) => ({ from: to, to: from })) : route;
    const at = this.messages.findIndex(({ how, from, to }) => hops.some((hop) => hop.from === from && hop.to === to) && !(how === 'corrupt' && value === undefined));
    const fault = this.messages[at];
    if (!fault) return value ?? 0n;
    // The others keep their order.
    this.messages = this.messages.filter((each) => each !== fault);
    if (fault.how === 'drop') return undefined;
    return fault.how === 'corrupt' && fault.bit < 64 ? (value ?? 0n) ^ (1n << BigInt(fault.bit)) : (value ?? 0n);
  }

  #strike(cache: LineUpset['cache'], copy: Copy): void {
    for (const fault of this.lines.filter((each) => each.cache === cache && Number(each.line) === copy.line)) copy.value = struck(copy.value, fault);
    this.lines = this.lines.filter((each) => each.cache !== cache || Number(each.line) !== copy.line);
  }

  strikeNow(fault: LineUpset): boolean {
    const copy = { l1i: this.#l1i, l1d: this.#l1d, l2: this.#l2 }[fault.cache].find(Number(fault.line));
    if (copy) copy.value = struck(copy.value, fault);
    return copy !== undefined;
  }

  #evictL1(copy: Copy): void {
    if (!copy.dirty) return;
    this.counts.l1d.writeBacks++;
    const value = this.#send(this.#bank(copy.line).route, false, copy.value);
    const home = this.#l2.find(copy.line);
    if (value === undefined || !home) return;
    home.value = value;
    home.dirty = true;
  }

  #reach(line: number): Copy {
    const { cycles, route } = this.#bank(line);
    this.counts.l2.accesses++;
    this.cycles += cycles;
    if (this.#send(route, false) === undefined) throw new Hung();
    const known = this.#l2.find(line);
    if (known) {
      this.#l2.use(known);
      return known;
    }
    const far = this.#route(line);
    this.counts.l2.misses++;
    this.cycles += far.cycles;
    if (this.#send(far.route, false) === undefined) throw new Hung();
    const filled = this.#send(far.route, true, this.memory.get(line) ?? 0n);
    if (filled === undefined) throw new Hung();
    const set = this.#l2.set(line);
    if (set.length === this.#l2.ways) {
      const last = set.at(-1)?.line ?? 0;
      const inner = this.#l1d.remove(last);
      if (inner) this.#evictL1(inner);
      this.#l1i.remove(last);
      const victim = this.#l2.remove(last);
      if (victim?.dirty) {
        this.counts.l2.writeBacks++;
        const value = this.#send(this.#route(last).route, false, victim.value);
        if (value !== undefined) this.memory.set(last, value);
      }
    }
    const copy = { line, value: filled, dirty: false };
    set.unshift(copy);
    this.#strike('l2', copy);
    return copy;
  }

  fetch(line: number): void {
    const home = this.#reach(line);
    this.#l1i.set(line).unshift({ line, value: home.value, dirty: false });
  }

  access(line: number, value?: bigint): bigint {
    this.counts.l1d.accesses++;
    let copy = this.#l1d.find(line);
    if (copy) this.#l1d.use(copy);
    else {
      this.counts.l1d.misses++;
      const home = this.#reach(line);
      const filled = this.#send(this.#bank(line).route, true, home.value);
      if (filled === undefined) throw new Hung();
      const set = this.#l1d.set(line);
      if (set.length === this.#l1d.ways) {
        const victim = this.#l1d.remove(set.at(-1)?.line ?? 0);
        if (victim) this.#evictL1(victim);
      }
      copy = { line, value: filled, dirty: false };
      set.unshift(copy);
      this.#strike('l1d', copy);
    }
    if (value !== undefined) Object.assign(copy, { value, dirty: true });
    return copy.value;
  }

  /** By a device: all copies have it. */
  write(line: number, value: bigint): void {
    this.memory.set(line, value);
    for (const cache of [this.#l1d, this.#l2]) {
      const copy = cache.find(line);
      if (copy) copy.value = value;
    }
  }

  /** What a load would see. */
  seen(line: number): bigint {
    return (this.#l1d.find(line) ?? this.#l2.find(line))?.value ?? this.memory.get(line) ?? 0n;
  }
}

function struck(value: bigint, { byte, keep, flip }: LineUpset): bigint {
  if (byte >= 8) return value;
  const shift = BigInt(8 * byte);
  const old = Number((value >> shift) & 0xffn);
  return (value & ~(0xffn << shift)) | (BigInt((old & keep) ^ flip) << shift);
}

/** A machine whose caches have faults that wait, run on over each that meets something. */
export class StruckMachine {
  /** What has met what, and where. */
  readonly met: unknown[] = [];
  #lines: readonly LineUpset[] = [];
  #messages: readonly MessageUpset[] = [];

  constructor(readonly machine: Machine) {}

  arm(lines: readonly LineUpset[], messages: readonly MessageUpset[]): void {
    this.#lines = lines;
    this.#messages = messages;
    this.machine.caches?.setLines(lines);
    this.machine.caches?.setMessages(messages);
  }

  run(limit: number, options?: RunOptions): StopReason {
    for (;;) {
      const stop = this.machine.run(limit, options);
      const events = this.machine.caches?.take() ?? [];
      if (events.length > 0) {
        this.met.push({ retired: this.machine.retired, pc: this.machine.pc, events: events.map(({ upset: _, ...event }) => event) });
        const isOver = (kind: 'line' | 'message', place: number): boolean => events.some((event) => event.kind === kind && event.upset === place);
        this.arm(this.#lines.filter((__, i) => !isOver('line', i)), this.#messages.filter((__, i) => !isOver('message', i)));
      }
      if (stop !== 'upset') return stop;
    }
  }

  /** Does something, and goes back to where it was before. */
  andBack(action: () => void): void {
    const { machine } = this;
    const { cycles, interrupts } = machine;
    const [state, caches, lines, messages, met] = [machine.snapshot(), machine.caches?.save(), this.#lines, this.#messages, this.met.length] as const;
    action();
    machine.restore(state);
    if (caches) machine.caches?.load(caches);
    Object.assign(machine, { cycles, interrupts });
    this.arm(lines, messages);
    this.met.length = met;
  }
}
