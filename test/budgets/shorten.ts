/** Makes a trial that shows a difference as short as it goes. */
import type { Trial } from './trial';

/** `fails`: it still shows one. Parts of a guest are replaced by nops, so that the rest stays where it is. */
export function shorten(trial: Trial, units: number, fails: (trial: Trial) => boolean): Trial {
  let best = trial;
  const attempt = (candidate: Trial): boolean => {
    if (!fails(candidate)) return false;
    best = candidate;
    return true;
  };
  const leaveOutActions = (): void => {
    for (let size = best.actions.length >> 1; size >= 1; size >>= 1) {
      for (let from = 0; from < best.actions.length; ) {
        const actions = best.actions.filter((_, i) => i < from || i >= from + size);
        if (!attempt({ ...best, actions })) from += size;
      }
    }
  };
  // What comes behind the difference does not matter: the shortest beginning that shows it.
  let [low, high] = [1, best.actions.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (attempt({ ...best, actions: trial.actions.slice(0, middle) })) high = middle;
    else low = middle + 1;
  }
  leaveOutActions();
  for (let size = units >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < units; from += size) {
      const omitted = new Set(best.omitted);
      for (let unit = from; unit < Math.min(units, from + size); unit++) omitted.add(unit);
      if (omitted.size > best.omitted.size) attempt({ ...best, omitted });
    }
  }
  // With less code around, more of them may turn out not to matter.
  leaveOutActions();
  return best;
}
