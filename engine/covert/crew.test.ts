import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { Machine } from '../machine/machine';
import { fillPool, pool } from '../machine/threads/thread.test-support';
import { Crew } from './crew';

afterAll(() => pool().close());

/** A crew that has got its thread after 20 million instructions. */
async function complete(): Promise<Crew> {
  await fillPool(1);
  const first = Machine.create({ ramBytes: 4096 });
  const crew = new Crew({ threads: 2 });
  crew.regroup([first, first.clone()]);
  crew.gather(19_999_999);
  expect(crew.isComplete).toBe(false);
  crew.gather(1);
  while (!crew.isComplete) {
    await setTimeout(5);
    crew.gather(1);
  }
  return crew;
}

it('gives its threads back where the host has shown for a while that it has no processor for them, not for a hitch', async () => {
  const crew = await complete();
  const good = [300, 150] as const;
  const bad = [150, 300] as const;
  for (const [ran, waited] of [bad, bad, good, bad, bad, good]) {
    crew.account(ran, waited);
    expect(crew.isComplete).toBe(true);
  }
  for (const [ran, waited] of [bad, bad]) crew.account(ran, waited);
  expect(crew.isComplete).toBe(true);
  // Less than a trial is not judged.
  crew.account(100, 200);
  expect(crew.isComplete).toBe(true);
  crew.account(50, 100);
  expect(crew.isComplete).toBe(false);
  // It tries again later, and later yet the next time.
  crew.gather(199_999_999);
  expect(crew.isComplete).toBe(false);
  while (!crew.isComplete) {
    crew.gather(1);
    await setTimeout(5);
  }
  for (const [ran, waited] of [bad, bad, bad]) crew.account(ran, waited);
  crew.gather(399_999_999);
  expect(crew.isComplete).toBe(false);
  crew.close();
});
