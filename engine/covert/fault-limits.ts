import { mostLineFaults, mostMessageFaults } from '../core/cache-layout';
import { mostAwaited, mostBreakpoints, mostStuckReads, mostStuckWords, mostTlbFaults, mostWatches, pageBytes } from '../core/layout';
import type { FaultEffect, FaultPlan, PassingPlace, Place, Trigger } from './plan';

/** What a core has only so many slots for, and how many; counted for all faults together, wherever they strike. */
const limits = {
  message: { most: mostMessageFaults, what: 'faults of messages' },
  line: { most: mostLineFaults, what: 'bytes of cache lines that are struck' },
  translation: { most: mostTlbFaults, what: 'pages whose translations are struck' },
  'stuck translation': { most: mostTlbFaults, what: 'pages in whose translations bits stick' },
  'stuck word': { most: mostStuckWords, what: 'doublewords of memory in which bits stick' },
  // Any may take one of the slots for what is only read; of those for what is kept there are more (machine/stuck-units.ts).
  'stuck csr': { most: mostStuckReads, what: 'CSRs in which bits stick' },
  value: { most: mostAwaited, what: 'faults that wait for a value' },
  access: { most: mostWatches, what: 'faults that wait for an access' },
  execute: { most: mostBreakpoints, what: 'instructions that faults wait for' },
} as const;

type Kind = keyof typeof limits;

/** A slot that a fault needs: of several that need the same one, there is one. */
interface Slot {
  kind: Kind;
  key: unknown;
}

/** The first of the faults for which there is no room beside those before it, and why; undefined where there is room for all. */
export function firstBeyond(faults: readonly Pick<FaultPlan, 'effect' | 'trigger'>[]): { index: number; why: string } | undefined {
  const used = new Map<Kind, Set<unknown>>();
  for (const [index, fault] of faults.entries()) {
    for (const { kind, key } of slotsOf(fault, index)) {
      const keys = used.get(kind) ?? new Set();
      used.set(kind, keys.add(key));
      const { most, what } = limits[kind];
      if (keys.size > most) return { index, why: `a scenario can have at most ${most} ${what}` };
    }
  }
  return undefined;
}

function slotsOf({ effect, trigger }: Pick<FaultPlan, 'effect' | 'trigger'>, index: number): Slot[] {
  return [...effectSlots(effect, index), ...triggerSlots(trigger, index)];
}

function effectSlots(effect: FaultEffect, index: number): Slot[] {
  switch (effect.kind) {
    case 'message':
      return [{ kind: 'message', key: index }];
    case 'flip':
    case 'set':
      return placeSlots(effect.place, `${index}`);
    case 'flip-random':
      return effect.places.slice(0, effect.count).flatMap((place, i) => placeSlots(place, `${index}.${i}`));
    case 'stick':
      switch (effect.place.kind) {
        case 'memory':
          return [{ kind: 'stuck word', key: effect.place.address >> 3n }];
        case 'csr':
          return [{ kind: 'stuck csr', key: effect.place.number }];
        case 'tlb':
          return [{ kind: 'stuck translation', key: effect.place.address / BigInt(pageBytes) }];
        default:
          return [];
      }
    case 'die':
      return [];
  }
}

function placeSlots(place: Place | PassingPlace, key: string): Slot[] {
  switch (place.kind) {
    case 'message':
    case 'line':
      return [{ kind: place.kind, key }];
    case 'tlb':
      return [{ kind: 'translation', key: place.address / BigInt(pageBytes) }];
    default:
      return [];
  }
}

function triggerSlots(trigger: Trigger, index: number): Slot[] {
  switch (trigger.kind) {
    case 'value':
    case 'access':
      return [{ kind: trigger.kind, key: index }];
    case 'execute':
      return [{ kind: 'execute', key: trigger.address }];
    default:
      return [];
  }
}
