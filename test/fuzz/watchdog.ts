/** The thread of {@link Guard} that sees when the other one does not come back from an input. */
import { writeSync } from 'node:fs';
import process from 'node:process';
import { workerData } from 'node:worker_threads';
import { keep } from './corpus';
import type { Watched } from './guard';

const stderr = 2;
/** Seconds without an end after which there is none. */
const patience = 60;

const { name, numbers, input } = workerData as Watched;
let seen = 0;
let seconds = 0;

setInterval(() => {
  const begun = Atomics.load(numbers, 0);
  seconds = begun === seen ? seconds + 1 : 0;
  seen = begun;
  if (begun === 0 || seconds < patience) return;
  const path = keep(name, input.slice(0, Atomics.load(numbers, 1)));
  // The other thread will not write this for us.
  writeSync(stderr, `fuzz: ${name}: an input has not ended for ${patience} s: ${path}\n`);
  process.kill(process.pid, 'SIGKILL');
}, 1000);
