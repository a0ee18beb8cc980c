import type { AdvanceOptions, AdvanceStop } from './advance';
import type { Accounting } from './accounting';
import type { Course } from './course';
import type { Crew } from './crew';
import type { FaultInjector } from './fault-injector';
import type { InputFeed } from './input-feed';
import type { OutputGate } from './output-gate';
import type { Plan } from './plan';
import type { Replica } from './replica';
import type { ReplicaRunner } from './replica-runner';
import type { Share } from './share';
import type { Switching } from './switching';
import type { Team } from './team';

/** What an epoch is run with. */
export interface EpochParts {
  readonly plan: Pick<Plan, 'protection' | 'maxInstructions' | 'chip'>;
  readonly course: Course;
  readonly team: Team;
  readonly crew: Crew;
  readonly injector: FaultInjector;
  readonly feed: InputFeed;
  readonly accounting: Accounting;
  readonly runner: ReplicaRunner;
  readonly gate: OutputGate;
  readonly switching: Switching;
  readonly share: Share;
  /** The replicas are where they meet, or will never be. */
  rendezvous(): void;
}

/**
 * Runs the replicas through an epoch: all to the same count, whoever of them the host happens to run first, with
 * outputs compared on the way in the order of their sequence numbers.
 */
export class EpochRun {
  constructor(private readonly parts: EpochParts) {}

  /** Runs to `goal` retired instructions or where the replicas meet, whichever is first. */
  run(goal: number, options: AdvanceOptions): AdvanceStop | undefined {
    const { course, team, crew, runner, gate } = this.parts;
    const { epochInstructions } = this.parts.plan.protection;
    const { live } = team;
    let epochEnd = this.#meetingAt(goal, options);
    let limit = Math.min(goal, epochEnd);
    crew.gather(limit - course.count);
    // A breakpoint that one hits is the limit of the others.
    const together = crew.isComplete && team.areApart && !options.breakpoints;
    let hit: { replica: Replica; count: number } | undefined;

    const runOn = (replica: Replica): boolean => {
      const { computer } = replica;
      if (!replica.running && (replica.halted || computer.retired >= limit)) return false;
      if (runner.run(replica, limit, epochEnd, options)) {
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
          if (replica === live[0] || replica.halted || replica.computer.retired >= limit) continue;
          runner.start(replica, limit, options);
          started.push(replica);
        }
        const from = performance.now();
        const [own, ...others] = replicas;
        let ran = own !== undefined && runOn(own);
        const then = performance.now();
        for (const replica of others) ran = runOn(replica) || ran;
        if (started.length > 0) crew.account(then - from, performance.now() - then);
        return ran;
      } finally {
        // Where one has thrown, the others come to rest.
        for (const replica of started) if (replica.running) runner.settle(replica);
      }
    };

    for (;;) {
      let ran = runAll(live.filter((replica) => replica.pending.length === 0));
      const said = Math.max(...live.map((replica) => replica.pending[0]?.instruction ?? Infinity));
      if (said <= limit) {
        this.#passEpochs(said);
        const bringTo = (count: number): void => runner.bringTo(live, Math.min(count, limit), epochEnd, options);
        if (gate.compareHeads(bringTo)) return undefined;
        // An output is paid for at the end of its epoch.
        epochEnd = Math.min(epochEnd, Math.ceil(said / epochInstructions) * epochInstructions);
        limit = Math.min(limit, epochEnd);
        continue;
      }
      if (ran) continue;
      ran = runAll(live);
      if (!ran) break;
    }

    const allHalted = live.every((replica) => replica.halted);
    const arrived = allHalted ? Math.max(...live.map((replica) => replica.computer.retired)) : limit;
    if (hit && live.some((replica) => replica.computer.retired > arrived)) return stopAt('overrun', hit.replica, course.momentOf(arrived));
    if (hit) runner.followIntoTrap(live, arrived, options);
    this.#passEpochs(arrived, allHalted);
    course.moveTo(arrived);
    if (allHalted || arrived === epochEnd) this.parts.rendezvous();
    return hit && stopAt('breakpoint', hit.replica, course.moment);
  }

  /**
   * Where the replicas meet next, in retired instructions: at the end of the current epoch; or of a later one up to `goal`, where
   * nothing could come of the rendezvous in between, since the replicas are equal, no fault and no input is due, and no states are compared.
   * Where others are on the chip they have their turns in between.
   */
  #meetingAt(goal: number, options: AdvanceOptions): number {
    const { course, injector, feed, plan, team } = this.parts;
    const { epochInstructions, compareStateEpochs, checkpointEpochs, uncoordinated } = plan.protection;
    let epochs = 1;
    if (this.parts.share.isUndisturbed && course.errorSince < 0 && feed.isOver(course.moment) && team.live.every(({ computer }) => computer.flushes.length === 0) && uncoordinated.length === 0 && plan.chip.timing !== 'detailed' && !options.breakpoints && !options.collectEffects) {
      const quiet = Math.min(goal, injector.quietUntil, this.parts.switching.quietUntil, plan.maxInstructions);
      epochs = Math.floor(quiet / epochInstructions) - course.epoch;
      for (const period of [compareStateEpochs, checkpointEpochs]) if (period > 0) epochs = Math.min(epochs, period - (course.epoch % period));
    }
    return Math.min((course.epoch + Math.max(1, epochs)) * epochInstructions, plan.maxInstructions);
  }

  /**
   * Makes up for the rendezvous before `count` that nothing could come of. What they cost adds up to the same. One that is at `count`
   * itself is still to come, but for that of guests which have `halted` there: that they have is found in the next epoch.
   */
  #passEpochs(count: number, halted = false): void {
    const { course, team, accounting, plan } = this.parts;
    const epochs = count / plan.protection.epochInstructions;
    const passed = (halted ? Math.floor(epochs) : Math.ceil(epochs) - 1) - course.epoch;
    if (passed <= 0) return;
    course.epoch += passed;
    accounting.exits(team.live);
    accounting.epochs(passed);
    accounting.settle(team.live);
  }
}

function stopAt(why: 'breakpoint' | 'overrun', replica: Replica, moment: number): AdvanceStop {
  return { why, moment, replica: replica.name, address: replica.computer.pc };
}
