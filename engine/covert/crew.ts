import type { Machine } from '../machine/machine';
import type { ReplicaThread } from '../machine/threads/replica-thread';
import { threadPool } from '../machine/threads/thread-pool';

/** Instructions after which threads are worth their making, which takes as long as some millions. */
const worthwhile = 20_000_000;

export interface CrewOptions {
  /** Most threads that execute replicas, the caller's own with them. Default 1. */
  threads?: number;
  /** Instructions of a replica after which the others get theirs. Default 20 million. */
  threadsFrom?: number;
}

/**
 * The threads of a system's replicas. The first replica stays on the caller's,
 * which would have nothing else to do; each of the others gets one of its own, once
 * the run has shown that it is a long one. Which thread executes a replica is in no
 * state: it may change between any two instructions.
 */
export class Crew {
  readonly #threads = new Map<Machine, ReplicaThread>();
  #next: { machine: Machine; thread: ReplicaThread }[] | undefined;
  #from: number;
  #closed = false;

  constructor(
    private readonly machines: readonly Machine[],
    private readonly options: CrewOptions,
  ) {
    this.#from = options.threadsFrom ?? worthwhile;
  }

  /** True if each of the replicas that are not on the caller's thread has one. */
  get isComplete(): boolean {
    return this.#threads.size > 0 && this.#threads.size === this.machines.length - 1;
  }

  /** To be called while all replicas rest, with how many instructions one is going to retire. */
  gather(instructions: number): void {
    const { threads = 1 } = this.options;
    if (this.#closed || this.isComplete || threads < this.machines.length || this.machines.length < 2) return;
    this.#from -= instructions;
    if (this.#from > 0) return;
    const pool = threadPool();
    this.#next ??= this.machines.slice(1).flatMap((machine) => (pool ? [{ machine, thread: pool.take() }] : []));
    // They are made meanwhile.
    if (!this.#next.every(({ thread }) => thread.isReady)) return;
    for (const { machine, thread } of this.#next) {
      machine.moveTo(thread);
      this.#threads.set(machine, thread);
    }
    this.#next = [];
    this.machines[0]?.whileAccessing(() => {
      for (const thread of this.#threads.values()) thread.attend();
    });
  }

  /** Gives the threads back; the replicas go on without. To be called while all rest. */
  close(): void {
    this.#closed = true;
    this.machines[0]?.whileAccessing(undefined);
    for (const { thread } of this.#next ?? []) threadPool()?.give(thread);
    for (const [machine, thread] of this.#threads) {
      machine.moveTo(undefined);
      threadPool()?.give(thread);
    }
    this.#next = undefined;
    this.#threads.clear();
  }
}
