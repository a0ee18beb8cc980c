import type { Plan } from '../../engine/covert/plan';
import type { Location, Report } from '../../engine/covert/report';
import { SourceFinder } from '../debug/sources';
import { shownPath } from './terminal';

/**
 * The report with source files as the user would open them from here. The
 * guest's own names, which mean something only to its compiler, stay in JSON
 * and wherever no such file is found.
 */
export function withShownSources(report: Report, { guest, neighbours = [] }: Pick<Plan, 'guest' | 'neighbours'>): Report {
  return {
    ...withSourcesOf(report, guest.path),
    ...(report.neighbours && { neighbours: report.neighbours.map((each, i) => withSourcesOf(each, neighbours[i]?.guest.path ?? '')) }),
  };
}

function withSourcesOf<R extends Pick<Report, 'faults' | 'divergences'>>(report: R, elfPath: string): R {
  const finder = new SourceFinder(elfPath);
  const shown = <Place extends Partial<Location>>(place: Place): Place => {
    const found = place.file === undefined ? undefined : finder.find(place.file);
    return found === undefined ? place : { ...place, file: shownPath(found) };
  };
  return { ...report, faults: report.faults.map(shown), divergences: report.divergences.map(shown) };
}
