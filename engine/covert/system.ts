import { Chip } from '../chip/chip';
import type { Placement } from '../chip/domains';
import type { HealthState } from '../chip/health';
import { costsWith, type CostTable } from '../chip/cost-table';
import type { Flush, Snapshot } from '../machine/types';
import { defaultTier, type Tier } from '../machine/tier';
import { Accounting, type AccountingState } from './accounting';
import type { AdvanceOptions, AdvanceStop } from './advance';
import type { Checkpoint } from './checkpoint';
import { Comparer } from './comparer';
import { Course, type CourseState } from './course';
import { Crew, type CrewOptions } from './crew';
import { EpochRun } from './epoch-run';
import type { Ending, SystemEvent } from './events';
import { FaultInjector, type InjectorState } from './fault-injector';
import { createMachine } from './guest';
import { InputFeed, type FeedState } from './input-feed';
import { InputLog } from './input-log';
import { OutputGate } from './output-gate';
import type { DiskOutside } from './disk-outside';
import type { Outside } from './outside';
import type { Plan, ProtectionKind } from './plan';
import { Recovery, type RecoveryState } from './recovery';
import { ReleaseLog, type ReleasedData } from './release-log';
import { compareStates, inspectArrival, snapshotAll, type Detection } from './rendezvous';
import type { Replica } from './replica';
import { ReplicaRunner } from './replica-runner';
import type { CostReport } from './report';
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
}

/** The number of the CSR `time`. */
const timeCsr = 0xc01;
/** How long a guest with a network sleeps at most before the outside is asked again: a millisecond of its clock. */
const napTicks = 10_000;

/** All of a system at one moment; immutable, and loadable into any system of the same plan. */
export interface SystemState extends CourseState {
  readonly replicas: TeamState;
  readonly placement: Placement;
  readonly health: HealthState;
  readonly injector: InjectorState;
  readonly recovery: RecoveryState;
  readonly accounting: AccountingState;
  readonly feed: FeedState;
}

/**
 * A replicated guest on the chip, with its VMM. Deterministic, and independent
 * of how a run is cut into calls of `advance`: every replica runs the same
 * number of retired instructions to a rendezvous at the end of each epoch, all
 * costs are paid there, and outputs are compared in the order of their sequence
 * numbers whoever of the replicas the host happened to run first.
 */
export class System {
  readonly chip: Chip;
  readonly #plan: Pick<Plan, 'protection' | 'maxInstructions'>;
  readonly #injector: FaultInjector;
  readonly #accounting: Accounting;
  readonly #log: ReleaseLog;
  readonly #feed: InputFeed;
  readonly #forgetful: boolean;
  readonly #crew: Crew;
  readonly #team: Team;
  readonly #course: Course;
  readonly #comparer: Comparer;
  readonly #runner: ReplicaRunner;
  readonly #recovery: Recovery;
  readonly #switching: Switching;
  readonly #epochRun: EpochRun;
  #breakpoints: ReadonlySet<bigint> | undefined;
  /** The guest has slept since somebody asked. */
  #napped = false;

  constructor(plan: Plan, options: SystemOptions = {}) {
    const { protection, guest, maxInstructions, switches = [] } = plan;
    // Not the plan: a guest's files are large.
    this.#plan = { protection, maxInstructions };
    this.chip = new Chip(plan.chip);
    this.#log = options.log ?? new ReleaseLog();
    this.#feed = new InputFeed(options.inputs ?? new InputLog(), guest.typing ?? [], guest.network !== undefined, options.outside, options.disks);
    this.#forgetful = options.forgetful ?? false;
    this.#accounting = new Accounting(options.costs ?? costsWith(plan.chip.costs), protection.kind !== 'none');
    this.#crew = new Crew(options);

    const first = createMachine(guest, plan.seed, options.tier ?? defaultTier);
    // Those that a replica has left are as good as spares.
    const usable = [...new Set([...plan.chip.spares, ...protection.cores, ...switches.flatMap((each) => each.cores)])];
    const cores = Array.from({ length: replicaCount[protection.kind] }, (_, i) => protection.cores[i] ?? i);
    this.#injector = new FaultInjector(plan.faults, plan.seed, (component, replica, line) => this.#team.reaches(component, replica, line));
    this.#team = new Team(first, cores, this.chip, protection, this.#crew, ({ name, core, computer }) => this.#injector.equip(name, core, computer));
    const count = first.retired;
    const epoch = Math.floor(count / protection.epochInstructions);
    this.#course = new Course(protection.kind, this.#takeCheckpoint(0, { count, epoch, compared: 0 }));
    this.#runner = new ReplicaRunner(this.#course, this.#injector, this.#log, this.chip.health, this.#feed.isNetworked);
    this.#comparer = new Comparer(this.#injector, this.#course);
    const gate = new OutputGate({
      comparer: this.#comparer,
      compareOutput: protection.compareOutput,
      course: this.#course,
      team: this.#team,
      log: this.#log,
      feed: this.#feed,
      accounting: this.#accounting,
      detect: (found) => this.#detect(found),
      end: (how, exitCode, why) => this.#end(how, exitCode, why),
    });
    this.#recovery = new Recovery({
      protection,
      cores: usable,
      chip: this.chip,
      course: this.#course,
      team: this.#team,
      injector: this.#injector,
      accounting: this.#accounting,
      feed: this.#feed,
      stop: (why) => this.#end('stopped', null, why),
      reseated: () => this.#reseated(),
      expire: () => this.#expire(),
      resume: (event) => this.#resume(event),
    });
    this.#switching = new Switching({
      switches,
      cores: usable,
      protection,
      chip: this.chip,
      course: this.#course,
      team: this.#team,
      log: this.#log,
      accounting: this.#accounting,
      reseated: () => this.#reseated(),
      takeCheckpoint: (state) => this.#checkpointOf(state),
      expire: () => this.#expire(),
    });
    this.#epochRun = new EpochRun({
      plan: this.#plan,
      course: this.#course,
      team: this.#team,
      crew: this.#crew,
      injector: this.#injector,
      feed: this.#feed,
      accounting: this.#accounting,
      runner: this.#runner,
      gate,
      switching: this.#switching,
      rendezvous: () => this.#rendezvous(),
    });
    this.#runner.arm(this.#team.replicas, undefined, true);
    for (const replica of this.#team.live) this.#runner.strike(replica);
    this.#strikeIdle();
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
      if (course.detection) {
        this.#runner.resume([]);
        this.#recovery.recover(course.detection);
        continue;
      }
      this.#napped = false;
      const hit = this.#epochRun.run(course.count + (target - course.moment), options);
      if (hit) return hit;
      if (this.#napped && options.stopAsleep) return { why: 'asleep' };
    }
    return course.ended ? { why: 'end' } : { why: 'moment' };
  }

  /** Gives back what the system shares with others, its threads; it still can be used. */
  close(): void {
    this.#crew.close();
  }

  save(): SystemState {
    this.#course.checkpoint.snapshot.keep();
    return {
      ...this.#course.save(),
      replicas: this.#team.save(),
      placement: this.#team.placement,
      health: this.chip.health.save(),
      injector: this.#injector.save(),
      recovery: this.#recovery.save(),
      accounting: this.#accounting.save(),
      feed: this.#feed.save(),
    };
  }

  load(state: SystemState): void {
    this.#injector.load(state.injector);
    this.chip.health.load(state.health);
    this.#team.load(state.replicas, state.placement);
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
    if (live.every((replica) => replica.halted)) {
      if (this.#handOver() || this.#nap()) {
        for (const replica of live) this.#runner.strike(replica);
        return;
      }
      const [first] = live;
      const why = { idle: 'waits for an interrupt that cannot come', stalled: 'takes traps without end', exit: 'exited', dead: `ran on ${first?.deadBy ?? 'a core'}, which is dead` };
      return this.#end('hung', null, `the guest ${why[first?.halted ?? 'idle']}`);
    }
    if (course.count >= maxInstructions) {
      return this.#end('limit', null, `the guest was still running after ${maxInstructions} instructions`);
    }
    course.epoch++;
    this.#strikeIdle();
    if (replicated) this.#compareAndCheckpoint();
    // Nothing is charged for these, now or when it is protected again.
    else this.#accounting.exits(live);
    if (!course.detection && this.#switching.isDue && !this.#recovery.isDiagnosing) this.#switchNow();
    if (!course.detection) this.#handOver();
    if (this.#forgetful) this.#forget();
    this.#accounting.settle(this.#team.live);
    if (!course.detection) for (const replica of this.#team.live) this.#runner.strike(replica);
  }

  /** Hands the replicas the input that is due, all at the same count. True if there was any. */
  #handOver(): boolean {
    const { moment, count, compared, released } = this.#course;
    const { live } = this.#team;
    const { isNetworked } = this.#feed;
    const input = this.#feed.next({
      moment,
      count,
      time: isNetworked ? this.#guestTime() : 0,
      consoleRoom: live[0]?.computer.consoleRoom ?? 0,
      // Where a fault makes one say more, the others would lose what they have no room for.
      flushes: this.#flushes(),
      frameRoom: isNetworked ? Math.min(...live.map(({ computer }) => computer.frameRoom)) : 0,
      compared,
      released,
      printed: (from) => this.#log.console(released, from),
    });
    if (!input) return false;
    this.#accounting.input(input.frames.reduce((bytes, frame) => bytes + frame.length, input.console.length));
    for (const replica of live) {
      this.#runner.hand(replica, input.console);
      for (const frame of input.frames) replica.computer.receiveFrame(frame);
      for (const answer of input.flushed ?? []) replica.computer.answerFlush(answer, answer.refused === undefined);
      if (replica.halted === 'idle') replica.halted = null;
    }
    this.#injector.handedOver(input.console.length);
    return true;
  }

  /** Flushes that wait in any replica; one in which a fault has made an end of that will be found out. */
  #flushes(): Flush[] {
    const all = this.#team.live.flatMap(({ computer }) => computer.flushes);
    return all.filter(({ disk, head }, i) => all.findIndex((other) => other.disk === disk && other.head === head) === i);
  }

  /** The guest's clock in ticks; undefined where a fault makes replicas differ in it, which comes to light later. */
  #guestTime(): number | undefined {
    const [first = 0n, ...others] = this.#team.live.map(({ computer }) => computer.getCsr(timeCsr) ?? 0n);
    const differ = !this.#plan.protection.uncoordinated.includes('time') && others.some((time) => time !== first);
    return differ ? undefined : Number(first);
  }

  /** Lets a guest with a network sleep for a little while, if that is what all replicas want: the outside may have something for it then. */
  #nap(): boolean {
    const { live } = this.#team;
    if (!this.#feed.isNetworked || live.some(({ halted }) => halted !== 'idle')) return false;
    const timers = live.map(({ computer }) => computer.nap(napTicks));
    for (const replica of live) replica.halted = null;
    this.#napped = true;
    return this.#feed.nap(timers.includes(true));
  }

  /** The end of an epoch, where the replicas stand after a recovery. */
  #resume(event: () => void): void {
    this.#handOver();
    this.#accounting.settle(this.#team.live);
    event();
    for (const replica of this.#team.live) this.#runner.strike(replica);
  }

  /** Faults are those of the cores that the replicas are on now. */
  #reseated(): void {
    // Whoever takes the next checkpoint may be another one, and must not write over what the others share of this one.
    this.#course.checkpoint.snapshot.keep();
    // Domains have changed, too, and with them what is stuck in a bank.
    for (const { name, core, computer } of this.#team.replicas) this.#injector.equip(name, core, computer);
    this.#runner.arm(this.#team.replicas, this.#breakpoints, true);
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

  #compareAndCheckpoint(): void {
    const { protection } = this.#plan;
    const course = this.#course;
    const { live } = this.#team;
    this.#accounting.exits(live);
    this.#accounting.epochs(1);
    const compare = protection.compareStateEpochs > 0 && course.epoch % protection.compareStateEpochs === 0;
    const checkpoint = protection.checkpointEpochs > 0 && course.epoch % protection.checkpointEpochs === 0;
    if (!compare && !checkpoint) return;

    const [first, ...others] = live;
    if (!first) return;
    const { equal, changedPages } = first.computer.compareState(others.map(({ computer }) => computer), course.checkpoint.snapshot);
    const difference = equal ? undefined : compareStates(live, snapshotAll(live));
    if (!difference) course.errorSince = this.#injector.isLasting ? course.moment : -1;
    const { moment, count: instruction } = course;
    const mismatch = this.#comparer.verdict(difference, { name: 'the states', by: 'state', moment, instruction, momentOf: () => moment });
    if (compare) {
      this.#accounting.stateComparison(changedPages);
      if (mismatch) return this.#detect(mismatch);
    }
    if (!checkpoint) return;
    this.#accounting.checkpoint(changedPages);
    if (!mismatch) return this.#checkpointNow(difference === undefined);
    course.emit({ kind: 'checkpoint', number: course.nextCheckpoint++, validated: false });
  }

  /** The states are equal, or are held to be: this is where a rollback goes from now on. */
  #checkpointNow(areEqual: boolean): void {
    const course = this.#course;
    const number = course.nextCheckpoint++;
    if (areEqual) course.checkpoint = this.#takeCheckpoint(number, course);
    else {
      // Nothing of it is the others', who share what they had of the last one.
      course.checkpoint.snapshot.keep();
      const [first] = this.#team.live;
      if (first) course.checkpoint = this.#checkpoint(number, course, first.computer.snapshot());
    }
    course.emit({ kind: 'checkpoint', number, validated: true });
    this.#recovery.validated();
  }

  /**
   * Replicas have been cloned from a state: that is where a rollback goes from now on. Nothing is shared with them yet, since a core
   * may have changed the state that it was given.
   */
  #checkpointOf(state: Snapshot): void {
    const course = this.#course;
    // One that has just been taken here is replaced, so that triggers which wait for it still meet it.
    const isAnother = course.checkpoint.count !== course.count || course.checkpoint.number === 0;
    const number = isAnother ? course.nextCheckpoint++ : course.checkpoint.number;
    course.checkpoint = this.#checkpoint(number, course, state);
    if (isAnother) course.emit({ kind: 'checkpoint', number, validated: true });
    course.errorSince = this.#injector.isLasting ? course.moment : -1;
    this.#recovery.validated();
    const mismatch = this.#mismatch();
    if (mismatch) this.#detect(mismatch);
  }

  /** In which places the live replicas differ now, if they do. */
  #mismatch(): Detection | undefined {
    const { live } = this.#team;
    const [first, ...others] = live;
    const isEqual = first?.computer.compareState(others.map(({ computer }) => computer), this.#course.checkpoint.snapshot).equal ?? true;
    return isEqual ? undefined : compareStates(live, snapshotAll(live));
  }

  #expire(): void {
    const { live } = this.#team;
    this.#injector.endIdle(live.map(({ core }) => core), { moment: this.#course.moment, cycles: live[0]?.computer.cycles ?? 0 });
  }

  /** Another protection, unless the replicas that there are turn out not to be equal: then that comes first. */
  #switchNow(): void {
    const mismatch = this.#mismatch();
    if (mismatch) this.#detect(mismatch);
    else this.#switching.make();
  }

  #takeCheckpoint(number: number, { count, epoch, compared }: { count: number; epoch: number; compared: number }): Checkpoint {
    const [first, ...others] = this.#team.live;
    if (!first) throw new Error('a system without replicas');
    const snapshot = first.computer.checkpoint();
    // They are equal, as has just been found.
    for (const { computer } of others) computer.share(snapshot);
    return this.#checkpoint(number, { count, epoch, compared }, snapshot);
  }

  #checkpoint(number: number, { count, epoch, compared }: { count: number; epoch: number; compared: number }, snapshot: Snapshot): Checkpoint {
    const copies = this.#team.placement.domains.map(({ controllers }) => controllers);
    return { number, count, epoch, snapshot, compared, inputs: this.#feed.handed, triggers: this.#injector.counts(), copies };
  }

  #detect(found: Detection, waited = 0): void {
    const course = this.#course;
    const loser = outvoted(this.#team.live, course.checkpoint.snapshot);
    // What two of three say is a vote; a trap, or that nobody comes, is noticed before anybody votes.
    const isVote = loser !== undefined && (found.by === 'output' || found.by === 'state');
    const detection: Detection = isVote ? { by: 'vote', what: `${found.what}; ${loser.name} is outvoted` } : found;
    course.detection = detection;
    course.emit({ kind: 'detection', ...detection, latency: course.errorSince < 0 ? -1 : course.moment - course.errorSince + waited });
  }

  #end(how: Ending, exitCode: number | null, why: string): void {
    const course = this.#course;
    // What the last epoch has come to is paid for, however it ends.
    this.#accounting.exits(this.#team.live);
    this.#accounting.settle(this.#team.live);
    course.detection = undefined;
    course.ended = course.emit({ kind: 'end', how, exitCode, why });
  }
}
