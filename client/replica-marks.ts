import type { ReplicaStateAnswer } from '../server/debug/replica-state';

/** One source line at which at least one replica stands. */
export interface LineMark {
  path: string;
  /** 1-based. */
  line: number;
  /** Letters of the replicas that stand here, in order. */
  replicas: string[];
  /** What differs, in words for the end of the line; empty if nothing does. */
  values: string;
}

/** More than this is unreadable at the end of a line; the A≠B scope has them all. */
const mostValues = 3;

/** The lines to decorate, replicas on one line together. */
export function lineMarks(state: ReplicaStateAnswer): LineMark[] {
  const values = valuesText(state);
  const marks: LineMark[] = [];
  for (const { name, source, line } of state.replicas) {
    if (source?.path === undefined || line === undefined) continue;
    const path = source.path;
    const mark = marks.find((other) => other.path === path && other.line === line);
    if (mark) mark.replicas.push(name);
    else marks.push({ path, line, replicas: [name], values });
  }
  return marks;
}

/** `crc A=3 B=7`: variables by name, or registers where no variable is known to differ. */
function valuesText(state: ReplicaStateAnswer): string {
  const named = state.lineDifferences.map(({ expression, A, B }) => `${expression} A=${A} B=${B}`);
  const all = named.length > 0 ? named : state.differences.map(({ place, A, B }) => `${place} A=${A} B=${B}`);
  const more = all.length - mostValues;
  return [...all.slice(0, mostValues), ...(more > 0 ? [`and ${more} more`] : [])].join('   ');
}
