import { homeOf, place, reaches, type Domain, type Isolation, type Placement, type Tenant } from '../chip/domains';
import { bankName, type ComponentName, type Death, type Health } from '../chip/health';
import type { StuckBits } from '../machine/types';
import type { Board } from './board';
import { later, outliving, type Hazard } from './lasting-faults';
import type { Instant } from './lifetimes';
import type { ProtectionPlan } from './plan';
import { replicaCount } from './switching';

/** A guest, as far as the others on its chip have to do with it. */
export interface Occupant {
  /** Cores of its live replicas, and of those among them that nothing has died under. */
  readonly cores: readonly number[];
  readonly standing: readonly number[];
  /** Runs to where the guests wait for one another: to its next meeting, or to where an error is noticed. */
  turn(): void;
  /** A component has died. */
  lose(component: ComponentName): void;
  /** Its domains are others than before. */
  relaid(): void;
  /** Faults of the hardware that others know of have begun or are over. */
  rewired(): void;
}

/** What one guest begins with. */
export interface Claim {
  readonly cores: readonly number[];
  readonly isolation: Isolation;
}

/** What of a share is part of the state of its guest; immutable. */
export interface ShareState {
  readonly placement: Placement;
  readonly isolation: Isolation;
  readonly clock: number;
  readonly isDue: boolean;
  readonly hazards: readonly Hazard[];
}

/** One guest's part of the chip. */
export class Share {
  #placement: Placement = { domains: [], cuts: [] };
  #occupant: Occupant | undefined;
  #isolation: Isolation;
  #clock = 0;
  #isLeft = false;
  #isClaiming = false;
  /** The others have to be asked whose turn it is. */
  #isDue = true;
  #hazards: readonly Hazard[] = [];

  constructor(
    private readonly board: Board,
    { isolation }: Claim,
  ) {
    this.#isolation = isolation;
  }

  /** To be called once, before anything else. */
  enter(occupant: Occupant): void {
    this.#occupant = occupant;
  }

  get occupant(): Occupant {
    if (!this.#occupant) throw new Error('a share that nobody has entered');
    return this.#occupant;
  }

  /** How the chip is divided: the guest's own domains, and all links that are cut. */
  get placement(): Placement {
    return this.#placement;
  }

  get isolation(): Isolation {
    return this.#isolation;
  }

  /** Modelled time at its last meeting, in cycles. */
  get clock(): number {
    return this.#clock;
  }

  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Nobody else runs on the chip any more, or has left anything that is to be noticed, or that will end, come or go. */
  get isUndisturbed(): boolean {
    return this.isOnly || (this.board.shares.every((share) => share === this || share.#isAtRest) && this.health.unnoticed.length === 0);
  }

  get #isAtRest(): boolean {
    return this.#isLeft && this.#hazards.every(({ phase }) => phase.next === Infinity);
  }

  /** There has never been anybody else. */
  get isOnly(): boolean {
    return this.board.shares.length === 1;
  }

  get tenants(): Tenant[] {
    const { occupant, isolation } = this;
    return occupant.standing.map((core) => ({ core, isolation }));
  }

  /** Those that have entered already, and not left. */
  get #others(): Share[] {
    return this.board.shares.filter((share) => share !== this && share.#occupant && !share.isLeft);
  }

  save(): ShareState {
    return { placement: this.#placement, isolation: this.#isolation, clock: this.#clock, isDue: this.#isDue, hazards: this.#hazards };
  }

  load({ placement, isolation, clock, isDue, hazards }: ShareState, isLeft: boolean): void {
    this.#placement = placement;
    this.#isolation = isolation;
    this.#clock = clock;
    this.#isDue = isDue;
    this.#hazards = hazards;
    this.#isLeft = isLeft;
  }

  /** Comes back when it is the guest's turn, if it does not have it yet. */
  awaitTurn(): void {
    if (this.#isDue && !this.isOnly) this.board.awaitTurn(this);
    this.begin();
  }

  /** The guest's turn begins, or goes on. */
  begin(): void {
    this.#isDue = false;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  /** The guest's turn is over, at this time of its own. */
  meet(clock: number, hazards: readonly Hazard[]): void {
    this.#clock = clock;
    this.#isDue = true;
    this.#publish(hazards);
  }

  /** The guest has come to its end, at this time of its own: its cores are free, and its domains the others'. */
  leave(clock: number, at: Instant, hazards: readonly Hazard[]): void {
    this.#isLeft = true;
    this.#publish(hazards.map((hazard) => outliving(hazard, at, clock)));
    this.board.vacated();
  }

  /** Faults of the hardware that the guest has brought about end, come and go by the clock also when it is gone itself. */
  expire(now: number): void {
    if (!this.#isLeft || this.#hazards.every((hazard) => later(hazard, now) === hazard)) return;
    this.#publish(this.#hazards.flatMap((hazard) => later(hazard, now) ?? []));
  }

  #publish(hazards: readonly Hazard[]): void {
    const isNew = !areSame(present(hazards), present(this.#hazards));
    this.#hazards = hazards;
    if (!isNew) return;
    for (const { occupant } of this.#others) occupant.rewired();
  }

  /** Bits that others' faults have stuck in the hardware that a replica runs on. */
  stuckBy(domain: () => Domain | undefined): readonly StuckBits[] {
    const hazards = !this.#occupant || this.#isLeft ? [] : this.board.shares.flatMap((share) => (share === this ? [] : present(share.#hazards)));
    const own = hazards.length > 0 ? domain() : undefined;
    return own ? hazards.filter((hazard) => isIn(own, hazard, this.board.chip.plan.cores)).map(({ stuck }) => stuck) : [];
  }

  /** Gives the guest's replicas on these cores domains: a string, and nothing changed, where the chip cannot. */
  claim(claim: Claim): string | undefined {
    this.#isClaiming = true;
    const refusal = this.board.divide(this, claim);
    this.#isClaiming = false;
    if (refusal === undefined) this.#isolation = claim.isolation;
    return refusal;
  }

  /** These are the domains from now on. What has died under replicas stays theirs until they have noticed. */
  settle({ domains, cuts }: Placement): void {
    const before = this.#placement;
    const isAsked = this.#isClaiming || !this.#occupant;
    const lost = isAsked ? [] : before.domains.filter(({ core }) => this.occupant.cores.includes(core) && !this.occupant.standing.includes(core));
    this.#placement = { domains: [...domains, ...lost], cuts };
    if (!isAsked && JSON.stringify(before.domains) !== JSON.stringify(this.#placement.domains)) this.occupant.relaid();
  }

  /** Cores for so many replicas: those first that are asked for; undefined where there are none that nobody else is on. */
  place(preferred: readonly number[], usable: readonly number[], wanted: number, isolation: Isolation, health = this.board.chip.health): number[] | undefined {
    const taken = this.#others.flatMap(({ occupant }) => occupant.cores);
    const free = (cores: readonly number[]): number[] => cores.filter((core) => !taken.includes(core));
    const { plan } = this.board.chip;
    return place(plan, health, free(preferred), free(usable), wanted, isolation, this.#others.flatMap(({ tenants }) => tenants));
  }

  /** A component dies under the guest, or where it does not run; and under all others that have it. */
  kill(component: ComponentName, how: Death): void {
    this.board.chip.health.kill(component, how);
    for (const { occupant } of this.#others) occupant.lose(component);
  }

  /** True if another guest runs on a component, or has run until it died. */
  isOthers(component: ComponentName): boolean {
    return this.#others.some(({ placement }) => placement.domains.some((domain) => reaches(domain, component, this.board.chip.plan.cores)));
  }

  get health(): Health {
    return this.board.chip.health;
  }
}

/** Those that are there now. */
function present(hazards: readonly Hazard[]): Hazard[] {
  return hazards.filter(({ phase }) => phase.on);
}

function areSame(a: readonly Hazard[], b: readonly Hazard[]): boolean {
  return a.length === b.length && a.every(({ target, stuck }, i) => target === b[i]?.target && stuck.place === b[i].stuck.place);
}

function isIn(domain: Domain, { target, stuck: { place } }: Hazard, nodes: number): boolean {
  if (target.kind === 'core') return domain.core === target.core;
  if (!reaches(domain, target.component, nodes)) return false;
  return place.kind !== 'memory' || target.component === bankName(homeOf(domain, place.address));
}

/** What a guest with this protection begins with on the chip. */
export function claimOf({ kind, cores: asked, isolation }: ProtectionPlan): Claim {
  const cores = Array.from({ length: replicaCount[kind] }, (_, i) => asked[i] ?? i);
  // Two on one core have nothing of their own.
  return { cores, isolation: new Set(cores).size === cores.length ? isolation : 'none' };
}
