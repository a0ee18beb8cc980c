import { withoutNeighbours } from '../covert/beside';
import type { Replica } from '../covert/replica';
import type { SystemEvent } from '../covert/events';
import { answeringAs } from '../covert/disk-outside';
import { answersIn, type InputLog } from '../covert/input-log';
import type { Outside } from '../covert/outside';
import type { Plan, ReplicaName } from '../covert/plan';
import type { ReleaseLog } from '../covert/release-log';
import { System, type SystemOptions, type SystemState } from '../covert/system';
import type { Tier } from '../machine/tier';
import type { Computer } from '../machine/types';

type Divergence = Extract<SystemEvent, { kind: 'divergence' }>;

/** Instructions between two comparisons of the effects digests. */
const chunk = 65_536;
/** Differing places that an event carries; the rest is only counted. */
const shown = 16;
const counted = 10_000;

/**
 * Finds the first instruction that gave different results.
 *
 * It follows the run some way behind on systems of its own. From a fault on
 * (or always, where inputs are left uncoordinated) two computers run with
 * their effects digests collected: the faulty replica and a healthy one, which
 * is its peer, or while a guest has one replica alone, before it is protected or after, that of a second run without the faults.
 * Digests are prefix digests: once they differ they stay different, so that
 * bisection over a chunk finds the first differing instruction exactly. A
 * window closes when the states are equal again or a rollback made them so.
 */
export class DivergenceTracker {
  readonly #always: boolean;
  /** The guest is one replica for as long as it runs. */
  readonly #unprotected: boolean;
  /** The window is on a guest that is one replica then: its peer is of the run without faults. */
  #isAlone: boolean;
  #probe: System | undefined;
  #healthy: System | undefined;
  #window: 'closed' | 'open' | 'diverged' = 'closed';
  #culprit: ReplicaName;
  /** A fault that lasts has struck: equal states may differ again at any time. */
  #lasting = false;

  constructor(
    private readonly plan: Plan,
    /** The newest saved state at or before (`strictly`: before) a moment. */
    private readonly stateBefore: (moment: number, strictly: boolean) => SystemState | undefined,
    /** The logs of the run that is followed, what executes it, and what its guest's network card is plugged into. */
    private readonly followed: { log: ReleaseLog; inputs: InputLog; tier: Tier; outside?: Outside; beside?: SystemOptions['beside'] },
  ) {
    this.#unprotected = plan.protection.kind === 'none' && !plan.switches?.length;
    this.#always = !this.#unprotected && plan.protection.uncoordinated.length > 0;
    this.#isAlone = this.#unprotected;
    this.#culprit = this.#unprotected ? 'A' : 'B';
  }

  /**
   * Takes in the run up to `moment`, with the events that are new since the
   * last call, and returns the divergences found on the way.
   */
  follow(news: readonly SystemEvent[], moment: number): Divergence[] {
    const found: Divergence[] = [];
    // The run without faults is one that cannot be run.
    if (this.#unprotected && this.followed.outside && !this.followed.outside.fresh) return found;
    if (this.#always && this.#window === 'closed') this.#open(this.#probe?.moment ?? 0);
    for (const event of news) {
      if (event.kind === 'fault') {
        this.#extend(event.moment, found);
        // What is dead has no results, and where nobody runs nothing differs.
        if (event.replica === undefined || this.plan.faults[event.fault]?.effect.kind === 'die') continue;
        if (this.plan.faults[event.fault]?.effect.kind === 'stick') this.#lasting = true;
        // Two faults in one window are one error until the states agree again.
        if (this.#window === 'closed' || (this.#window === 'diverged' && this.#equalBefore(event.moment))) {
          this.#culprit = event.replica;
          this.#open(this.#struckAnInstruction(event.fault) ? Math.max(0, event.moment - 1) : event.moment);
        }
      } else if (event.kind === 'switch') {
        // From there on there are others than before, all in one state.
        this.#extend(event.moment - 1, found);
        this.#window = 'closed';
        if (this.#always || this.#lasting) this.#open(event.moment);
      } else if (event.kind === 'recovery') {
        this.#extend(event.moment - 1, found);
        this.#window = 'closed';
        // One that is left alone now has been struck by nothing yet that another run would have to be made for.
        if (this.#always || this.#lasting) this.#open(event.moment, false);
      }
    }
    this.#extend(moment, found);
    return found;
  }

  /** True if a fault's event comes behind the instruction whose result it has changed. */
  #struckAnInstruction(fault: number): boolean {
    const effect = this.plan.faults[fault]?.effect;
    const places = effect?.kind === 'flip-random' ? effect.places : effect?.kind === 'flip' || effect?.kind === 'set' ? [effect.place] : [];
    return effect?.kind === 'message' || places.some(({ kind }) => kind === 'unit' || kind === 'dma' || kind === 'tlb' || kind === 'line');
  }

  #systems(): { probe: System; healthy: System | undefined } {
    const { log, inputs, tier, beside } = this.followed;
    this.#probe ??= new System(this.plan, { log, inputs, tier, ...(beside && { beside: beside.map(({ outside: _, ...logs }) => logs) }) });
    if (!this.#isAlone) return { probe: this.#probe, healthy: undefined };
    return { probe: this.#probe, healthy: (this.#healthy ??= this.#soundRun()) };
  }

  /** The guest alone, also on the chip, and without faults: whoever is protected does the same. */
  #soundRun(): System {
    const { tier, outside, inputs } = this.followed;
    const { switches: _, ...plan } = withoutNeighbours(this.plan);
    const { protection } = plan;
    const another = outside?.fresh?.();
    const refused = plan.guest.disks?.some(({ writable }) => writable) ? answeringAs(() => answersIn(inputs.inputs)) : undefined;
    return new System({ ...plan, faults: [], protection: { ...protection, kind: 'none', cores: protection.cores.slice(0, 1) } }, { tier, ...(another && { outside: another }), ...(refused && { disks: refused }) });
  }

  /**
   * True if a guest that has one replica now can be compared with the run without faults: where nobody has rolled it back, after which it may
   * get what comes from outside later than that run does, and inputs are coordinated.
   */
  #hasSoundRun(probe: System): boolean {
    const { guest, protection } = this.plan;
    const { outside } = this.followed;
    const takesNothing = guest.network === undefined && (guest.typing ?? []).length === 0;
    return (takesNothing || probe.moment === probe.count) && protection.uncoordinated.length === 0 && (!outside || outside.fresh !== undefined);
  }

  /** The moment of the run without faults that has the instruction count of one of the probe's, while nothing takes it back. */
  #soundMoment(moment: number): number {
    const { probe, healthy } = this.#systems();
    return healthy ? moment - (probe.moment - probe.count) + (healthy.moment - healthy.count) : moment;
  }

  /** The two computers that ought to do the same, the faulty one first. */
  #pair(): [Computer, Computer] {
    const { faulty, peer } = this.#replicas();
    return [faulty.computer, peer.computer];
  }

  #replicas(): { faulty: Replica; peer: Replica } {
    const { probe, healthy } = this.#systems();
    const faulty = probe.replicas.find((replica) => replica.name === this.#culprit) ?? probe.replicas[0];
    const peers = healthy?.replicas ?? probe.live.filter((replica) => replica !== faulty && replica.halted !== 'dead');
    const peer = peers[0] ?? probe.replicas.find((replica) => replica !== faulty);
    if (!faulty || !peer) throw new Error('a divergence needs two computers');
    return { faulty, peer };
  }

  /** Puts both computers at `moment` with empty digests. `mayBeAlone`: a guest that is one replica then is compared with the run without faults. */
  #open(moment: number, mayBeAlone = true): void {
    const { probe } = this.#systems();
    const state = this.stateBefore(moment, false);
    if (state) probe.load(state);
    probe.advance(moment);
    this.#isAlone = this.#unprotected || (mayBeAlone && probe.live.length === 1 && this.#hasSoundRun(probe));
    // It cannot go back.
    if (this.#isAlone && this.#healthy && this.#healthy.moment > this.#soundMoment(moment)) this.#healthy = undefined;
    const { healthy } = this.#systems();
    const goal = this.#soundMoment(moment);
    if (healthy && healthy.moment < goal) {
      // A state saved before the first fault is also a state of the run without faults, unless there are others; but an outside has to be told all of that from the start.
      const clean = this.followed.outside ? undefined : this.stateBefore(moment, true);
      const isSound = clean !== undefined && clean.replicas.length === 1 && clean.switched === 0 && ![clean, ...(clean.neighbours ?? [])].some(({ injector }) => injector.fired.includes(true));
      if (isSound && clean.moment > healthy.moment) healthy.load(clean);
      healthy.advance(goal);
    }
    // One that is left alone, of an ablation say, has nobody to differ from.
    this.#window = healthy || probe.live.length > 1 ? 'open' : 'closed';
    if (this.#window === 'open') for (const computer of this.#pair()) computer.resetEffects();
  }

  /** True if the computers were equal when they stood at the moment before `moment`. */
  #equalBefore(moment: number): boolean {
    const { probe, healthy } = this.#systems();
    const state = this.stateBefore(moment, true);
    if (!state) return false;
    probe.load(state);
    probe.advance(moment - 1);
    healthy?.advance(this.#soundMoment(moment - 1));
    return this.#equal();
  }

  #equal(): boolean {
    const [faulty, peer] = this.#pair();
    const snapshot = faulty.snapshot();
    return peer.snapshot(snapshot).equals(snapshot);
  }

  #extend(moment: number, found: Divergence[]): void {
    // Only a window needs systems to follow with: most runs never open one.
    if (this.#window !== 'open') return;
    const { probe, healthy } = this.#systems();
    while (this.#window === 'open' && probe.moment < moment && !probe.ended) {
      const start = { probe: probe.save(), healthy: healthy?.save() };
      for (const computer of this.#pair()) computer.resetEffects();
      const end = Math.min(moment, probe.moment + chunk);
      if (this.#differsAfter(end)) {
        found.push(this.#bisect(start, end));
        this.#window = 'diverged';
      } else if (!this.#always && !this.#lasting && this.#equal()) {
        this.#window = 'closed';
      }
    }
  }

  /** Advances both computers to `moment`; true if their effects since the reset differ. */
  #differsAfter(moment: number): boolean {
    const { probe, healthy } = this.#systems();
    probe.advance(moment, { collectEffects: true });
    healthy?.advance(this.#soundMoment(moment), { collectEffects: true });
    const [faulty, peer] = this.#pair();
    return faulty.effects() !== peer.effects() || faulty.retired !== peer.retired;
  }

  #bisect(start: { probe: SystemState; healthy: SystemState | undefined }, end: number): Divergence {
    const { probe, healthy } = this.#systems();
    const rewind = (): void => {
      probe.load(start.probe);
      if (start.healthy) healthy?.load(start.healthy);
      for (const computer of this.#pair()) computer.resetEffects();
    };
    let same = start.probe.moment;
    let different = end;
    while (different - same > 1) {
      const middle = Math.floor((same + different) / 2);
      rewind();
      if (this.#differsAfter(middle)) different = middle;
      else same = middle;
    }
    rewind();
    this.#differsAfter(same);
    const [faulty, peer] = this.#pair();
    const { pc } = faulty;
    this.#differsAfter(different);
    const snapshot = faulty.snapshot();
    const places = peer.snapshot(snapshot).difference(snapshot, counted);
    const other = this.#isAlone ? undefined : this.#replicas().peer.name;
    const swap = other !== undefined && this.#culprit < other;
    const differs = places.slice(0, shown).map(({ place, a, b }) => (swap ? { place, a: b, b: a } : { place, a, b }));
    return {
      kind: 'divergence',
      moment: different,
      instruction: faulty.retired,
      replica: this.#culprit,
      peer: other,
      pc,
      differs,
      differing: places.length,
    };
  }
}
