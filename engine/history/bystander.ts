import { isDeepStrictEqual } from 'node:util';
import type { AdvanceStop } from '../covert/advance';
import type { InputLog } from '../covert/input-log';
import type { SystemEvent } from '../covert/events';
import type { Outside } from '../covert/outside';
import type { Plan, ProtectionKind } from '../covert/plan';
import type { CostReport, MemoryReport } from '../covert/report';
import type { ReleaseLog, ReleasedData } from '../covert/release-log';
import type { System, SystemState } from '../covert/system';
import type { Tier } from '../machine/tier';
import { DivergenceTracker } from './divergence-tracker';
import { memoryOf } from './memory-report';
import { StateShelf } from './state-shelf';

/** What runs of one guest share with those of the others on its chip. */
export interface GuestLogs {
  log: ReleaseLog;
  inputs: InputLog;
  outside?: Outside;
}

/**
 * A guest that runs along on the chip of the one that a session is about: what has happened in it, as far as the session has been.
 * A session that goes back takes it along, and on ground that it knows nothing is recorded twice.
 */
export class Bystander {
  readonly #events: SystemEvent[] = [];
  readonly #shelf = new StateShelf();
  readonly #tracker: DivergenceTracker | undefined;
  #furthest = -1;

  constructor(
    readonly plan: Plan,
    private readonly system: System,
    /** What its network card is plugged into. */
    readonly outside: Outside | undefined,
    /** Its own logs, and those of its neighbours in its plan's order; where divergences are not looked for, undefined. */
    followed: (GuestLogs & { tier: Tier; beside: readonly GuestLogs[] }) | undefined,
  ) {
    this.#tracker = followed && new DivergenceTracker(plan, (moment, strictly) => this.#shelf.before(moment, strictly), followed);
  }

  get events(): readonly SystemEvent[] {
    return this.#events;
  }
  get released(): Uint8Array {
    return this.system.released;
  }
  releasedData(kind: 'disk' | 'net'): ReleasedData {
    return this.system.releasedData(kind);
  }
  get count(): number {
    return this.system.count;
  }
  /** SHA-256 of the whole state of the first live replica now. */
  stateHash(): string {
    return this.system.live[0]?.computer.snapshot().hash() ?? '';
  }
  get protection(): { now: ProtectionKind; wanted: ProtectionKind } {
    return { now: this.system.protectionNow, wanted: this.system.protectionWanted };
  }
  get ended(): SystemEvent | undefined {
    return this.system.ended;
  }
  get cycles(): number {
    return this.system.cycles;
  }
  costs(): CostReport[] {
    return this.system.costs();
  }
  hitsOf(fault: number): number | undefined {
    return this.system.hitsOf(fault);
  }
  memory(): MemoryReport[] {
    return memoryOf(this.system);
  }

  /** True if a state is wanted where the guest stands now. */
  get wantsState(): boolean {
    return this.#tracker !== undefined && this.#shelf.lacks(this.system.moment);
  }

  keep(state: SystemState): void {
    this.#shelf.put(state);
  }

  /** Runs it by so many instructions, when the guest that the session is about has ended. */
  advance(instructions: number, stopAsleep: boolean): AdvanceStop {
    return this.system.advance(this.system.moment + instructions, { stopAsleep });
  }

  /** Records what has happened since the last call. */
  takeIn(): void {
    const reached = this.system.moment;
    const fresh = this.system.takeEvents();
    if (reached < this.#furthest) return;
    const last = this.#events.filter(({ moment }) => moment === this.#furthest);
    const news = fresh.filter((event) => event.moment > this.#furthest || (event.moment === this.#furthest && !last.some((known) => isDeepStrictEqual(known, event))));
    this.#furthest = reached;
    const divergences = this.#tracker?.follow(news, reached) ?? [];
    for (const event of [...news, ...divergences]) this.#events.push(event);
    if (divergences.length > 0) this.#events.sort((a, b) => a.moment - b.moment);
  }
}
