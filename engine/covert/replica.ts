import type { ComponentName } from '../chip/health';
import type { CacheState } from '../machine/cache-types';
import type { Computer, Output, OwnState, Snapshot, WrongTranslation } from '../machine/types';
import type { Arrival } from './delivery';
import type { ReplicaName } from './plan';

/** Why a replica retires nothing any more, `dead` if what it runs on is; null while it runs. */
export type Halt = 'exit' | 'idle' | 'stalled' | 'dead' | null;

/** One replica of a guest on its core, with what it has produced and nobody has compared yet. */
export class Replica {
  /** Outputs that wait for their counterparts, oldest first. */
  pending: Output[] = [];
  /** Outputs produced so far, compared or not. */
  produced = 0;
  /** Inputs that are on their way to it alone, the next one first. */
  arrivals: readonly Arrival[] = [];
  halted: Halt = null;
  /** It rests before an instruction with a breakpoint that has been attended to, and goes on over it. */
  atBreakpoint = false;
  /** The component of the chip that died under it, while it is `dead`. */
  deadBy: ComponentName | undefined;
  /** Given up for good: it rests where it was, and nobody looks at it any more. */
  isLost = false;
  /** Between `start` and `finish` of its computer. */
  running = false;

  /** The boundary at which address triggers have been counted, so that none is counted twice. */
  counted: { readonly retired: number; readonly pc: bigint } | undefined;

  constructor(
    readonly name: ReplicaName,
    /** The core that it runs on now. */
    public core: number,
    readonly computer: Computer,
  ) {}

  save(peer?: Snapshot): ReplicaState {
    const { computer } = this;
    return {
      snapshot: computer.snapshot(peer),
      caches: computer.caches?.save(),
      cycles: computer.cycles,
      interrupts: computer.interrupts,
      clockReads: computer.clockReads,
      own: computer.own,
      arrivals: this.arrivals,
      wrongTranslations: computer.wrongTranslations,
      pending: [...this.pending],
      produced: this.produced,
      halted: this.halted,
      deadBy: this.deadBy,
      atBreakpoint: this.atBreakpoint,
      counted: this.counted,
    };
  }

  load(state: ReplicaState): void {
    const { computer } = this;
    computer.restore(state.snapshot);
    computer.takeOutputs();
    if (state.caches) computer.caches?.load(state.caches);
    computer.cycles = state.cycles;
    computer.interrupts = state.interrupts;
    computer.clockReads = state.clockReads;
    computer.own = state.own;
    this.arrivals = state.arrivals;
    computer.wrongTranslations = state.wrongTranslations;
    this.pending = [...state.pending];
    this.produced = state.produced;
    this.halted = state.halted;
    this.deadBy = state.deadBy;
    this.atBreakpoint = state.atBreakpoint;
    this.counted = state.counted;
  }
}

export interface ReplicaState {
  readonly snapshot: Snapshot;
  /** Of its core, under `detailed` timing; without them they are empty. */
  readonly caches: CacheState | undefined;
  readonly cycles: number;
  readonly interrupts: number;
  readonly clockReads: number;
  readonly own: OwnState;
  readonly arrivals: readonly Arrival[];
  /** What its core's TLB keeps that is wrong: nobody else gets that with its state. */
  readonly wrongTranslations: readonly WrongTranslation[];
  readonly pending: readonly Output[];
  readonly produced: number;
  readonly halted: Halt;
  readonly deadBy: ComponentName | undefined;
  readonly atBreakpoint: boolean;
  readonly counted: Replica['counted'];
}

/** A replica's state for the computer of another core: it has its own clock and has spent what it has spent; what is on its way comes to both. */
export function copiedTo({ cycles, interrupts, clockReads }: Computer, state: ReplicaState): ReplicaState {
  return { ...state, cycles, interrupts, clockReads, own: { ...state.own, seenAt: [] }, wrongTranslations: [], caches: undefined };
}
