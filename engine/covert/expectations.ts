import { count } from './numbers';
import type { Expectation, Plan } from './plan';
import type { ExpectationReport, Report } from './report';
import { instructionsOf, lateness } from './span';

/** What expectations are judged on: the report as far as it is made, and two rates. */
export interface Judged {
  report: Omit<Report, 'expectations' | 'passed'>;
  plan: Plan;
  /** Cycles an instruction of the unprotected guest: converts durations. */
  cyclesPerInstruction: number;
  /** A fault fired and no detection followed it. */
  stopped: boolean;
}

/** Judges every expectation of the plan, in order. */
export function judge(judged: Judged): ExpectationReport[] {
  return judged.plan.expectations.map(({ expectation, text, range }) => {
    const reason = whyNot(expectation, judged);
    const line = range?.line ?? 0;
    return reason === undefined ? { text, line, held: true } : { text, line, held: false, reason };
  });
}

/** What cannot be judged without a run that had no faults. */
const needsReference: ReadonlySet<Expectation['kind']> = new Set(['masked', 'corruption', 'no-corruption', 'overhead-below']);

/** Undefined where the expectation holds, else one line that says why it does not. */
function whyNot(expectation: Expectation, judged: Judged): string | undefined {
  const { report } = judged;
  if (needsReference.has(expectation.kind) && report.released.corrupt === null) return 'what comes over real sockets does not come again, so there is no run without faults to compare with';
  const { detections, recoveries, divergences, faults, guest, released, protection, cycles } = report;
  const asked = protection.wanted ?? protection.start;
  const fired = faults.filter((fault) => fault.fired);
  switch (expectation.kind) {
    case 'clean':
      if (divergences.length > 0) return `the replicas diverged at instruction ${count(divergences[0]?.instruction ?? 0)}`;
      return detections.length > 0 ? `an error was detected by ${detections[0]?.by}` : undefined;
    case 'masked':
      if (fired.length === 0) return 'no fault fired';
      if (detections.length > 0) return `it was detected by ${detections[0]?.by}`;
      return released.corrupt ? 'it reached the output' : undefined;
    case 'detected': {
      const wanted = expectation.by;
      const matching = detections.filter(({ by }) => wanted.length === 0 || wanted.includes(by));
      if (detections.length === 0) return 'nothing was detected';
      if (matching.length === 0) return `it was detected by ${detections.map(({ by }) => by).join(', ')}`;
      if (!expectation.within) return undefined;
      const limit = instructionsOf(expectation.within, judged);
      const latencies = matching.map(({ latency }) => latency).filter((latency) => latency >= 0);
      if (latencies.some((latency) => latency <= limit)) return undefined;
      return latencies.length === 0 ? 'no detection came after the fault' : `the detection came ${lateness(Math.min(...latencies), expectation.within, judged)}`;
    }
    case 'recovered': {
      if (judged.stopped) return 'the guest was stopped';
      if (recoveries.length === 0) return 'nothing was recovered from';
      const matching = recoveries.filter(({ by }) => expectation.by.length === 0 || expectation.by.includes(by));
      if (matching.length === 0) return `it recovered by ${recoveries.map(({ by }) => by).join(', ')}`;
      return protection.end === asked ? undefined : `protection fell to ${protection.end}`;
    }
    case 'unrecoverable':
      return judged.stopped ? undefined : 'the guest was not stopped';
    case 'corruption':
      return released.corrupt ? undefined : 'what was released is right';
    case 'no-corruption':
      if (!released.corrupt) return undefined;
      return `what was released is wrong${released.firstWrongByte === undefined ? '' : ` from byte ${count(released.firstWrongByte)} on`}`;
    case 'divergence-in': {
      const { symbol, start, end } = expectation;
      if (divergences.some(({ pc }) => BigInt(pc) >= start && BigInt(pc) < end)) return undefined;
      return divergences.length === 0 ? 'there was no divergence' : `it diverged in ${where(divergences[0])}, not in ${symbol}`;
    }
    case 'divergence-at': {
      const { ranges } = expectation;
      const inside = (pc: bigint): boolean => ranges.some(({ start, end }) => pc >= start && pc < end);
      if (divergences.some(({ pc }) => inside(BigInt(pc)))) return undefined;
      return divergences.length === 0 ? 'there was no divergence' : `it diverged at ${where(divergences[0])}`;
    }
    case 'output-contains':
      return guest.output.includes(expectation.text) ? undefined : 'the released output does not contain it';
    case 'output-is':
      return guest.output === expectation.text ? undefined : 'the released output is different';
    case 'output-matches':
      return new RegExp(expectation.pattern, 'u').test(guest.output) ? undefined : 'the released output does not match';
    case 'exit':
      if (guest.exit === expectation.code) return undefined;
      return guest.exit === null ? 'the guest did not exit by itself' : `it exited with ${guest.exit}`;
    case 'overhead-below':
      if (cycles.overhead === null) return 'the run was not whole, so there is no overhead to give';
      if (cycles.overhead < expectation.fraction) return undefined;
      return `the overhead is ${(cycles.overhead * 100).toFixed(1)} %`;
    case 'degraded-to':
      if (protection.end !== asked && protection.end === expectation.protection) return undefined;
      return `the protection at the end is ${protection.end}`;
    case 'redundancy-restored':
      // Those that a switch has made were not lost.
      if (!report.clones?.some(({ moment }) => !report.switches?.some((each) => each.moment === moment))) return 'no replica was lost, so none was restored';
      return protection.end === asked ? undefined : `the protection at the end is ${protection.end}`;
  }
}

function where(divergence: Report['divergences'][number] | undefined): string {
  if (!divergence) return 'an unknown place';
  const { pc, function: name, file, line } = divergence;
  return `${name ?? pc}${file === undefined ? '' : ` (${file}:${line})`}`;
}
