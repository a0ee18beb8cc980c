import { differingBits } from '../../engine/covert/place';
import type { ReplicaView } from '../../engine/history/types';
import type { Variable } from '../../engine/symbols/types';
import { frameReader, type Debuggee } from './debuggee';
import { protocolSource } from './sources';
import { hex } from './variables';

/** The answer to `covert/replicaState`: what the extension's decorations and views show. */
export interface ReplicaStateAnswer {
  moment: number;
  replicas: {
    name: string;
    threadId: number;
    core: number;
    pc: string;
    instruction: number;
    function?: string;
    source?: { name: string; path?: string };
    line?: number;
    column?: number;
  }[];
  /** Whose values `A` and `B` are below: of three replicas the first, and one that differs from it. */
  compared: [string, string];
  differences: { place: string; A: string; B: string; bits: number[] }[];
  /** Variables in scope that both replicas have and that differ. */
  lineDifferences: { expression: string; A: string; B: string }[];
  events: { faults: number; divergences: number; detections: number; recoveries: number };
}

const mostDifferences = 64;

export function replicaState(debuggee: Debuggee): ReplicaStateAnswer {
  const { session } = debuggee;
  const past = session.events.filter(({ moment }) => moment <= session.moment);
  const count = (kind: string): number => past.filter((event) => event.kind === kind).length;
  return {
    moment: session.moment,
    replicas: debuggee.replicas.map((replica) => describe(debuggee, replica)),
    compared: [session.compared?.[0].name ?? 'A', session.compared?.[1].name ?? 'B'],
    differences: session.difference(mostDifferences).map(({ place, a, b }) => ({
      place,
      A: hex(a),
      B: hex(b),
      bits: differingBits(a, b),
    })),
    lineDifferences: lineDifferences(debuggee),
    events: {
      faults: count('fault'),
      divergences: count('divergence'),
      detections: count('detection'),
      recoveries: count('recovery'),
    },
  };
}

function describe(debuggee: Debuggee, replica: ReplicaView): ReplicaStateAnswer['replicas'][number] {
  const { pc, retired } = replica.computer;
  const [frame] = debuggee.frames({ replica, hart: replica.computer.hart }, 1);
  const location = frame?.location;
  return {
    name: replica.name,
    threadId: debuggee.threadOf(replica.name),
    core: replica.core,
    pc: hex(pc),
    instruction: retired,
    ...(frame?.function === undefined ? {} : { function: frame.function }),
    ...(location
      ? { source: protocolSource(debuggee.sources, location.file), line: location.line, column: location.column }
      : {}),
  };
}

/** Locals of the innermost frame with different values; nothing where the replicas stand in different functions. */
function lineDifferences(debuggee: Debuggee): ReplicaStateAnswer['lineDifferences'] {
  const [a, b] = debuggee.session.compared ?? [];
  if (!a || !b) return [];
  const { symbols } = debuggee;
  if (a.computer.hart !== b.computer.hart || symbols.at(a.computer.pc) !== symbols.at(b.computer.pc)) return [];
  const ofB = new Map(flatten(symbols.variables(frameReader(b.computer), 0)));
  return flatten(symbols.variables(frameReader(a.computer), 0)).flatMap(([expression, valueA]) => {
    const valueB = ofB.get(expression);
    return valueB === undefined || valueB === valueA ? [] : [{ expression, A: valueA, B: valueB }];
  });
}

/** Scalars by name, members of structures one level down. */
function flatten(variables: readonly Variable[]): [string, string][] {
  return variables.flatMap((variable): [string, string][] => {
    if (!variable.children || variable.type.endsWith('*')) return [[variable.name, variable.value]];
    const members = variable.children();
    if (members.length > 16) return [];
    return members.filter((member) => !member.children).map((member) => [`${variable.name}.${member.name}`, member.value]);
  });
}
