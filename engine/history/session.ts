import type { CostReport, MemoryReport } from '../covert/report';
import type { CrewOptions } from '../covert/crew';
import type { EventKind, SystemEvent } from '../covert/events';
import { plansOfAll, seenBy } from '../covert/beside';
import { InputLog } from '../covert/input-log';
import type { DiskOutside } from '../covert/disk-outside';
import type { Outside } from '../covert/outside';
import type { Mark } from '../covert/recording';
import type { Plan, ProtectionKind, ReplicaName } from '../covert/plan';
import { ReleaseLog, type ReleasedData } from '../covert/release-log';
import { Stride } from '../covert/stride';
import type { AdvanceStop } from '../covert/advance';
import { System, type SystemState } from '../covert/system';
import { defaultTier, type Tier } from '../machine/tier';
import type { PlaceDifference } from '../machine/types';
import { Bystander, type GuestLogs } from './bystander';
import { DivergenceTracker } from './divergence-tracker';
import { memoryOf } from './memory-report';
import { StateShelf } from './state-shelf';
import type { Navigation, ReplaySession, ReplicaView, Rest, TrailPoint } from './types';

/** Host milliseconds between two looks at the abort signal and the event loop. */
const breath = 40;
/** Moments that `trail` will record at most. */
const longestTrail = 1_000_000;
/** Instructions between two turns of an outside that has sockets. */
const pacedStride = 1_000_000;
/** Instructions that are run at most between two looks at a guest whose neighbours have not ended, for its states. */
const firstStride = 131_072;
/** Moments between two marks. */
const markEvery = 20_000_000;

export interface SessionOptions extends CrewOptions {
  /** Keep states of the past; without them it goes forward only, to the end, and finds no divergences. Default true. */
  keepsHistory?: boolean;
  /** Look for the instructions that divergence events come from. Default true. */
  findDivergences?: boolean;
  /** What executes the guest. Default {@link defaultTier}. */
  tier?: Tier;
  /** What the guest's network card is plugged into. It has this session alone. */
  outside?: Outside;
  /** Where writes to the guest's writable disks go. Likewise. */
  disks?: DiskOutside;
  /** What the guest is handed is written to this log, or comes from it if it is one of a run that is over. */
  inputs?: InputLog;
  /** The same of each of the plan's neighbours. */
  beside?: readonly Pick<SessionOptions, 'outside' | 'inputs'>[];
  /** Called with the hash of the first live replica's state at every so many moments, the first time that the run gets there. */
  onMark?: (mark: Mark) => void;
}

interface Hit {
  moment: number;
  replica: ReplicaName;
  address: bigint;
}

/**
 * A replicated guest with its whole history: goes forwards, backwards, and to
 * any moment. The past is the states on the shelf and replay between them,
 * which is exact because a {@link System} is deterministic however it is sliced.
 */
export class Session implements ReplaySession {
  readonly #system: System;
  readonly #shelf = new StateShelf();
  readonly #tracker: DivergenceTracker | undefined;
  #events: SystemEvent[] = [];
  #furthest = 0;
  #lastBreath = 0;

  readonly #outside: Outside | undefined;
  readonly #keepsHistory: boolean;
  readonly #onMark: ((mark: Mark) => void) | undefined;
  readonly #bystanders: readonly Bystander[];

  private constructor(
    readonly plan: Plan,
    { keepsHistory = true, findDivergences = true, tier = defaultTier, outside, disks, inputs = new InputLog(), beside = [], onMark, ...crew }: SessionOptions,
  ) {
    this.#outside = outside;
    this.#keepsHistory = keepsHistory;
    this.#onMark = onMark;
    const log = new ReleaseLog();
    const own: GuestLogs = { log, inputs, ...(outside && { outside }) };
    const { seat = 0, neighbours = [] } = plan;
    const theirs = neighbours.map((_, i): GuestLogs => ({ log: new ReleaseLog(), inputs: new InputLog(), ...beside[i] }));
    this.#system = new System(plan, { ...own, beside: theirs, tier, ...(disks && { disks }), ...crew });
    const all = plansOfAll(plan).map((each, i) => ({ plan: each, logs: theirs.toSpliced(seat, 0, own), seat: i }));
    this.#bystanders = all.toSpliced(seat, 1).map((each, i) => {
      const system = this.#system.neighbours[i];
      const logs = theirs[i];
      if (!system || !logs) throw new Error('a neighbour that is not there');
      const followed = findDivergences && keepsHistory ? { ...logs, tier, beside: each.logs.toSpliced(each.seat, 1) } : undefined;
      return new Bystander(each.plan, system, logs.outside, followed);
    });
    if (keepsHistory) this.#shelf.put(this.#system.save());
    this.#keepBystanders();
    if (findDivergences && keepsHistory) {
      const before = (moment: number, strictly: boolean): SystemState | undefined => this.#shelf.before(moment, strictly);
      this.#tracker = new DivergenceTracker(plan, before, { ...own, beside: theirs, tier });
    }
    this.#takeIn(this.#system.takeEvents());
    for (const bystander of this.#bystanders) bystander.takeIn();
  }

  static create(plan: Plan, options: SessionOptions = {}): Session {
    return new Session(plan, options);
  }

  /** Gives back the threads, if it has any; it still can be used. */
  close(): void {
    this.#system.close();
  }

  get replicas(): readonly ReplicaView[] {
    return this.#system.replicas;
  }
  get moment(): number {
    return this.#system.moment;
  }
  /** Retired instructions of the live replicas now. */
  get count(): number {
    return this.#system.count;
  }
  get events(): readonly SystemEvent[] {
    return this.#events;
  }
  get released(): Uint8Array {
    return this.#system.released;
  }
  releasedData(kind: 'disk' | 'net'): ReleasedData {
    return this.#system.releasedData(kind);
  }
  /** SHA-256 of the whole state of the first live replica now. */
  stateHash(): string {
    return this.#system.live[0]?.computer.snapshot().hash() ?? '';
  }
  /** What protects the guest now, and what is to. */
  get protection(): { now: ProtectionKind; wanted: ProtectionKind } {
    return { now: this.#system.protectionNow, wanted: this.#system.protectionWanted };
  }
  get ended(): SystemEvent | undefined {
    return this.#system.ended;
  }
  /** The other guests on the chip, as they are when it is this one's turn; they run on when it has ended, with `finish`. */
  get bystanders(): readonly Bystander[] {
    return this.#bystanders;
  }

  /** When this guest has ended: runs the others to their ends. False where `signal` was aborted. */
  async finish(signal?: AbortSignal, onProgress?: (instructions: number) => void): Promise<boolean> {
    for (const bystander of this.#bystanders) {
      const stride = new Stride();
      while (!bystander.ended) {
        if (signal?.aborted) return false;
        const { outside } = bystander;
        const stop = bystander.advance(Math.min(stride.length, firstStride), outside?.pace !== undefined);
        stride.look(0);
        await outside?.pace?.(stop.why === 'asleep');
        this.#keepBystanders();
        for (const each of this.#bystanders) each.takeIn();
        await this.#breathe(onProgress && ((): void => onProgress(bystander.count)));
      }
    }
    return true;
  }

  /** Keeps a state for those that want one of where they stand. */
  #keepBystanders(): void {
    if (!this.#bystanders.some(({ wantsState }) => wantsState)) return;
    const { seat = 0 } = this.plan;
    const state = this.#system.save();
    this.#bystanders.forEach((bystander, i) => {
      if (bystander.wantsState) bystander.keep(seenBy(state, seat, i < seat ? i : i + 1));
    });
  }

  /** Core cycles up to now, and what the VMM's share of them was spent on. */
  get cycles(): number {
    return this.#system.cycles;
  }
  costs(): CostReport[] {
    return this.#system.costs();
  }
  hitsOf(fault: number): number | undefined {
    return this.#system.hitsOf(fault);
  }
  /** What the caches of each live replica's core have come to, under `detailed` timing. */
  memory(): MemoryReport[] {
    return memoryOf(this.#system);
  }
  hasFired(fault: number): boolean {
    return this.#system.hasFired(fault);
  }

  async forward(navigation: Navigation): Promise<Rest> {
    const { signal, onProgress } = navigation;
    const stride = new Stride();
    for (let resume = true; ; resume = false) {
      // Read anew in every slice: they may change while the guest runs.
      const { stopAt, breakpoints } = navigation;
      const armed = breakpoints.size > 0 ? breakpoints : undefined;
      if (signal?.aborted) return { why: 'interrupted' };
      if (this.#system.ended) return { why: 'end', event: this.#system.ended };
      const from = this.moment;
      // What has been before goes on without anybody outside.
      const paced = from >= this.#furthest ? [this.#outside, ...this.#bystanders.map(({ outside }) => outside)].filter((each) => each !== undefined && 'pace' in each) : [];
      const length = paced.length > 0 ? Math.min(stride.length, pacedStride) : stride.length;
      const boundary = Math.min(this.#keepsHistory ? this.#shelf.nextBoundary(from) : Infinity, this.#onMark ? (Math.floor(from / markEvery) + 1) * markEvery : Infinity);
      const stop = this.#advance(Math.min(boundary, from + length), armed, resume, paced.includes(this.#outside));
      stride.look(this.#system.live[0]?.computer.reboots ?? 0);
      const hit = hitOf(stop);
      const event = this.#events.find(
        ({ moment, kind }) => moment > from && moment <= (hit?.moment ?? this.moment) && stopAt.has(kind),
      );
      if (event) {
        this.#goto(event.moment);
        return { why: 'event', event };
      }
      if (hit) return { why: 'breakpoint', replica: hit.replica, address: hit.address };
      // One that is beside it sleeps no longer than it takes.
      for (const each of paced) await each?.pace?.(each === this.#outside && stop.why === 'asleep');
      await this.#breathe(onProgress);
    }
  }

  async backward(navigation: Navigation): Promise<Rest> {
    const { stopAt, breakpoints, signal, onProgress } = navigation;
    const now = this.moment;
    const event = this.#events.findLast(({ moment, kind }) => moment < now && stopAt.has(kind));
    const floor = event?.moment ?? 0;
    for (let end = now - 1; breakpoints.size > 0 && end > floor; ) {
      if (signal?.aborted) {
        this.#goto(now);
        return { why: 'interrupted' };
      }
      const start = Math.max(floor, this.#shelf.before(end, true)?.moment ?? 0);
      const hit = this.#lastHit(start, end, breakpoints);
      if (hit) {
        this.#standAt(hit, start, end, breakpoints);
        return { why: 'breakpoint', replica: hit.replica, address: hit.address };
      }
      end = start;
      await this.#breathe(onProgress);
    }
    this.#goto(floor);
    return event ? { why: 'event', event } : { why: 'start' };
  }

  async travel(moment: number): Promise<Rest> {
    const goal = Math.max(0, Math.floor(moment));
    this.#approach(goal);
    while (this.moment < goal && !this.#system.ended) {
      this.#advance(Math.min(goal, this.#shelf.nextBoundary(this.moment)), undefined);
      await this.#breathe(undefined);
    }
    const { ended } = this.#system;
    if (ended && this.moment <= goal) return { why: 'end', event: ended };
    return this.moment === 0 ? { why: 'start' } : { why: 'moment' };
  }

  async step(count: number): Promise<Rest> {
    const rest = await this.travel(this.moment + count);
    return rest.why === 'end' ? rest : { why: 'step' };
  }

  get compared(): readonly [ReplicaView, ReplicaView] | undefined {
    const [first, ...others] = this.#system.live;
    if (!first || !others[0]) return undefined;
    const snapshot = first.computer.snapshot();
    return [first, others.find(({ computer }) => !computer.snapshot(snapshot).equals(snapshot)) ?? others[0]];
  }

  difference(limit = 64): PlaceDifference[] {
    const [first, second] = this.compared ?? [];
    if (!first || !second) return [];
    const snapshot = first.computer.snapshot();
    return snapshot.difference(second.computer.snapshot(snapshot), limit);
  }

  async trail(
    replica: ReplicaName,
    from: number,
    to: number,
    signal?: AbortSignal,
  ): Promise<TrailPoint[]> {
    const trail: TrailPoint[] = [];
    const now = this.moment;
    const end = Math.min(to, from + longestTrail);
    this.#goto(from);
    const view = this.#system.replicas.find(({ name }) => name === replica);
    while (view && this.moment < end && !signal?.aborted) {
      const { hart, pc } = view.computer;
      trail.push({ hart, pc, sp: view.computer.getX(2) });
      if (this.#system.ended) break;
      this.#advance(this.moment + 1, undefined);
      if (trail.length % 1024 === 0) await this.#breathe(undefined);
    }
    this.#goto(now);
    return trail;
  }

  /** The last breakpoint hit in (start, end]; leaves the system somewhere near. */
  #lastHit(start: number, end: number, breakpoints: ReadonlySet<bigint>): Hit | undefined {
    let last: Hit | undefined;
    this.#goto(start);
    for (;;) {
      const hit = this.#nextHit(end, breakpoints);
      if (!hit) return last;
      last = hit;
    }
  }

  /** Rests at a hit as `forward` would: inside a trap, where that is what led to the breakpoint. */
  #standAt(hit: Hit, start: number, end: number, breakpoints: ReadonlySet<bigint>): void {
    this.#goto(start);
    while (this.#nextHit(end, breakpoints)?.moment !== hit.moment) {
      if (this.moment > end) return this.#goto(hit.moment);
    }
  }

  /** On to the next hit at or before `end`. A count is a hit only when it is left, so the run goes one further. */
  #nextHit(end: number, breakpoints: ReadonlySet<bigint>): Hit | undefined {
    if (this.moment > end || this.#system.ended) return undefined;
    const hit = hitOf(this.#advance(end + 1, breakpoints, true));
    return hit && hit.moment <= end ? hit : undefined;
  }

  /** Stands at `moment`, which has been reached before. */
  #goto(moment: number): void {
    this.#approach(moment);
    while (this.moment < moment && !this.#system.ended) this.#advance(moment, undefined);
  }

  /** Loads the newest state at or before `moment`, unless the way from here is shorter. */
  #approach(moment: number): void {
    if (this.moment === moment) return;
    const state = this.#shelf.before(moment, false);
    if (state && (this.moment > moment || state.moment > this.moment)) this.#system.load(state);
  }

  /** The one place that lets the system run: records what happens on new ground. */
  #advance(target: number, breakpoints: ReadonlySet<bigint> | undefined, resume = false, stopAsleep = false): AdvanceStop {
    const stop = this.#system.advance(target, { stopAsleep, ...(breakpoints && { breakpoints, resume }) });
    if (stop.why === 'overrun') {
      const state = this.#shelf.before(this.moment, false);
      if (state) this.#system.load(state);
      this.#advance(stop.moment, undefined);
      return { ...stop, why: 'breakpoint' };
    }
    const events = this.#system.takeEvents();
    // At a breakpoint a replica may rest inside a trap: no state to come back to by its moment.
    if (this.#keepsHistory && stop.why !== 'breakpoint' && this.#shelf.wants(this.moment)) this.#shelf.put(this.#system.save());
    this.#takeIn(events);
    if (stop.why !== 'breakpoint') this.#keepBystanders();
    for (const bystander of this.#bystanders) bystander.takeIn();
    return stop;
  }

  #takeIn(events: readonly SystemEvent[]): void {
    const reached = this.moment;
    if (reached > this.#furthest && reached % markEvery === 0) this.#onMark?.({ moment: reached, sha256: this.stateHash() });
    const first = this.#furthest === 0 && reached === 0;
    const news = events.filter((event) => first || event.moment > this.#furthest || this.#isLate(event));
    if (reached < this.#furthest) return;
    const divergences = this.#tracker?.follow(news, reached) ?? [];
    this.#furthest = reached;
    if (news.length + divergences.length === 0) return;
    for (const event of news) this.#events.push(event);
    for (const event of divergences) this.#events.push(event);
    if (divergences.length > 0) this.#events.sort((a, b) => a.moment - b.moment);
  }

  /**
   * A fault at a trap handler's first instruction strikes when its count is left,
   * not when it is reached: the only event that may come at a moment already recorded.
   */
  #isLate(event: SystemEvent): boolean {
    if (event.kind !== 'fault' || event.moment !== this.#furthest) return false;
    return !this.#events.some((known) => known.kind === 'fault' && known.fault === event.fault && known.moment === event.moment);
  }

  /** Lets the host's event loop run a few times a second. */
  async #breathe(onProgress: ((moment: number) => void) | undefined): Promise<void> {
    const now = performance.now();
    if (now - this.#lastBreath < breath) return;
    this.#lastBreath = now;
    onProgress?.(this.moment);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

function hitOf(stop: AdvanceStop): Hit | undefined {
  return 'address' in stop ? { moment: stop.moment, replica: stop.replica, address: stop.address } : undefined;
}

/** Every kind of event, for a caller that wants to stop at all of them. */
export const allEventKinds: ReadonlySet<EventKind> = new Set([
  'fault',
  'divergence',
  'detection',
  'recovery',
  'degradation',
  'retirement',
  'clone',
  'diagnosis',
  'switch',
  'checkpoint',
  'release',
  'end',
]);
