import type { Chip } from '../chip/chip';
import type { Placement } from '../chip/domains';
import type { HealthState } from '../chip/health';
import { costsWith, type CostTable } from '../chip/cost-table';
import { defaultTier, type Tier } from '../machine/tier';
import { Accounting, type AccountingState } from './accounting';
import type { AdvanceOptions, AdvanceStop } from './advance';
import { plansOfAll } from './beside';
import { Board } from './board';
import { Checkpoints, takeCheckpoint } from './checkpoints';
import { Comparer } from './comparer';
import { Course, type CourseState } from './course';
import { Crew, type CrewOptions } from './crew';
import { Delivery } from './delivery';
import { EpochRun } from './epoch-run';
import type { Ending, SystemEvent } from './events';
import { FaultInjector, type InjectorState } from './fault-injector';
import { createMachine, nameOf } from './guest';
import { Inlet } from './inlet';
import { InputFeed, type FeedState } from './input-feed';
import { InputLog } from './input-log';
import type { Instant } from './lifetimes';
import { count } from './numbers';
import { OutputGate } from './output-gate';
import type { DiskOutside } from './disk-outside';
import type { Outside } from './outside';
import type { Plan, ProtectionKind } from './plan';
import { Recovery, type RecoveryState } from './recovery';
import { ReleaseLog, type ReleasedData } from './release-log';
import { inspectArrival, type Detection } from './rendezvous';
import type { Replica } from './replica';
import { ReplicaRunner } from './replica-runner';
import type { CostReport } from './report';
import { claimOf, type Occupant, type Share, type ShareState } from './share';
import { sleptCycles } from './slept';
import { replicaCount, Switching } from './switching';
import { Team, type TeamState } from './team';
import { outvoted } from './vote';

export interface SystemOptions extends CrewOptions {
  /** Default: the chip's. */
  costs?: CostTable;
  /** Logs that several systems share which replay one run. */
  log?: ReleaseLog;
  inputs?: InputLog;
  /** What the guest's network card is plugged into; without it only what is in `inputs` comes from there. */
  outside?: Outside;
  /** Where writes to writable disks go; without it nowhere, and flushes succeed unless `inputs` says otherwise. */
  disks?: DiskOutside;
  /**
   * Keep only what a rollback needs, so that a run of any length takes a bounded
   * amount of memory. Then no state from before the newest checkpoint can be
   * loaded, and `released` has only what is kept. Default false.
   */
  forgetful?: boolean;
  /** What executes the replicas; their states do not depend on it. Default {@link defaultTier}. */
  tier?: Tier;
  /** The same of each of the plan's neighbours. */
  beside?: readonly Pick<SystemOptions, 'log' | 'inputs' | 'outside'>[];
}

/** All of a system at one moment; immutable, and loadable into any system of the same plan. */
export interface SystemState extends CourseState {
  readonly replicas: TeamState;
  readonly share: ShareState;
  readonly health: HealthState;
  readonly injector: InjectorState;
  readonly recovery: RecoveryState;
  readonly accounting: AccountingState;
  readonly feed: FeedState;
  /** Of the guests on the same chip, in the order of the plan's neighbours. */
  readonly neighbours?: readonly SystemState[];
}

/**
 * A replicated guest on the chip, with its VMM. Deterministic, and independent
 * of how a run is cut into calls of `advance`: every replica runs the same
 * number of retired instructions to a rendezvous at the end of each epoch, all
 * costs are paid there, and outputs are compared in the order of their sequence
 * numbers whoever of the replicas the host happened to run first.
 *
 * With neighbours in its plan it is one of several guests, and lets the others run along: before each
 * epoch all that are behind it in modelled time ({@link Board}).
 */
export class System {
  readonly chip: Chip;
  readonly #plan: Pick<Plan, 'protection' | 'maxInstructions' | 'chip'>;
  readonly #injector: FaultInjector;
  readonly #accounting: Accounting;
  readonly #log: ReleaseLog;
  readonly #feed: InputFeed;
  readonly #forgetful: boolean;
  readonly #crew: Crew;
  readonly #team: Team;
  readonly #course: Course;
  readonly #checkpoints: Checkpoints;
  readonly #inlet: Inlet;
  readonly #runner: ReplicaRunner;
  readonly #recovery: Recovery;
  readonly #switching: Switching;
  readonly #gate: OutputGate;
  readonly #epochRun: EpochRun;
  readonly #share: Share;
  readonly #sleptBefore: number;
  /** Retired instructions at the start. */
  readonly #begin: number;
  #neighbours: readonly System[] = [];
  #breakpoints: ReadonlySet<bigint> | undefined;

  /** `board`: of a neighbour, the one that it is on already. */
  constructor(plan: Plan, options: SystemOptions = {}, board?: Board) {
    const { protection, guest, maxInstructions, switches = [], seat = 0 } = plan;
    // Not the plan: a guest's files are large.
    this.#plan = { protection, maxInstructions, chip: plan.chip };
    const all = plansOfAll(plan);
    const onto = board ?? new Board(plan.chip, all.map((each) => claimOf(each.protection)));
    this.chip = onto.chip;
    const share = onto.shares[seat];
    if (!share) throw new RangeError(`there is no seat ${seat} on the chip`);
    this.#share = share;
    this.#log = options.log ?? new ReleaseLog();
    this.#feed = new InputFeed(options.inputs ?? new InputLog(), guest.typing ?? [], guest.network !== undefined, options.outside, options.disks);
    this.#forgetful = options.forgetful ?? false;
    this.#accounting = new Accounting(options.costs ?? costsWith(plan.chip.costs), protection.kind !== 'none');
    this.#crew = new Crew(options);

    const first = createMachine(guest, plan.seed, options.tier ?? defaultTier, plan.chip);
    // Those that a replica has left are as good as spares.
    const owned = [{ protection, switches }, ...(plan.neighbours ?? [])].flatMap((each) => [...each.protection.cores, ...(each.switches ?? []).flatMap(({ cores }) => cores)]);
    const usable = [...new Set([...plan.chip.spares, ...owned])];
    const { cores } = claimOf(protection);
    this.#injector = new FaultInjector(
      plan.faults,
      plan.seed,
      (component, replica, line) => this.#team.reaches(component, replica, line),
      (replica) => share.stuckBy(() => this.#team.domainOf(replica)),
    );
    this.#team = new Team(first, cores, this.chip, share, protection, plan.seed, this.#crew, ({ name, core, computer }) => this.#injector.equip(name, core, computer));
    const count = first.retired;
    this.#begin = count;
    const epoch = Math.floor(count / protection.epochInstructions);
    this.#course = new Course(protection.kind, takeCheckpoint({ team: this.#team, feed: this.#feed, injector: this.#injector }, 0, { count, epoch, compared: 0 }));
    this.#runner = new ReplicaRunner(this.#course, this.#injector, this.#log, share, new Delivery(protection, plan.seed), this.#feed.isNetworked);
    const comparer = new Comparer(this.#injector, this.#course);
    const shared = { protection, course: this.#course, team: this.#team, injector: this.#injector, feed: this.#feed, accounting: this.#accounting };
    this.#inlet = new Inlet({ ...shared, log: this.#log, runner: this.#runner });
    this.#checkpoints = new Checkpoints({ ...shared, comparer, nameOf: (address) => nameOf(guest, address), detect: (found) => this.#detect(found), validated: () => this.#recovery.validated() });
    this.#gate = new OutputGate({
      ...shared,
      comparer,
      compareOutput: protection.compareOutput,
      log: this.#log,
      detect: (found) => this.#detect(found),
      end: (how, exitCode, why) => this.#end(how, exitCode, why),
    });
    this.#recovery = new Recovery({
      ...shared,
      cores: usable,
      share,
      stop: (why) => this.#end('stopped', null, why),
      reseated: () => this.#reseated(),
      expire: () => this.#expire(),
      resume: (event) => this.#resume(event),
    });
    this.#switching = new Switching({
      ...shared,
      switches,
      cores: usable,
      share,
      log: this.#log,
      reseated: () => this.#reseated(),
      takeCheckpoint: (state) => this.#checkpoints.takeOf(state),
      expire: () => this.#expire(),
    });
    this.#epochRun = new EpochRun({
      ...shared,
      plan: this.#plan,
      crew: this.#crew,
      runner: this.#runner,
      gate: this.#gate,
      switching: this.#switching,
      share,
      rendezvous: () => {
        this.#rendezvous();
        this.#meet();
      },
    });
    this.#sleptBefore = this.#slept();
    this.#runner.arm(this.#team.replicas, undefined, true);
    const others = board ? [] : all.toSpliced(seat, 1);
    const { log: _, inputs: __, outside: ___, disks: ____, beside = [], ...common } = options;
    const enter = (from: number, to?: number): System[] => others.slice(from, to).map((each, i) => new System(each, { ...common, ...beside[from + i] }, onto));
    // In their order, since what strikes at the very start may strike others.
    const earlier = enter(0, seat);
    this.#enter();
    this.#neighbours = [...earlier, ...enter(seat)];
  }

  /** Takes its place among the guests on the chip, and what strikes it and them at once. */
  #enter(): void {
    const { live } = this.#team;
    this.#share.enter(this.#occupant());
    for (const component of this.chip.health.unnoticed) this.#runner.lose(live, component);
    if (!this.#share.isOnly) this.#equip();
    for (const replica of live) this.#runner.strike(replica);
    this.#strikeIdle();
    this.#meet();
  }

  /** The guest, as far as the others on the chip have to do with it. */
  #occupant(): Occupant {
    const team = this.#team;
    return {
      get cores() {
        return team.live.map(({ core }) => core);
      },
      get standing() {
        return team.live.filter(({ halted }) => halted !== 'dead').map(({ core }) => core);
      },
      turn: () => {
        this.#breakpoints = undefined;
        this.#runner.arm(team.replicas, undefined);
        this.#share.begin();
        while (!this.#share.isDue && !this.#course.ended) this.#goOn(Infinity, {});
      },
      lose: (component) => this.#runner.lose(team.live, component),
      relaid: () => {
        const { checkpoint } = this.#course;
        // What it had in the memory that others have now has gone along.
        this.#course.checkpoint = { ...checkpoint, copies: [...checkpoint.copies, ...team.placement.domains.map(({ controllers }) => controllers)] };
        team.relaid();
        this.#equip();
      },
      rewired: () => this.#equip(),
    };
  }

  /** All replicas that there are, by name; those that were given up among them. */
  get replicas(): readonly Replica[] {
    return this.#team.replicas;
  }
  /** The replicas that have not been given up. */
  get live(): readonly Replica[] {
    return this.#team.live;
  }
  /** How the chip is divided among the live replicas. */
  get placement(): Placement {
    return this.#team.placement;
  }
  get moment(): number {
    return this.#course.moment;
  }
  /** Retired instructions of the live replicas at this moment. */
  get count(): number {
    return this.#course.count;
  }
  get epoch(): number {
    return this.#course.epoch;
  }
  get ended(): SystemEvent | undefined {
    return this.#course.ended;
  }
  /** Console bytes released so far; in a forgetful system those that are kept. */
  get released(): Uint8Array {
    return this.#log.console(this.#course.released);
  }
  /** What has gone to disks or to the network so far. */
  releasedData(kind: 'disk' | 'net'): ReleasedData {
    return this.#log.data(kind, this.#course.released);
  }
  /** A detected error whose recovery is the next step. */
  get detection(): Detection | undefined {
    return this.#course.detection;
  }
  /** What protects the guest now; a third replica that only runs along for a while does not count. */
  get protectionNow(): ProtectionKind {
    const now = this.#team.protectionNow;
    return replicaCount[now] > replicaCount[this.#course.wanted] ? this.#course.wanted : now;
  }
  /** What it is to be protected by now. */
  get protectionWanted(): ProtectionKind {
    return this.#course.wanted;
  }
  /** Threads that execute the replicas now, the caller's among them. */
  get threads(): number {
    return this.#crew.isComplete ? this.#team.live.length : 1;
  }
  costs(): CostReport[] {
    return this.#accounting.report();
  }
  /** How often the replica of a fault that has not fired has come to the place that its trigger counts; undefined where it counts none. */
  hitsOf(fault: number): number | undefined {
    return this.#injector.hitsOf(fault);
  }
  hasFired(fault: number): boolean {
    return this.#injector.hasFired(fault);
  }
  /** Core cycles that the guest has cost so far: the slowest core's. */
  get cycles(): number {
    return Math.max(...this.#team.live.map((replica) => replica.computer.cycles));
  }

  /** Events since the last call, by moment. */
  takeEvents(): SystemEvent[] {
    return this.#course.takeEvents();
  }

  /** Runs all replicas until `moment` is reached, the guest ends, or a breakpoint. */
  advance(target: number, options: AdvanceOptions = {}): AdvanceStop {
    this.#breakpoints = options.breakpoints;
    this.#runner.arm(this.#team.replicas, options.breakpoints);
    this.#runner.resume(options.resume ? this.#team.live : []);
    const course = this.#course;
    while (course.moment < target && !course.ended) {
      this.#share.awaitTurn();
      const stop = this.#goOn(course.count + (target - course.moment), options);
      if (stop) return stop;
    }
    return course.ended ? { why: 'end' } : { why: 'moment' };
  }

  /** Recovers from an error, or runs to a count or where the replicas meet. */
  #goOn(count: number, options: AdvanceOptions): AdvanceStop | undefined {
    const { detection } = this.#course;
    if (detection) {
      this.#runner.resume([]);
      this.#recovery.recover(detection);
      this.#meet();
      return undefined;
    }
    this.#inlet.napped = false;
    return this.#epochRun.run(count, options) ?? (this.#inlet.napped && options.stopAsleep ? { why: 'asleep' } : undefined);
  }

  /** The other guests on the chip, in the order of the plan's neighbours. */
  get neighbours(): readonly System[] {
    return this.#neighbours;
  }

  /** Gives back what the system shares with others, its threads; it still can be used. */
  close(): void {
    this.#crew.close();
    for (const each of this.#neighbours) each.close();
  }

  save(): SystemState {
    this.#course.checkpoint.snapshot.keep();
    return {
      ...(this.#neighbours.length > 0 && { neighbours: this.#neighbours.map((each) => each.save()) }),
      ...this.#course.save(),
      replicas: this.#team.save(),
      share: this.#share.save(),
      health: this.chip.health.save(),
      injector: this.#injector.save(),
      recovery: this.#recovery.save(),
      accounting: this.#accounting.save(),
      feed: this.#feed.save(),
    };
  }

  load(state: SystemState): void {
    const all = [[this as System, state] as const];
    for (const [i, neighbour] of this.#neighbours.entries()) {
      const theirs = state.neighbours?.[i];
      if (!theirs) throw new Error('a state of another number of guests');
      all.push([neighbour, theirs]);
    }
    // First the hardware, since what is stuck in it, by whoever's fault, is stuck in whatever is restored.
    for (const [system, own] of all) system.#loadHardware(own);
    for (const [system, own] of all) system.#load(own);
  }

  #loadHardware({ injector, health, share, ended }: SystemState): void {
    this.#injector.load(injector);
    this.chip.health.load(health);
    this.#share.load(share, ended !== undefined);
  }

  #load(state: SystemState): void {
    this.#team.load(state.replicas);
    this.#course.load(state);
    this.#recovery.load(state.recovery);
    this.#accounting.load(state.accounting);
    this.#feed.load(state.feed);
    this.#runner.arm(this.#team.replicas, this.#breakpoints, true);
  }

  #rendezvous(): void {
    const { protection, maxInstructions } = this.#plan;
    const course = this.#course;
    const { live } = this.#team;
    const replicated = live.length > 1;
    // Of one that is left alone only the chip can say something.
    const watched = replicated || (course.wanted !== 'none' && live.some(({ halted }) => halted === 'dead'));
    const found = watched ? inspectArrival(live, protection.compareOutput, this.chip.health) : undefined;
    if (found) {
      const waited = found.by === 'watchdog' ? protection.watchdogEpochs * protection.epochInstructions : 0;
      if (waited > 0) this.#accounting.watchdog(waited);
      this.#detect(found, waited);
      return;
    }
    if (this.#gate.settle()) return;
    if (live.every((replica) => replica.halted)) {
      if (this.#inlet.handOver() || this.#inlet.nap()) {
        for (const replica of live) this.#runner.strike(replica);
        return;
      }
      const [first] = live;
      const why = { idle: 'waits for an interrupt that cannot come', stalled: first?.computer.caches?.isHung ? 'waits for a message of the interconnect that was lost' : 'takes traps without end', exit: 'exited', dead: `ran on ${first?.deadBy ?? 'a core'}, which is dead` };
      return this.#end('hung', null, `the guest ${why[first?.halted ?? 'idle']}`);
    }
    if (course.count >= maxInstructions) {
      return this.#end('limit', null, `the guest was still running after ${count(maxInstructions)} instructions`);
    }
    course.epoch++;
    this.#strikeIdle();
    if (replicated) this.#checkpoints.atRendezvous();
    // Nothing is charged for these, now or when it is protected again.
    else this.#accounting.exits(live);
    if (!course.detection && this.#switching.isDue && !this.#recovery.isDiagnosing) this.#switchNow();
    if (!course.detection) this.#inlet.handOver();
    if (this.#forgetful) this.#forget();
    this.#accounting.settle(this.#team.live);
    if (!course.detection) for (const replica of this.#team.live) this.#runner.strike(replica);
  }

  /** The end of an epoch, where the replicas stand after a recovery. */
  #resume(event: () => void): void {
    // Where the run begins nothing has been handed over: a run that comes back there gets its first input where all others do, an epoch later.
    if (this.#course.count > this.#begin) this.#inlet.handOver();
    this.#accounting.settle(this.#team.live);
    event();
    for (const replica of this.#team.live) this.#runner.strike(replica);
  }

  /** Faults are those of the cores that the replicas are on now. */
  #reseated(): void {
    // Whoever takes the next checkpoint may be another one, and must not write over what the others share of this one.
    this.#course.checkpoint.snapshot.keep();
    // Domains have changed, too, and with them what is stuck in a bank.
    this.#equip();
  }

  /** Gives the replicas the faults that last where they are now. */
  #equip(): void {
    const { replicas } = this.#team;
    this.#injector.forgetSuffering();
    for (const { name, core, computer } of replicas) this.#injector.equip(name, core, computer);
    this.#runner.arm(replicas, this.#breakpoints, true);
    if (this.#injector.isSuffering && this.#course.errorSince < 0) this.#course.errorSince = this.#course.moment;
  }

  /** Where the others on the chip, if any, have their turns. */
  #meet(): void {
    if (this.#share.isOnly || this.#share.isLeft) return;
    this.#share.meet(this.#clock, this.#injector.hazards);
  }

  /** The time that the guests share, in cycles, where this one stands. */
  get #clock(): number {
    return this.cycles + Math.max(0, this.#slept() - this.#sleptBefore);
  }

  /** Cycles that the guest has slept, by its own clock. */
  #slept(): number {
    const [first] = this.#team.live;
    if (!first || this.#share.isOnly) return 0;
    return sleptCycles(first.computer, this.chip.timeSource(first.core, this.#plan.protection.uncoordinated));
  }

  /** Faults of what nobody runs on, and what the chip says of them. */
  #strikeIdle(): void {
    this.#expire();
    this.#runner.strikeIdle(this.#team.live);
    this.#recovery.noticeIdle();
  }

  /** Gives up what no rollback, no input and no fault will ask for again. */
  #forget(): void {
    const { compared, checkpoint } = this.#course;
    const unprotected = this.#course.wanted === 'none';
    this.#log.forget(Math.min((unprotected ? compared : checkpoint.compared) - this.#injector.longestText, this.#feed.saw));
    this.#feed.forget(unprotected ? this.#feed.handed : checkpoint.inputs);
  }

  #expire(): void {
    this.#injector.endIdle(this.#team.live.map(({ core }) => core), this.#now);
  }

  /** Where the replicas stand on the axes along which faults last. */
  get #now(): Instant {
    return { moment: this.#course.moment, cycles: this.#team.live[0]?.computer.cycles ?? 0 };
  }

  /** Another protection, unless the replicas that there are turn out not to be equal: then that comes first. */
  #switchNow(): void {
    const mismatch = this.#checkpoints.mismatch();
    if (mismatch) this.#detect(mismatch);
    else this.#switching.make();
  }

  #detect(found: Detection, waited = 0): void {
    const course = this.#course;
    const loser = outvoted(this.#team.live, course.checkpoint.snapshot);
    // What two of three say is a vote; a trap, or that nobody comes, is noticed before anybody votes.
    const isVote = loser !== undefined && (found.by === 'output' || found.by === 'state');
    const detection: Detection = isVote ? { by: 'vote', what: `${found.what}; ${loser.name} is outvoted` } : found;
    course.detection = detection;
    course.emit({ kind: 'detection', ...detection, latency: course.errorSince < 0 ? -1 : course.moment - course.errorSince + waited });
    this.#meet();
  }

  #end(how: Ending, exitCode: number | null, why: string): void {
    const course = this.#course;
    // What the last epoch has come to is paid for, however it ends.
    this.#accounting.exits(this.#team.live);
    this.#accounting.settle(this.#team.live);
    course.detection = undefined;
    course.ended = course.emit({ kind: 'end', how, exitCode, why });
    this.#share.leave(this.#clock, this.#now, this.#injector.hazards);
  }
}
