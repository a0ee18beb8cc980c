import { Health } from './health';
import type { ChipPlan } from './plan';
import type { TimeSource } from '../machine/types';

/** Ticks a second of the guest's `time` counter (the `virt` board's timebase). */
export const timebaseHertz = 10_000_000;

/** The clock of one core: where it started and how fast it runs. */
export interface CoreClock {
  /** Cycles that this core's counter was ahead when the guest started. */
  phase: number;
  /** Deviation of its oscillator in parts per million. */
  ppm: number;
}

/** The modelled chip multiprocessor. */
export class Chip {
  readonly health = new Health();

  constructor(readonly plan: ChipPlan) {}

  /**
   * Every core has a clock of its own: cores leave reset one after another, and
   * their oscillators are within the ±50 ppm that crystal data sheets allow. Both are fixed functions of the
   * core's number, so that a run can be repeated; no two neighbours are equal,
   * so that a guest that reads an uncoordinated clock does diverge.
   */
  clock(core: number): CoreClock {
    return { phase: core * 7_919, ppm: ((core * 37 + 11) % 101) - 50 };
  }

  /**
   * What a guest's clocks are read from when `core` runs it. Coordinated clocks
   * are functions of the retired-instruction count at one instruction a cycle. `uncoordinated`: classes of input,
   * of which those that are no clocks are not looked at.
   */
  timeSource(core: number, uncoordinated: readonly string[]): TimeSource {
    const { phase, ppm } = this.clock(core);
    const source = (input: string): TimeSource['time'] => (uncoordinated.includes(input) ? 'core' : 'instructions');
    return {
      time: source('time'),
      cycle: source('cycle'),
      interrupts: source('interrupts'),
      rtc: source('rtc'),
      perTick: Math.max(1, Math.round(this.plan.hertz / timebaseHertz)),
      corePhase: phase,
      corePpm: ppm,
    };
  }

  /** Modelled time in cycles of this chip's cores. */
  cyclesOf(seconds: number): number {
    return Math.round(seconds * this.plan.hertz);
  }
}
