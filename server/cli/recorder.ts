import path from 'node:path';
import type { CostChanges } from '../../engine/chip/cost-table';
import { InputLog } from '../../engine/covert/input-log';
import type { Plan } from '../../engine/covert/plan';
import { subjectOf, writeRecording, type Mark, type Recording, type Subject } from '../../engine/covert/recording';
import type { Report } from '../../engine/covert/report';
import type { RunOptions } from '../../engine/covert/run';
import { readWhole } from '../whole-file';
import { writeWhole } from './output-file';
import type { Timing } from './timing-option';

/** Saves one run of a scenario: begins before it, and writes the file when there is a report. */
export class Recorder {
  readonly #inputs = new InputLog();
  readonly #beside: readonly { inputs: InputLog }[];
  readonly #states: Mark[] = [];

  private constructor(
    private readonly scenario: { file: string; text: string; name: string },
    private readonly subject: Subject,
    private readonly target: string,
    /** What the plan has been given in place of its chip's. */
    private readonly given: { timing?: Timing; costs?: CostChanges },
    neighbours: number,
  ) {
    this.#beside = Array.from({ length: neighbours }, () => ({ inputs: new InputLog() }));
  }

  /** `file`: the scenario's file; `target`: where the recording goes; `timing`: what the plan has been given in place of its chip's. */
  static async create(file: string, plan: Plan, target: string, timing?: Timing): Promise<Recorder> {
    const text = (await readWhole(file)).toString('utf8');
    const relative = path.relative(path.dirname(path.resolve(target)), path.resolve(file)).split(path.sep).join('/');
    const { costs } = plan.chip;
    return new Recorder({ file: relative, text, name: plan.name }, subjectOf(plan), target, { ...(timing && { timing }), ...(costs && { costs }) }, plan.neighbours?.length ?? 0);
  }

  /** What the run is to be given. */
  get options(): Pick<RunOptions, 'inputs' | 'beside' | 'onMark'> {
    return { inputs: this.#inputs, beside: this.#beside, onMark: (mark) => void this.#states.push(mark) };
  }

  /** `overwritten`: what the run has destroyed of its disks' images. Writes the file whole or not at all. Throws BadInput where it cannot be written. */
  async write(report: Report, overwritten: Recording['overwritten'] = []): Promise<void> {
    const { scenario, subject, given } = this;
    const neighbours = this.#beside.map(({ inputs }) => inputs.inputs);
    const others = { ...(neighbours.length > 0 && { neighbours }), ...(overwritten.length > 0 && { overwritten }) };
    await writeWhole('--record', this.target, writeRecording({ scenario, ...given, subject, inputs: this.#inputs.inputs, ...others, states: this.#states, report }));
  }
}
