import type { ReplicaStateAnswer } from '../server/debug/replica-state';

/** One source line at which at least one replica stands. */
export interface LineMark {
  path: string;
  /** 1-based. */
  line: number;
  /** The replicas that stand here, in order: letter, and what a hover over it says. */
  replicas: { letter: string; hover: string }[];
  /** What differs, in words for the end of the line; empty if nothing does. */
  values: string;
  /** The same at length, a place a line, as Markdown. */
  valuesHover: string;
}

/** More than this is unreadable at the end of a line; the A≠B scope has them all. */
const mostValues = 3;
const mostInHover = 12;

/** The lines to decorate, replicas on one line together. */
export function lineMarks(state: ReplicaStateAnswer): LineMark[] {
  const values = valuesText(state);
  const valuesHover = hoverText(state);
  const marks: LineMark[] = [];
  for (const { name, core, pc, instruction, source, line } of state.replicas) {
    if (source?.path === undefined || line === undefined) continue;
    const path = source.path;
    const replica = {
      letter: name,
      hover: `**Replica ${name}** on core ${core}: ${instruction.toLocaleString('en')} instructions retired, at \`${pc}\``,
    };
    const mark = marks.find((other) => other.path === path && other.line === line);
    if (mark) mark.replicas.push(replica);
    else marks.push({ path, line, replicas: [replica], values, valuesHover });
  }
  return marks;
}

function hoverText({ differences, compared: [one, other] }: ReplicaStateAnswer): string {
  const lines = differences.slice(0, mostInHover).map(({ place, A, B, bits }) => {
    const which = bits.length > 8 ? `${bits.length} bits` : `${bits.length === 1 ? 'bit' : 'bits'} ${bits.join(', ')}`;
    return `- \`${place}\`: ${one} \`${A}\`, ${other} \`${B}\` (${which})`;
  });
  const more = differences.length - mostInHover;
  return [...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n');
}

/** `crc A=3 B=7`: variables by name, or registers where no variable is known to differ. */
function valuesText(state: ReplicaStateAnswer): string {
  const [one, other] = state.compared;
  const named = state.lineDifferences.map(({ expression, A, B }) => `${expression} ${one}=${A} ${other}=${B}`);
  const all = named.length > 0 ? named : state.differences.map(({ place, A, B }) => `${place} ${one}=${A} ${other}=${B}`);
  const more = all.length - mostValues;
  return [...all.slice(0, mostValues), ...(more > 0 ? [`and ${more} more`] : [])].join('   ');
}
