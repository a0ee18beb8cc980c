/** A storm: one guest, run again and again, each time with another random fault, and what came of each. */
import type { Isolation, Plan, ProtectionKind } from '../../engine/covert/plan';
import { replicaCount } from '../../engine/covert/switching';
import { run } from '../../engine/covert/run';
import { runReference } from '../../engine/covert/reference';
import type { Report } from '../../engine/covert/report';
import { faultOf, type Site } from './faults';
import { chip, type StormGuest } from './guests';

/** What came of a fault. `wrong`: a byte that the fault-free guest does not send, one lost, or one twice. */
export type Fate = 'never struck' | 'masked' | 'recovered' | 'degraded' | 'stopped' | 'hung' | 'wrong';

export interface Outcome {
  number: number;
  site: Site;
  fault: string;
  change: string;
  fate: Fate;
  /** How it was noticed and recovered from, each once. */
  by: string[];
  /** Anything is different from the fault-free run: bytes of the console, of the disk, the exit code. */
  exact: boolean;
  /** It was the report that said so. */
  reportedCorrupt: boolean | null;
}

export interface StormOptions {
  guest: StormGuest;
  protection: ProtectionKind;
  isolation: Isolation;
  seed: number;
}

/** Instructions after which a guest that goes on is held to hang, in lengths of the fault-free run. */
const patience = 4;

export class Storm {
  constructor(private readonly options: StormOptions) {}

  async outcome(number: number, signal?: AbortSignal): Promise<Outcome> {
    const { guest, protection, isolation, seed } = this.options;
    const { site, plan: fault } = faultOf(guest, protection, isolation, seed, number);
    const plan = this.#plan([fault]);
    const report = await run(plan, { withoutDivergences: true, ...(signal ? { signal } : {}) });
    const reference = await runReference(plan);
    if (!reference || reference.exit === null) throw new Error(`${guest.name}: the fault-free run does not end by itself`);
    const { released } = report;
    const isWhole = released.bytes === reference.console.length && report.guest.exit === reference.exit;
    const exact = isWhole && report.guest.ended === 'exit' && !released.corrupt && (released.disk?.sha256 ?? '') === (reference.disk.outputs > 0 ? reference.disk.sha256 : '');
    return {
      number,
      site,
      fault: fault.text,
      change: report.faults[0]?.change ?? '',
      fate: fateOf(report, exact),
      by: [...new Set([...report.detections.map(({ by }) => by), ...report.recoveries.map(({ by }) => `recovered by ${by}`)])],
      exact,
      reportedCorrupt: released.corrupt,
    };
  }

  #plan(faults: Plan['faults']): Plan {
    const { guest, protection, isolation, seed } = this.options;
    return {
      name: `storm of ${guest.name}`,
      chip,
      guest: guest.plan,
      protection: {
        kind: protection,
        cores: [0, 1, 2].slice(0, replicaCount[protection]),
        isolation,
        epochInstructions: guest.epochInstructions,
        checkpointEpochs: 16,
        compareOutput: true,
        compareStateEpochs: 4,
        watchdogEpochs: 4,
        retry: 2,
        uncoordinated: [],
      },
      faults,
      expectations: [],
      seed,
      maxInstructions: guest.from + patience * (guest.to - guest.from),
    };
  }
}

function fateOf(report: Report, exact: boolean): Fate {
  const { faults, guest, released, detections, protection } = report;
  if (faults.some(({ fired }) => !fired)) return exact ? 'never struck' : 'wrong';
  if (released.corrupt || (guest.ended === 'exit' && !exact)) return 'wrong';
  if (guest.ended === 'stopped') return 'stopped';
  if (guest.ended !== 'exit') return 'hung';
  if (detections.length === 0) return 'masked';
  return protection.end === protection.start ? 'recovered' : 'degraded';
}
