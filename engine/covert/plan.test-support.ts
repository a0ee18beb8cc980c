import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { symbolsOf } from './guest';
import type { FaultPlan, FaultTarget, Plan, ProtectionPlan, Trigger, FaultEffect } from './plan';

const images = new Map<string, Uint8Array>();

export type Example = 'checksum' | 'sort' | 'ticker';

/** The committed ELF of an example; the same array each time, as caches are keyed by it. */
export function imageOf(example: Example): Uint8Array {
  let image = images.get(example);
  if (!image) images.set(example, (image = new Uint8Array(readFileSync(pathOf(example)))));
  return image;
}

function pathOf(example: Example): string {
  return resolve(import.meta.dirname, `../../examples/${example}/${example}.elf`);
}

/** A plan for an example on a plain chip, with what the test cares about replaced. */
export function planFor(
  example: Example,
  changes: { protection?: Partial<ProtectionPlan>; faults?: FaultPlan[]; maxInstructions?: number; seed?: number } = {},
): Plan {
  return {
    name: `${example} under test`,
    chip: {
      name: 'octo',
      cores: 8,
      hertz: 2e9,
      l2Banks: 8,
      l2BankBytes: 512 * 1024,
      memoryControllers: 4,
      ring: true,
      spares: [],
    },
    guest: { name: example, path: pathOf(example), image: imageOf(example), ramBytes: 16 * 1024 * 1024, harts: 1 },
    protection: {
      kind: 'dmr',
      cores: [0, 1],
      isolation: 'full',
      epochInstructions: 10_000,
      checkpointEpochs: 4,
      compareOutput: true,
      compareStateEpochs: 4,
      watchdogEpochs: 4,
      retry: 2,
      uncoordinated: [],
      ...changes.protection,
    },
    faults: changes.faults ?? [],
    expectations: [],
    seed: changes.seed ?? 1,
    maxInstructions: changes.maxInstructions ?? 50_000_000,
  };
}

export function fault(effect: FaultEffect, trigger: Trigger, target: FaultTarget = { kind: 'replica', replica: 'B' }): FaultPlan {
  return { name: 'fault', text: 'a fault under test', effect, target, trigger, optional: false };
}

/** A flip of one bit of an integer register. */
export function flipX(index: number, bit: number, trigger: Trigger, target?: FaultTarget): FaultPlan {
  return fault({ kind: 'flip', place: { kind: 'x', index }, bits: [bit] }, trigger, target);
}

export function addressOf(example: Example, symbol: string): bigint {
  const found = symbolsOf({ image: imageOf(example) }).find(symbol);
  if (!found) throw new Error(`${example} has no symbol ${symbol}`);
  return found.address;
}
