import type { Accounting } from './accounting';
import type { Course } from './course';
import type { Replica } from './replica';
import type { Team } from './team';

/** What has to be copied to make a replica anew, in pages: those that nobody has written to are known to be zeros. */
export function pagesToCopy({ computer }: Replica): number {
  return computer.snapshot().usedPages().length;
}

/** Says of replicas that they have been made anew, and charges for it. */
export function announceClones(replicas: readonly Replica[], { accounting, course, team }: { accounting: Accounting; course: Course; team: Team }): void {
  for (const replica of replicas) {
    const cycles = accounting.clone(pagesToCopy(replica));
    course.emit({ kind: 'clone', replica: replica.name, core: replica.core, to: team.protectionNow, cycles });
  }
}
