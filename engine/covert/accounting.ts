import type { CostTable } from '../chip/cost-table';
import { eventCosts, type EventCosts } from '../chip/event-costs';
import type { CostReport } from './report';
import type { Replica } from './replica';

/** What the VMM spent its time on; `skew` is replicas waiting for the slower one. */
export type CostEvent =
  | 'rendezvous'
  | 'output'
  | 'input'
  | 'interrupt'
  | 'clock read'
  | 'state comparison'
  | 'checkpoint'
  | 'recovery'
  | 'clone'
  | 'watchdog'
  | 'skew';

export type Tally = Readonly<Partial<Record<CostEvent, { count: number; cycles: number }>>>;

export interface AccountingState {
  readonly owed: number;
  readonly charged: { readonly interrupts: number; readonly clockReads: number };
  readonly tally: Tally;
  readonly isCharged: boolean;
}

/**
 * Charges the VMM's work to the cores. Costs are owed until the next
 * rendezvous and paid there, because a core's clock may be visible to an
 * uncoordinated guest: paying at a point that depends on how the host slices a
 * run would let the slicing reach the guest.
 */
export class Accounting {
  #owed = 0;
  /** Interrupts and clock reads that have been charged. */
  #charged = { interrupts: 0, clockReads: 0 };
  #tally: Partial<Record<CostEvent, { count: number; cycles: number }>> = {};
  readonly #costs: EventCosts;

  constructor(
    costs: Readonly<CostTable>,
    /** The VMM's work is charged: the guest is protected. */
    public isCharged: boolean,
  ) {
    this.#costs = eventCosts(costs);
  }

  save(): AccountingState {
    return { owed: this.#owed, charged: this.#charged, tally: structuredClone(this.#tally), isCharged: this.isCharged };
  }

  load(state: AccountingState): void {
    this.#owed = state.owed;
    this.#charged = state.charged;
    this.isCharged = state.isCharged;
    this.#tally = structuredClone(state.tally);
  }

  report(): CostReport[] {
    return Object.entries(this.#tally)
      .map(([event, { count, cycles }]) => ({ event, count, cycles: Math.round(cycles) }))
      .sort((a, b) => b.cycles - a.cycles);
  }

  /** Epochs that have ended with a rendezvous. */
  epochs(count: number): void {
    this.#owe('rendezvous', count, count * this.#costs.rendezvous);
  }

  output(bytes: number): void {
    this.#owe('output', 1, this.#costs.output + bytes * this.#costs.outputByte);
  }

  input(bytes: number): void {
    this.#owe('input', 1, this.#costs.input + bytes * this.#costs.inputByte);
  }

  /** Interrupts and coordinated clock reads since the last rendezvous, of the replica that had most. */
  exits(replicas: readonly Replica[]): void {
    const interrupts = Math.max(...replicas.map((replica) => replica.computer.interrupts));
    const clockReads = Math.max(...replicas.map((replica) => replica.computer.clockReads));
    // Of others than before: who had most may be gone.
    this.#interrupts(Math.max(0, interrupts - this.#charged.interrupts));
    this.#clockReads(Math.max(0, clockReads - this.#charged.clockReads));
    this.#charged = { interrupts, clockReads };
  }

  stateComparison(changedPages: number): void {
    this.#owe('state comparison', 1, changedPages * this.#costs.comparisonPage);
  }

  checkpoint(changedPages: number): void {
    this.#owe('checkpoint', 1, this.#costs.checkpoint + changedPages * this.#costs.checkpointPage);
  }

  recovery(changedPages: number): void {
    this.#owe('recovery', 1, this.#costs.recovery + changedPages * this.#costs.recoveryPage, true);
  }

  /** Copying a whole guest to where another core has it. Gives its cycles: how long all stand still for it. */
  clone(pages: number): number {
    const cycles = this.#costs.recovery + pages * this.#costs.recoveryPage;
    this.#owe('clone', 1, cycles, true);
    return cycles;
  }

  watchdog(cycles: number): void {
    this.#owe('watchdog', 1, cycles);
  }

  /** All replicas meet: they wait for the slowest core, then each pays what is owed. */
  settle(replicas: readonly Replica[]): void {
    if (!this.isCharged && this.#owed === 0) return;
    const cycles = replicas.map((replica) => replica.computer.cycles);
    const latest = Math.max(...cycles);
    const skew = latest - Math.min(...cycles);
    if (skew > 0) this.#add('skew', 1, skew);
    for (const replica of replicas) replica.computer.cycles = latest + Math.round(this.#owed);
    this.#owed = 0;
  }

  #interrupts(count: number): void {
    this.#owe('interrupt', count, count * this.#costs.interrupt);
  }

  #clockReads(count: number): void {
    this.#owe('clock read', count, count * this.#costs.clockRead);
  }

  /** `always`: also of a guest that is not protected (any more): its state was copied all the same. */
  #owe(event: CostEvent, count: number, cycles: number, always = false): void {
    if (!(this.isCharged || always) || count === 0) return;
    this.#owed += cycles;
    this.#add(event, count, cycles);
  }

  #add(event: CostEvent, count: number, cycles: number): void {
    const entry = (this.#tally[event] ??= { count: 0, cycles: 0 });
    entry.count += count;
    entry.cycles += cycles;
  }
}
