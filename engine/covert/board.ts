import { Chip } from '../chip/chip';
import { partition, type Placement } from '../chip/domains';
import type { ChipPlan } from '../chip/plan';
import { Share, type Claim } from './share';

/**
 * The chip, and the guests that share it. Guests take turns, a meeting each, and the one that is furthest behind in modelled time is next; of
 * two that are level, the first of the scenario. What one of them does to the chip reaches the others where they stand then, which is always
 * between two turns: so it does not matter how a run is cut, who of them is looked at, or which thread is quick.
 */
export class Board {
  readonly chip: Chip;
  readonly shares: readonly Share[];

  /** @throws where the chip cannot give all of them what they ask for. */
  constructor(plan: ChipPlan, claims: readonly Claim[]) {
    this.chip = new Chip(plan);
    this.shares = claims.map((claim) => new Share(this, claim));
    const [first = { cores: [], isolation: 'none' as const }, ...others] = claims;
    // All of them at once: nobody is given what another one needs.
    const placement = partition(plan, this.chip.health, first.cores, first.isolation, others.flatMap(({ cores, isolation }) => cores.map((core) => ({ core, isolation }))));
    if (typeof placement === 'string') throw new Error(`the chip cannot give the protection: ${placement}`);
    deal(this.shares.map((share, i) => ({ share, cores: claims[i]?.cores ?? [] })), placement);
  }

  /** Lets those that are behind a guest, or level with it and before it, have their turns, until it is its own. */
  awaitTurn(own: Share): void {
    for (;;) {
      const next = this.#next ?? own;
      for (const share of this.shares) share.expire(next.clock);
      if (next === own) return;
      next.occupant.turn();
    }
  }

  get #next(): Share | undefined {
    return this.shares.reduce<Share | undefined>((next, share) => (share.isLeft || (next && next.clock <= share.clock) ? next : share), undefined);
  }

  /** Domains for one guest's replicas on these cores, and for all others where they are; a string, and nothing changed, where there are none. */
  divide(own: Share, { cores, isolation }: Claim): string | undefined {
    const others = this.shares.filter((share) => share !== own && !share.isLeft);
    const placement = partition(this.chip.plan, this.chip.health, cores, isolation, others.flatMap(({ tenants }) => tenants));
    if (typeof placement === 'string') return placement;
    deal([{ share: own, cores }, ...others.map((share) => ({ share, cores: share.occupant.standing }))], placement);
    return undefined;
  }

  /** A guest has left: those that are still there have the chip for themselves. */
  vacated(): void {
    const [first, ...others] = this.shares.filter(({ isLeft, tenants }) => !isLeft && tenants.length > 0);
    if (!first) return;
    const placement = partition(this.chip.plan, this.chip.health, first.occupant.standing, first.isolation, others.flatMap(({ tenants }) => tenants));
    if (typeof placement !== 'string') deal([first, ...others].map((share) => ({ share, cores: share.occupant.standing })), placement);
  }
}

/** Gives each its domains; they come in the order of the shares. */
function deal(shares: readonly { share: Share; cores: readonly number[] }[], { domains, cuts }: Placement): void {
  const left = [...domains];
  const dealt = shares.map(({ share, cores }) => ({ share, placement: { domains: left.splice(0, cores.length), cuts } }));
  for (const { share, placement } of dealt) share.settle(placement);
}
