import type { CoreExports } from '../../core/core';
import { at, ramHostAddress } from '../../core/layout';
import { Translator, type Bound } from '../../translator/translator';
import { ramBase } from '../snapshot';
import type { Tier } from '../tier';

/** What the core stops with where it asks for a translation, to be run again. */
const hot = 9;

/** Runs a core, and translates what it asks for. All state is in the memory but the translations, which are in the core's table. */
export class Execution {
  readonly #translator: Translator | undefined;
  readonly #view: DataView;

  constructor(
    private readonly core: CoreExports,
    memory: WebAssembly.Memory,
    ramBytes: number,
    private readonly tier: Tier,
    bound: Bound | undefined,
  ) {
    this.#view = new DataView(memory.buffer);
    if (tier !== 'interpreter') this.#translator = new Translator(core, memory, ramBytes, ramHostAddress(ramBytes), ramBase, bound);
  }

  get functions(): number {
    return this.#translator?.functions ?? 0;
  }
  /** The guest's instructions in them. */
  get instructions(): number {
    return this.#translator?.instructions ?? 0;
  }
  /** How often all were forgotten to make room. */
  get evictions(): number {
    return this.#translator?.evictions ?? 0;
  }

  /** Why the core has stopped, by its number. */
  run(stepOver: boolean): number {
    for (let over = stepOver; ; over = false) {
      const reason = this.core.run(over ? 1 : 0);
      if (reason !== hot) return reason;
      this.#translator?.translate(this.#breakpoints(), this.tier === 'translator');
    }
  }

  /** Forgets all translations and decoded code; what is translated from here on is what a new execution would translate. */
  forget(): void {
    if (this.#translator) this.#translator.forget();
    else this.core.forget();
  }

  #breakpoints(): bigint[] {
    const count = this.#view.getUint32(at.breakpoints, true);
    return Array.from({ length: count }, (_, i) => this.#view.getBigUint64(at.breakpoints + 8 + i * 8, true));
  }
}
