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
    description: 'Stop just after the replicas were rolled back, one became a copy of the others, or one was made anew on another core.',
    default: false,
  },
  {
    filter: 'degradation',
    label: 'A replica is given up',
    description: 'Stop where a replica was outvoted too often, or its core is dead and no other is free, and the others go on.',
    default: true,
  },
  {
    filter: 'retirement',
    label: 'A component is retired',
    description: 'Stop where the chip goes on without a core, a cache bank, a memory controller or a link.',
    default: false,
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
      if (event.replica === undefined) return `${faultName(event.fault)} struck at instruction ${event.instruction}, where nobody ran: ${event.change}`;
      return `${faultName(event.fault)} struck replica ${event.replica} at instruction ${event.instruction}, ${place(event.pc)}: ${event.change}`;
    case 'divergence': {
      const [first] = event.differs;
      const values = first ? `: ${first.place} is 0x${first.a.toString(16)} against 0x${first.b.toString(16)}` : '';
      return `the replicas diverged at instruction ${event.instruction}, ${place(event.pc)}${values}`;
    }
    case 'detection':
      return `detected by ${event.by} at instruction ${event.instruction}: ${event.what}`;
    case 'recovery':
      return event.replayed === 0 && event.by !== 'rollback'
        ? `recovered by ${event.by} at instruction ${event.to}`
        : `recovered by ${event.by} to instruction ${event.to}; ${event.replayed} instructions run again`;
    case 'degradation':
      return `replica ${event.replica} is given up at instruction ${event.instruction}, ${event.why}; protection is ${event.to} now`;
    case 'retirement':
      return `${event.component} is retired at instruction ${event.instruction}: ${event.why}`;
    case 'clone':
      return `replica ${event.replica} is made anew on core ${event.core} at instruction ${event.instruction}; protection is ${event.to} now`;
    case 'switch':
      return `protection is ${event.to} from instruction ${event.instruction} on, on ${event.cores.map((core) => `core ${core}`).join(', ')}`;
    case 'diagnosis':
      return `replica ${event.replica} on core ${event.core}, at instruction ${event.instruction}: ${event.what}`;
    case 'checkpoint':
      return `checkpoint ${event.number} at instruction ${event.instruction}${event.validated ? '' : ', not validated'}`;
    case 'release':
      return `${event.bytes.length} bytes released`;
    case 'end':
      return event.how === 'exit' ? `the guest exited with ${event.exitCode}` : event.why;
  }
}
