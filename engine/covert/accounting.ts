import type { CostTable } from '../chip/cost-table';
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
  | 'watchdog'
  | 'skew';

export type Tally = Readonly<Partial<Record<CostEvent, { count: number; cycles: number }>>>;

const pageBytes = 4096;

/**
 * Charges the VMM's work to the cores. Costs are owed until the next
 * rendezvous and paid there, because a core's clock may be visible to an
 * uncoordinated guest: paying at a point that depends on how the host slices a
 * run would let the slicing reach the guest.
 */
export class Accounting {
  #owed = 0;
  #tally: Partial<Record<CostEvent, { count: number; cycles: number }>> = {};

  constructor(
    private readonly costs: Readonly<CostTable>,
    private readonly enabled: boolean,
  ) {}

  save(): { owed: number; tally: Tally } {
    return { owed: this.#owed, tally: structuredClone(this.#tally) };
  }

  load(state: { owed: number; tally: Tally }): void {
    this.#owed = state.owed;
    this.#tally = structuredClone(state.tally);
  }

  report(): CostReport[] {
    return Object.entries(this.#tally)
      .map(([event, { count, cycles }]) => ({ event, count, cycles: Math.round(cycles) }))
      .sort((a, b) => b.cycles - a.cycles);
  }

  /** Epochs that have ended with a rendezvous. */
  epochs(count: number): void {
    this.#owe('rendezvous', count, count * (this.costs.exit + this.costs.rendezvous));
  }

  output(bytes: number): void {
    this.#owe('output', 1, this.costs.exit + this.costs.rendezvous + bytes * this.costs.compare);
  }

  input(bytes: number): void {
    this.#owe('input', 1, this.costs.exit + this.costs.inject + bytes * this.costs.copy);
  }

  interrupts(count: number): void {
    this.#owe('interrupt', count, count * (2 * this.costs.exit + this.costs.inject));
  }

  clockReads(count: number): void {
    this.#owe('clock read', count, count * (this.costs.exit + this.costs.sync));
  }

  stateComparison(changedPages: number): void {
    this.#owe('state comparison', 1, changedPages * pageBytes * this.costs.fingerprint);
  }

  checkpoint(changedPages: number): void {
    this.#owe('checkpoint', 1, this.costs.suspend + changedPages * (this.costs.protect + this.costs.page));
  }

  recovery(changedPages: number): void {
    this.#owe('recovery', 1, this.costs.suspend + changedPages * this.costs.page);
  }

  watchdog(cycles: number): void {
    this.#owe('watchdog', 1, cycles);
  }

  /** All replicas meet: they wait for the slowest core, then each pays what is owed. */
  settle(replicas: readonly Replica[]): void {
    if (!this.enabled) return;
    const cycles = replicas.map((replica) => replica.computer.cycles);
    const latest = Math.max(...cycles);
    const skew = latest - Math.min(...cycles);
    if (skew > 0) this.#add('skew', 1, skew);
    for (const replica of replicas) replica.computer.cycles = latest + Math.round(this.#owed);
    this.#owed = 0;
  }

  #owe(event: CostEvent, count: number, cycles: number): void {
    if (!this.enabled || count === 0) return;
    this.#owed += cycles;
    this.#add(event, count, cycles);
  }

  #add(event: CostEvent, count: number, cycles: number): void {
    const entry = (this.#tally[event] ??= { count: 0, cycles: 0 });
    entry.count += count;
    entry.cycles += cycles;
  }
}
