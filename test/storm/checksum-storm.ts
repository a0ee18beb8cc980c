/**
 * A storm of soft errors: one guest, run again and again, each time with one
 * random bit flipped in one replica at one random instruction. Every run is a
 * function of the seed and its number, so any of them can be repeated alone.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { draw } from '../../engine/covert/draw';
import type { FaultPlan, Place, Plan, ProtectionKind, ReplicaName } from '../../engine/covert/plan';
import type { Report } from '../../engine/covert/report';
import { run } from '../../engine/covert/run';
import { readSymbols } from '../../engine/symbols/symbols';
import { runMachine } from '../oracles/run-machine';

export interface StormOptions {
  /** The guest's ELF. Its symbol `__stack_top` ends the memory that is struck. */
  path: string;
  seed: number;
  protection: 'none' | 'dmr';
}

/** What became of one run, held against a fault-free run of the bare machine. */
export interface Outcome {
  number: number;
  fault: string;
  change: string;
  /** The released bytes are exactly the fault-free ones: none wrong, none lost, none twice. */
  exact: boolean;
  exit: number | null;
  ended: Report['guest']['ended'];
  /** The report's own verdict. */
  reportedCorrupt: boolean | null;
  detectedBy: string[];
  recoveries: number;
}

const ramStart = 0x8000_0000;
const ramBytes = 4 << 20;

export class Storm {
  readonly #options: StormOptions;
  readonly #image: Uint8Array;
  readonly #instructions: number;
  readonly #released: string;
  readonly #memoryBytes: number;

  constructor(options: StormOptions) {
    this.#options = options;
    this.#image = readFileSync(options.path);
    const { output, machine, exit } = runMachine(this.#image);
    if (exit !== 0) throw new Error(`${options.path}: a run without faults ends with exit code ${exit}`);
    this.#released = createHash('sha256').update(output).digest('hex');
    this.#instructions = machine.retired;
    const top = readSymbols(this.#image).find('__stack_top');
    if (!top) throw new Error(`${options.path}: no symbol __stack_top`);
    this.#memoryBytes = Number(top.address) - ramStart;
  }

  async outcome(number: number): Promise<Outcome> {
    const plan = this.#plan(number);
    const report = await run(plan, { withoutDivergences: true });
    const [fault] = report.faults;
    if (!fault?.fired) throw new Error(`storm seed ${this.#options.seed}, run ${number}: the fault did not fire`);
    return {
      number,
      fault: fault.text,
      change: fault.change ?? '',
      exact: report.released.sha256 === this.#released,
      exit: report.guest.exit,
      ended: report.guest.ended,
      reportedCorrupt: report.released.corrupt,
      detectedBy: report.detections.map(({ by }) => by),
      recoveries: report.recoveries.length,
    };
  }

  #plan(number: number): Plan {
    const { path, seed, protection } = this.#options;
    const kind: ProtectionKind = protection;
    return {
      name: `storm ${seed}/${number}`,
      chip: {
        name: 'octo', cores: 8, hertz: 2e9, l2Banks: 8, l2BankBytes: 512 << 10, memoryControllers: 4, ring: true, spares: [],
      },
      guest: { name: 'guest', path, image: this.#image, ramBytes, harts: 1 },
      protection: {
        kind,
        cores: kind === 'none' ? [0] : [0, 1],
        isolation: 'full',
        epochInstructions: 10_000,
        checkpointEpochs: 16,
        compareOutput: true,
        // Every other run leaves all to the comparison of outputs.
        compareStateEpochs: number % 2 === 0 ? 4 : 0,
        watchdogEpochs: 4,
        retry: 2,
        uncoordinated: [],
      },
      faults: [this.#fault(number)],
      expectations: [],
      seed,
      maxInstructions: 4 * this.#instructions,
    };
  }

  /** Half of the faults strike a register (pc included), half a byte of the guest's memory, code included. */
  #fault(number: number): FaultPlan {
    const pick = (what: string, bound: number): number => draw(this.#options.seed, `run ${number} ${what}`, bound);
    const replica: ReplicaName = this.#options.protection === 'none' || pick('replica', 2) === 0 ? 'A' : 'B';
    const count = pick('instruction', this.#instructions);
    const index = pick('register', 32);
    const place: Place =
      pick('kind', 2) === 0
        ? index === 0 ? { kind: 'pc' } : { kind: 'x', index }
        : { kind: 'memory', address: BigInt(ramStart + pick('address', this.#memoryBytes)), bytes: 1 };
    const bit = pick('bit', place.kind === 'memory' ? 8 : 64);
    const name =
      place.kind === 'x' ? `x${place.index}` : place.kind === 'memory' ? `memory[0x${place.address.toString(16)}]` : 'pc';
    return {
      name: 'fault 1',
      text: `flip ${name} bit ${bit} in replica ${replica} at instruction ${count}`,
      effect: { kind: 'flip', place, bits: [bit] },
      target: { kind: 'replica', replica },
      trigger: { kind: 'instruction', count },
      optional: false,
    };
  }
}
