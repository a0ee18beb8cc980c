/**
 * A machine and qemu through the same guest, compared after every instruction.
 *
 * qemu logs the state before each instruction that it could fetch, also before
 * one that then traps. A machine rests only after an instruction has retired:
 * before the traps that come then. So behind a trap the log has states that no
 * rest has, as many as traps were taken; and where an interrupt comes or the
 * fetch fails, a rest has a state that the log does not have. Both are allowed
 * nowhere else, and what follows has to agree again: nothing that a trap
 * changes is lost from sight, since it stands in registers that are compared.
 *
 * qemu is what takes the time, so machines of other tiers can come along: see follower.ts.
 */
import { disassemble } from '../../engine/isa/disassemble';
import { hartFields } from '../../engine/core/layout';
import type { Machine } from '../../engine/machine/machine';
import type { Tier } from '../../engine/machine/tier';
import { Follower } from './follower';
import { dumpsIn, dumpsOf, OwnDump, type Dump, type DumpOptions } from './register-dumps';
import { loadMachine } from './run-machine';

export interface LockstepResult {
  /** Instructions whose state before them was equal. */
  compared: number;
  /** Traps taken on the way. */
  exceptions: number;
  interrupts: number;
  /** How many of them user, supervisor and machine mode executed. */
  privileges: readonly [user: number, supervisor: number, machine: number];
  /** Budgets of the followers whose ends were compared, and instructions that their translated code has retired. */
  budgets: number;
  translated: number;
  /** What differed first, for people; undefined if all was equal up to the guest's end. */
  difference: string | undefined;
}

export interface LockstepOptions extends DumpOptions {
  /** Comparison begins when both have come here, behind what a reset leaves different. */
  from: bigint;
  /** The guest has to end within so many instructions. */
  most: number;
  progress?: (compared: number) => void;
  /** Ends the comparison early; what was compared so far is the result. */
  signal?: AbortSignal;
  /** Tiers that follow by random budgets, drawn from the seed. Default none. */
  followers?: { tiers: readonly Tier[]; seed: number };
  /** Is done to the machine, and to those that follow, where comparison begins. */
  disturb?: (machine: Machine, followers: readonly Machine[]) => void;
}

const privilegeWord = (hartFields.find(({ name }) => name === 'privilege')?.offset ?? 0) / 4;

/** Rests in a row that no dump need be found for. */
const mostRests = 16;

export async function lockstep(image: Uint8Array, { from, most, float, progress, signal, followers, disturb }: LockstepOptions): Promise<LockstepResult> {
  const begun = (tier: Tier): Machine => {
    const machine = loadMachine(image, 32 << 20, 1, tier);
    machine.setBreakpoints([from]);
    machine.run(most);
    if (machine.pc !== from) throw new Error('the guest does not come to where comparison begins');
    machine.setBreakpoints([]);
    return machine;
  };
  const machine = begun('interpreter');
  const { tiers = [], seed = 0 } = followers ?? {};
  const following = tiers.map((tier) => new Follower(tier, begun(tier), seed));
  disturb?.(machine, following.map((follower) => follower.machine));
  const comparison = new Comparison(machine, following);
  const marker = Buffer.from(` pc       ${from.toString(16).padStart(16, '0')}\n`);
  const { chunks, end } = dumpsOf(image, { float });
  let reported = 0;
  try {
    for await (const dumps of dumpsIn(chunks)) {
      const first = comparison.begun ? 0 : dumps.findIndex(({ chunk, from: at }) => chunk.compare(marker, 0, marker.length, at, at + marker.length) === 0);
      for (const dump of first < 0 ? [] : dumps.slice(first)) {
        const difference = comparison.take(dump);
        if (difference !== undefined) return comparison.result(difference);
      }
      if (signal?.aborted === true) return comparison.result(undefined);
      if (machine.retired > most) return comparison.result(`the guest has not ended within ${most} instructions`);
      if (comparison.compared - reported >= 100_000) progress?.((reported = comparison.compared));
    }
  } finally {
    end();
  }
  // qemu's last dump, before the instruction that ends it, has no end itself.
  const ends = machine.exitCode !== null || machine.run(machine.retired + 2) === 'exit';
  return comparison.result(ends ? comparison.finish() : `qemu has ended, and the machine has not, after ${machine.retired} instructions`);
}

class Comparison {
  compared = 0;
  #own: OwnDump | undefined;
  /** Dumps that have no rest yet, oldest first. */
  #waiting: Dump[] = [];
  /** Rests since the last pair that have no dump. */
  #skipped: Buffer[] = [];
  /** Traps since the last pair: as many dumps may stand before the next one. */
  #traps = 0;
  #last = Buffer.alloc(0);
  #start = { exceptions: 0, interrupts: 0 };
  readonly #state: Uint32Array;
  readonly #privileges: [number, number, number] = [0, 0, 0];
  readonly #path: bigint[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly followers: readonly Follower[],
  ) {
    this.#state = machine.liveState();
  }

  get begun(): boolean {
    return this.#own !== undefined;
  }

  /** The next dump. Returns what differs, once it is clear that something does. */
  take(dump: Dump): string | undefined {
    const own = (this.#own ??= this.#begin(dump));
    // qemu ends at its leisure, and may execute a little more.
    if (this.machine.exitCode !== null) return undefined;
    if (this.#waiting.length === 0) {
      if (own.equals(own.text, dump)) return this.#pair(own, dump);
      // qemu writes a dump a second time where it was about to start and something called it away.
      if (own.equals(this.#last, dump)) return undefined;
    }
    this.#waiting.push(dump);
    return this.#align(own);
  }

  #begin({ chunk, from, to }: Dump): OwnDump {
    const own = new OwnDump(this.machine, chunk.subarray(from, to));
    own.render();
    this.#last = Buffer.alloc(to - from);
    this.#start = this.#counts();
    return own;
  }

  result(difference: string | undefined): LockstepResult {
    const { exceptions, interrupts } = this.#counts();
    return {
      compared: this.compared,
      exceptions: exceptions - this.#start.exceptions,
      interrupts: interrupts - this.#start.interrupts,
      privileges: this.#privileges,
      budgets: this.followers.reduce((sum, { compared }) => sum + compared, 0),
      translated: this.followers.reduce((sum, { translated }) => sum + translated, 0),
      difference,
    };
  }

  /** Looks for a dump that the machine's state is equal to, within what traps allow. */
  #align(own: OwnDump): string | undefined {
    for (;;) {
      const index = this.#waiting.findIndex((dump) => own.equals(own.text, dump));
      if (index >= 0 && index <= this.#traps) {
        const [dump, ...left] = this.#waiting.slice(index);
        this.#waiting = [];
        this.#skipped = [];
        let difference = dump && this.#pair(own, dump);
        for (const dump of left) difference ??= this.take(dump);
        return difference;
      }
      if (this.#waiting.length <= this.#traps) return undefined;
      // No dump for this rest: then a trap has to come right here.
      this.#skipped.push(Buffer.from(own.text));
      const before = this.#traps;
      const stopped = this.#step(own);
      if (stopped !== undefined) return stopped;
      if (this.#traps === before || this.#skipped.length > mostRests) return this.#describe();
    }
  }

  /** The machine's state and qemu's are equal: on to the next instruction. */
  #pair(own: OwnDump, dump: Dump): string | undefined {
    this.compared++;
    const privilege = this.#state[privilegeWord];
    this.#privileges[privilege === 0 ? 0 : privilege === 1 ? 1 : 2]++;
    own.text.copy(this.#last);
    this.#traps = 0;
    this.#path.push(this.machine.pc);
    if (this.#path.length > 16) this.#path.shift();
    for (const follower of this.followers) {
      const difference = follower.follow(this.machine, dump);
      if (difference !== undefined) return `${difference}\n${this.#recent()}`;
    }
    return this.#step(own);
  }

  /** The guest has come to its end. Returns what differs in a machine that has followed. */
  finish(): string | undefined {
    return this.followers.map((follower) => follower.finish(this.machine)).find((difference) => difference !== undefined);
  }

  #step(own: OwnDump): string | undefined {
    const { exceptions, interrupts } = this.#counts();
    const stop = this.machine.run(this.machine.retired + 1);
    if (stop !== 'limit' && stop !== 'exit') return `the machine stops: ${stop}\n${this.#recent()}`;
    const after = this.#counts();
    this.#traps += after.exceptions - exceptions + after.interrupts - interrupts;
    own.render();
    return undefined;
  }

  #counts(): { exceptions: number; interrupts: number } {
    return { exceptions: this.machine.traps().exceptions, interrupts: this.machine.interrupts };
  }

  #describe(): string {
    const ours = this.#skipped.at(-1) ?? Buffer.alloc(0);
    // Of the dumps that it may have to do with, the one that is most like it.
    const differences = this.#waiting.map((theirs) => OwnDump.differences(ours, theirs));
    const [closest = []] = differences.sort((a, b) => a.length - b.length);
    const skipped = this.#skipped.length - 1;
    return [`register, here, in qemu, after ${this.compared} instructions and ${skipped} without a dump:`, ...closest, this.#recent()].join('\n');
  }

  /** The way to the difference. Guests of these tests are mapped so that the low 30 bits of a pc say where its code is. */
  #recent(): string {
    const lines = this.#path.map((pc) => {
      const bytes = this.machine.readMemory(this.machine.ramBase + (pc & 0x3fff_ffffn), 4);
      return `  ${pc.toString(16)} ${bytes ? disassemble(bytes, pc).text : ''}`;
    });
    return ['the last instructions:', ...lines].join('\n');
  }
}
