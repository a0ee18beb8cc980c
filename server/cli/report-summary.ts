import type { NeighbourReport, Report } from '../../engine/covert/report';
import { endings } from './guest-lines';
import { wrap } from './layout';
import { counted } from './numbers';
import { isUnwatched, placeOf } from './report-screen';
import { printable, type Screen } from './terminal';

/** A campaign that was asked for and not run: an element of `covert run --json` beside the reports. */
export interface Skipped {
  campaign: string;
  /** Nobody knows. */
  passed: null;
  /** Why, in one line. */
  notRun: string;
}

/** The last screen: every scenario in a few lines, what was left out, then the tally. Ends in a line break. */
export function formatSummary(reports: Report[], { width, colors }: Screen, skipped: readonly Skipped[] = []): string {
  const passed = reports.filter((report) => report.passed).length;
  const lines = reports.flatMap((report) => [
    `${report.passed ? colors.green('✓') : colors.red('✗')} ${printable(report.scenario)}`,
    ...(report.neighbours
      ? [report, ...report.neighbours].flatMap((each) => story(each).map((line, i) => `    ${colors.dim(`${i === 0 ? `${printable(each.guest.name ?? '')}: ` : '  '}${line}`)}`))
      : story(report).map((line) => `    ${colors.dim(line)}`)),
  ]);
  const left = skipped.flatMap(({ campaign, notRun }) => [`${colors.yellow('–')} campaign ${printable(campaign)}`, ...wrap(printable(`not run: ${notRun}`), width - 4).map((line) => `    ${colors.yellow(line)}`)]);
  const tally = `${counted(reports.length, 'scenario')}: ${passed} passed, ${reports.length - passed} failed${skipped.length > 0 ? `; ${counted(skipped.length, 'campaign')} not run` : ''}`;
  return ['', colors.dim('═'.repeat(width)), ...lines, ...left, '', colors.bold(tally), ''].join('\n');
}

/** Where it diverged, what came of it, and why it failed if it did. */
function story(report: NeighbourReport): string[] {
  const { divergences, detections, recoveries, expectations, faults, protection } = report;
  const [divergence] = divergences;
  const outcome = [
    ...new Set(detections.map(({ by }) => `noticed by ${by}`)),
    // Of a guest that was stopped nothing has been recovered in the end.
    ...new Set(recoveries.map(({ by }) => (report.guest.ended === 'stopped' ? `tried again by ${by}` : `recovered by ${by}`))),
    outcomeOf(report),
  ];
  const silent = faults.filter(({ fired, optional }) => !fired && !optional);
  return [
    ...(protection.uncoordinated ? [`left uncoordinated: ${protection.uncoordinated.join(', ')}`] : []),
    divergence ? `diverged in ${placeOf(divergence)}` : isUnwatched(report) ? 'unknown whether it diverged' : detections.length === 0 && !report.released.corrupt ? 'never diverged' : 'diverged in no result of an instruction',
    outcome.join(' · '),
    ...(report.missedSwitches ?? []).map(({ to }) => `never switched to ${to}`),
    ...silent.map(({ name }) => `never struck: ${printable(name)}`),
    ...expectations.filter(({ held }) => !held).map(({ text, line }) => `did not hold, line ${line}: ${printable(text)}`),
  ];
}

function outcomeOf({ guest, released, expectations, protection }: NeighbourReport): string {
  const ended = guest.ended === 'exit' ? [] : [`${endings[guest.ended]} after ${counted(guest.instructions, 'instruction')}`];
  if (released.corrupt === null) return [...ended, 'nothing to compare its output with'].join(' · ');
  if (!released.corrupt) return [...ended, 'no wrong output'].join(' · ');
  const foreseen = expectations.some(({ text, held }) => held && text === 'corruption');
  if (protection.uncoordinated) return [...ended, 'other output than with coordinated inputs'].join(' · ');
  return foreseen ? 'wrong output released, as expected' : 'WRONG OUTPUT RELEASED';
}
