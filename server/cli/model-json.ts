import { costOrigins } from '../../engine/chip/cost-table';
import type { Row, Survey } from '../../engine/model/survey';

/** What `covert model --json` prints; docs/model.md says what each field is. */
export function modelJson({ costs, events, rows, variations, bressoudSchneider }: Survey): object {
  return {
    costs: Object.fromEntries(Object.entries(costOrigins).map(([name, origin]) => [name, { ...origin, value: costs[name as keyof typeof costs] }])),
    events,
    guests: rows.map(guestJson),
    sensitivity: variations,
    bressoudSchneider,
  };
}

function guestJson({ name, what, kind, setting, hertz, profile, prediction, latencies, comparison, why }: Row): object {
  const { name: _, ...counts } = profile;
  return {
    name,
    ...(what === undefined ? {} : { what }),
    protection: { kind, ...setting },
    hertz,
    counts,
    predicted: { overhead: prediction.overhead, terms: prediction.terms },
    // Infinity is no JSON: without comparisons of states there is no bound.
    latencies: Object.fromEntries(Object.entries(latencies).map(([what, cycles]: [string, number]) => [what, Number.isFinite(cycles) ? cycles : null])),
    measured: comparison ? { overhead: comparison.measured, difference: comparison.difference, events: comparison.events } : null,
    ...(why === undefined ? {} : { why }),
  };
}
