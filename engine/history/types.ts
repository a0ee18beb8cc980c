/**
 * What a debugger or a report sees of a running replicated guest.
 * {@link Session} in session.ts implements `ReplaySession`.
 *
 * **Moment**: the axis of time travel. It counts lockstep instruction steps
 * since the start and never goes back when COVERT rolls the guest back:
 * moment = retired instructions + instructions rolled back so far. All live
 * replicas stand at the same moment whenever nobody is inside `advance`.
 */
import type { EventKind, SystemEvent } from '../covert/events';
import type { Plan, ReplicaName } from '../covert/plan';
import type { Computer, PlaceDifference } from '../machine/types';

export type { EventKind, SystemEvent } from '../covert/events';

export interface ReplicaView {
  readonly name: ReplicaName;
  readonly core: number;
  readonly computer: Computer;
  /** Given up for good by a vote. */
  readonly isLost: boolean;
}

/** Why a navigation came to rest. */
export type Rest =
  | { why: 'event'; event: SystemEvent }
  | { why: 'breakpoint'; replica: ReplicaName; address: bigint }
  | { why: 'step' }
  /** The asked moment. */
  | { why: 'moment' }
  /** Nothing lies further back. */
  | { why: 'start' }
  | { why: 'end'; event: SystemEvent }
  /** `signal` was aborted. */
  | { why: 'interrupted' };

export interface Navigation {
  /** Kinds of event to stop at (besides the end, which always stops). */
  stopAt: ReadonlySet<EventKind>;
  /** Stop before any replica executes one of these. */
  breakpoints: ReadonlySet<bigint>;
  /** Polled between slices; the promise resolves with `interrupted`. */
  signal?: AbortSignal;
  /** Called a few times a second with the current moment. */
  onProgress?: (moment: number) => void;
}

/** Where the hart that goes on next stands at a moment. */
export interface TrailPoint {
  hart: number;
  pc: bigint;
  sp: bigint;
}

export interface ReplaySession {
  readonly plan: Plan;
  readonly replicas: readonly ReplicaView[];
  readonly moment: number;
  /** Events from the start to the furthest moment ever reached, by moment. */
  readonly events: readonly SystemEvent[];
  /** Console output released up to the current moment. */
  readonly released: Uint8Array;
  /** The end event, once the run has reached it at the current moment. */
  readonly ended: SystemEvent | undefined;

  /** Forward until something in `navigation`. */
  forward(navigation: Navigation): Promise<Rest>;
  /** Backward to the last moment before now at which something in `navigation` holds. */
  backward(navigation: Navigation): Promise<Rest>;
  /** Forward or back to a moment (clamped to [0, end]). */
  travel(moment: number): Promise<Rest>;
  /** Forward by `count` instructions, all replicas together; stops early at the end only. */
  step(count: number): Promise<Rest>;
  /** The two live replicas to be shown side by side: the first one, and the first of the others that differs from it now, if any. */
  readonly compared: readonly [ReplicaView, ReplicaView] | undefined;
  /** Places in which these differ now, registers first. */
  difference(limit?: number): PlaceDifference[];
  /**
   * Where one replica stands at each of the moments [from, to), oldest
   * first: what source-line stepping in reverse searches. At most 1e6 moments;
   * cut short when `signal` is aborted.
   */
  trail(replica: ReplicaName, from: number, to: number, signal?: AbortSignal): Promise<TrailPoint[]>;
}
