import type { Checkpoint } from './checkpoint';
import type { SystemEvent } from './events';
import type { ProtectionKind } from './plan';
import type { Detection } from './rendezvous';

/** Where a run stands, as far as that is no replica's own; immutable. */
export interface CourseState {
  readonly moment: number;
  /** Retired instructions of the live replicas. */
  readonly count: number;
  readonly epoch: number;
  /** Outputs compared in the current attempt, and outputs released ever. */
  readonly compared: number;
  readonly released: number;
  readonly checkpoint: Checkpoint;
  readonly nextCheckpoint: number;
  /** A detected error whose recovery is the next step. */
  readonly detection: Detection | undefined;
  /** Moment of the oldest fault that may still be in the states, or -1. */
  readonly errorSince: number;
  /** The protection that the guest is to have, and how many of the plan's switches have been made. */
  readonly wanted: ProtectionKind;
  readonly switched: number;
  readonly ended: SystemEvent | undefined;
}

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;
/** An event before it is known when it was. */
export type Happening = DistributiveOmit<SystemEvent, 'moment' | 'instruction'>;

/** Where a run stands now, and what has happened in it since somebody asked. */
export class Course implements CourseState {
  moment = 0;
  count: number;
  epoch: number;
  compared = 0;
  released = 0;
  nextCheckpoint = 1;
  detection: Detection | undefined = undefined;
  errorSince = -1;
  switched = 0;
  ended: SystemEvent | undefined = undefined;
  #events: SystemEvent[] = [];

  /** It begins where its first checkpoint is. */
  constructor(
    public wanted: ProtectionKind,
    public checkpoint: Checkpoint,
  ) {
    this.count = checkpoint.count;
    this.epoch = checkpoint.epoch;
  }

  save(): CourseState {
    const { moment, count, epoch, compared, released, checkpoint, nextCheckpoint, detection, errorSince, wanted, switched, ended } = this;
    return { moment, count, epoch, compared, released, checkpoint, nextCheckpoint, detection, errorSince, wanted, switched, ended };
  }

  load(state: CourseState): void {
    const { moment, count, epoch, compared, released, checkpoint, nextCheckpoint, detection, errorSince, wanted, switched, ended } = state;
    Object.assign(this, { moment, count, epoch, compared, released, checkpoint, nextCheckpoint, detection, errorSince, wanted, switched, ended });
    this.#events = [];
  }

  /** On to a count of the current attempt. */
  moveTo(count: number): void {
    this.moment += count - this.count;
    this.count = count;
  }

  /** The moment at which a replica of the current attempt stands at `count`. */
  momentOf(count: number): number {
    return this.moment + count - this.count;
  }

  /** Something happens, here unless it says where. Gives the event. */
  emit(what: Happening, { moment, instruction }: { moment: number; instruction: number } = { moment: this.moment, instruction: this.count }): SystemEvent {
    const event: SystemEvent = { ...what, moment, instruction };
    this.#events.push(event);
    return event;
  }

  /** The newest event since somebody asked. */
  get newest(): SystemEvent | undefined {
    return this.#events.at(-1);
  }

  /** Events since the last call, by moment. */
  takeEvents(): SystemEvent[] {
    const events = this.#events.sort((a, b) => a.moment - b.moment);
    this.#events = [];
    return events;
  }
}
