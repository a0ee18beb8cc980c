import type { Computer } from '../machine/types';
import { readPlace } from './place';
import type { ReplicaName, Trigger } from './plan';

/** What a rollback takes back with the guest. */
export interface TriggerCounts {
  /** How far each trigger had counted. */
  readonly hits: readonly number[];
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
  #hits: number[];
  /** Bytes typed at the console that have been handed over. */
  #inputs = 0;

  constructor(private readonly triggers: readonly Trigger[]) {
    this.#hits = triggers.map(() => 0);
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

  rollBack({ hits, inputs }: TriggerCounts): void {
    this.#hits = [...hits];
    this.#inputs = inputs;
  }

  countAccess(index: number): void {
    this.#hits[index] = (this.#hits[index] ?? 0) + 1;
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
        const hits = (this.#hits[index] ?? 0) + 1;
        this.#hits[index] = hits;
        return hits === trigger.hit;
      }
      case 'access':
        return (this.#hits[index] ?? 0) >= trigger.hit;
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
