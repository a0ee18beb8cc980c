/**
 * A machine of another tier beside the one that is compared with qemu after
 * every instruction: it runs by random budgets, and where they end it is compared
 * with the same dump. Translated code is never entered by single steps.
 */
import { hartFields, sharedFields } from '../../engine/core/layout';
import { Random } from '../../engine/isa/random.test-support';
import type { Machine } from '../../engine/machine/machine';
import type { Tier } from '../../engine/machine/tier';
import { OwnDump, type Dump } from './register-dumps';

/** Budgets are below one of these. */
const budgets = [4, 60, 400, 400];

export class Follower {
  /** Ends of budgets at which it has been compared. */
  compared = 0;
  readonly #random: Random;
  #own: OwnDump | undefined;
  #next = 0;

  constructor(
    private readonly tier: Tier,
    readonly machine: Machine,
    seed: number,
  ) {
    this.#random = new Random(seed);
  }

  /** Instructions that translated code has retired. */
  get translated(): number {
    return this.machine.translated.retired;
  }

  /** `stepped` rests where `dump` was made. If a budget ends here, returns what differs. */
  follow(stepped: Machine, dump: Dump): string | undefined {
    if (stepped.retired < this.#next) return undefined;
    const { machine } = this;
    const from = machine.retired;
    const stop = machine.run(stepped.retired);
    const words = `${this.tier}, run from ${from} to ${stepped.retired}`;
    if (stop !== 'limit') return `${words}: it stops at ${machine.retired} by ${stop}`;
    const own = (this.#own ??= new OwnDump(machine, dump.chunk.subarray(dump.from, dump.to)));
    own.render();
    if (!own.equals(own.text, dump)) return [`${words}: register, here, in qemu`, ...OwnDump.differences(own.text, dump)].join('\n');
    // qemu does not show everything.
    const field = fieldThatDiffers(machine.liveState(), stepped.liveState());
    if (field !== undefined) return `${words}: ${field} differs from what single steps give`;
    this.compared++;
    this.#next = stepped.retired + 1 + this.#random.below(budgets[this.#random.below(budgets.length)] ?? 1);
    return undefined;
  }

  /** `stepped` has come to the guest's end. */
  finish(stepped: Machine): string | undefined {
    const stop = this.machine.run(stepped.retired + 2);
    if (stop !== 'exit') return `${this.tier}: it ends by ${stop}`;
    if (this.machine.snapshot().hash() === stepped.snapshot().hash()) return undefined;
    return `${this.tier}: the whole state at the end is not what single steps give`;
  }
}

function fieldThatDiffers(ours: Uint32Array, theirs: Uint32Array): string | undefined {
  const word = ours.findIndex((value, index) => value !== theirs[index]);
  if (word < 0) return undefined;
  const offset = word * 4;
  if (offset < 0x200) return `${offset < 0x100 ? 'x' : 'f'}${(offset & 0xff) >> 3}`;
  return [...hartFields, ...sharedFields].find((field) => offset >= field.offset && offset < field.offset + field.bytes)?.name ?? `the state's word ${word}`;
}
