import { setTimeout } from 'node:timers/promises';
import type { ReplicaThread } from './replica-thread';
import { threadPool, type ThreadPool } from './thread-pool';

/** The pool of the process, which the build has to have made. */
export function pool(): ThreadPool {
  const made = threadPool();
  if (!made) throw new Error('dist/replica-thread.cjs is missing: run `npm run build`');
  return made;
}

/** A thread that can be given something to do at once. */
export async function readyThread(): Promise<ReplicaThread> {
  const thread = pool().take();
  while (!thread.isReady) await setTimeout(5);
  return thread;
}

/** Leaves so many threads in the pool, so that whoever takes one has it at once. */
export async function fillPool(count: number): Promise<void> {
  const threads: ReplicaThread[] = [];
  for (let i = 0; i < count; i++) threads.push(await readyThread());
  for (const thread of threads) pool().give(thread);
}
