import { existsSync } from 'node:fs';
import path from 'node:path';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { Start, WatchMessage } from './messages';
import { ReplicaThread } from './replica-thread';
import { turn, word, Words } from './words';

/** Threads that execute machines' code, used again and again: to make one takes some hundredths of a second. None keeps the process alive. */
export class ThreadPool {
  #watch: Worker | undefined;
  readonly #idle: ReplicaThread[] = [];
  #made = 0;

  constructor(
    /** What the threads run: the bundle of entry.ts. */
    private readonly file: string,
  ) {}

  /** A thread, which may not be ready yet. */
  take(): ReplicaThread {
    for (let thread = this.#idle.pop(); thread; thread = this.#idle.pop()) if (thread.isReady) return thread;
    const words = new Words();
    words.set(word.turn, turn.preparing);
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    const number = this.#made++;
    this.#tell({ kind: 'start', number, shared: words.shared, port: port2 }, port2);
    return new ReplicaThread(number, words, port1);
  }

  /** Takes back a thread that rests. */
  give(thread: ReplicaThread): void {
    if (thread.isReady) {
      thread.prepare(undefined);
      this.#idle.push(thread);
    } else if (!thread.isDead) {
      this.stop(thread);
    }
  }

  /** Ends a thread, whatever it does; who waits for it is told. */
  stop(thread: ReplicaThread): void {
    this.#tell({ kind: 'stop', number: thread.number });
  }

  /** The same with all of them. */
  stopAll(): void {
    this.#tell({ kind: 'stop' });
  }

  /** Ends all of its threads, none of which may be in use. */
  async close(): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    this.#idle.length = 0;
    await watch?.terminate();
  }

  #tell(message: WatchMessage, ...transfer: MessagePort[]): void {
    if (!this.#watch) {
      const workerData: Start = { role: 'watch', file: this.file };
      this.#watch = new Worker(this.file, { workerData, execArgv: [] });
      this.#watch.unref();
    }
    this.#watch.postMessage(message, transfer);
  }
}

/** The bundle beside the one that runs, or, where the sources run, what the build has made of them. */
const places = ['replica-thread.cjs', '../../../dist/replica-thread.cjs'];

let common: ThreadPool | undefined;

/** The pool of the process; undefined where the build has not been run. */
export function threadPool(): ThreadPool | undefined {
  if (common) return common;
  const file = places.map((place) => path.resolve(__dirname, place)).find((each) => existsSync(each));
  if (file !== undefined) common = new ThreadPool(file);
  return common;
}
