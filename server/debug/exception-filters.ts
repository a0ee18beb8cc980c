import type { DebugProtocol } from '@vscode/debugprotocol';
import type { EventKind, SystemEvent } from '../../engine/covert/events';

/** The events that can stop a run, as VS Code's Breakpoints view lists them. */
export const exceptionFilters: readonly (DebugProtocol.ExceptionBreakpointsFilter & { filter: EventKind })[] = [
  {
    filter: 'fault',
    label: 'Fault strikes',
    description: 'Stop just after a fault of the scenario has changed a bit.',
    default: false,
  },
  {
    filter: 'divergence',
    label: 'Replicas diverge',
    description: 'Stop after the first instruction that gave different results.',
    default: true,
  },
  {
    filter: 'detection',
    label: 'COVERT detects an error',
    description: 'Stop where the comparison, the watchdog or a trap gave the error away, before it is recovered from.',
    default: true,
  },
  {
    filter: 'recovery',
    label: 'COVERT has recovered',
    description: 'Stop just after the replicas were rolled back, or one became a copy of the others.',
    default: false,
  },
  {
    filter: 'degradation',
    label: 'A replica is given up',
    description: 'Stop where a replica of three was outvoted too often, and two go on.',
    default: true,
  },
  {
    filter: 'checkpoint',
    label: 'Checkpoint taken',
    description: 'Stop at every checkpoint.',
    default: false,
  },
];

/** What happened, in one line, for the call stack and the debug console. */
export function describeEvent(event: SystemEvent, place: (pc: bigint) => string, faultName: (index: number) => string): string {
  switch (event.kind) {
    case 'fault':
      return `${faultName(event.fault)} struck replica ${event.replica} at instruction ${event.instruction}, ${place(event.pc)}: ${event.change}`;
    case 'divergence': {
      const [first] = event.differs;
      const values = first ? `: ${first.place} is 0x${first.a.toString(16)} against 0x${first.b.toString(16)}` : '';
      return `the replicas diverged at instruction ${event.instruction}, ${place(event.pc)}${values}`;
    }
    case 'detection':
      return `detected by ${event.by} at instruction ${event.instruction}: ${event.what}`;
    case 'recovery':
      return event.by === 'vote'
        ? `recovered by vote at instruction ${event.to}`
        : `recovered by ${event.by} to instruction ${event.to}; ${event.replayed} instructions run again`;
    case 'degradation':
      return `replica ${event.replica} is given up at instruction ${event.instruction}, ${event.why}; protection is ${event.to} now`;
    case 'checkpoint':
      return `checkpoint ${event.number} at instruction ${event.instruction}${event.validated ? '' : ', not validated'}`;
    case 'release':
      return `${event.bytes.length} bytes released`;
    case 'end':
      return event.how === 'exit' ? `the guest exited with ${event.exitCode}` : event.why;
  }
}
