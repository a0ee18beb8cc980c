import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { symbolsOf } from './guest';
import type { Outside } from './outside';
import type { FaultPlan, Plan, ProtectionPlan } from './plan';
import { planFor } from './plan.test-support';

const path = resolve(import.meta.dirname, '../../test/oracles/frames/frames.elf');
const image = new Uint8Array(readFileSync(path));

/** A plan for the guest that answers frames, test/oracles/frames/frames.c. */
export function framesPlan(changes: { protection?: Partial<ProtectionPlan>; faults?: FaultPlan[]; spares?: number[] } = {}): Plan {
  const plan = planFor('checksum', { protection: { epochInstructions: 2_000, ...changes.protection }, faults: changes.faults ?? [] });
  return {
    ...plan,
    chip: { ...plan.chip, spares: changes.spares ?? [] },
    guest: { name: 'frames', path, image, ramBytes: 2 ** 20, harts: 1, network: { mac: Uint8Array.of(2, 0, 0, 0, 0, 1), forwards: [] } },
  };
}

export function framesAddress(symbol: string): bigint {
  const found = symbolsOf({ image }).find(symbol);
  if (!found) throw new Error(`frames has no symbol ${symbol}`);
  return found.address;
}

const headerBytes = 14;
const lengths = [60, 1514, 400, 61, 900];

/** What is thrown: ends of a known pattern, of several lengths. */
function ball(number: number): Uint8Array {
  const bytes = lengths[number % lengths.length] ?? 60;
  return Uint8Array.from({ length: bytes }, (_, i) => (i < headerBytes ? 2 : (number * 31 + i * 7) & 0x7f));
}

/** What the guest makes of it. */
export function answerTo(number: number): Uint8Array {
  const frame = ball(number);
  const seen = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, ...frame);
  let sum = 1;
  for (let round = 0; round < 4; round++) for (const byte of seen) sum = Math.imul(sum ^ byte, 16_777_619);
  const key = (sum >>> 24) & 0xff;
  return frame.map((byte, i) => (i < headerBytes ? byte : byte ^ key));
}

/** Throws frames at the guest, three together and the next three some time after their answers, and the last one tells it to end. */
export class Thrower implements Outside {
  readonly caught: Uint8Array[] = [];
  /** Times at which it was asked. */
  readonly asked: number[] = [];
  #thrown = 0;
  #due: number;
  #isOver = false;

  /** `first`: microseconds of the guest's clock at which the first ones are thrown. */
  constructor(
    private readonly frames = 60,
    private readonly first = 50,
  ) {
    this.#due = first;
  }

  fresh(): Thrower {
    return new Thrower(this.frames, this.first);
  }

  receive(frame: Uint8Array): void {
    this.caught.push(frame);
  }

  take(now: number, room: number): Uint8Array[] {
    this.asked.push(now);
    if (this.#isOver || this.caught.length < this.#thrown || now < this.#due) return [];
    this.#due = now + 700;
    this.#isOver = this.#thrown >= this.frames;
    if (this.#isOver) return [new Uint8Array(60).fill(0xff)];
    const balls = Array.from({ length: Math.min(3, room, this.frames - this.#thrown) }, (_, i) => ball(this.#thrown + i));
    this.#thrown += balls.length;
    return balls;
  }

  get isQuiet(): boolean {
    return this.#isOver || this.caught.length < this.#thrown;
  }
}
