import type { Chip } from '../chip/chip';
import { homeOf, reaches, type Domain, type Placement } from '../chip/domains';
import { bankName, controllerName, coreName, linkName, type ComponentName } from '../chip/health';
import { hierarchyOf } from '../chip/hierarchy';
import type { Machine } from '../machine/machine';
import type { Snapshot } from '../machine/types';
import type { Crew } from './crew';
import { ownInputsOf } from './own-inputs';
import type { ProtectionKind, ProtectionPlan, ReplicaName } from './plan';
import { copiedTo, Replica, type ReplicaState } from './replica';
import type { Share } from './share';
import { protectionOf } from './vote';

export const replicaNames: readonly ReplicaName[] = ['A', 'B', 'C'];

/** Who there is, on which core, and how it stands; immutable. */
export type TeamState = readonly (ReplicaState & { readonly name: ReplicaName; readonly core: number; readonly isLost: boolean })[];

/**
 * The replicas of a guest. They come and go while it runs: one whose core is dead moves to another, a third one joins two
 * to see whose error it is, one is given up. A computer that has been made is kept for the next one of its name.
 */
export class Team {
  #replicas: readonly Replica[] = [];
  #live: readonly Replica[] = [];
  readonly #made = new Map<ReplicaName, Replica & { readonly computer: Machine }>();

  constructor(
    first: Machine,
    cores: readonly number[],
    private readonly chip: Chip,
    /** What of the chip the guest has; for these cores, to begin with. */
    private readonly share: Share,
    private readonly protection: Pick<ProtectionPlan, 'isolation' | 'uncoordinated' | 'epochInstructions'>,
    /** Of what the cores draw themselves. */
    private readonly seed: number,
    private readonly crew: Crew,
    /** Called with a replica that has been given a core, before it has a state there. */
    private readonly seated: (replica: Replica) => void,
  ) {
    this.#replicas = cores.map((core, i) => this.#make(replicaNames[i] ?? 'A', core, i === 0 ? first : first.clone()));
    this.#regroup();
    this.#setCaches();
  }

  /** All that are there, the lost among them, by name. */
  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  /** The replicas that have not been given up. */
  get live(): readonly Replica[] {
    return this.#live;
  }

  get protectionNow(): ProtectionKind {
    return protectionOf(this.#live.length);
  }

  /** How the chip is divided among the live replicas. */
  get placement(): Placement {
    return this.share.placement;
  }

  /** What a live replica runs on. */
  domainOf(replica: ReplicaName): Domain | undefined {
    const core = this.#made.get(replica)?.core;
    return this.share.placement.domains.find((domain) => domain.core === core);
  }

  /** True if what becomes of a component concerns the replica; of one line of a bank, if that is where the line is. */
  reaches(component: ComponentName, replica: ReplicaName, line?: bigint): boolean {
    const domain = this.domainOf(replica);
    if (domain === undefined || !reaches(domain, component, this.chip.plan.cores)) return false;
    return line === undefined || component === bankName(homeOf(domain, line));
  }

  /** Sets the configuration units anew for those that are live now, if that can be: false if not, and nothing is changed. */
  reconfigure(): boolean {
    const cores = this.#live.map(({ core }) => core);
    if (this.share.claim({ cores, isolation: this.areApart ? this.protection.isolation : 'none' }) !== undefined) return false;
    this.#setCaches();
    return true;
  }

  /** Others have had domains set anew, and with them those of this guest. */
  relaid(): void {
    this.#setCaches();
  }

  /**
   * Under `detailed` timing: what is behind each replica's core now. Where that has changed, its caches are empty. What something has died
   * under has no way to its memory; it gets one when it is moved to where it can run.
   */
  #setCaches(): void {
    for (const { name, computer } of this.#live) {
      const domain = this.domainOf(name);
      if (domain && this.#isWhole(domain)) computer.caches?.set(hierarchyOf(this.chip.plan, this.chip.health, domain, this.share.placement.cuts));
    }
  }

  #isWhole({ core, banks, controllers, links }: Domain): boolean {
    const { cores } = this.chip.plan;
    return [coreName(core), ...banks.map(bankName), ...controllers.map(controllerName), ...links.map((link) => linkName(link, cores))].every((component) => this.chip.health.isWhole(component));
  }

  /** Replicas may run at the same time: no fault of a core is one of two of them. */
  get areApart(): boolean {
    return new Set(this.#live.map(({ core }) => core)).size === this.#live.length;
  }

  save(): TeamState {
    let peer: Snapshot | undefined;
    return this.#replicas.map((replica) => {
      const state = replica.save(peer);
      peer ??= state.snapshot;
      const { name, core, isLost } = replica;
      return { ...state, name, core, isLost };
    });
  }

  load(state: TeamState): void {
    this.#replicas = state.map((saved) => {
      const { name, core, isLost } = saved;
      const replica = this.#get(name, core);
      replica.isLost = isLost;
      this.#seat(replica, core);
      return replica;
    });
    this.#regroup();
    this.#setCaches();
    this.#replicas.forEach((replica, i) => {
      const saved = state[i];
      // What is lost has no domain, and runs no more.
      if (saved) replica.load(saved.isLost ? { ...saved, caches: undefined } : saved);
    });
  }

  giveUp(replica: Replica): void {
    replica.isLost = true;
    this.#regroup();
  }

  /** The replica goes on with this core. */
  move(replica: Replica, core: number): void {
    this.#seat(replica, core);
  }

  /** One more, on a core, in the state of a snapshot of the others'. Its clock stands where theirs do. */
  join(core: number, snapshot: Snapshot, peer: Replica): Replica {
    const name = replicaNames.find((each) => !this.#replicas.some((replica) => replica.name === each)) ?? 'C';
    const replica = this.#get(name, core);
    replica.isLost = false;
    this.#seat(replica, core);
    // Its caches are cold.
    replica.computer.caches?.restart();
    // What is on its way to the other has been sent since.
    replica.load({ ...peer.save(), snapshot, own: { seenAt: [], late: [] }, arrivals: [], wrongTranslations: [], caches: undefined });
    this.#replicas = [...this.#replicas, replica].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#regroup();
    return replica;
  }

  /**
   * A replica on each of these cores, all in the state of the first of them that are live now, which are equal. Gives that state, as it
   * was before anything was done, and those that were made or moved; those that were given up before are gone.
   */
  become(cores: readonly number[]): { state: Snapshot; cloned: Replica[] } {
    const [source] = this.#live;
    if (!source) throw new Error('a team without a live replica');
    const state = source.save();
    const staying = cores.map((core) => this.#live.find((replica) => replica.core === core));
    // Who is anywhere goes on: the guest's own state has to be somewhere.
    if (!staying.some((replica) => replica !== undefined)) staying[0] = source;
    const kept = staying.filter((replica) => replica !== undefined);
    const names = replicaNames.filter((name) => kept.every((replica) => replica.name !== name));
    const cloned: Replica[] = [];
    this.#replicas = cores
      .map((core, i) => {
        const known = staying[i];
        if (known?.core === core) return known;
        const replica = known ?? this.#get(names.shift() ?? 'C', core);
        this.#seat(replica, core);
        if (!known) {
          replica.computer.caches?.restart();
          replica.load(copiedTo(source.computer, state));
        }
        replica.isLost = false;
        cloned.push(replica);
        return replica;
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#regroup();
    return { state: state.snapshot, cloned };
  }

  /** It leaves, as if it had never been there. */
  leave(replica: Replica): void {
    this.#replicas = this.#replicas.filter((other) => other !== replica);
    this.#regroup();
  }

  #regroup(): void {
    this.#live = this.#replicas.filter(({ isLost }) => !isLost);
    this.crew.regroup(this.#live.flatMap(({ name }) => this.#made.get(name)?.computer ?? []));
  }

  #get(name: ReplicaName, core: number): Replica {
    const known = this.#made.get(name);
    if (known) return known;
    const any = this.#made.values().next().value;
    if (!any) throw new Error('a team without a first replica');
    return this.#make(name, core, any.computer.clone());
  }

  #make(name: ReplicaName, core: number, computer: Machine): Replica {
    const replica = new Replica(name, core, computer) as Replica & { readonly computer: Machine };
    this.#made.set(name, replica);
    this.#seat(replica, core);
    return replica;
  }

  #seat(replica: Replica, core: number): void {
    // A TLB stays with its core.
    if (replica.core !== core) replica.computer.wrongTranslations = [];
    replica.core = core;
    replica.computer.setTimeSource(this.chip.timeSource(core, this.protection.uncoordinated));
    replica.computer.setOwnInputs(ownInputsOf(core, this.protection, this.seed));
    this.seated(replica);
  }
}
