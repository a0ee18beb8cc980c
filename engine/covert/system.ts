import { Chip } from '../chip/chip';
import { defaultCosts, type CostTable } from '../chip/cost-table';
import { defaultTier, type Tier } from '../machine/tier';
import type { Output } from '../machine/types';
import { Accounting } from './accounting';
import type { Checkpoint } from './checkpoint';
import { Crew, type CrewOptions } from './crew';
import type { Ending, SystemEvent } from './events';
import { FaultInjector, type InjectorState } from './fault-injector';
import { createMachine } from './guest';
import { InputFeed, type FeedState } from './input-feed';
import { InputLog } from './input-log';
import type { Plan, ProtectionKind, ReplicaName } from './plan';
import { ReleaseLog, type ReleasedData } from './release-log';
import { compareOutputs, compareStates, describeOutput, inspectArrival, snapshotAll, type Detection } from './rendezvous';
import { Replica, type ReplicaState } from './replica';
import type { CostReport } from './report';
import { cloneInto, outvoted, protectionOf, takeDown, type Ballot } from './vote';

export interface SystemOptions extends CrewOptions {
  costs?: CostTable;
  /** Logs that several systems share which replay one run. */
  log?: ReleaseLog;
  inputs?: InputLog;
  /**
   * Keep only what a rollback needs, so that a run of any length takes a bounded
   * amount of memory. Then no state from before the newest checkpoint can be
   * loaded, and `released` has only what is kept. Default false.
   */
  forgetful?: boolean;
  /** What executes the replicas; their states do not depend on it. Default {@link defaultTier}. */
  tier?: Tier;
}

export interface AdvanceOptions {
  /** Stop before any replica executes an instruction at one of these addresses. */
  breakpoints?: ReadonlySet<bigint>;
  /** The user goes on from here: a breakpoint that a replica stands at now does not stop it again. */
  resume?: boolean;
  /** Collect the effects digest of every replica (slow). */
  collectEffects?: boolean;
}

/**
 * Why `advance` came back. `overrun`: a breakpoint was hit at `hit`, but another
 * replica is already past that count (it ran ahead to an output): load a saved
 * state and advance to the hit's moment to stand there.
 */
export type AdvanceStop =
  | { why: 'moment' }
  | { why: 'end' }
  | { why: 'breakpoint' | 'overrun'; moment: number; replica: ReplicaName; address: bigint };

/** All of a system at one moment; immutable, and loadable into any system of the same plan. */
export interface SystemState {
  readonly moment: number;
  readonly count: number;
  readonly epoch: number;
  readonly replicas: readonly ReplicaState[];
  readonly compared: number;
  readonly released: number;
  readonly injector: InjectorState;
  readonly checkpoint: Checkpoint;
  readonly nextCheckpoint: number;
  readonly detection: Detection | undefined;
  readonly attempts: { from: number; count: number };
  readonly lost: readonly ReplicaName[];
  readonly ballots: readonly Ballot[];
  readonly struck: boolean;
  readonly errorSince: number;
  readonly ended: SystemEvent | undefined;
  readonly accounting: ReturnType<Accounting['save']>;
  readonly charged: { interrupts: number; clockReads: number };
  readonly feed: FeedState;
}

/** Outputs of a run that are kept, since each has to be compared with again: a mebibyte of console. */
const mostOutputs = 2 ** 20;

const replicaNames: readonly ReplicaName[] = ['A', 'B', 'C'];

/**
 * A replicated guest on the chip, with its VMM. Deterministic, and independent
 * of how a run is cut into calls of `advance`: every replica runs the same
 * number of retired instructions to a rendezvous at the end of each epoch, all
 * costs are paid there, and outputs are compared in the order of their sequence
 * numbers whoever of the replicas the host happened to run first.
 */
export class System {
  readonly replicas: readonly Replica[];
  readonly chip: Chip;
  readonly #plan: Pick<Plan, 'protection' | 'maxInstructions'>;
  readonly #injector: FaultInjector;
  readonly #accounting: Accounting;
  readonly #log: ReleaseLog;
  readonly #feed: InputFeed;
  readonly #forgetful: boolean;
  readonly #crew: Crew;
  /** Replicas may run at the same time: no fault is one of two of them. */
  readonly #independent: boolean;
  #moment = 0;
  #count = 0;
  #epoch = 0;
  #compared = 0;
  #released = 0;
  #checkpoint: Checkpoint;
  #nextCheckpoint = 1;
  #detection: Detection | undefined;
  #attempts = { from: -1, count: 0 };
  #live: readonly Replica[];
  #ballots: readonly Ballot[] = [];
  /** A fault has struck: the run is not the fault-free one any more. */
  #struck = false;
  /** Moment of the oldest fault that may still be in the states, or -1. */
  #errorSince = -1;
  #ended: SystemEvent | undefined;
  #charged = { interrupts: 0, clockReads: 0 };
  #armed: ReadonlySet<bigint> | undefined;
  #events: SystemEvent[] = [];
  /** Where each replica stood when the user resumed. */
  #origins = new Map<Replica, { retired: number; pc: bigint }>();

  constructor(plan: Plan, options: SystemOptions = {}) {
    const { protection, guest, maxInstructions } = plan;
    // Not the plan: a guest's files are large.
    this.#plan = { protection, maxInstructions };
    this.chip = new Chip(plan.chip);
    this.#log = options.log ?? new ReleaseLog();
    this.#feed = new InputFeed(options.inputs ?? new InputLog(), guest.typing ?? []);
    this.#forgetful = options.forgetful ?? false;
    this.#injector = new FaultInjector(plan.faults, plan.seed);
    this.#accounting = new Accounting(options.costs ?? defaultCosts, protection.kind !== 'none');

    const first = createMachine(guest, plan.seed, options.tier ?? defaultTier);
    const count = { none: 1, dmr: 2, tmr: 3 }[protection.kind];
    const machines = Array.from({ length: count }, (_, i) => (i === 0 ? first : first.clone()));
    this.#crew = new Crew(machines, options);
    this.replicas = machines.map((computer, i) => {
      const core = protection.cores[i] ?? i;
      computer.setTimeSource(this.chip.timeSource(core, protection.uncoordinated));
      return new Replica(replicaNames[i] ?? 'A', core, computer);
    });
    this.#live = this.replicas;
    this.#independent = new Set(this.replicas.map(({ core }) => core)).size === count;
    this.#checkpoint = this.#takeCheckpoint(0);
    this.#arm(undefined);
    for (const replica of this.replicas) this.#strike(replica, 0);
  }

  get moment(): number {
    return this.#moment;
  }
  /** The replicas that have not been given up. */
  get live(): readonly Replica[] {
    return this.#live;
  }
  /** Retired instructions of the live replicas at this moment. */
  get count(): number {
    return this.#count;
  }
  get epoch(): number {
    return this.#epoch;
  }
  get ended(): SystemEvent | undefined {
    return this.#ended;
  }
  /** Console bytes released so far; in a forgetful system those that are kept. */
  get released(): Uint8Array {
    return this.#log.console(this.#released);
  }
  /** What has gone to disks or to the network so far. */
  releasedData(kind: 'disk' | 'net'): ReleasedData {
    return this.#log.data(kind, this.#released);
  }
  /** A detected error whose recovery is the next step. */
  get detection(): Detection | undefined {
    return this.#detection;
  }
  get protectionNow(): ProtectionKind {
    return protectionOf(this.#live.length);
  }
  /** Threads that execute the replicas now, the caller's among them. */
  get threads(): number {
    return this.#crew.isComplete ? this.replicas.length : 1;
  }
  costs(): CostReport[] {
    return this.#accounting.report();
  }
  hasFired(fault: number): boolean {
    return this.#injector.hasFired(fault);
  }
  /** Core cycles that the guest has cost so far: the slowest core's. */
  get cycles(): number {
    return Math.max(...this.#live.map((replica) => replica.computer.cycles));
  }

  /** Events since the last call, by moment. */
  takeEvents(): SystemEvent[] {
    const events = this.#events.sort((a, b) => a.moment - b.moment);
    this.#events = [];
    return events;
  }

  /** Runs all replicas until `moment` is reached, the guest ends, or a breakpoint. */
  advance(target: number, options: AdvanceOptions = {}): AdvanceStop {
    if (options.breakpoints !== this.#armed) this.#arm(options.breakpoints);
    this.#origins.clear();
    for (const replica of options.resume ? this.#live : []) {
      this.#origins.set(replica, { retired: replica.computer.retired, pc: replica.computer.pc });
    }
    while (this.#moment < target && !this.#ended) {
      if (this.#detection) {
        this.#recover(this.#detection);
        continue;
      }
      const hit = this.#runEpochPart(this.#count + (target - this.#moment), options);
      if (hit) return hit;
    }
    return this.#ended ? { why: 'end' } : { why: 'moment' };
  }

  /** Gives back what the system shares with others, its threads; it still can be used. */
  close(): void {
    this.#crew.close();
  }

  save(): SystemState {
    this.#checkpoint.snapshot.keep();
    const states: ReplicaState[] = [];
    for (const replica of this.replicas) states.push(replica.save(states[0]?.snapshot));
    return {
      moment: this.#moment,
      count: this.#count,
      epoch: this.#epoch,
      replicas: states,
      compared: this.#compared,
      released: this.#released,
      injector: this.#injector.save(),
      checkpoint: this.#checkpoint,
      nextCheckpoint: this.#nextCheckpoint,
      detection: this.#detection,
      attempts: this.#attempts,
      lost: this.replicas.filter(({ isLost }) => isLost).map(({ name }) => name),
      ballots: this.#ballots,
      struck: this.#struck,
      errorSince: this.#errorSince,
      ended: this.#ended,
      accounting: this.#accounting.save(),
      charged: this.#charged,
      feed: this.#feed.save(),
    };
  }

  load(state: SystemState): void {
    this.#injector.load(state.injector);
    this.replicas.forEach((replica, i) => {
      const saved = state.replicas[i];
      // Bits that are stuck now would be so in what is loaded.
      this.#injector.applyLasting(replica.name, replica.core, replica.computer);
      if (saved) replica.load(saved);
    });
    this.#moment = state.moment;
    this.#count = state.count;
    this.#epoch = state.epoch;
    this.#compared = state.compared;
    this.#released = state.released;
    this.#checkpoint = state.checkpoint;
    this.#nextCheckpoint = state.nextCheckpoint;
    this.#detection = state.detection;
    this.#attempts = state.attempts;
    this.#ballots = state.ballots;
    for (const replica of this.replicas) replica.isLost = state.lost.includes(replica.name);
    this.#goOnWithLive();
    this.#struck = state.struck;
    this.#errorSince = state.errorSince;
    this.#ended = state.ended;
    this.#accounting.load(state.accounting);
    this.#charged = state.charged;
    this.#feed.load(state.feed);
    this.#events = [];
  }

  /**
   * Where the replicas meet next, in retired instructions: at the end of the current epoch; or of a later one up to `goal`, where
   * nothing could come of the rendezvous in between, since the replicas are equal, no fault and no input is due, and no states are compared.
   */
  #meetingAt(goal: number, options: AdvanceOptions): number {
    const { epochInstructions, compareStateEpochs, checkpointEpochs, uncoordinated } = this.#plan.protection;
    const { maxInstructions } = this.#plan;
    let epochs = 1;
    if (this.#errorSince < 0 && this.#feed.isOver && uncoordinated.length === 0 && !options.breakpoints && !options.collectEffects) {
      const quiet = Math.min(goal, this.#injector.quietUntil, maxInstructions);
      epochs = Math.floor(quiet / epochInstructions) - this.#epoch;
      for (const period of [compareStateEpochs, checkpointEpochs]) if (period > 0) epochs = Math.min(epochs, period - (this.#epoch % period));
    }
    return Math.min((this.#epoch + Math.max(1, epochs)) * epochInstructions, maxInstructions);
  }

  /**
   * Makes up for the rendezvous before `count` that nothing could come of. What they cost adds up to the same. One that is at `count`
   * itself is still to come, but for that of guests which have `halted` there: that they have is found in the next epoch.
   */
  #passEpochs(count: number, halted = false): void {
    const epochs = count / this.#plan.protection.epochInstructions;
    const passed = (halted ? Math.floor(epochs) : Math.ceil(epochs) - 1) - this.#epoch;
    if (passed <= 0) return;
    this.#epoch += passed;
    this.#chargeExits();
    this.#accounting.epochs(passed);
    this.#accounting.settle(this.#live);
  }

  /** Runs to `goal` retired instructions or where the replicas meet, whichever is first. */
  #runEpochPart(goal: number, options: AdvanceOptions): AdvanceStop | undefined {
    let epochEnd = this.#meetingAt(goal, options);
    let limit = Math.min(goal, epochEnd);
    this.#crew.gather(limit - this.#count);
    // A breakpoint that one hits is the limit of the others.
    const together = this.#crew.isComplete && this.#independent && !options.breakpoints;
    let hit: { replica: Replica; count: number } | undefined;

    const runOn = (replica: Replica): boolean => {
      const { computer } = replica;
      if (!replica.running && (replica.halted || computer.retired >= limit)) return false;
      if (this.#runReplica(replica, limit, epochEnd, options)) {
        // No run passes `limit`, so a later hit is an earlier count or the same one, which stays the first replica's.
        if (!hit || computer.retired < hit.count) hit = { replica, count: computer.retired };
        limit = computer.retired;
      }
      return true;
    };
    /** In their order, though they run at the same time if they can: what becomes of one is nothing to the others. */
    const runAll = (replicas: readonly Replica[]): boolean => {
      const started: Replica[] = [];
      try {
        for (const replica of together ? replicas : []) {
          // The first has no thread of its own.
          if (replica === this.#live[0] || replica.halted || replica.computer.retired >= limit) continue;
          this.#start(replica, limit, options);
          started.push(replica);
        }
        const from = performance.now();
        const [own, ...others] = replicas;
        let ran = own !== undefined && runOn(own);
        const then = performance.now();
        for (const replica of others) ran = runOn(replica) || ran;
        if (started.length > 0) this.#crew.account(then - from, performance.now() - then);
        return ran;
      } finally {
        // Where one has thrown, the others come to rest.
        for (const replica of started) if (replica.running) this.#settle(replica);
      }
    };

    for (;;) {
      let ran = runAll(this.#live.filter((replica) => replica.pending.length === 0));
      const said = Math.max(...this.#live.map((replica) => replica.pending[0]?.instruction ?? Infinity));
      if (said <= limit) {
        this.#passEpochs(said);
        if (this.#compareHeads(limit, epochEnd, options)) return undefined;
        // An output is paid for at the end of its epoch.
        epochEnd = Math.min(epochEnd, Math.ceil(said / this.#plan.protection.epochInstructions) * this.#plan.protection.epochInstructions);
        limit = Math.min(limit, epochEnd);
        continue;
      }
      if (ran) continue;
      ran = runAll(this.#live);
      if (!ran) break;
    }

    const allHalted = this.#live.every((replica) => replica.halted);
    const arrived = allHalted ? Math.max(...this.#live.map((replica) => replica.computer.retired)) : limit;
    if (hit && this.#live.some((replica) => replica.computer.retired > arrived)) {
      return this.#stopAt('overrun', hit.replica, this.#moment + arrived - this.#count);
    }
    if (hit) this.#followIntoTrap(arrived, options);
    this.#passEpochs(arrived, allHalted);
    this.#moveTo(arrived);
    if (allHalted || arrived === epochEnd) this.#rendezvous();
    return hit && this.#stopAt('breakpoint', hit.replica, this.#moment);
  }

  /**
   * A trap retires nothing: a replica that met a breakpoint on a handler's first
   * instruction has taken its trap, while one that only ran to the same count
   * still stands before it. The latter takes its trap too, if it has one to take.
   */
  #followIntoTrap(count: number, options: AdvanceOptions): void {
    for (const replica of this.#live) {
      const { computer } = replica;
      if (replica.halted || computer.retired !== count || options.breakpoints?.has(computer.pc)) continue;
      const before = replica.save();
      const stop = computer.run(count + 1, { collectEffects: options.collectEffects ?? false });
      if (stop !== 'breakpoint' || computer.retired !== count) replica.load(before);
    }
  }

  #stopAt(why: 'breakpoint' | 'overrun', replica: Replica, moment: number): AdvanceStop {
    return { why, moment, replica: replica.name, address: replica.computer.pc };
  }

  #moveTo(count: number): void {
    this.#moment += count - this.#count;
    this.#count = count;
  }

  /** The moment at which a replica of the current attempt stands at `count`. */
  #momentOf(count: number): number {
    return this.#moment + count - this.#count;
  }

  /**
   * Runs one replica to `limit`, to its next output, or to a breakpoint (then true).
   * Boundaries at the epoch's end are struck after the rendezvous, not here.
   */
  #runReplica(replica: Replica, limit: number, epochEnd: number, options: AdvanceOptions): boolean {
    const { computer } = replica;
    while (replica.running || (computer.retired < limit && !replica.halted)) {
      if (!replica.running) this.#start(replica, limit, options);
      replica.running = false;
      const stop = computer.finish();
      const outputs = computer.takeOutputs();
      replica.pending.push(...outputs);
      replica.produced += outputs.length;
      if (stop === 'exit' || stop === 'idle' || stop === 'stalled') replica.halted = stop;
      replica.atBreakpoint = stop === 'breakpoint';
      const { pc } = computer;
      if (computer.retired < epochEnd) this.#strike(replica, this.#momentOf(computer.retired), outputs.length);
      if (replica.atBreakpoint && options.breakpoints?.has(pc) && !this.#isOrigin(replica, pc)) return true;
      // A fault has sent it elsewhere, where another breakpoint may stand.
      if (computer.pc !== pc) replica.atBreakpoint = false;
      if (outputs.length > 0) return false;
    }
    return false;
  }

  /** Lets a replica run as far as nothing is due, until its `finish`. */
  #start(replica: Replica, limit: number, options: AdvanceOptions): void {
    const { computer, name, core } = replica;
    const goal = Math.min(limit, this.#injector.nextInstruction(name, core, computer.retired, this.#momentOf(computer.retired)));
    const cycleLimit = this.#injector.nextCycle(name, core);
    computer.start(goal, {
      stopOnOutput: true,
      stepOver: replica.atBreakpoint,
      collectEffects: options.collectEffects ?? false,
      ...(cycleLimit < Infinity ? { cycleLimit } : {}),
    });
    replica.running = true;
  }

  /** Waits for a replica whose result nobody needs any more. */
  #settle(replica: Replica): void {
    replica.running = false;
    try {
      replica.computer.finish();
    } catch {
      // What has thrown first is what is said.
    }
  }

  #isOrigin(replica: Replica, pc: bigint): boolean {
    const origin = this.#origins.get(replica);
    return origin?.retired === replica.computer.retired && origin.pc === pc;
  }

  #strike(replica: Replica, moment: number, fresh = 0): void {
    const { computer, name, core } = replica;
    // At a count that was merely reached an interrupt may come before the instruction at pc.
    const { retired: at, pc: next } = computer;
    const counted = replica.counted?.retired === at && replica.counted.pc === next;
    const executing = !counted && (replica.atBreakpoint || !computer.interruptDue());
    if (executing) replica.counted = { retired: at, pc: next };
    const struck = this.#injector.strike({
      replica: name,
      core,
      computer,
      moment,
      executing,
      outputs: replica.produced,
      fresh,
      console: (outputs) => this.#consoleOf(replica, outputs),
      epoch: this.#epoch,
      checkpoint: this.#checkpoint.count === computer.retired ? this.#checkpoint.number : undefined,
    });
    for (const { fault, change } of struck) {
      const { pc, retired } = computer;
      // After a fault pc names the corrupted pc; the event says where the guest stood.
      this.#events.push({ kind: 'fault', moment, instruction: retired, fault, replica: name, core, pc, change: change.text });
      this.#struck = true;
      if (change.effective && (this.#errorSince < 0 || moment < this.#errorSince)) this.#errorSince = moment;
      // A fault may have changed what the replica waits for or where it is.
      if (replica.halted === 'idle' || replica.halted === 'stalled') replica.halted = null;
    }
  }

  /** Console bytes among a replica's newest outputs. Compared outputs are its own, or there would be no comparison left. */
  #consoleOf(replica: Replica, outputs: number): Uint8Array {
    const pending = replica.pending.slice(-outputs);
    const bytes = pending.filter((output) => output.kind === 'console').map((output) => output.value);
    const compared = this.#log.console(this.#compared, this.#compared - (outputs - pending.length));
    return Uint8Array.from([...compared, ...bytes]);
  }

  /**
   * Compares the oldest outputs of all replicas, which all have one. True where
   * the epoch cannot go on: an error was detected or the guest has ended.
   */
  #compareHeads(limit: number, epochEnd: number, options: AdvanceOptions): boolean {
    const heads = this.#live.map((replica) => replica.pending[0]).filter((output) => output !== undefined);
    const at = Math.max(...heads.map((output) => output.instruction));
    const mismatch = compareOutputs(this.#live);
    if (mismatch && this.#plan.protection.compareOutput) {
      this.#bringTo(Math.min(at, limit), epochEnd, options);
      this.#moveTo(at);
      this.#detect(mismatch);
      return true;
    }
    const [output] = heads;
    for (const replica of this.#live) replica.pending.shift();
    return output ? this.#release(output, at, () => this.#bringTo(Math.min(at, limit), epochEnd, options)) : false;
  }

  /** Nobody is past `count`: whoever waits with an output ran no further than the last common moment or that output. */
  #bringTo(count: number, epochEnd: number, options: AdvanceOptions): void {
    for (const replica of this.#live) {
      while (!replica.halted && replica.computer.retired < count) {
        this.#runReplica(replica, count, epochEnd, { collectEffects: options.collectEffects ?? false });
      }
    }
  }

  /** Releases an output that all replicas agree on, once. True if it ended the run; then all have been brought there. */
  #release(output: Output, at: number, bringAll: () => void): boolean {
    const moment = this.#momentOf(at);
    const sequence = this.#compared++;
    if (sequence < this.#released) {
      const before = this.#log.at(sequence);
      if (before && !this.#log.agrees({ ...output, sequence })) {
        bringAll();
        this.#moveTo(at);
        const why = `output ${sequence} was released as ${describeOutput(before)} and is now ${describeOutput(output)}`;
        this.#end('stopped', null, why);
        return true;
      }
      return false;
    }
    this.#log.write({ ...output, sequence });
    this.#released = this.#compared;
    this.#accounting.output(output.data?.length ?? 1);
    if (output.kind !== 'exit') {
      const newest = this.#events.at(-1);
      if (output.kind !== 'console') this.#events.push({ kind: 'release', moment, instruction: at, bytes: [] });
      else if (newest?.kind === 'release' && newest.moment === moment) newest.bytes.push(output.value);
      else this.#events.push({ kind: 'release', moment, instruction: at, bytes: [output.value] });
      if (this.#released - this.#log.first < mostOutputs) return false;
      bringAll();
      this.#moveTo(at);
      this.#end('limit', null, `the guest has sent ${mostOutputs} outputs, which is as much as is kept`);
      return true;
    }
    this.#moveTo(at);
    this.#end('exit', output.value, 'the guest exited');
    return true;
  }

  #rendezvous(): void {
    const { protection, maxInstructions } = this.#plan;
    const replicated = this.#live.length > 1;
    const found = replicated ? inspectArrival(this.#live, protection.compareOutput) : undefined;
    if (found) {
      if (found.by === 'watchdog') {
        this.#accounting.watchdog(protection.watchdogEpochs * protection.epochInstructions);
      }
      this.#detect(found, found.by === 'watchdog' ? protection.watchdogEpochs * protection.epochInstructions : 0);
      return;
    }
    if (this.#live.every((replica) => replica.halted)) {
      if (this.#handOver()) return;
      const why = { idle: 'waits for an interrupt that cannot come', stalled: 'takes traps without end', exit: 'exited' };
      return this.#end('hung', null, `the guest ${why[this.#live[0]?.halted ?? 'idle']}`);
    }
    if (this.#count >= maxInstructions) {
      return this.#end('limit', null, `the guest was still running after ${maxInstructions} instructions`);
    }
    this.#epoch++;
    if (replicated) this.#compareAndCheckpoint();
    if (!this.#detection) this.#handOver();
    if (this.#forgetful) this.#forget();
    this.#accounting.settle(this.#live);
    if (!this.#detection) for (const replica of this.#live) this.#strike(replica, this.#moment);
  }

  /** Hands the replicas the input that is due, all at the same count. True if there was any. */
  #handOver(): boolean {
    const input = this.#feed.next({
      count: this.#count,
      consoleRoom: this.#live[0]?.computer.consoleRoom ?? 0,
      released: this.#released,
      printed: (from) => this.#log.console(this.#released, from),
    });
    if (!input) return false;
    this.#accounting.input(input.console.length);
    for (const replica of this.#live) {
      replica.computer.receive(input.console);
      if (replica.halted === 'idle') replica.halted = null;
    }
    return true;
  }

  /** Gives up what no rollback, no input and no fault will ask for again. */
  #forget(): void {
    const alone = this.#live.length === 1;
    const compared = alone ? this.#compared : this.#checkpoint.compared;
    this.#log.forget(Math.min(compared - this.#injector.longestText, this.#feed.saw));
    this.#feed.forget(alone ? this.#feed.handed : this.#checkpoint.inputs);
  }

  #compareAndCheckpoint(): void {
    const { protection } = this.#plan;
    this.#chargeExits();
    this.#accounting.epochs(1);
    const compare = protection.compareStateEpochs > 0 && this.#epoch % protection.compareStateEpochs === 0;
    const checkpoint = protection.checkpointEpochs > 0 && this.#epoch % protection.checkpointEpochs === 0;
    if (!compare && !checkpoint) return;

    const [first, ...others] = this.#live;
    if (!first) return;
    const { equal, changedPages } = first.computer.compareState(others.map(({ computer }) => computer), this.#checkpoint.snapshot);
    const mismatch = equal ? undefined : compareStates(this.#live, snapshotAll(this.#live));
    if (!mismatch) this.#forgetError();
    if (compare) {
      this.#accounting.stateComparison(changedPages);
      if (mismatch) return this.#detect(mismatch);
    }
    if (!checkpoint) return;
    this.#accounting.checkpoint(changedPages);
    const number = this.#nextCheckpoint++;
    if (!mismatch) this.#checkpoint = this.#takeCheckpoint(number);
    this.#events.push({
      kind: 'checkpoint',
      moment: this.#moment,
      instruction: this.#count,
      number,
      validated: !mismatch,
    });
  }

  /** Interrupts and coordinated clock reads since the last rendezvous, of the replica that had most. */
  #chargeExits(): void {
    const interrupts = Math.max(...this.#live.map((replica) => replica.computer.interrupts));
    const clockReads = Math.max(...this.#live.map((replica) => replica.computer.clockReads));
    this.#accounting.interrupts(interrupts - this.#charged.interrupts);
    this.#accounting.clockReads(clockReads - this.#charged.clockReads);
    this.#charged = { interrupts, clockReads };
  }

  #takeCheckpoint(number: number): Checkpoint {
    const [first, ...others] = this.#live;
    if (!first) throw new Error('a system without replicas');
    const snapshot = first.computer.checkpoint();
    // They are equal, as has just been found.
    for (const { computer } of others) computer.share(snapshot);
    return {
      number,
      count: this.#count,
      epoch: this.#epoch,
      snapshot,
      compared: this.#compared,
      inputs: this.#feed.handed,
      triggers: this.#injector.counts(),
    };
  }

  #detect(found: Detection, waited = 0): void {
    const loser = outvoted(this.#live, this.#checkpoint.snapshot);
    // What two of three say is a vote; a trap, or that nobody comes, is noticed before anybody votes.
    const isVote = loser !== undefined && (found.by === 'output' || found.by === 'state');
    const detection: Detection = isVote ? { by: 'vote', what: `${found.what}; ${loser.name} is outvoted` } : found;
    this.#detection = detection;
    this.#events.push({
      kind: 'detection',
      moment: this.#moment,
      instruction: this.#count,
      by: detection.by,
      what: detection.what,
      latency: this.#errorSince < 0 ? -1 : this.#moment - this.#errorSince + waited,
    });
  }

  /**
   * By vote where two of three agree, else by rollback. Takes one moment,
   * so that the state in which the error was noticed keeps a moment of its own.
   */
  #recover(detection: Detection): void {
    const loser = outvoted(this.#live, this.#checkpoint.snapshot);
    if (loser) this.#replace(loser);
    else this.#rollBack(detection);
  }

  /** The outvoted replica becomes a copy of the others, which go on from where they are; or it is given up, if it was outvoted too often. */
  #replace(loser: Replica): void {
    const { retry, checkpointEpochs, epochInstructions } = this.#plan.protection;
    const [good] = this.#live.filter((replica) => replica !== loser);
    if (!good) throw new Error('a vote without a majority');
    const { ballots, inARow } = takeDown(this.#ballots, loser.name, this.#moment, Math.max(1, checkpointEpochs) * epochInstructions);
    this.#ballots = ballots;
    const state = good.save();
    const changedPages = Math.max(state.snapshot.changedPages(this.#checkpoint.snapshot), loser.computer.snapshot(state.snapshot).changedPages(this.#checkpoint.snapshot));
    // Those that waited for an interrupt that cannot come are where the loser ran away from.
    this.#count = good.computer.retired;
    this.#moment += 1;
    this.#detection = undefined;
    this.#origins.clear();
    if (inARow > retry) {
      loser.isLost = true;
      this.#goOnWithLive();
      const why = `it was outvoted ${inARow} times in a row`;
      this.#events.push({ kind: 'degradation', moment: this.#moment, instruction: this.#count, replica: loser.name, to: this.protectionNow, why });
    } else {
      cloneInto(loser, state);
      this.#accounting.recovery(changedPages);
    }
    this.#forgetError();
    const count = this.#count;
    this.#events.push({ kind: 'recovery', moment: this.#moment, instruction: count, by: 'vote', to: count, replayed: 0 });
    // Where the states were compared the epoch is over, and what belongs to its end is still to come.
    if (count !== this.#epoch * epochInstructions) return;
    this.#handOver();
    this.#accounting.settle(this.#live);
    for (const replica of this.#live) this.#strike(replica, this.#moment);
  }

  #goOnWithLive(): void {
    this.#live = this.replicas.filter(({ isLost }) => !isLost);
    // Which thread is whose is known for all replicas together.
    if (this.#live.length < this.replicas.length) this.#crew.close();
  }

  /** Rolls all replicas back to the last validated checkpoint. */
  #rollBack(detection: Detection): void {
    const { number, count, epoch, snapshot, compared, inputs, triggers } = this.#checkpoint;
    const attempt = this.#attempts.from === number ? this.#attempts.count + 1 : 1;
    if (attempt > this.#plan.protection.retry) {
      const why = `${detection.what}; it came back after ${attempt - 1} rollbacks to checkpoint ${number}`;
      return this.#end('stopped', null, why);
    }
    this.#attempts = { from: number, count: attempt };
    const replayed = this.#count - count;
    const changedPages = Math.max(
      ...snapshotAll(this.#live).map((current) => current.changedPages(snapshot)),
    );
    for (const replica of this.#live) {
      replica.computer.restore(snapshot);
      replica.computer.takeOutputs();
      replica.atBreakpoint = false;
      replica.counted = undefined;
      replica.pending = [];
      replica.produced = compared;
      replica.halted = null;
    }
    this.#origins.clear();
    this.#injector.rollBack(triggers);
    this.#detection = undefined;
    this.#compared = compared;
    this.#feed.rollBack(inputs);
    this.#epoch = epoch;
    this.#count = count;
    this.#moment += 1;
    this.#forgetError();
    this.#accounting.recovery(changedPages);
    this.#handOver();
    this.#accounting.settle(this.#live);
    this.#events.push({ kind: 'recovery', moment: this.#moment, instruction: count, by: 'rollback', to: count, replayed });
    for (const replica of this.#live) this.#strike(replica, this.#moment);
  }

  /** The states are equal, or those of a checkpoint. A fault that lasts may make them differ from now on. */
  #forgetError(): void {
    this.#errorSince = this.#injector.isLasting ? this.#moment : -1;
  }

  #end(how: Ending, exitCode: number | null, why: string): void {
    // What the last epoch has come to is paid for, however it ends.
    this.#chargeExits();
    this.#accounting.settle(this.#live);
    const end: SystemEvent = { kind: 'end', moment: this.#moment, instruction: this.#count, how, exitCode, why };
    this.#ended = end;
    this.#detection = undefined;
    this.#events.push(end);
  }

  #arm(breakpoints: ReadonlySet<bigint> | undefined): void {
    for (const replica of this.replicas) {
      const own = this.#injector.addresses(replica.name, replica.core);
      replica.computer.setBreakpoints([...own, ...(breakpoints ?? [])]);
    }
    // Only now: where there were too many, the next call has to say so again.
    this.#armed = breakpoints;
  }
}
