import { bankName, controllerName, coreName, linkName, type ComponentName, type Health } from './health';
import type { ChipPlan } from './plan';

/** Which parts of the chip each replica has for itself: banks and controllers, only the banks, only the controllers, or nothing but its core. */
export type Isolation = 'full' | 'none' | 'caches' | 'memory';

/** What one replica runs on. Numbers are those of the components. */
export interface Domain {
  readonly core: number;
  readonly banks: readonly number[];
  readonly controllers: readonly number[];
  /** Links that its messages take, by the node that they start from. */
  readonly links: readonly number[];
}

export interface Placement {
  /** In the order of the cores that were asked for. */
  readonly domains: readonly Domain[];
  /** Links whose configuration unit lets nothing through. */
  readonly cuts: readonly number[];
}

/**
 * The nodes of the ring that the n-th of so many components is joined to: those of its share, of which each has one. Where there
 * are fewer components than nodes, a component may serve any of its share, and is configured for one domain of those that have it.
 */
export function nodesOf(index: number, count: number, nodes: number): number[] {
  const first = Math.floor((index * nodes) / count);
  const last = Math.max(first, Math.floor(((index + 1) * nodes) / count) - 1);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/**
 * Divides the chip into one domain for each of the cores, with what works of it. The ring is cut at one link
 * between two neighbours, so two domains take two cut links and three take three; a dead link is a cut that nobody chose.
 * Of all such ways the one is taken that leaves the smallest domain the most banks, then most controllers.
 * A string says what is missing where there is none.
 */
export function partition(chip: ChipPlan, health: Health, cores: readonly number[], isolation: Isolation): Placement | string {
  const dead = cores.find((core) => !health.isWhole(coreName(core)));
  if (dead !== undefined) return `core ${dead} does not work`;
  const layout = new Layout(chip, health);
  let best: { placement: Placement; score: number[] } | undefined;
  let refusal: string | undefined;
  for (const cuts of isolation === 'none' ? [[]] : layout.waysToCut(cores)) {
    const domains = layout.domains(cores, cuts, isolation);
    const missing = domains.map(whatIsMissing).find((what) => what !== undefined);
    refusal ??= missing;
    if (missing !== undefined) continue;
    const score = [Math.min(...domains.map(({ banks }) => banks.length)), Math.min(...domains.map(({ controllers }) => controllers.length))];
    if (!best || isMore(score, best.score)) best = { placement: { domains, cuts }, score };
  }
  return best?.placement ?? refusal ?? 'there is no core to run on';
}

function isMore(a: readonly number[], b: readonly number[]): boolean {
  const first = a.findIndex((value, i) => value !== b[i]);
  return first >= 0 && (a[first] ?? 0) > (b[first] ?? 0);
}

function whatIsMissing({ core, banks, controllers }: Domain): string | undefined {
  if (banks.length === 0) return `core ${core} would have no L2 bank`;
  return controllers.length === 0 ? `core ${core} would have no memory controller` : undefined;
}

/** Bytes of a line of the second-level cache. */
export const lineBytes = 64;

/** The bank of a domain that has the line with an address: lines go round its banks. */
export function homeOf({ banks }: Domain, address: bigint): number {
  return banks[Number((address / BigInt(lineBytes)) % BigInt(Math.max(1, banks.length)))] ?? -1;
}

/** True if what becomes of a component concerns a domain. */
export function reaches({ core, banks, controllers, links }: Domain, component: ComponentName, nodes: number): boolean {
  return (
    component === coreName(core) ||
    banks.some((bank) => bankName(bank) === component) ||
    controllers.some((controller) => controllerName(controller) === component) ||
    links.some((link) => linkName(link, nodes) === component)
  );
}

/** The chip's geometry: nodes of a ring, or, without one, a crossbar that joins everything. */
class Layout {
  readonly #nodes: number;
  readonly #banks: readonly number[];
  readonly #controllers: readonly number[];

  constructor(
    private readonly chip: ChipPlan,
    private readonly health: Health,
  ) {
    this.#nodes = chip.cores;
    const whole = (count: number, name: (index: number) => ComponentName): number[] => Array.from({ length: count }, (_, i) => i).filter((i) => health.isWhole(name(i)));
    this.#banks = whole(chip.l2Banks, bankName);
    this.#controllers = whole(chip.memoryControllers, controllerName);
  }

  /** Each choice of one link between every two neighbours among the cores; none for one core or without a ring. */
  *waysToCut(cores: readonly number[]): Generator<number[]> {
    if (!this.chip.ring || cores.length < 2) return void (yield []);
    const sorted = [...cores].sort((a, b) => a - b);
    const gaps = sorted.map((from, i) => {
      const to = sorted[(i + 1) % sorted.length] ?? from;
      const length = (to - from + this.#nodes) % this.#nodes;
      return Array.from({ length }, (_, step) => (from + step) % this.#nodes);
    });
    yield* combinations(gaps);
  }

  domains(cores: readonly number[], cuts: readonly number[], isolation: Isolation): Domain[] {
    const shared = cores.map((core) => this.#reach(core, []));
    const own = cores.map((core) => this.#reach(core, cuts));
    const hasOwnBanks = isolation === 'full' || isolation === 'caches';
    const hasOwnControllers = isolation === 'full' || isolation === 'memory';
    const divide = (components: readonly number[], count: number, isPrivate: boolean): number[][] => {
      const having = (index: number): number[] => {
        const nodes = nodesOf(index, count, this.#nodes);
        return cores.flatMap((_, i) => (nodes.some((node) => (isPrivate ? own : shared)[i]?.nodes.has(node)) ? [i] : []));
      };
      const candidates = components.map((index) => ({ index, domains: having(index) }));
      return isPrivate ? dealOut(candidates, cores.length) : cores.map((_, i) => candidates.filter(({ domains }) => domains.includes(i)).map(({ index }) => index));
    };
    const banks = divide(this.#banks, this.chip.l2Banks, hasOwnBanks);
    const controllers = divide(this.#controllers, this.chip.memoryControllers, hasOwnControllers);
    return cores.map((core, i) => ({
      core,
      banks: banks[i] ?? [],
      controllers: controllers[i] ?? [],
      links: (hasOwnBanks && hasOwnControllers ? own : shared)[i]?.links ?? [],
    }));
  }

  /** Nodes that a core's messages get to without a cut or dead link, and the links on the way. */
  #reach(core: number, cuts: readonly number[]): { nodes: Set<number>; links: number[] } {
    if (!this.chip.ring) return { nodes: new Set(Array.from({ length: this.#nodes }, (_, i) => i)), links: [] };
    const nodes = new Set([core]);
    const links = new Set<number>();
    for (const step of [1, -1]) {
      for (let node = core, left = this.#nodes; left > 0; left--) {
        const link = step > 0 ? node : (node - 1 + this.#nodes) % this.#nodes;
        if (cuts.includes(link) || !this.health.isWhole(linkName(link, this.#nodes))) break;
        node = (node + step + this.#nodes) % this.#nodes;
        nodes.add(node);
        links.add(link);
        if (node === core) break;
      }
    }
    return { nodes, links: [...links].sort((a, b) => a - b) };
  }
}

/** Each component to one of the domains that have it: those without a choice first, the others to whoever has least. */
function dealOut(candidates: readonly { index: number; domains: readonly number[] }[], count: number): number[][] {
  const dealt = Array.from({ length: count }, (): number[] => []);
  for (const { index, domains } of [...candidates].sort((a, b) => a.domains.length - b.domains.length)) {
    const [least] = [...domains].sort((a, b) => (dealt[a]?.length ?? 0) - (dealt[b]?.length ?? 0));
    if (least !== undefined) dealt[least]?.push(index);
  }
  return dealt.map((components) => components.sort((a, b) => a - b));
}

function* combinations(choices: readonly (readonly number[])[]): Generator<number[]> {
  const [first, ...rest] = choices;
  if (!first) return void (yield []);
  for (const choice of first) for (const others of combinations(rest)) yield [choice, ...others];
}

/**
 * Finds cores for so many replicas among those that are used now and those that may be: first all that are used now stay,
 * then as few as possible move, to the spares in their order. Undefined where no such number of domains is whole.
 */
export function place(chip: ChipPlan, health: Health, now: readonly number[], spares: readonly number[], wanted: number, isolation: Isolation): { cores: number[]; placement: Placement } | undefined {
  const usable = (cores: readonly number[]): number[] => cores.filter((core) => health.isWhole(coreName(core)));
  const staying = usable(now);
  const fresh = usable(spares).filter((core) => !now.includes(core));
  for (let stay = Math.min(wanted, staying.length); stay >= 0; stay--) {
    for (const kept of subsets(staying, stay)) {
      for (const added of subsets(fresh, wanted - stay)) {
        const cores = [...kept, ...added];
        const placement = partition(chip, health, cores, isolation);
        if (typeof placement !== 'string') return { cores, placement };
      }
    }
  }
  return undefined;
}

/** All subsets of a size, in the order of their elements. */
function* subsets(all: readonly number[], size: number): Generator<number[]> {
  if (size === 0) return void (yield []);
  for (let i = 0; i + size <= all.length; i++) {
    const first = all[i];
    if (first === undefined) return;
    for (const rest of subsets(all.slice(i + 1), size - 1)) yield [first, ...rest];
  }
}
