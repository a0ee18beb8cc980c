import { homeOf, reaches } from '../../engine/chip/domains';
import { bankName, linkName } from '../../engine/chip/health';
import { needsCaches } from '../../engine/covert/cache-faults';
import type { ChipPlan, FaultEffect, FaultPlan, FaultTarget, ProtectionPlan } from '../../engine/covert/plan';
import type { Context } from './context';
import { part, rename, type Span } from './diagnostic';
import type * as ast from './generated/ast';
import { integer } from './measures';
import { guesses } from './mends';
import { placementOn } from './placements';
import { replicasOf, tenantsOf } from './protections';

/** The places of L2 banks that an effect names. */
export function banksOf(effect: ast.Effect): ast.CachePlace[] {
  const places = effect.$type === 'RandomFlip' ? effect.places.map(({ first }) => first) : 'place' in effect ? [effect.place] : [];
  return places.filter((place): place is ast.CachePlace => place?.$type === 'CachePlace' && place.word === 'l2');
}

/** What becomes of a message. Which link that is of, and whether there is one, is the target's matter. */
export function lowerMessage(effect: ast.MessageFault, context: Context): FaultEffect | undefined {
  const from = integer(context, effect.link, 'from');
  const to = integer(context, effect.link, 'to');
  return from === undefined || to === undefined ? undefined : { kind: 'message', how: effect.word, from, to };
}

/** A link of the ring as what a fault strikes. It carries messages both ways, and is named as the chip's description does. */
export function lowerLink(link: ast.Link, chip: ChipPlan | undefined, context: Context): FaultTarget | undefined {
  const { reporter } = context;
  const from = integer(context, link, 'from');
  const to = integer(context, link, 'to');
  if (from === undefined || to === undefined || !chip) return undefined;
  if (!chip.ring) {
    reporter.error('COV309', link.$cstNode, `${chip.name} has no ring, so no links`);
    return undefined;
  }
  const first = to === (from + 1) % chip.cores ? from : from === (to + 1) % chip.cores ? to : undefined;
  if (from < chip.cores && to < chip.cores && first !== undefined) return { kind: 'component', component: linkName(first, chip.cores) };
  const next = from < chip.cores && chip.cores > 1 ? `link ${from} -> ${(from + 1) % chip.cores}` : undefined;
  reporter.error('COV309', link.$cstNode, `${chip.name} has no link ${from} -> ${to}: links join a node with the next one, 0 -> 1 to ${chip.cores - 1} -> 0`, guesses(rename(link.$cstNode, next)));
  return undefined;
}

/** Warns of a line that no replica has in the bank that is named, and of a link that no message crosses. */
export function warnOfAbsence(place: Span | undefined, { effect, target }: Pick<FaultPlan, 'effect' | 'target'>, { chip, protection, others = [] }: { chip: ChipPlan | undefined; protection: ProtectionPlan | undefined; others?: readonly { protection: ProtectionPlan }[] }, { reporter }: Context): void {
  if (target.kind !== 'component' || !chip || !protection || !needsCaches({ effect })) return;
  const all = placementOn(chip, protection.cores, protection.isolation, others.flatMap((each) => tenantsOf(each.protection)));
  if (typeof all === 'string') return;
  // The guest's own come first.
  const placement = { domains: all.domains.slice(0, protection.cores.length) };
  if (effect.kind === 'message' && !placement.domains.some((domain) => reaches(domain, target.component, chip.cores))) {
    reporter.warning('COV605', place, `no replica's messages cross this link under isolation \`${protection.isolation}\`: it is cut, so this never strikes`);
  }
  const lines = effect.kind === 'flip-random' ? effect.places : 'place' in effect ? [effect.place] : [];
  for (const line of lines) {
    if (line.kind !== 'line' || placement.domains.some((domain) => bankName(homeOf(domain, line.address)) === target.component)) continue;
    const homes = placement.domains.map((domain, i) => `${homeOf(domain, line.address)} for replica ${replicasOf(protection.kind)[i]}`);
    reporter.warning('COV605', place, `no replica has this line in ${target.component}, but in bank ${homes.join(', ')}: this never strikes`);
    return;
  }
}

/** With what timing a scenario runs: that of its chip, but that a fault of a cache or a message takes caches. */
export function withCaches(chip: ChipPlan, faults: readonly Pick<FaultPlan, 'effect'>[]): ChipPlan {
  return faults.some(needsCaches) ? { ...chip, timing: 'detailed' } : chip;
}

/** Warns of a chip that says `timing fast`, where a fault needs caches. */
export function warnOfFastTiming(fault: ast.Fault | ast.Alternative, plan: Pick<FaultPlan, 'effect'>, chip: ChipPlan | undefined, { reporter }: Context): void {
  if (chip?.timing !== 'fast' || !needsCaches(plan)) return;
  reporter.warning('COV606', part(fault, 'effect'), `this takes caches, so it runs with \`timing detailed\`, whatever ${chip.name} says`);
}
