import type { ChipPlan, Lifetime, ProtectionPlan } from '../../engine/covert/plan';
import type { Context } from './context';
import type * as ast from './generated/ast';
import { notAvailable, positive, span } from './measures';

/** How long a fault lasts; Infinity for ever. */
export function lowerLifetime(lifetime: ast.Lifetime, lasts: boolean, { chip, protection }: { chip: ChipPlan | undefined; protection: ProtectionPlan | undefined }, context: Context): Lifetime | undefined {
  const { word, length } = lifetime;
  if (!lasts) {
    if (word === 'once') return { unit: 'cycles', length: Infinity };
    return notAvailable(context, lifetime.$cstNode, 'soft errors that last (they strike `once`)');
  }
  if (word === 'forever') return { unit: 'cycles', length: Infinity };
  if (word !== 'for' || !length) return notAvailable(context, lifetime.$cstNode, `hard errors that strike \`${word}\` (\`forever\` and \`for\` a time are)`);
  const time = span(context, length);
  if (!time || positive(context, length, time.value, 'the time that a fault lasts') === undefined) return undefined;
  switch (time.unit) {
    case 'instructions':
    case 'cycles':
      return { unit: time.unit, length: time.value };
    case 'epochs':
      return protection && { unit: 'instructions', length: time.value * protection.epochInstructions };
    case 'seconds':
      return chip && { unit: 'cycles', length: Math.max(1, Math.round(time.value * chip.hertz)) };
  }
}
