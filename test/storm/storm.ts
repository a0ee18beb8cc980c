/** A storm: one guest, run again and again, each time with another random fault, and what came of each. */
import type { FaultPlan, Isolation, ProtectionKind, SwitchPlan } from '../../engine/covert/plan';
import type { ReleasedData } from '../../engine/covert/release-log';
import { run } from '../../engine/covert/run';
import type { Report } from '../../engine/covert/report';
import { faultOf, type Site } from './faults';
import { planOf, guestSeed, type StormGuest } from './guests';
import { StormDisk } from './storm-disk';

/** What came of a fault. `wrong`: a byte that the fault-free guest does not send, one lost, or one twice. */
export type Fate = 'never struck' | 'masked' | 'recovered' | 'degraded' | 'stopped' | 'hung' | 'wrong';

export interface Outcome<S extends string = Site> {
  number: number;
  site: S;
  fault: string;
  change: string;
  fate: Fate;
  /** How it was noticed and recovered from, each once. */
  by: string[];
  /** Anything is different from the fault-free run: bytes of the console, of the disk, the exit code. */
  exact: boolean;
  /** It was the report that said so. */
  reportedCorrupt: boolean | null;
  /** By what the report says that something was let through. */
  escapes: string[];
  /** Microseconds of the guest's clock for which its client waited in vain, if it has one. */
  longestPause: number;
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
    return outcomeOf(guest, { number, site, fault: fault.text }, { kind: protection, isolation, faults: [fault] }, signal);
  }
}

/** Runs a guest under these faults. */
export async function outcomeOf<S extends string>(
  guest: StormGuest,
  { number, site, fault }: { number: number; site: S; fault: string },
  how: { kind: ProtectionKind; isolation: Isolation; faults: FaultPlan[]; switches?: SwitchPlan[] },
  signal?: AbortSignal,
): Promise<Outcome<S>> {
  const plan = planOf(guest, { ...how, seed: guestSeed, maxInstructions: guest.from + patience * (guest.to - guest.from) });
  const client = guest.client?.();
  const { reference } = guest;
  const disk = guest.image === undefined ? undefined : new StormDisk();
  const report = await run(plan, { withoutDivergences: true, reference, ...(client && { outside: client }), ...(disk && { disks: disk }), ...(signal ? { signal } : {}) });
  const { released } = report;
  const isWhole = released.bytes === reference.console.length && report.guest.exit === reference.exit;
  const same = (own: { sha256: string } | undefined, right: ReleasedData): boolean => (own === undefined ? right.outputs === 0 : own.sha256 === right.sha256);
  const seen = client?.result;
  const served = !seen || (seen.wrong === 0 && seen.lost === 0 && seen.duplicate === 0 && seen.broken === 0);
  const exact = isWhole && report.guest.ended === 'exit' && released.corrupt === false && same(released.disk, reference.disk) && same(released.network, reference.network) && served && disk?.sha256 === guest.image;
  return {
    number,
    site,
    fault,
    change: report.faults[0]?.change ?? '',
    fate: fateOf(report, exact, served),
    longestPause: seen?.longestPause ?? 0,
    by: [...new Set([...report.detections.map(({ by }) => by), ...report.recoveries.map(({ by }) => `recovered by ${by}`)])],
    exact,
    reportedCorrupt: released.corrupt,
    escapes: (report.escapes ?? []).map(({ by }) => by),
  };
}

function fateOf(report: Report, exact: boolean, served: boolean): Fate {
  const { faults, guest, released, detections, protection } = report;
  if (faults.some(({ fired }) => !fired)) return exact ? 'never struck' : 'wrong';
  if (released.corrupt === true || (guest.ended === 'exit' && !(exact && served))) return 'wrong';
  if (guest.ended === 'stopped') return 'stopped';
  if (guest.ended !== 'exit') return 'hung';
  if (detections.length === 0) return 'masked';
  return protection.end === protection.start ? 'recovered' : 'degraded';
}
