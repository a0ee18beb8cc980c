import type { ComponentName } from '../chip/health';
import type { Course } from './course';
import type { Delivery } from './delivery';
import type { FaultInjector } from './fault-injector';
import type { Input } from './input-log';
import type { Change } from './place';
import type { ReleaseLog } from './release-log';
import type { Replica } from './replica';
import type { Share } from './share';

export interface RunOptions {
  /** Stop before any replica executes an instruction at one of these addresses. */
  breakpoints?: ReadonlySet<bigint>;
  /** Collect the effects digest of every replica (slow). */
  collectEffects?: boolean;
}

/** Runs single replicas from one instruction boundary at which something is due to the next, and strikes them there. */
export class ReplicaRunner {
  #armed: ReadonlySet<bigint> | undefined;
  /** Where each replica stood when the user resumed. */
  readonly #origins = new Map<Replica, { retired: number; pc: bigint }>();

  constructor(
    private readonly course: Course,
    private readonly injector: FaultInjector,
    private readonly log: ReleaseLog,
    private readonly share: Share,
    private readonly delivery: Delivery,
    /** A guest that sleeps may be handed something by the outside. */
    private readonly wakeful: boolean,
  ) {}

  /** Sets the user's breakpoints, and those of faults, in all replicas, unless they are set. */
  arm(replicas: readonly Replica[], breakpoints: ReadonlySet<bigint> | undefined, again = false): void {
    if (breakpoints === this.#armed && !again) return;
    for (const { name, core, computer } of replicas) computer.setBreakpoints([...this.injector.addresses(name, core), ...(breakpoints ?? [])]);
    // Only now: where there were too many, the next call has to say so again.
    this.#armed = breakpoints;
  }

  /** The user goes on from here: a breakpoint at which one of these stands now does not stop it again. */
  resume(replicas: readonly Replica[]): void {
    this.#origins.clear();
    for (const replica of replicas) this.#origins.set(replica, { retired: replica.computer.retired, pc: replica.computer.pc });
  }

  /**
   * Runs one replica to `limit`, to its next output, or to a breakpoint (then true).
   * Boundaries at the epoch's end are struck after the rendezvous, not here.
   */
  run(replica: Replica, limit: number, epochEnd: number, options: RunOptions): boolean {
    const { computer } = replica;
    while (replica.running || (computer.retired < limit && !replica.halted)) {
      if (!replica.running) this.start(replica, limit, options);
      replica.running = false;
      const stop = computer.finish();
      const outputs = computer.takeOutputs();
      replica.pending.push(...outputs);
      replica.produced += outputs.length;
      this.#meet(replica);
      this.delivery.deliver(replica);
      if (stop === 'exit' || stop === 'stalled' || (stop === 'idle' && !this.delivery.wake(replica))) replica.halted = stop;
      replica.atBreakpoint = stop === 'breakpoint';
      const { pc } = computer;
      if (computer.retired < epochEnd) this.strike(replica, this.course.momentOf(computer.retired), outputs.length);
      if (replica.atBreakpoint && options.breakpoints?.has(pc) && !this.#isOrigin(replica, pc)) return true;
      // A fault has sent it elsewhere, where another breakpoint may stand.
      if (computer.pc !== pc) replica.atBreakpoint = false;
      if (outputs.length > 0) return false;
    }
    return false;
  }

  /** Lets a replica run as far as nothing is due, until its `finish`. */
  start(replica: Replica, limit: number, options: RunOptions): void {
    const { computer, name, core } = replica;
    const goal = Math.min(limit, this.delivery.next(replica), this.injector.nextInstruction(name, core, computer.retired, this.course.momentOf(computer.retired)));
    const cycleLimit = this.injector.nextCycle(name, core);
    computer.start(goal, {
      stopOnOutput: true,
      stepOver: replica.atBreakpoint,
      collectEffects: options.collectEffects ?? false,
      wakeful: this.#isWakeful(replica),
      ...(cycleLimit < Infinity ? { cycleLimit } : {}),
    });
    replica.running = true;
  }

  /** Time does not pass for one that sleeps while something may come from outside before its timer is due. */
  #isWakeful({ computer }: Replica): boolean {
    return this.wakeful || computer.flushes.length > 0;
  }

  /** Waits for a replica whose result nobody needs any more. */
  settle(replica: Replica): void {
    replica.running = false;
    try {
      replica.computer.finish();
    } catch {
      // What has thrown first is what is said.
    }
  }

  /** Nobody is past `count`: whoever waits with an output ran no further than the last common moment or that output. */
  bringTo(replicas: readonly Replica[], count: number, epochEnd: number, options: RunOptions): void {
    for (const replica of replicas) {
      while (!replica.halted && replica.computer.retired < count) {
        this.run(replica, count, epochEnd, { collectEffects: options.collectEffects ?? false });
      }
    }
  }

  /**
   * A trap retires nothing: a replica that met a breakpoint on a handler's first
   * instruction has taken its trap, while one that only ran to the same count
   * still stands before it. The latter takes its trap too, if it has one to take.
   */
  followIntoTrap(replicas: readonly Replica[], count: number, options: RunOptions): void {
    for (const replica of replicas) {
      const { computer } = replica;
      if (replica.halted || computer.retired !== count || options.breakpoints?.has(computer.pc)) continue;
      const before = replica.save();
      const stop = computer.run(count + 1, { collectEffects: options.collectEffects ?? false, wakeful: this.#isWakeful(replica) });
      if (stop !== 'breakpoint' || computer.retired !== count) {
        replica.load(before);
        // The hardware has met what it has not met yet.
        computer.takeStruck();
        computer.takeTouched();
        computer.takeStruckTransfer();
        computer.takeStruckTranslations();
        computer.caches?.take();
        this.injector.equip(replica.name, replica.core, computer);
      } else this.#meet(replica);
    }
  }

  /** Faults that are due strike a replica where it has come to rest; to be called once for each such boundary. */
  strike(replica: Replica, moment = this.course.moment, fresh = 0): void {
    if (replica.halted === 'dead') return;
    const { computer, name, core } = replica;
    const { course } = this;
    // At a count that was merely reached an interrupt may come before the instruction at pc.
    const { retired: at, pc: next } = computer;
    const counted = replica.counted?.retired === at && replica.counted.pc === next;
    const executing = !counted && (replica.atBreakpoint || !computer.interruptDue());
    if (executing) replica.counted = { retired: at, pc: next };
    const struck = this.injector.strike({
      replica: name,
      core,
      computer,
      moment,
      executing,
      outputs: replica.produced,
      fresh,
      console: (outputs) => this.#consoleOf(replica, outputs),
      epoch: course.epoch,
      checkpoint: course.checkpoint.count === computer.retired ? course.checkpoint.number : undefined,
    });
    for (const { fault, change } of struck) {
      const { pc, retired } = computer;
      // After a fault pc names the corrupted pc; the event says where the guest stood.
      this.#tell(replica, fault, change, { moment, retired, pc });
      // A fault may have changed what the replica waits for or where it is.
      if (replica.halted === 'idle' || replica.halted === 'stalled') replica.halted = null;
      if (!change.dead) continue;
      this.share.kill(change.dead.component, change.dead.how);
      this.#dieUnder(replica, change.dead.component);
    }
  }

  #dieUnder(replica: Replica, component: ComponentName): void {
    replica.halted = 'dead';
    replica.deadBy = component;
  }

  /** A component is dead: with it stand still those of these whose domain has it. */
  lose(replicas: readonly Replica[], component: ComponentName): void {
    const { course } = this;
    for (const replica of replicas) {
      if (replica.halted === 'dead' || !this.injector.reaches(component, replica.name)) continue;
      this.#dieUnder(replica, component);
      course.errorSince = course.errorSince < 0 ? course.moment : course.errorSince;
    }
  }

  /** Hands a replica what has come from outside, what is typed as faults let it. */
  hand(replica: Replica, { console: typed, frames }: Input): void {
    const { computer, name, core } = replica;
    const { bytes, met } = this.injector.hand(name, core, typed);
    const { retired, pc } = computer;
    for (const { fault, change } of met) this.#tell(replica, fault, change, { moment: this.course.moment, retired, pc });
    this.delivery.hand(replica, { console: bytes, frames }, this.course.moment);
    if (frames.length > 0) this.#meet(replica);
  }

  /** Says what has met faults that waited in a replica: it has come to rest just behind that, and where it stands is the first state that is another one. */
  #meet(replica: Replica): void {
    const { computer, name, core } = replica;
    for (const { fault, change, pc } of this.injector.meet(name, core, computer)) {
      const { retired } = computer;
      this.#tell(replica, fault, change, { moment: this.course.momentOf(retired), retired, pc: pc ?? computer.pc });
    }
  }

  #tell({ name, core }: Replica, fault: number, change: Change, { moment, retired, pc }: { moment: number; retired: number; pc: bigint }): void {
    const { course } = this;
    course.emit({ kind: 'fault', fault, replica: name, core, pc, change: change.text }, { moment, instruction: retired });
    if (change.effective && (course.errorSince < 0 || moment < course.errorSince)) course.errorSince = moment;
  }

  /** Faults that are due strike what no replica runs on; to be called once at each rendezvous. */
  strikeIdle(replicas: readonly Replica[]): void {
    const { course } = this;
    const inUse = { replicas: replicas.map(({ name }) => name), cores: replicas.map(({ core }) => core) };
    const now = { count: course.count, cycles: replicas[0]?.computer.cycles ?? 0, moment: course.moment, epoch: course.epoch, checkpoint: course.checkpoint.number };
    for (const { fault, core, change } of this.injector.strikeIdle(inUse, now)) {
      course.emit({ kind: 'fault', fault, replica: undefined, core, pc: 0n, change: change.text });
      if (!change.dead) continue;
      this.share.kill(change.dead.component, change.dead.how);
      this.lose(replicas, change.dead.component);
    }
  }

  #isOrigin(replica: Replica, pc: bigint): boolean {
    const origin = this.#origins.get(replica);
    return origin?.retired === replica.computer.retired && origin.pc === pc;
  }

  /** Console bytes among a replica's newest outputs. Compared outputs are its own, or there would be no comparison left. */
  #consoleOf(replica: Replica, outputs: number): Uint8Array {
    const pending = replica.pending.slice(-outputs);
    const bytes = pending.filter((output) => output.kind === 'console').map((output) => output.value);
    const { compared } = this.course;
    const earlier = this.log.console(compared, compared - (outputs - pending.length));
    return Uint8Array.from([...earlier, ...bytes]);
  }
}
