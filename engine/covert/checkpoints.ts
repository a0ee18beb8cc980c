import type { Snapshot } from '../machine/types';
import type { Accounting } from './accounting';
import type { Checkpoint } from './checkpoint';
import type { Comparer } from './comparer';
import type { Course } from './course';
import type { FaultInjector } from './fault-injector';
import type { InputFeed } from './input-feed';
import type { ProtectionPlan } from './plan';
import { compareStates, snapshotAll, type Detection } from './rendezvous';
import type { Team } from './team';

interface Parts {
  readonly team: Team;
  readonly feed: InputFeed;
  readonly injector: FaultInjector;
}

/** Where replicas stand when a checkpoint is taken of them. */
type Standing = Pick<Checkpoint, 'count' | 'epoch' | 'compared'>;

/** A checkpoint of replicas that are equal: they have their state in common from now on, until they write to it. */
export function takeCheckpoint(parts: Parts, number: number, standing: Standing): Checkpoint {
  const [first, ...others] = parts.team.live;
  if (!first) throw new Error('a system without replicas');
  const snapshot = first.computer.checkpoint();
  for (const { computer } of others) computer.share(snapshot);
  return checkpointOf(parts, number, standing, snapshot);
}

function checkpointOf({ team, feed, injector }: Parts, number: number, { count, epoch, compared }: Standing, snapshot: Snapshot): Checkpoint {
  const copies = team.placement.domains.map(({ controllers }) => controllers);
  return { number, count, epoch, snapshot, compared, inputs: feed.handed, triggers: injector.counts(), copies };
}

/** What checkpoints are taken with. */
export interface CheckpointParts extends Parts {
  readonly protection: ProtectionPlan;
  readonly course: Course;
  readonly comparer: Comparer;
  readonly accounting: Accounting;
  detect(found: Detection): void;
  /** What the guest's program calls a byte of memory, where that is known. */
  readonly nameOf: (address: bigint) => string | undefined;
  /** A rollback goes to where all replicas were equal, or were held to be. */
  validated(): void;
}

/** Compares the states of replicas where they meet, and keeps those to which a rollback goes. */
export class Checkpoints {
  constructor(private readonly parts: CheckpointParts) {}

  /** To be called at the end of each epoch that was as it should be: compares and takes a checkpoint where that is due. */
  atRendezvous(): void {
    const { protection, course, team, accounting, injector, comparer } = this.parts;
    const { live } = team;
    accounting.exits(live);
    accounting.epochs(1);
    const compare = protection.compareStateEpochs > 0 && course.epoch % protection.compareStateEpochs === 0;
    const checkpoint = protection.checkpointEpochs > 0 && course.epoch % protection.checkpointEpochs === 0;
    if (!compare && !checkpoint) return;

    const [first, ...others] = live;
    if (!first) return;
    const { equal, changedPages } = first.computer.compareState(others.map(({ computer }) => computer), course.checkpoint.snapshot);
    const difference = equal ? undefined : compareStates(live, snapshotAll(live), this.parts.nameOf);
    if (!difference) course.errorSince = injector.isLasting ? course.moment : -1;
    const { moment, count: instruction } = course;
    const mismatch = comparer.verdict(difference, { name: 'the states', by: 'state', moment, instruction, momentOf: () => moment });
    if (compare) {
      accounting.stateComparison(changedPages);
      if (mismatch) return this.parts.detect(mismatch);
    }
    if (!checkpoint) return;
    accounting.checkpoint(changedPages);
    if (!mismatch) return this.#take(difference === undefined);
    course.emit({ kind: 'checkpoint', number: course.nextCheckpoint++, validated: false });
  }

  /** The states are equal, or are held to be: this is where a rollback goes from now on. */
  #take(areEqual: boolean): void {
    const { course, team } = this.parts;
    const number = course.nextCheckpoint++;
    if (areEqual) course.checkpoint = takeCheckpoint(this.parts, number, course);
    else {
      // Nothing of it is the others', who share what they had of the last one.
      course.checkpoint.snapshot.keep();
      const [first] = team.live;
      if (first) course.checkpoint = checkpointOf(this.parts, number, course, first.computer.snapshot());
    }
    course.emit({ kind: 'checkpoint', number, validated: true });
    this.parts.validated();
  }

  /**
   * Replicas have been cloned from a state: that is where a rollback goes from now on. Nothing is shared with them yet, since a core
   * may have changed the state that it was given.
   */
  takeOf(state: Snapshot): void {
    const { course, injector } = this.parts;
    // One that has just been taken here is replaced, so that triggers which wait for it still meet it.
    const isAnother = course.checkpoint.count !== course.count || course.checkpoint.number === 0;
    const number = isAnother ? course.nextCheckpoint++ : course.checkpoint.number;
    course.checkpoint = checkpointOf(this.parts, number, course, state);
    if (isAnother) course.emit({ kind: 'checkpoint', number, validated: true });
    course.errorSince = injector.isLasting ? course.moment : -1;
    this.parts.validated();
    const mismatch = this.mismatch();
    if (mismatch) this.parts.detect(mismatch);
  }

  /** In which places the live replicas differ now, if they do. */
  mismatch(): Detection | undefined {
    const { live } = this.parts.team;
    const [first, ...others] = live;
    const isEqual = first?.computer.compareState(others.map(({ computer }) => computer), this.parts.course.checkpoint.snapshot).equal ?? true;
    return isEqual ? undefined : compareStates(live, snapshotAll(live), this.parts.nameOf);
  }
}
