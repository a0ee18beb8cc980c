import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { imageOfBytes } from '../machine/virtio/disk-image';
import { readElf } from '../symbols/elf';
import { symbolsOf } from './guest';
import type { FaultPlan, InputClass, Plan, ProtectionPlan } from './plan';
import { planFor } from './plan.test-support';

const folder = resolve(import.meta.dirname, '../../examples/inputs');
const path = resolve(folder, 'inputs.elf');
const image = new Uint8Array(readFileSync(path));
const disk = imageOfBytes(new Uint8Array(readFileSync(resolve(folder, 'disk.img'))));

/**
 * The steps of examples/inputs/inputs.c, the class of input that each takes in, the function and the instruction by which that happens,
 * if it is one, and whether nothing but that makes states differ: else something reaches a replica before it looks.
 */
export const inputSteps: readonly { name: string; bit: number; input: InputClass; in: string; by?: RegExp; isFirst: boolean }[] = [
  { name: 'timer', bit: 1, input: 'interrupts', in: 'count_until_interrupted', isFirst: true },
  { name: 'device', bit: 2, input: 'interrupts', in: 'count_until_interrupted', isFirst: true },
  { name: 'time', bit: 4, input: 'time', in: 'read_time', by: /^rdtime a0$/, isFirst: true },
  { name: 'cycle', bit: 8, input: 'cycle', in: 'read_cycle', by: /^rdcycle a0$/, isFirst: true },
  { name: 'calendar', bit: 16, input: 'rtc', in: 'read_calendar', by: /^lw /, isFirst: true },
  // The store by which the device is told.
  { name: 'random', bit: 32, input: 'entropy', in: 'offer', by: /^sw /, isFirst: true },
  { name: 'disk', bit: 64, input: 'disk', in: 'read_sector', by: /^lhu /, isFirst: false },
  { name: 'line', bit: 128, input: 'console', in: 'read_line', by: /^lbu /, isFirst: false },
  { name: 'reservations', bit: 256, input: 'reservations', in: 'add_up', by: /^sc\.d /, isFirst: true },
];

const images = new Map<number, Uint8Array>();

/** The guest, which makes only these of its steps. */
function imageFor(steps: number): Uint8Array {
  let known = images.get(steps);
  if (!known) {
    known = image.slice();
    const address = symbolsOf({ image }).find('steps')?.address ?? 0n;
    const segment = readElf(known).segments.find((each) => address >= each.address && address < each.address + BigInt(each.data.length));
    if (!segment) throw new Error('inputs has no steps');
    // Where that stands in the file.
    const { data } = segment;
    new DataView(data.buffer, data.byteOffset).setUint32(Number(address - segment.address), steps, true);
    images.set(steps, known);
  }
  return known;
}

export function inputsAddress(symbol: string): bigint {
  const found = symbolsOf({ image }).find(symbol);
  if (!found) throw new Error(`inputs has no symbol ${symbol}`);
  return found.address;
}

/** A plan for the guest that takes in all kinds of inputs, or for some of its steps. */
export function inputsPlan(changes: { steps?: number; protection?: Partial<ProtectionPlan>; faults?: FaultPlan[]; seed?: number; maxInstructions?: number; typed?: string } = {}): Plan {
  const { steps = 511, typed = 'somebody\n', ...others } = changes;
  const plan = planFor('checksum', others);
  return {
    ...plan,
    guest: { name: 'inputs', path, image: imageFor(steps), ramBytes: 2 ** 20, harts: 1, entropy: true, disks: [{ image: disk }], typing: [{ awaited: 'name? ', text: typed }] },
  };
}
