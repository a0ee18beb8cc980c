/**
 * A component of the chip by the name that the scenario language has for it: `core 1`, `l2 bank 0`,
 * `memory controller 2`, `link 7 -> 0`.
 */
export type ComponentName = string;

/** How a component is dead: it stops and the chip says so (machine check), or it answers no more and nothing says so. */
export type Death = 'stops' | 'hangs';

export const coreName = (core: number): ComponentName => `core ${core}`;
export const bankName = (bank: number): ComponentName => `l2 bank ${bank}`;
export const controllerName = (controller: number): ComponentName => `memory controller ${controller}`;
/** The link from a node of the ring to the next one. */
export const linkName = (from: number, nodes: number): ComponentName => `link ${from} -> ${(from + 1) % nodes}`;

/** What has become of the components; immutable. */
export interface HealthState {
  readonly dead: ReadonlyMap<ComponentName, Death>;
  readonly retired: ReadonlySet<ComponentName>;
}

/** Which components of a chip are dead, and which of those and of others the VMM does not use any more. */
export class Health {
  #dead: ReadonlyMap<ComponentName, Death> = new Map();
  #retired: ReadonlySet<ComponentName> = new Set();

  save(): HealthState {
    return { dead: this.#dead, retired: this.#retired };
  }

  load({ dead, retired }: HealthState): void {
    this.#dead = dead;
    this.#retired = retired;
  }

  /** It dies; one that is dead already stays so as it is. */
  kill(component: ComponentName, how: Death): void {
    if (!this.#dead.has(component)) this.#dead = new Map([...this.#dead, [component, how]]);
  }

  retire(component: ComponentName): void {
    this.#retired = new Set([...this.#retired, component]);
  }

  death(component: ComponentName): Death | undefined {
    return this.#dead.get(component);
  }

  /** True if it works, as far as anybody can know who asks it. */
  isWhole(component: ComponentName): boolean {
    return !this.#dead.has(component) && !this.#retired.has(component);
  }

  /** Dead ones that the VMM still counts on. */
  get unnoticed(): ComponentName[] {
    return [...this.#dead.keys()].filter((component) => !this.#retired.has(component));
  }
}
