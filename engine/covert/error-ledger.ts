import type { ComponentName } from '../chip/health';

/** Of each component, the moments of the errors it has been held to account for, as far back as one says something about the next. */
export type LedgerState = ReadonlyMap<ComponentName, readonly number[]>;

/** When a component is held to be broken: so many errors within so many instructions of the run. */
export interface ErrorLimit {
  errors: number;
  instructions: number;
}

/** Counts errors by component: soft errors are rare, those of a component that is broken come back. */
export class ErrorLedger {
  #errors: LedgerState = new Map();

  constructor(readonly limit: ErrorLimit) {}

  save(): LedgerState {
    return this.#errors;
  }

  load(state: LedgerState): void {
    this.#errors = state;
  }

  /** Takes down an error at a moment; true if the component has had its limit. */
  note(component: ComponentName, moment: number): boolean {
    const since = moment - this.limit.instructions;
    const errors = [...(this.#errors.get(component) ?? []).filter((each) => each >= since), moment];
    this.#errors = new Map([...this.#errors, [component, errors]]);
    return errors.length >= this.limit.errors;
  }

  /** Errors of a component that are remembered. */
  count(component: ComponentName): number {
    return this.#errors.get(component)?.length ?? 0;
  }
}
