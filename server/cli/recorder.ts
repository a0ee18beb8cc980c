import path from 'node:path';
import type { CostChanges } from '../../engine/chip/cost-table';
import { InputLog } from '../../engine/covert/input-log';
import type { Plan } from '../../engine/covert/plan';
import { subjectOf, writeRecording, type Mark, type Recording, type Subject } from '../../engine/covert/recording';
import type { Report } from '../../engine/covert/report';
import type { RunOptions } from '../../engine/covert/run';
import { readWhole } from '../whole-file';
import { writeWhole } from './output-file';

/** Saves one run of a scenario: begins before it, and writes the file when there is a report. */
export class Recorder {
  readonly #inputs = new InputLog();
  readonly #states: Mark[] = [];

  private constructor(
    private readonly scenario: { file: string; text: string; name: string },
    private readonly subject: Subject,
    private readonly target: string,
    private readonly costs: CostChanges | undefined,
  ) {}

  /** `file`: the scenario's file; `target`: where the recording goes. */
  static async create(file: string, plan: Plan, target: string): Promise<Recorder> {
    const text = (await readWhole(file)).toString('utf8');
    const relative = path.relative(path.dirname(path.resolve(target)), path.resolve(file)).split(path.sep).join('/');
    return new Recorder({ file: relative, text, name: plan.name }, subjectOf(plan), target, plan.chip.costs);
  }

  /** What the run is to be given. */
  get options(): Pick<RunOptions, 'inputs' | 'onMark'> {
    return { inputs: this.#inputs, onMark: (mark) => void this.#states.push(mark) };
  }

  /** `overwritten`: what the run has destroyed of its disks' images. Writes the file whole or not at all. Throws BadInput where it cannot be written. */
  async write(report: Report, overwritten: Recording['overwritten'] = []): Promise<void> {
    const { scenario, subject, costs } = this;
    await writeWhole('--record', this.target, writeRecording({ scenario, subject, ...(costs && { costs }), inputs: this.#inputs.inputs, states: this.#states, report, ...(overwritten.length > 0 && { overwritten }) }));
  }
}
