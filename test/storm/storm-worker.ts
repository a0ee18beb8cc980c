/** A process of `npm run storm`: does the runs that it is sent, one at a time, and answers with what came of each. */
import process from 'node:process';
import { debianFiles } from '../../server/guest/debian';
import type { StormGuest } from './guests';
import { natureOutcome } from './nature';
import { Storm, type Outcome } from './storm';
import { guests, storms, type NatureRun, type StormRun } from './storms';

export type StormAnswer = { outcome: Outcome<string> } | { error: string };

const made = new Map<number, Promise<StormGuest>>();

async function outcomeOf(run: StormRun | NatureRun): Promise<Outcome<string>> {
  const { guest, seed, number } = run;
  const files = debianFiles();
  const kind = guests[guest];
  if ('missing' in files || !kind) throw new Error('a run that there is not');
  // The same snapshot in each process: how a guest starts is deterministic.
  const start = made.get(guest) ?? kind.make(files);
  made.set(guest, start);
  if (!('storm' in run)) return await natureOutcome(await start, seed, number);
  const options = storms[run.storm];
  if (!options) throw new Error('a run that there is not');
  return await new Storm({ guest: await start, protection: options.protection, isolation: options.isolation, seed }).outcome(number);
}

// Ctrl-C goes to all processes of a terminal; the one that started this one says when to end.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (run: StormRun | NatureRun) => {
  void outcomeOf(run)
    .then((outcome): StormAnswer => ({ outcome }))
    .catch((error: unknown): StormAnswer => ({ error: error instanceof Error ? error.message : String(error) }))
    .then((answer) => process.send?.(answer));
});
