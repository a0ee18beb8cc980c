import type { Computer } from '../machine/types';
import { readPlace } from './place';
import type { ReplicaName, Trigger } from './plan';

/** Of each replica, by name, how far a trigger has counted. A fault that may reach several strikes each of them at its own count. */
export type Hits = Readonly<Partial<Record<ReplicaName, number>>>;

/** What a rollback takes back with the guest. */
export interface TriggerCounts {
  /** How far each trigger had counted in each replica, by name. */
  readonly hits: readonly Hits[];
  /** Bytes typed at the console that had been handed over. */
  readonly inputs: number;
}

/** What a trigger may look at when its replica stands at an instruction boundary. */
export interface Boundary {
  replica: ReplicaName;
  core: number;
  computer: Computer;
  /** Of the replica: history/types.ts. */
  moment: number;
  /**
   * The instruction at pc is the very next thing that happens. Not so at a
   * count that was merely reached: an interrupt may come first.
   */
  executing: boolean;
  /** Outputs this replica has produced. */
  outputs: number;
  /** Outputs among them that the newest instruction produced. */
  fresh: number;
  /** The console bytes among the replica's newest `outputs` outputs. */
  console: (outputs: number) => Uint8Array;
  epoch: number;
  /** Number of the newest checkpoint, if it was taken at this very count. */
  checkpoint: number | undefined;
}

/** Where the guest stands at a rendezvous: all that a fault of something nobody runs on can be triggered by. */
export interface GuestInstant {
  count: number;
  cycles: number;
  moment: number;
  epoch: number;
  /** Number of the newest checkpoint. */
  checkpoint: number;
}

/** What the triggers of a plan's faults have counted, and whether they are due. */
export class Triggers {
  #hits: Hits[];
  /** Bytes typed at the console that have been handed over. */
  #inputs = 0;

  constructor(private readonly triggers: readonly Trigger[]) {
    this.#hits = triggers.map(() => ({}));
  }

  /** Bytes of the longest text that one looks for among the console's newest bytes. */
  get longestText(): number {
    return Math.max(0, ...this.triggers.map((trigger) => (trigger.kind === 'console' ? Buffer.byteLength(trigger.text) : 0)));
  }

  get inputs(): number {
    return this.#inputs;
  }

  counts(): TriggerCounts {
    return { hits: [...this.#hits], inputs: this.#inputs };
  }

  load({ hits, inputs }: TriggerCounts): void {
    this.#hits = [...hits];
    this.#inputs = inputs;
  }

  rollBack({ hits, inputs }: TriggerCounts): void {
    // At a checkpoint all replicas have done the same, also those that were not there yet.
    this.#hits = hits.map((counted) => {
      const most = Math.max(0, ...Object.values(counted));
      return { A: most, B: most, C: most };
    });
    this.#inputs = inputs;
  }

  /** Counts an execution, or an access. Gives how many there have been. */
  count(index: number, replica: ReplicaName): number {
    const hits = (this.#hits[index]?.[replica] ?? 0) + 1;
    this.#hits[index] = { ...this.#hits[index], [replica]: hits };
    return hits;
  }

  countInputs(bytes: number): void {
    this.#inputs += bytes;
  }

  /** Whether one is due at a boundary; to be asked once for each. */
  isDue(index: number, at: Boundary): boolean {
    const trigger = this.triggers[index];
    switch (trigger?.kind) {
      case undefined:
        return false;
      case 'instruction':
        return at.computer.retired === trigger.count;
      case 'cycle':
        return at.computer.cycles >= trigger.count;
      case 'execute': {
        if (!at.executing || at.computer.pc !== trigger.address) return false;
        return this.count(index, at.replica) === trigger.hit;
      }
      case 'access':
        return (this.#hits[index]?.[at.replica] ?? 0) >= trigger.hit;
      case 'value':
        return readPlace(at.computer, trigger.register) === trigger.value;
      case 'input':
        return this.#inputs >= trigger.number;
      case 'epoch':
        return at.epoch === trigger.number;
      case 'checkpoint':
        return at.checkpoint === trigger.number;
      case 'output':
        return at.outputs >= trigger.number;
      case 'console':
        return at.fresh > 0 && endsWithin(at, trigger.text);
    }
  }
}

/** Whether a trigger is due of what nobody runs on. */
export function isDueIdle(trigger: Trigger, now: GuestInstant): boolean {
  switch (trigger.kind) {
    case 'instruction':
      return now.count >= trigger.count;
    case 'cycle':
      return now.cycles >= trigger.count;
    case 'epoch':
      return now.epoch >= trigger.number;
    case 'checkpoint':
      return now.checkpoint >= trigger.number;
    default:
      return false;
  }
}

/** True if the text ends among the bytes that the newest instruction printed. */
function endsWithin(at: Boundary, text: string): boolean {
  const wanted = Buffer.from(text);
  return Buffer.from(at.console(at.fresh + wanted.length - 1)).includes(wanted);
}
