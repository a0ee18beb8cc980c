import { bankName, controllerName, coreName, Health, type ComponentName } from '../chip/health';
import type { Snapshot } from '../machine/types';
import type { Accounting } from './accounting';
import type { Checkpoint } from './checkpoint';
import { announceClones, pagesToCopy } from './cloned';
import type { Course } from './course';
import { ErrorLedger, type LedgerState } from './error-ledger';
import type { FaultInjector } from './fault-injector';
import type { InputFeed } from './input-feed';
import type { ProtectionPlan, RecoveryMethod, ReplicaName } from './plan';
import { snapshotAll, type Detection } from './rendezvous';
import type { Replica, ReplicaState } from './replica';
import type { Share } from './share';
import type { Team } from './team';
import { areAllEqual, cloneInto, outvoted } from './vote';

/** What recovery has in mind of earlier errors; immutable. */
export interface RecoveryState {
  readonly attempts: { readonly from: number; readonly count: number };
  readonly ledger: LedgerState;
  /** A third replica that runs along with two, to see whose error it is. */
  readonly witness: ReplicaName | undefined;
  /** Who stood alone against two and was made anew, when, and which banks and controllers it had. */
  readonly convicted: { readonly name: ReplicaName; readonly moment: number; readonly components: readonly ComponentName[] } | undefined;
}

/** What recovery works with. */
export interface RecoveryParts {
  readonly protection: ProtectionPlan;
  /** Cores that the guest may be run on: spares first. */
  readonly cores: readonly number[];
  readonly share: Share;
  readonly course: Course;
  readonly team: Team;
  readonly injector: FaultInjector;
  readonly accounting: Accounting;
  readonly feed: InputFeed;
  /** The guest cannot go on: stop it rather than release a doubtful byte. */
  stop(why: string): void;
  /** Replicas are on other cores, or others than before. */
  reseated(): void;
  /** Faults whose time is over are gone from cores that nobody runs on. */
  expire(): void;
  /** What belongs to the end of an epoch where the replicas stand: input that is due, costs, faults that strike there. */
  resume(event: () => void): void;
}

/**
 * Takes the replicas from a detected error to where they can go on: by vote where two of three agree, onto other cores
 * where a component is dead, else by rollback to the last validated checkpoint; and where errors come back, to whom they
 * belong: by vote among three, or by a third replica that joins two. What a rollback could take back has not been
 * released, so that none of it is ever seen from outside.
 *
 * Each recovery takes one moment, so that the state in which the error was noticed keeps a moment of its own.
 */
export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #ledger: ErrorLedger;
  #attempts = { from: -1, count: 0 };
  #witness: ReplicaName | undefined;
  #convicted: RecoveryState['convicted'];

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    const { retry, retireAfter, checkpointEpochs, compareStateEpochs, epochInstructions } = parts.protection;
    // Errors are noticed once in a comparison, and gone back from to a checkpoint.
    const period = Math.max(1, checkpointEpochs, compareStateEpochs) * epochInstructions;
    this.#ledger = new ErrorLedger(retireAfter ?? { errors: retry + 1, instructions: (retry + 1) * period });
  }

  save(): RecoveryState {
    return { attempts: this.#attempts, ledger: this.#ledger.save(), witness: this.#witness, convicted: this.#convicted };
  }

  load({ attempts, ledger, witness, convicted }: RecoveryState): void {
    this.#attempts = attempts;
    this.#ledger.load(ledger);
    this.#witness = witness;
    this.#convicted = convicted;
  }

  /** A third replica runs along. */
  get isDiagnosing(): boolean {
    return this.#witness !== undefined;
  }

  recover(detection: Detection): void {
    const { team, course } = this.#parts;
    const dead = team.live.filter(({ halted }) => halted === 'dead');
    if (dead.length > 0) return this.#failOver(dead);
    const loser = outvoted(team.live, course.checkpoint.snapshot);
    if (loser) this.#replace(loser);
    else this.#goBack(detection);
  }

  /** A checkpoint has been validated: an error that was looked for has not come back. */
  validated(): void {
    const { team, course } = this.#parts;
    const witness = this.#takeWitness();
    if (!witness) return;
    team.leave(witness);
    this.#reconfigured();
    course.emit({ kind: 'diagnosis', replica: witness.name, core: witness.core, what: 'the error has not come back' });
  }

  /** The chip says of components that nobody runs on that they have stopped. */
  noticeIdle(): void {
    const { share, team, injector } = this.#parts;
    const { health } = share;
    for (const component of health.unnoticed) {
      // What somebody else has to do with is theirs to notice.
      if (!injector.hasKilled(component) || share.isOthers(component)) continue;
      if (health.death(component) !== 'stops' || team.live.some(({ deadBy }) => deadBy === component)) continue;
      if (team.live.some(({ name }) => team.reaches(component, name))) continue;
      this.#retire(component, 'machine check');
    }
  }

  /** The outvoted replica becomes a copy of the others, which go on from where they are; elsewhere, if it was outvoted too often. */
  #replace(loser: Replica): void {
    const { team, course, accounting } = this.#parts;
    const { snapshot } = course.checkpoint;
    const [good] = team.live.filter((replica) => replica !== loser);
    if (!good) throw new Error('a vote without a majority');
    const isHard = this.#ledger.note(coreName(loser.core), course.moment) || this.#witness !== undefined;
    const state = good.save();
    const changedPages = Math.max(state.snapshot.changedPages(snapshot), loser.computer.snapshot(state.snapshot).changedPages(snapshot));
    // Those that waited for an interrupt that cannot come are where the loser ran away from.
    course.count = good.computer.retired;
    course.moment += 1;
    course.detection = undefined;
    let by: RecoveryMethod = 'vote';
    if (isHard) {
      by = this.#expel(loser, state);
    } else {
      cloneInto(loser, state);
      accounting.recovery(changedPages);
    }
    this.#forgetError();
    this.#goOn(by);
  }

  /** On from where the replicas stand, with nothing run again. */
  #goOn(by: RecoveryMethod): void {
    const { course, protection } = this.#parts;
    const recovered = (): void => void course.emit({ kind: 'recovery', by, to: course.count, replayed: 0 });
    // Where the states were compared the epoch is over, and what belongs to its end is still to come.
    if (course.count === course.epoch * protection.epochInstructions) this.#parts.resume(recovered);
    else recovered();
  }

  /**
   * A replica that errs again and again goes on elsewhere, in the others' state; or not at all. At first it is held to be its core's
   * error. Where somebody stands alone on another core soon after, it is what both domains have in common, or the replica's own.
   */
  #expel(loser: Replica, state: ReplicaState): RecoveryMethod {
    const { team, course } = this.#parts;
    const errors = this.#ledger.count(coreName(loser.core));
    const witness = this.#takeWitness();
    const why = witness ? `${loser.name} stood alone against two` : `it was outvoted ${errors} times in a row`;
    const components = this.#partsOf(loser.name);
    // It takes the limit's errors to ask for a third one again.
    const before = this.#convicted && course.moment - this.#convicted.moment <= 2 * this.#ledger.limit.instructions ? this.#convicted : undefined;
    const shared = before ? components.filter((component) => before.components.includes(component)) : [];
    this.#convicted = { name: loser.name, moment: course.moment, components };
    this.#attempts = { from: -1, count: 0 };
    const isOwn = witness !== undefined && witness !== loser && before?.name === loser.name;
    const isShared = shared.length > 0 && this.#canDoWithout(shared, team.live.length - (witness ? 1 : 0));
    for (const component of isShared ? shared : isOwn ? [] : [coreName(loser.core)]) this.#retire(component, why);
    if (isOwn) {
      this.#giveUp(loser, 'it stood alone against two, and on another core again');
      this.#reseat(team.live);
      announceClones([witness], this.#parts);
      return 'failover';
    }
    if (witness) team.leave(witness);
    // Then the two agree, and the error that they had has not come back.
    if (witness === loser) {
      this.#reseat(team.live);
      return 'vote';
    }
    if (!this.#reseat([...team.live.filter((replica) => replica !== loser), loser])) {
      this.#giveUp(loser, why);
      this.#reconfigured();
      return 'vote';
    }
    cloneInto(loser, state);
    announceClones([loser], this.#parts);
    return 'failover';
  }

  /** The banks and controllers of a replica's domain. */
  #partsOf(replica: ReplicaName): ComponentName[] {
    const { banks = [], controllers = [] } = this.#parts.team.domainOf(replica) ?? {};
    return [...banks.map(bankName), ...controllers.map(controllerName)];
  }

  /** True if the chip has whole domains for so many replicas without these components. */
  #canDoWithout(components: readonly ComponentName[], replicas: number): boolean {
    const { share, protection, cores, team } = this.#parts;
    const health = new Health();
    health.load(share.health.save());
    for (const component of components) health.retire(component);
    return share.place(team.live.map(({ core }) => core), cores, replicas, protection.isolation, health) !== undefined;
  }

  /** Gives these, all that are live, cores that are whole and domains; false if there are none for so many. The first ones stay where they are rather than the last. */
  #reseat(replicas: readonly Replica[]): boolean {
    const cores = this.#place(replicas, replicas.length);
    if (!cores) return false;
    this.#seat(cores);
    this.#reconfigured();
    return true;
  }

  /** What a component that died has taken with it is made anew, elsewhere if need be, from those that are left or from the checkpoint. */
  #failOver(dead: readonly Replica[]): void {
    const { team, course, share } = this.#parts;
    const { checkpoint } = course;
    const { health } = share;
    const unnoticed = health.unnoticed.filter((component) => dead.some(({ name, deadBy }) => deadBy === component || team.reaches(component, name)));
    // Others on the chip may have noticed before.
    const dying = [...new Set([...unnoticed, ...dead.flatMap(({ deadBy }) => deadBy ?? [])])];
    const replayed = course.count - checkpoint.count;
    course.moment += 1;
    course.detection = undefined;
    for (const component of unnoticed) this.#retire(component, health.death(component) === 'hangs' ? 'it does not answer' : 'machine check');
    const witness = this.#takeWitness();
    if (witness) team.leave(witness);
    const survivors = team.live.filter(({ halted }) => halted !== 'dead');
    const lost = team.live.filter(({ halted }) => halted === 'dead');
    const goOn = survivors.length > 1 && areAllEqual(survivors, checkpoint.snapshot) ? survivors[0]?.save() : undefined;

    // With nothing that two agree on there is only the checkpoint.
    if (!goOn && checkpoint.copies.every((controllers) => controllers.some((controller) => health.death(controllerName(controller)) !== undefined))) {
      return this.#parts.stop(`every copy of the last checkpoint is gone with ${dying.join(', ')}`);
    }
    let left = team.live.length;
    let cores: number[] | undefined;
    while (left > 0 && !(cores = this.#place([...survivors, ...lost], left))) left -= 1;
    if (!cores) return this.#parts.stop(`no domain of the chip is whole without ${dying.join(', ')}`);
    const kept = [...survivors, ...lost].slice(0, left);
    for (const replica of team.live.filter((each) => !kept.includes(each))) this.#giveUp(replica, `${replica.deadBy ?? dying.join(', ')} is dead, and no other domain is whole`);
    this.#seat(cores);
    this.#reconfigured();
    const cloned = kept.filter((replica) => lost.includes(replica));
    for (const replica of cloned) replica.deadBy = undefined;
    const by = 'failover';
    if (goOn) {
      for (const replica of cloned) cloneInto(replica, goOn);
      course.count = goOn.snapshot.retired;
      announceClones(cloned, this.#parts);
      this.#forgetError();
      this.#goOn(by);
      return;
    }
    this.#restore(checkpoint);
    course.checkpoint = { ...checkpoint, copies: [...checkpoint.copies, ...team.placement.domains.map(({ controllers }) => controllers)] };
    announceClones(cloned, this.#parts);
    this.#parts.resume(() => void course.emit({ kind: 'recovery', by, to: checkpoint.count, replayed }));
  }

  /** Back to the last validated checkpoint, and on from there; or to whose error it is, where it keeps coming back. */
  #goBack(detection: Detection): void {
    const { team, course, protection, accounting } = this.#parts;
    const { checkpoint } = course;
    const attempt = this.#attempts.from === checkpoint.number ? this.#attempts.count + 1 : 1;
    // Nobody knows whose error it is, so it counts against all of them.
    const isBroken = team.live.map(({ core }) => this.#ledger.note(coreName(core), course.moment)).some(Boolean);
    const isHard = attempt > protection.retry;
    const joins = (isHard || isBroken) && !this.#witness ? this.#coreForWitness() : undefined;
    if (isHard && joins === undefined) {
      return this.#parts.stop(`${detection.what}; it came back after ${attempt - 1} rollbacks to checkpoint ${checkpoint.number}`);
    }
    this.#attempts = { from: checkpoint.number, count: attempt };
    const replayed = course.count - checkpoint.count;
    const changedPages = Math.max(...snapshotAll(team.live).map((current) => current.changedPages(checkpoint.snapshot)));
    course.detection = undefined;
    course.moment += 1;
    if (joins !== undefined) this.#letJoin(joins, checkpoint.snapshot);
    accounting.recovery(changedPages);
    this.#restore(checkpoint);
    this.#parts.resume(() => void course.emit({ kind: 'recovery', by: 'rollback', to: checkpoint.count, replayed }));
  }

  /** A spare on which a third replica can run beside the two that disagree. */
  #coreForWitness(): number | undefined {
    const { team } = this.#parts;
    if (team.live.length !== 2) return undefined;
    const cores = this.#place(team.live, 3);
    if (!cores || team.live.some(({ core }) => !cores.includes(core))) return undefined;
    return cores.find((core) => team.live.every((replica) => replica.core !== core));
  }

  #letJoin(core: number, snapshot: Snapshot): void {
    const { team, course } = this.#parts;
    const [peer] = team.live;
    if (!peer) throw new Error('nobody to join');
    this.#parts.expire();
    const witness = team.join(core, snapshot, peer);
    this.#witness = witness.name;
    this.#reconfigured();
    course.emit({ kind: 'diagnosis', replica: witness.name, core, what: 'runs along to see whose error it is' });
    this.#parts.accounting.clone(pagesToCopy(witness));
  }

  #takeWitness(): Replica | undefined {
    const witness = this.#parts.team.live.find(({ name }) => name === this.#witness);
    this.#witness = undefined;
    return witness;
  }

  /** Cores for so many replicas, those of the given ones first; undefined where there are none. */
  #place(preferred: readonly Replica[], wanted: number): number[] | undefined {
    const { share, protection, cores } = this.#parts;
    return share.place(preferred.map(({ core }) => core), cores, wanted, protection.isolation);
  }

  /** Those live replicas whose core is not among these go on with those that are left. */
  #seat(cores: readonly number[]): void {
    const { team } = this.#parts;
    this.#parts.expire();
    const moving = team.live.filter(({ core }) => !cores.includes(core));
    const free = cores.filter((core) => team.live.every((replica) => replica.core !== core || moving.includes(replica)));
    for (const replica of moving) {
      const core = free.shift();
      if (core !== undefined) team.move(replica, core);
    }
  }

  #reconfigured(): void {
    const { team } = this.#parts;
    if (!team.reconfigure()) throw new Error('cores that no placement was found for');
    this.#parts.reseated();
  }

  #giveUp(replica: Replica, why: string): void {
    const { team, course } = this.#parts;
    team.giveUp(replica);
    if (team.live.length === 1) this.#parts.accounting.isCharged = false;
    course.emit({ kind: 'degradation', replica: replica.name, to: team.protectionNow, why });
  }

  #retire(component: ComponentName, why: string): void {
    const { share, course } = this.#parts;
    share.health.retire(component);
    course.emit({ kind: 'retirement', component, why });
  }

  /** All live replicas stand where a checkpoint has them. */
  #restore({ count, epoch, snapshot, compared, inputs, triggers }: Checkpoint): void {
    const { team, course, injector, feed } = this.#parts;
    for (const replica of team.live) {
      replica.computer.restore(snapshot);
      replica.computer.takeOutputs();
      replica.atBreakpoint = false;
      replica.counted = undefined;
      replica.pending = [];
      replica.arrivals = [];
      replica.produced = compared;
      replica.halted = null;
    }
    injector.rollBack(triggers);
    feed.rollBack(inputs);
    course.compared = compared;
    course.epoch = epoch;
    course.count = count;
    this.#forgetError();
  }

  /** The states are equal, or those of a checkpoint. A fault that lasts may make them differ from now on. */
  #forgetError(): void {
    const { course, injector } = this.#parts;
    course.errorSince = injector.isLasting ? course.moment : -1;
  }
}
