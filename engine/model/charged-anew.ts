import type { CostTable } from '../chip/cost-table';
import { eventCosts } from '../chip/event-costs';
import type { CostReport } from '../covert/report';

/** Of an event, what it costs itself, and what each byte or page of it does. */
type Rate = readonly [event: number, piece: number];

function ratesOf(costs: Readonly<CostTable>): Readonly<Partial<Record<string, Rate>>> {
  const each = eventCosts(costs);
  return {
    rendezvous: [each.rendezvous, 0],
    'clock read': [each.clockRead, 0],
    interrupt: [each.interrupt, 0],
    output: [each.output, each.outputByte],
    input: [each.input, each.inputByte],
    checkpoint: [each.checkpoint, each.checkpointPage],
    'state comparison': [0, each.comparisonPage],
    recovery: [each.recovery, each.recoveryPage],
    clone: [each.recovery, each.recoveryPage],
  };
}

/**
 * What the events of a run would have cost by another table than the one they were charged by. A guest whose inputs are coordinated sees no cost, so it would have
 * done the same. What is not charged by the table, as waiting for the slower one, stays what it is. The table they were charged by has no piece for nothing.
 */
export function chargedAnew(events: readonly CostReport[], from: Readonly<CostTable>, to: Readonly<CostTable>): CostReport[] {
  const [before, after] = [ratesOf(from), ratesOf(to)];
  return events.map((report) => {
    const [old, now] = [before[report.event], after[report.event]];
    if (!old || !now) return report;
    const pieces = old[1] === 0 ? 0 : (report.cycles - report.count * old[0]) / old[1];
    return { ...report, cycles: report.count * now[0] + pieces * now[1] };
  });
}

export function totalOf(events: readonly CostReport[]): number {
  return events.reduce((sum, { cycles }) => sum + cycles, 0);
}
