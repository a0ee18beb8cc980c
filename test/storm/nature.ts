/**
 * What escapes by its nature: no protection can see it, since it strikes what protects. A storm has these apart, and counts them as what they are.
 */
import { draw } from '../../engine/covert/draw';
import type { FaultPlan, FaultTarget, Trigger } from '../../engine/covert/plan';
import type { StormGuest } from './guests';
import { outcomeOf, type Outcome } from './storm';

export const natures = ['the comparer, alone', 'the comparer, together with a flip', 'a flip before a clone is made'] as const;
export type Nature = (typeof natures)[number];

/** One run; a function of the seed and its number. */
export function natureOutcome(guest: StormGuest, seed: number, number: number, signal?: AbortSignal): Promise<Outcome<Nature>> {
  const nature = natures[number % natures.length] ?? natures[0];
  const pick = (what: string, bound: number): number => draw(seed, `${guest.name} nature ${number} ${what}`, bound);
  const count = guest.from + pick('instruction', guest.to - guest.from - 1);
  const [register, bit] = [1 + pick('register', 31), pick('bit', 64)];
  const inReplica = (replica: 'A' | 'B'): FaultTarget => ({ kind: 'replica', replica });
  const at = (instruction: number): Trigger => ({ kind: 'instruction', count: instruction });
  const one = (text: string, effect: FaultPlan['effect'], target: FaultTarget, trigger: Trigger): FaultPlan => ({ name: text, text, effect, target, trigger, optional: false });
  const replica = pick('replica', 2) === 0 ? 'A' : 'B';
  const flip = one(`flip x${register} bit ${bit} in replica ${replica}`, { kind: 'flip', place: { kind: 'x', index: register }, bits: [bit] }, inReplica(replica), at(count));
  const lie = one('flip comparer bit 0', { kind: 'flip', place: { kind: 'comparer' }, bits: [0] }, inReplica('A'), at(count));
  const about = { number, site: nature, fault: `${nature} at instruction ${count}` };
  switch (nature) {
    case 'the comparer, alone':
      return outcomeOf(guest, about, { kind: 'dmr', isolation: 'full', faults: [lie] }, signal);
    case 'the comparer, together with a flip':
      return outcomeOf(guest, about, { kind: 'dmr', isolation: 'full', faults: [flip, lie] }, signal);
    case 'a flip before a clone is made':
      // The protection comes just behind the error.
      return outcomeOf(guest, about, { kind: 'none', isolation: 'full', faults: [{ ...flip, target: inReplica('A') }], switches: [{ kind: 'dmr', cores: [0, 1], trigger: { kind: 'instruction', count: count + 1 } }] }, signal);
  }
}
