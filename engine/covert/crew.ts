import type { Machine } from '../machine/machine';
import type { ReplicaThread } from '../machine/threads/replica-thread';
import { threadPool } from '../machine/threads/thread-pool';

/** Instructions after which threads are worth their making, which takes as long as some millions. */
const worthwhile = 20_000_000;
/** Instructions until the next try, where threads have not paid; doubled each time. */
const firstPause = 200_000_000;
/** Milliseconds after which it is known whether they pay now. */
const trial = 400;
/** Trials in a row in which they do not, after which they are given back: hosts have short hitches. */
const mostInVain = 3;

export interface CrewOptions {
  /** Most threads that execute replicas, the caller's own with them. Default 1. */
  threads?: number;
  /** Instructions of a replica after which the others get theirs; 0: at once, and they keep it. Default 20 million. */
  threadsFrom?: number;
}

/**
 * The threads of a system's replicas. The first replica stays on the caller's,
 * which would have nothing else to do; each of the others gets one of its own, once
 * the run has shown that it is a long one, and loses it where the host has no
 * processor for it. Which thread executes a replica is in no state: it may change
 * between any two instructions.
 */
export class Crew {
  readonly #threads = new Map<Machine, ReplicaThread>();
  #next: { machine: Machine; thread: ReplicaThread }[] | undefined;
  /** Instructions until there are threads. */
  #left: number;
  #pause = firstPause;
  /** Trials in a row that did not pay. */
  #inVain = 0;
  /** Milliseconds that the caller's own replica has run since the trial began, and that it has waited for the others. */
  #ran = 0;
  #waited = 0;
  #closed = false;

  #machines: readonly Machine[] = [];

  constructor(private readonly options: CrewOptions) {
    this.#left = options.threadsFrom ?? worthwhile;
  }

  /** The machines that are executed from now on, the caller's own first. To be called while all rest. */
  regroup(machines: readonly Machine[]): void {
    if (machines.length === this.#machines.length && machines.every((machine, i) => machine === this.#machines[i])) return;
    this.#release();
    this.#machines = machines;
  }

  /** True if each of the replicas that are not on the caller's thread has one. */
  get isComplete(): boolean {
    return this.#threads.size > 0 && this.#threads.size === this.#machines.length - 1;
  }

  /** To be called while all replicas rest, with how many instructions one is going to retire. */
  gather(instructions: number): void {
    const { threads = 1 } = this.options;
    if (this.#closed || this.isComplete || threads < this.#machines.length || this.#machines.length < 2) return;
    this.#left -= instructions;
    if (this.#left > 0) return;
    const pool = threadPool();
    this.#next ??= this.#machines.slice(1).flatMap((machine) => (pool ? [{ machine, thread: pool.take() }] : []));
    // They are made meanwhile.
    if (!this.#next.every(({ thread }) => thread.isReady)) return;
    for (const { machine, thread } of this.#next) {
      machine.moveTo(thread, this.#machines[0]);
      this.#threads.set(machine, thread);
    }
    this.#next = undefined;
    this.#machines[0]?.forgetCode();
    this.#machines[0]?.whileAccessing(() => {
      for (const thread of this.#threads.values()) thread.attend();
    });
  }

  /**
   * To be called after a run of all at the same time: how many milliseconds the first took, and how long it
   * waited for the others then. On a host that has no processor free for them they would take longer than one
   * after the other, and go back.
   */
  account(ran: number, waited: number): void {
    if (!this.isComplete) return;
    this.#ran += ran;
    this.#waited += waited;
    if (this.#ran + this.#waited < trial) return;
    const pays = this.#waited < this.#ran;
    this.#ran = 0;
    this.#waited = 0;
    this.#inVain = pays ? 0 : this.#inVain + 1;
    if (this.#inVain < mostInVain || this.options.threadsFrom === 0) return;
    this.#inVain = 0;
    this.#disband();
    this.#left = this.#pause;
    this.#pause *= 2;
  }

  /** Gives the threads back; the replicas go on without. To be called while all rest. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #release(): void {
    for (const { thread } of this.#next ?? []) threadPool()?.give(thread);
    this.#next = undefined;
    this.#disband();
  }

  #disband(): void {
    this.#machines[0]?.whileAccessing(undefined);
    if (this.#threads.size > 0) this.#machines[0]?.forgetCode();
    for (const [machine, thread] of this.#threads) {
      machine.moveTo(undefined);
      threadPool()?.give(thread);
    }
    this.#threads.clear();
  }
}
