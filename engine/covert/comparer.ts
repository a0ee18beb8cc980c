import type { Course } from './course';
import type { FaultInjector } from './fault-injector';
import type { ReplicaName } from './plan';
import type { Detection } from './rendezvous';

/** Something that the VMM compares: outputs with one number, or states. */
export interface Subject {
  /** In words: `output 15`, `the states`. */
  readonly name: string;
  readonly by: 'output' | 'state';
  /** Where it is found: the later of the replicas' moments, and the instruction count there. */
  readonly moment: number;
  readonly instruction: number;
  /** Where it stands in one replica. */
  momentOf(replica: ReplicaName): number;
}

/**
 * What tells the VMM whether replicas agree. A part of the hardware as any other, and there is one of it: where it errs nobody notices
 * that. A fault of it inverts its next verdict. If the replicas agree that is a false alarm, else what differs is let through.
 */
export class Comparer {
  constructor(
    private readonly injector: FaultInjector,
    private readonly course: Course,
  ) {}

  /** The verdict as the VMM hears it: `found` is what differs in truth, if anything does. */
  verdict(found: Detection | undefined, subject: Subject): Detection | undefined {
    const faults = this.injector.invertVerdict((replica) => subject.momentOf(replica));
    if (faults.length === 0) return found;
    const { moment, instruction, name, by } = subject;
    const alarm: Detection = { by, what: `${name}: the comparer says that the replicas differ` };
    let told = found;
    for (const fault of faults) {
      told = told ? undefined : (found ?? alarm);
      const [before, after] = told ? ['equal', 'unequal'] : ['unequal', 'equal'];
      const escape = found && !told ? found.what : undefined;
      this.course.emit({ kind: 'fault', fault, replica: undefined, core: -1, pc: 0n, change: `comparer: ${before} -> ${after}, of ${name}`, ...(escape !== undefined && { escape }) }, { moment, instruction });
    }
    if (told && this.course.errorSince < 0) this.course.errorSince = moment;
    return told;
  }
}
