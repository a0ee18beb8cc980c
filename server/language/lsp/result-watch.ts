import { mkdirSync, watch } from 'node:fs';
import { resultsFolder } from '../../results/last-results';

/** Milliseconds in which changes count as one: a file of many scenarios ends several runs a second. */
const pause = 200;

/** Calls back soon after `covert run` has left a result; also somebody else's run, in a terminal. */
export function watchResults(changed: () => void): void {
  let due: NodeJS.Timeout | undefined;
  try {
    mkdirSync(resultsFolder(), { recursive: true });
    const watcher = watch(resultsFolder(), { persistent: false }, (_event, name) => {
      if (name !== null && !name.endsWith('.json')) return;
      clearTimeout(due);
      due = setTimeout(changed, pause).unref();
    });
    watcher.on('error', () => watcher.close());
  } catch {
    // Without a folder that can be watched, lenses are as new as the client asks for them.
  }
}
