/** A process of `npm run storm`: does the runs that it is sent, one at a time, and answers with what came of each. */
import process from 'node:process';
import { debianFiles } from '../../server/guest/debian';
import type { StormGuest } from './guests';
import { Storm, type Outcome } from './storm';
import { guests, storms, type StormRun } from './storms';

export type StormAnswer = { outcome: Outcome } | { error: string };

const made = new Map<number, Promise<StormGuest>>();

async function outcomeOf({ guest, storm, seed, number }: StormRun): Promise<Outcome> {
  const files = debianFiles();
  const kind = guests[guest];
  const options = storms[storm];
  if ('missing' in files || !kind || !options) throw new Error('a run that there is not');
  // The same snapshot in each process: how a guest starts is deterministic.
  const start = made.get(guest) ?? kind.make(files);
  made.set(guest, start);
  return await new Storm({ guest: await start, protection: options.protection, isolation: options.isolation, seed }).outcome(number);
}

// Ctrl-C goes to all processes of a terminal; the one that started this one says when to end.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (run: StormRun) => {
  void outcomeOf(run)
    .then((outcome): StormAnswer => ({ outcome }))
    .catch((error: unknown): StormAnswer => ({ error: error instanceof Error ? error.message : String(error) }))
    .then((answer) => process.send?.(answer));
});
