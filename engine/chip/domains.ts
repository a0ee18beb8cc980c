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

/** A core that is to have a domain, and what of that nobody else may have. */
export interface Tenant {
  readonly core: number;
  readonly isolation: Isolation;
}

/**
 * Divides the chip into one domain for each of the cores, and of the `others`, with what works of it. Those whose isolation asks for it have
 * theirs for themselves, the rest share what is left. The ring is cut at one link
 * between two neighbours, so two domains take two cut links and three take three; a dead link is a cut that nobody chose.
 * Of all such ways the one is taken that leaves the smallest domain the most banks, then most controllers.
 * The domains are in the order of the cores, then of the others. A string says what is missing where there is no such way.
 */
export function partition(chip: ChipPlan, health: Health, cores: readonly number[], isolation: Isolation, others: readonly Tenant[] = []): Placement | string {
  const tenants = [...cores.map((core): Tenant => ({ core, isolation })), ...others];
  const dead = tenants.find(({ core }) => !health.isWhole(coreName(core)));
  if (dead !== undefined) return `core ${dead.core} does not work`;
  const layout = new Layout(chip, health);
  const refusal = layout.whatIsMissing(tenants.map((tenant) => tenant.isolation));
  if (refusal !== undefined) return refusal;
  // In one order, so that it does not matter who asks.
  const sorted = tenants.toSorted((a, b) => a.core - b.core);
  let best: { placement: Placement; score: number[] } | undefined;
  let missing: string | undefined;
  for (const cuts of layout.waysToCut(sorted)) {
    const found = layout.domains(sorted, cuts);
    const lacks = found.map(whatIsMissing).find((what) => what !== undefined);
    missing ??= lacks;
    if (lacks !== undefined) continue;
    const score = [Math.min(...found.map(({ banks }) => banks.length)), Math.min(...found.map(({ controllers }) => controllers.length))];
    const domains = tenants.flatMap(({ core }) => found.find((domain) => domain.core === core) ?? []);
    if (!best || isMore(score, best.score)) best = { placement: { domains, cuts }, score };
  }
  return best?.placement ?? missing ?? 'there is no core to run on';
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

/** Ways to cut between two neighbours that are looked at: all of them on a ring of up to so many nodes; fewer where there are more than three cuts. */
const mostCuts = 16;
const mostWays = 4096;

/** The chip's geometry: nodes of a ring, or, without one, a crossbar that joins everything. */
class Layout {
  readonly #nodes: number;
  readonly #banks: readonly Part[];
  readonly #controllers: readonly Part[];
  /** Of each link, by the node that it starts from. */
  readonly #isLinkWhole: readonly boolean[];

  constructor(
    private readonly chip: ChipPlan,
    health: Health,
  ) {
    this.#nodes = chip.cores;
    const parts = (count: number, name: (index: number) => ComponentName): Part[] =>
      Array.from({ length: count }, (_, index) => ({ index, nodes: nodesOf(index, count, chip.cores) })).filter(({ index }) => health.isWhole(name(index)));
    this.#banks = parts(chip.l2Banks, bankName);
    this.#controllers = parts(chip.memoryControllers, controllerName);
    this.#isLinkWhole = Array.from({ length: chip.cores }, (_, link) => health.isWhole(linkName(link, chip.cores)));
  }

  /** What there are too few of for domains of these kinds, however the chip is divided. */
  whatIsMissing(isolations: readonly Isolation[]): string | undefined {
    const domains = isolations.length;
    const lacks = (parts: readonly Part[], isPrivate: (isolation: Isolation) => boolean, what: string): string | undefined => {
      const own = isolations.filter(isPrivate).length;
      return parts.length >= own + (own < domains ? 1 : 0) ? undefined : `${parts.length === 0 ? 'no' : `only ${parts.length}`} ${what}${parts.length === 1 ? '' : 's'} that ${parts.length === 1 ? 'works' : 'work'} for ${domains} ${domains === 1 ? 'replica' : 'replicas'}`;
    };
    return lacks(this.#banks, hasOwnBanks, 'L2 bank') ?? lacks(this.#controllers, hasOwnControllers, 'memory controller');
  }

  /**
   * Each choice of one link between every two neighbours among the cores, which are in order, but for two that share all they have;
   * no cut for one core or without a ring.
   */
  *waysToCut(tenants: readonly Tenant[]): Generator<number[]> {
    if (!this.chip.ring || tenants.length < 2) return void (yield []);
    const apart = tenants.map((tenant, i) => [tenant, tenants[(i + 1) % tenants.length] ?? tenant] as const).filter((pair) => pair.some(({ isolation }) => isolation !== 'none'));
    const most = Math.min(mostCuts, Math.max(1, Math.floor(mostWays ** (1 / apart.length) + 1e-9)));
    const gaps = apart.map(([{ core: from }, { core: to }]) => {
      const length = (to - from + this.#nodes) % this.#nodes;
      const looked = Math.min(length, most);
      return Array.from({ length: looked }, (_, step) => (from + Math.floor((step * length) / looked)) % this.#nodes);
    });
    yield* combinations(gaps);
  }

  domains(tenants: readonly Tenant[], cuts: readonly number[]): Domain[] {
    const shared = tenants.map(({ core }) => this.#reach(core, []));
    const own = tenants.map(({ core }) => this.#reach(core, cuts));
    const divide = (parts: readonly Part[], isPrivate: (isolation: Isolation) => boolean): number[][] => {
      const isApart = tenants.map(({ isolation }) => isPrivate(isolation));
      if (!isApart.includes(true)) return shared.map(({ nodes }) => parts.filter((part) => part.nodes.some((node) => nodes.has(node))).map(({ index }) => index));
      // Those that share with one another are dealt to as one.
      const groups: number[][] = [];
      tenants.forEach((_, i) => {
        const group = isApart[i] ? undefined : groups.find(([first = i]) => !isApart[first] && own[first]?.nodes.has(tenants[i]?.core ?? -1));
        if (group) group.push(i);
        else groups.push([i]);
      });
      const candidates = parts.map(({ index, nodes }) => ({ index, domains: groups.flatMap(([first = 0], group) => (nodes.some((node) => own[first]?.nodes.has(node)) ? [group] : [])) }));
      const dealt = dealOut(candidates, groups.length);
      return tenants.map((_, i) => dealt[groups.findIndex((group) => group.includes(i))] ?? []);
    };
    const banks = divide(this.#banks, hasOwnBanks);
    const controllers = divide(this.#controllers, hasOwnControllers);
    // Where the ring is cut for one, it is cut for all.
    const isCut = tenants.some(({ isolation }) => isolation === 'full');
    return tenants.map(({ core }, i) => ({
      core,
      banks: banks[i] ?? [],
      controllers: controllers[i] ?? [],
      links: (isCut ? own : shared)[i]?.links ?? [],
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
        if (cuts.includes(link) || !this.#isLinkWhole[link]) break;
        node = (node + step + this.#nodes) % this.#nodes;
        nodes.add(node);
        links.add(link);
        if (node === core) break;
      }
    }
    return { nodes, links: [...links].sort((a, b) => a - b) };
  }
}

/** A bank or controller that works, and the nodes that it is joined to. */
interface Part {
  readonly index: number;
  readonly nodes: readonly number[];
}

const hasOwnBanks = (isolation: Isolation): boolean => isolation === 'full' || isolation === 'caches';
const hasOwnControllers = (isolation: Isolation): boolean => isolation === 'full' || isolation === 'memory';

/** Each component to one of the domains that have it: one to each domain first, if that can be, and the others to whoever has least. */
function dealOut(candidates: readonly { index: number; domains: readonly number[] }[], count: number): number[][] {
  const first = matched(candidates.map(({ domains }) => domains), count);
  const dealt = Array.from({ length: count }, (_, domain): number[] => {
    const found = candidates[first[domain] ?? -1];
    return found ? [found.index] : [];
  });
  const rest = candidates.filter((_, i) => !first.includes(i));
  for (const { index, domains } of rest.sort((a, b) => a.domains.length - b.domains.length)) {
    const [least] = [...domains].sort((a, b) => (dealt[a]?.length ?? 0) - (dealt[b]?.length ?? 0));
    if (least !== undefined) dealt[least]?.push(index);
  }
  return dealt.map((components) => components.sort((a, b) => a - b));
}

/** For as many domains as can be at the same time, a candidate of its own: a matching, by augmenting paths. */
function matched(candidates: readonly (readonly number[])[], count: number): (number | undefined)[] {
  const of: (number | undefined)[] = Array.from({ length: count }, () => undefined);
  const owner = new Map<number, number>();
  const assign = (domain: number, tried: Set<number>): boolean =>
    candidates.some((domains, candidate) => {
      if (!domains.includes(domain) || tried.has(candidate)) return false;
      tried.add(candidate);
      const before = owner.get(candidate);
      if (before !== undefined && !assign(before, tried)) return false;
      owner.set(candidate, domain);
      of[domain] = candidate;
      return true;
    });
  for (let domain = 0; domain < count; domain++) assign(domain, new Set());
  return of;
}

function* combinations(choices: readonly (readonly number[])[]): Generator<number[]> {
  const [first, ...rest] = choices;
  if (!first) return void (yield []);
  for (const choice of first) for (const others of combinations(rest)) yield [choice, ...others];
}

/** Sets of cores that {@link place} looks at: all of them on chips of up to about 20 cores. */
const mostSets = 2000;

/**
 * Finds cores for so many replicas among those that are used now and those that may be: first all that are used now stay,
 * then as few as possible move, to the spares in their order. The `others` keep their cores, and get domains, too.
 * Undefined where no such number of domains is whole.
 */
export function place(chip: ChipPlan, health: Health, now: readonly number[], spares: readonly number[], wanted: number, isolation: Isolation, others: readonly Tenant[] = []): number[] | undefined {
  const usable = (cores: readonly number[]): number[] => cores.filter((core) => health.isWhole(coreName(core)) && others.every((other) => other.core !== core));
  const staying = usable(now);
  const fresh = usable(spares).filter((core) => !now.includes(core));
  if (staying.length + fresh.length < wanted) return undefined;
  const isolations = [...others.map((other) => other.isolation), ...Array<Isolation>(wanted).fill(isolation)];
  if (new Layout(chip, health).whatIsMissing(isolations) !== undefined) return undefined;
  let looked = 0;
  for (let stay = Math.min(wanted, staying.length); stay >= 0; stay--) {
    for (const kept of subsets(staying, stay)) {
      for (const added of subsets(fresh, wanted - stay)) {
        const cores = [...kept, ...added];
        if (looked++ >= mostSets) return undefined;
        if (typeof partition(chip, health, cores, isolation, others) !== 'string') return cores;
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
