const longestName = 200;

/**
 * Names that `name` may have been meant to be, best first: by the number of
 * letters inserted, deleted, replaced or swapped with their neighbour, case
 * counting little. Names that differ in more than a third are not offered, and
 * neither is any for a name that is too long to be compared with many.
 */
export function nearestNames(name: string, candidates: Iterable<string>, limit: number): string[] {
  if (name.length > longestName) return [];
  const allowed = Math.max(1, Math.floor(name.length / 3));
  const found: { name: string; distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    if (Math.abs(candidate.length - name.length) > allowed) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), allowed) + (candidate === name ? 0 : 0.5);
    if (distance <= allowed + 0.5) found.push({ name: candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return found.slice(0, limit).map((entry) => entry.name);
}

/** Optimal string alignment distance; above `most`, any number above it. */
function editDistance(a: string, b: string, most: number): number {
  let twoBack: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, twoBack[column - 2]! + 1);
      }
      current.push(best);
    }
    if (Math.min(...current) > most && Math.min(...previous) > most) return most + 1;
    twoBack = previous;
    previous = current;
  }
  return previous[b.length]!;
}
