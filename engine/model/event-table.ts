import type { CostTable } from '../chip/cost-table';
import { eventCosts } from '../chip/event-costs';

/** What one event costs, as the table makes it up. */
export interface EventCost {
  event: string;
  /** `event`: once each time; else for each of these. */
  per: 'event' | 'byte' | 'page';
  /** The entries of the cost table that it consists of. */
  entries: string;
  cycles: number;
}

/** All events that are charged for, in the order in which a run meets them. */
export function eventTable(costs: Readonly<CostTable>): EventCost[] {
  const each = eventCosts(costs);
  return [
    { event: 'rendezvous', per: 'event', entries: 'exit + rendezvous', cycles: each.rendezvous },
    { event: 'clock read', per: 'event', entries: 'exit + sync', cycles: each.clockRead },
    { event: 'interrupt', per: 'event', entries: '2 exit + inject', cycles: each.interrupt },
    { event: 'output', per: 'event', entries: 'exit + rendezvous', cycles: each.output },
    { event: 'output', per: 'byte', entries: 'compare', cycles: each.outputByte },
    { event: 'input', per: 'event', entries: 'exit + inject', cycles: each.input },
    { event: 'input', per: 'byte', entries: 'copy', cycles: each.inputByte },
    { event: 'checkpoint', per: 'event', entries: 'suspend', cycles: each.checkpoint },
    { event: 'checkpoint', per: 'page', entries: 'protect + page', cycles: each.checkpointPage },
    { event: 'state comparison', per: 'page', entries: '4096 fingerprint', cycles: each.comparisonPage },
    { event: 'recovery', per: 'event', entries: 'suspend', cycles: each.recovery },
    { event: 'recovery', per: 'page', entries: 'page', cycles: each.recoveryPage },
  ];
}
