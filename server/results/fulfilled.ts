import type { Expectation, ProtectionKind } from '../../engine/covert/plan';
import type { Report } from '../../engine/covert/report';
import { quoted } from '../language/addresses';
import { encodeString } from '../language/mends';

/** Something that could be expected of a scenario: `no corruption`. */
export interface Fulfilled {
  kind: Expectation['kind'];
  /** As it stands behind `expect`. */
  text: string;
}

const kinds: readonly ProtectionKind[] = ['none', 'dmr', 'tmr'];
const longestText = 60;

/** What could be expected of a scenario's own guest so that a run like this one passes, in the order in which people write it. */
export function fulfilledBy(report: Omit<Report, 'scenario'>): Fulfilled[] {
  const { detections, recoveries, divergences, faults, guest, released, protection, cycles, clones = [], switches = [] } = report;
  const found: Fulfilled[] = [];
  const add = (kind: Expectation['kind'], text: string): void => void found.push({ kind, text });
  const asked = protection.wanted ?? protection.start;
  const stopped = guest.ended === 'stopped';
  const [detection] = detections;
  const [recovery] = recoveries;
  if (!detection && divergences.length === 0) add('clean', 'clean');
  if (!detection && released.corrupt === false && faults.some(({ fired }) => fired)) add('masked', 'masked');
  if (detection) add('detected', `detected by ${detection.by}`);
  if (recovery && !stopped && protection.end === asked) add('recovered', `recovered by ${recovery.by}`);
  if (stopped) add('unrecoverable', 'unrecoverable');
  const place = divergences[0]?.function;
  if (place !== undefined) add('divergence-in', `divergence in ${quoted(place)}`);
  if (released.corrupt !== null) add(released.corrupt ? 'corruption' : 'no-corruption', released.corrupt ? 'corruption' : 'no corruption');
  if (kinds.indexOf(protection.end) < kinds.indexOf(asked)) add('degraded-to', `degraded to ${protection.end}`);
  const restored = clones.some(({ moment }) => !switches.some((each) => each.moment === moment));
  if (restored && protection.end === asked) add('redundancy-restored', 'redundancy restored');
  const line = guest.output.split(/[\r\n]+/).map((text) => text.trim()).findLast((text) => text !== '' && text.length <= longestText && !/[\p{Cc}\ufffd]/u.test(text));
  if (line !== undefined) add('output-contains', `output contains ${encodeString(line)}`);
  if (guest.exit !== null && guest.exit >= 0) add('exit', `exit ${guest.exit}`);
  if (cycles.overhead !== null) add('overhead-below', `overhead < ${Math.max(0, Math.floor(cycles.overhead * 100)) + 1} %`);
  return found;
}
