import type { Snapshot } from '../machine/types';
import type { Accounting } from './accounting';
import { announceClones } from './cloned';
import type { Course } from './course';
import type { ProtectionPlan, ProtectionKind, SwitchPlan } from './plan';
import type { ReleaseLog } from './release-log';
import type { Share } from './share';
import type { Team } from './team';

/** Replicas that a protection takes. */
export const replicaCount: Readonly<Record<ProtectionKind, number>> = { none: 1, dmr: 2, tmr: 3 };

/** What a switch is made with. */
export interface SwitchParts {
  readonly switches: readonly SwitchPlan[];
  readonly protection: ProtectionPlan;
  /** Cores that the guest may be run on: spares first. */
  readonly cores: readonly number[];
  readonly share: Share;
  readonly course: Course;
  readonly team: Team;
  readonly log: ReleaseLog;
  readonly accounting: Accounting;
  /** Replicas are on other cores, or others than before. */
  reseated(): void;
  /** This is the state to go back to from now on; whether all replicas are in it is still to be seen. */
  takeCheckpoint(state: Snapshot): void;
  /** Faults whose time is over are gone from cores that nobody runs on. */
  expire(): void;
}

/**
 * Gives a guest that runs another protection: replicas are cloned from its whole state, or leave. What is cloned is what the
 * guest is then, right or wrong: of one replica nobody can know. To be called at a rendezvous, where the states are known to be equal.
 */
export class Switching {
  constructor(private readonly parts: SwitchParts) {}

  /** True if a switch is due now. */
  get isDue(): boolean {
    const { switches, course, team, log } = this.parts;
    const trigger = switches[course.switched]?.trigger;
    switch (trigger?.kind) {
      case undefined:
        return false;
      case 'instruction':
        return course.count >= trigger.count;
      case 'cycle':
        return (team.live[0]?.computer.cycles ?? 0) >= trigger.count;
      case 'epoch':
        return course.epoch >= trigger.number;
      case 'output':
        return course.released >= trigger.number;
      case 'console':
        return Buffer.from(log.console(course.released)).includes(trigger.text);
    }
  }

  /** Up to this count no switch is due, whatever happens; Infinity where none ever will be. */
  get quietUntil(): number {
    const trigger = this.parts.switches[this.parts.course.switched]?.trigger;
    return trigger === undefined ? Infinity : trigger.kind === 'instruction' ? trigger.count : 0;
  }

  /** Makes the switch that is due. Where cores of it are dead, or another guest's, its replicas are on spares, or there are fewer of them. */
  make(): void {
    const { switches, course, team, share, protection, accounting } = this.parts;
    const next = switches[course.switched];
    if (!next) return;
    let cores: number[] | undefined;
    for (let wanted = replicaCount[next.kind]; wanted > 0 && !cores; wanted--) {
      cores = share.place(next.cores.slice(0, replicaCount[next.kind]), this.parts.cores, wanted, protection.isolation);
    }
    course.switched += 1;
    // Then it stays what it is: what it runs on now is whole, or this would be no rendezvous.
    if (!cores) return;
    course.wanted = next.kind;
    this.parts.expire();
    const { state, cloned } = team.become(cores);
    if (!team.reconfigure()) throw new Error('cores that no placement was found for');
    this.parts.reseated();
    accounting.settle(team.live);
    accounting.isCharged = cores.length > 1;
    course.emit({ kind: 'switch', to: team.protectionNow, cores });
    announceClones(cloned, this.parts);
    this.parts.takeCheckpoint(state);
  }
}
