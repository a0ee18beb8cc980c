import type { Flush } from '../machine/types';
import type { Accounting } from './accounting';
import type { Course } from './course';
import type { FaultInjector } from './fault-injector';
import type { InputFeed } from './input-feed';
import type { ProtectionPlan } from './plan';
import type { ReleaseLog } from './release-log';
import type { ReplicaRunner } from './replica-runner';
import type { Team } from './team';

/** The number of the CSR `time`. */
const timeCsr = 0xc01;
/** How long a guest with a network sleeps at most before the outside is asked again: a millisecond of its clock. */
const napTicks = 10_000;

/** What input reaches replicas with. */
export interface InletParts {
  readonly protection: Pick<ProtectionPlan, 'uncoordinated'>;
  readonly course: Course;
  readonly team: Team;
  readonly feed: InputFeed;
  readonly log: ReleaseLog;
  readonly runner: ReplicaRunner;
  readonly injector: FaultInjector;
  readonly accounting: Accounting;
}

/** Where input from outside reaches the replicas: where they meet, all of them at the same count. */
export class Inlet {
  /** The guest has slept since somebody has set this to false. */
  napped = false;

  constructor(private readonly parts: InletParts) {}

  /** Hands the replicas the input that is due. True if there was any. */
  handOver(): boolean {
    const { course, team, feed, log, runner, injector, accounting } = this.parts;
    const { moment, count, compared, released } = course;
    const { live } = team;
    const { isNetworked } = feed;
    const input = feed.next({
      moment,
      count,
      time: isNetworked ? this.#guestTime() : 0,
      consoleRoom: live[0]?.computer.consoleRoom ?? 0,
      flushes: this.#flushes(),
      // Where a fault makes one say more, the others would lose what they have no room for.
      frameRoom: isNetworked ? Math.min(...live.map(({ computer }) => computer.frameRoom)) : 0,
      compared,
      released,
      printed: (from) => log.console(released, from),
    });
    if (!input) return false;
    accounting.input(input.frames.reduce((bytes, frame) => bytes + frame.length, input.console.length));
    for (const replica of live) {
      runner.hand(replica, input);
      for (const answer of input.flushed ?? []) replica.computer.answerFlush(answer, answer.refused === undefined);
      if (replica.halted === 'idle') replica.halted = null;
    }
    injector.handedOver(input.console.length);
    return true;
  }

  /** Flushes that wait in any replica; one in which a fault has made an end of that will be found out. */
  #flushes(): Flush[] {
    const all = this.parts.team.live.flatMap(({ computer }) => computer.flushes);
    return all.filter(({ disk, head }, i) => all.findIndex((other) => other.disk === disk && other.head === head) === i);
  }

  /** The guest's clock in ticks, in an ablation that of the first replica; undefined where a fault makes replicas differ in it, which comes to light later. */
  #guestTime(): number | undefined {
    const [first = 0n, ...others] = this.parts.team.live.map(({ computer }) => computer.getCsr(timeCsr) ?? 0n);
    const differ = this.parts.protection.uncoordinated.length === 0 && others.some((time) => time !== first);
    return differ ? undefined : Number(first);
  }

  /** Lets a guest with a network sleep for a little while, if that is what all replicas want: the outside may have something for it then. */
  nap(): boolean {
    const { team, feed } = this.parts;
    const { live } = team;
    if (!feed.isNetworked || live.some(({ halted }) => halted !== 'idle')) return false;
    const timers = live.map(({ computer }) => computer.nap(napTicks));
    for (const replica of live) replica.halted = null;
    this.napped = true;
    return feed.nap(timers.includes(true));
  }
}
