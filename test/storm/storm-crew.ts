import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import PQueue from 'p-queue';
import type { Nature } from './nature';
import type { Outcome } from './storm';
import type { StormAnswer } from './storm-worker';
import type { NatureRun, StormRun } from './storms';

/** Processes that do the runs of storms side by side. What comes of a run does not depend on which of them does it. */
export class StormCrew {
  readonly #queue: PQueue;
  readonly #idle: ChildProcess[];
  readonly #all: readonly ChildProcess[];

  constructor(jobs: number, private readonly signal: AbortSignal) {
    this.#queue = new PQueue({ concurrency: jobs });
    this.#all = Array.from({ length: jobs }, () => fork(path.join(import.meta.dirname, 'storm-worker.ts'), { execArgv: ['--import', 'tsx'] }));
    this.#idle = [...this.#all];
    signal.addEventListener('abort', () => this.close());
  }

  /** Throws where a run fails, a process dies, or the signal has come. */
  async outcome(run: StormRun): Promise<Outcome> {
    return (await this.#ask(run)) as Outcome;
  }

  /** Likewise. */
  async natureOutcome(run: NatureRun): Promise<Outcome<Nature>> {
    return (await this.#ask(run)) as Outcome<Nature>;
  }

  async #ask(run: StormRun | NatureRun): Promise<Outcome<string>> {
    return await this.#queue.add(async () => {
      this.signal.throwIfAborted();
      const child = this.#idle.pop();
      if (!child) throw new Error('more runs at once than processes');
      if (!child.connected) throw new Error(`the process of run ${run.number} has died`);
      const over = new AbortController();
      const died = once(child, 'exit', { signal: over.signal }).then(() => Promise.reject(new Error('it has ended')));
      const answered = once(child, 'message', { signal: over.signal });
      try {
        child.send(run);
        // Its end is seen as such, or before that by its channel, which can no longer be written to.
        const [answer] = (await Promise.race([answered, died]).catch((error: unknown) => {
          throw new Error(`the process of run ${run.number} has died`, { cause: error });
        })) as [StormAnswer];
        if ('error' in answer) throw new Error(`run ${run.number}: ${answer.error}`);
        return answer.outcome;
      } finally {
        over.abort();
        await Promise.allSettled([answered, died]);
        this.#idle.push(child);
      }
    }, { throwOnTimeout: true });
  }

  /** Ends the processes; runs that are not done fail. */
  close(): void {
    for (const child of this.#all) child.kill('SIGKILL');
  }
}
