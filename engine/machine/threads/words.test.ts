import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { turn, word, Words } from './words';

it('who is woken while the turn is what it was goes on waiting', async () => {
  const words = new Words();
  expect(words.pass(turn.resting, turn.asking)).toBe(true);
  const other = new Worker(
    `const { workerData: { shared, index, answered } } = require('node:worker_threads');
    const words = new Int32Array(shared, 0, 16);
    const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    let woken = 0;
    while (woken < 20) {
      pause(2);
      woken += Atomics.notify(words, index);
    }
    Atomics.store(words, index, answered);
    Atomics.notify(words, index);`,
    { eval: true, workerData: { shared: words.shared, index: word.turn, answered: turn.answered } },
  );
  const ended = new Promise((resolve) => other.on('exit', resolve));
  expect(words.wait(turn.asking)).toBe(turn.answered);
  await ended;
});
