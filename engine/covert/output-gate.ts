import type { Output } from '../machine/types';
import type { Accounting } from './accounting';
import type { Comparer } from './comparer';
import type { Course } from './course';
import type { Ending } from './events';
import type { InputFeed } from './input-feed';
import { count } from './numbers';
import type { ReplicaName } from './plan';
import type { ReleaseLog } from './release-log';
import { compareOutputs, describeOutput, type Detection } from './rendezvous';
import type { Team } from './team';

/** Outputs of a run that are kept, since each has to be compared with again: a mebibyte of console. */
const mostOutputs = 2 ** 20;

/** What the gate works with. */
export interface GateParts {
  readonly compareOutput: boolean;
  readonly course: Course;
  readonly team: Team;
  readonly log: ReleaseLog;
  readonly feed: InputFeed;
  readonly accounting: Accounting;
  readonly comparer: Comparer;
  detect(found: Detection): void;
  end(how: Ending, exitCode: number | null, why: string): void;
}

/** Where what the replicas say leaves for the outside: once, in the order of its sequence numbers, and only what all of them say. */
export class OutputGate {
  constructor(private readonly parts: GateParts) {}

  /**
   * Compares the oldest outputs of all replicas, which all have one. True where the epoch cannot go on: an error was detected or
   * the guest has ended. `bringTo` brings all replicas to a count.
   */
  compareHeads(bringTo: (count: number) => void): boolean {
    const { team, course, compareOutput } = this.parts;
    const heads = team.live.map((replica) => replica.pending[0]).filter((output) => output !== undefined);
    const at = Math.max(...heads.map((output) => output.instruction));
    const mismatch = compareOutput ? this.#verdict(compareOutputs(team.live), at) : undefined;
    if (mismatch) {
      bringTo(at);
      course.moveTo(at);
      this.parts.detect(mismatch);
      return true;
    }
    const [output] = heads;
    for (const replica of team.live) replica.pending.shift();
    return output ? this.#release(output, at, () => bringTo(at)) : false;
  }

  /**
   * At a rendezvous that found nothing: where outputs are not compared, only some may have said something. What the first replica
   * has said leaves, as it does beside whatever the others say; what they have said beyond that is nobody's concern. True if that ended the run.
   */
  settle(): boolean {
    const { team, course } = this.parts;
    const [first, ...others] = team.live;
    for (const replica of others) replica.pending = [];
    for (let output = first?.pending.shift(); output; output = first?.pending.shift()) {
      if (this.#release(output, course.count, () => undefined)) return true;
    }
    return false;
  }

  /** What the comparer says of the oldest outputs. */
  #verdict(found: Detection | undefined, at: number): Detection | undefined {
    const { team, course, comparer } = this.parts;
    if (team.live.length < 2) return found;
    const instructionIn = (name: ReplicaName): number => team.live.find((replica) => replica.name === name)?.pending[0]?.instruction ?? at;
    const momentOf = (name: ReplicaName): number => course.momentOf(instructionIn(name));
    return comparer.verdict(found, { name: `output ${course.compared + 1}`, by: 'output', moment: course.momentOf(at), instruction: at, momentOf });
  }

  /** Releases an output that all replicas agree on, once. True if it ended the run; then all have been brought there. */
  #release(output: Output, at: number, bringAll: () => void): boolean {
    const { course, log, feed, accounting } = this.parts;
    const moment = course.momentOf(at);
    const sequence = course.compared++;
    if (sequence < course.released) {
      const before = log.at(sequence);
      if (before && !log.agrees({ ...output, sequence })) {
        bringAll();
        course.moveTo(at);
        this.parts.end('stopped', null, `output ${sequence + 1} was released as ${describeOutput(before)} and is now ${describeOutput(output)}`);
        return true;
      }
      return false;
    }
    log.write({ ...output, sequence });
    feed.tell({ ...output, sequence });
    course.released = course.compared;
    accounting.output(output.data?.length ?? (output.kind === 'flush' ? 0 : 1));
    if (output.kind === 'exit') {
      course.moveTo(at);
      this.parts.end('exit', output.value, 'the guest exited');
      return true;
    }
    const { newest } = course;
    const isMore = output.kind === 'console' && newest?.kind === 'release' && newest.moment === moment;
    if (isMore) newest.bytes.push(output.value);
    else course.emit({ kind: 'release', bytes: output.kind === 'console' ? [output.value] : [] }, { moment, instruction: at });
    if (course.released - log.first < mostOutputs) return false;
    bringAll();
    course.moveTo(at);
    this.parts.end('limit', null, `the guest has sent ${count(mostOutputs)} outputs, which is as much as is kept`);
    return true;
  }
}
