import { fork } from 'node:child_process';
import path from 'node:path';
import type { ProtectionKind } from '../../engine/covert/plan';
import type { Tier } from '../../engine/machine/tier';
import { ended, type Guest, type GuestRun } from './guest-run';
import { Marks } from './marks';
import type { Message, ReplicatedRun } from './replicated';

export interface SystemRun extends GuestRun {
  beyond: number;
}

/** Runs the guest in replicas, or alone in the same machinery, with checkpoints and comparison, as `covert run` does. */
export async function runSystem(
  kind: ProtectionKind,
  { tier, threads }: { tier: Tier; threads: number },
  { files, initrd, programs }: Guest,
  signal: AbortSignal,
  onProgress: (program: string | undefined) => void,
): Promise<SystemRun> {
  const now = (): number => Number(process.hrtime.bigint()) / 1e9;
  const start = now();
  const child = fork(path.join(import.meta.dirname, 'replicated.ts'), { execArgv: process.execArgv, signal });
  const marks = new Marks(programs);
  let end: Extract<Message, { kind: 'end' }> | undefined;
  child.on('message', (message: Message) => {
    if (message.kind === 'end') end = message;
    else {
      marks.read(message.text, { seconds: now(), instructions: message.instruction });
      onProgress(marks.current);
    }
  });
  child.send({ files, initrd, kind, tier, threads } satisfies ReplicatedRun);
  const status = await ended(child);
  if (!end || end.exit !== 0 || end.detections > 0) {
    throw new Error(`${kind}: ended with ${end ? `${end.exit} (${end.why}), ${end.detections} detections` : `status ${status}`}`);
  }
  for (const { name } of programs) if (!marks.seen.has(name)) throw new Error(`${kind}: ${name} has not run in the guest`);
  return { seconds: now() - start, seen: marks.seen, beyond: end.beyond };
}
