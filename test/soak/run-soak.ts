import type { SystemEvent } from '../../engine/covert/events';
import type { Plan } from '../../engine/covert/plan';
import type { CostReport } from '../../engine/covert/report';
import { System } from '../../engine/covert/system';
import { checkpointInstructions } from './guest';
import { LoadLog } from './load-log';
import { sample, type Sample } from './memory';

export interface SoakOptions {
  /** Asked at each checkpoint: is it over? */
  over: (system: System) => boolean;
  /** Asked at each checkpoint: measure memory? It takes a second. */
  measure: (system: System) => boolean;
  /** Called at each checkpoint. */
  onProgress?: (soak: Soak) => void;
  onSample?: (sample: Sample) => void;
}

/** What a soak has come to, so far or at its end. */
export interface Soak {
  instructions: number;
  epochs: number;
  load: LoadLog;
  samples: Sample[];
  /** Where the replicas did not agree, in words. */
  divergence: string | undefined;
  /** Why the guest is not running any more, though it should. */
  ended: string | undefined;
  /** What the VMM has done, with how often. */
  events: CostReport[];
  /** What has gone to the disk. */
  disk: { outputs: number; bytes: number };
  /** SHA-256 of the whole state at the end, which is that of both replicas. */
  state: string;
}

/** Runs two replicas until it is over, they disagree, or the guest ends. */
export async function runSoak(plan: Plan, options: SoakOptions): Promise<Soak> {
  // Each sample has the machines forget what is decoded, and so what is translated: how much that takes over time is what the load is for.
  const system = new System(plan, { forgetful: true, tier: 'interpreter' });
  const soak: Soak = {
    instructions: 0, epochs: 0, load: new LoadLog(), samples: [], divergence: undefined, ended: undefined, events: [], disk: { outputs: 0, bytes: 0 }, state: '',
  };
  do {
    // From checkpoint to checkpoint: memory is measured where each page has one version.
    system.advance(system.moment + checkpointInstructions - (system.count % checkpointInstructions));
    for (const event of system.takeEvents()) takeIn(event, soak);
    soak.instructions = system.count;
    soak.epochs = system.epoch;
    if (options.measure(system)) {
      const newest = sample(system);
      soak.samples.push(newest);
      options.onSample?.(newest);
    }
    options.onProgress?.(soak);
    await new Promise<void>((resolve) => setImmediate(resolve));
  } while (!soak.divergence && !soak.ended && soak.load.missing === undefined && !options.over(system));
  soak.events = system.costs();
  soak.disk = system.releasedData('disk');
  soak.state = system.replicas[0]?.computer.snapshot().hash() ?? '';
  return soak;
}

function takeIn(event: SystemEvent, soak: Soak): void {
  if (event.kind === 'release') soak.load.read(event.bytes);
  else if (event.kind === 'detection') soak.divergence ??= `instruction ${event.instruction}, by ${event.by}: ${event.what}`;
  else if (event.kind === 'checkpoint' && !event.validated) soak.divergence ??= `instruction ${event.instruction}: checkpoint ${event.number} has two different states`;
  else if (event.kind === 'end') soak.ended = event.why;
}
