import { pageBytes } from '../core/layout';
import type { CostTable } from './cost-table';

/** What one event of the VMM's work costs, in core cycles. */
export interface EventCosts {
  /** The meeting at the end of an epoch. */
  rendezvous: number;
  output: number;
  outputByte: number;
  input: number;
  inputByte: number;
  interrupt: number;
  clockRead: number;
  checkpoint: number;
  checkpointPage: number;
  comparisonPage: number;
  recovery: number;
  recoveryPage: number;
}

/**
 * Which entries of the table an event is made of. Here alone, so that the
 * emulated VMM and the analytical model charge the same for the same event and can differ in how many there are.
 */
export function eventCosts(costs: Readonly<CostTable>): EventCosts {
  const { exit, rendezvous, sync, inject, compare, copy, protect, page, suspend, fingerprint } = costs;
  return {
    rendezvous: exit + rendezvous,
    output: exit + rendezvous,
    outputByte: compare,
    input: exit + inject,
    inputByte: copy,
    // One exit takes the interrupt from the device, another one the guest to where it is delivered.
    interrupt: 2 * exit + inject,
    clockRead: exit + sync,
    checkpoint: suspend,
    checkpointPage: protect + page,
    comparisonPage: pageBytes * fingerprint,
    recovery: suspend,
    recoveryPage: page,
  };
}
