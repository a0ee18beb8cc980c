import { homeOf, reaches } from '../../engine/chip/domains';
import { bankName, controllerName, coreName } from '../../engine/chip/health';
import { placeWidth } from '../../engine/covert/place';
import type { ChipPlan, FaultEffect, FaultPlan, FaultTarget, PassingPlace, Place, ProtectionPlan, StuckPlace, Trigger } from '../../engine/covert/plan';
import { banksOf, lowerLink, lowerMessage, warnOfAbsence } from './cache-faults';
import { coreExists } from './chips';
import { foldedText, type Context } from './context';
import { csrHolds, csrSticks } from './csr-probe';
import { head, part, rename, type Fix, type Span } from './diagnostic';
import * as ast from './generated/ast';
import { lateTargetOf } from './late-targets';
import { lowerLifetime, warnOfLateEnd } from './lifetimes';
import { integer, notAvailable, oneOf } from './measures';
import { append, guesses, leaveOut, remove } from './mends';
import { lowerPlace, lowerPlaceRange, lowerStuckPlace, lowerValue, placeText, widened } from './places';
import { placementOn } from './placements';
import { replicasOf, tenantsOf } from './protections';
import { lowerTrigger, type TriggerScope } from './triggers';
import { decodeInteger } from './values';

/** What a scenario's faults are checked against. */
export interface FaultScope extends TriggerScope {
  protection: ProtectionPlan | undefined;
  /** Of the other guests on the chip. */
  others?: readonly Occupancy[];
}

/** Where another guest of the scenario runs, to begin with. */
export interface Occupancy {
  name: string;
  protection: ProtectionPlan;
}

/** The other guest that begins on a core. */
function ownerOf(core: number, others: FaultScope['others']): string | undefined {
  return others?.find(({ protection }) => protection.cores.includes(core))?.name;
}

/** What strikes: a scenario's fault, or one of those that a campaign draws from. */
export type Strike = ast.Fault | ast.Alternative;

/** Undefined where something is wrong, which is reported. */
export function lowerFault(fault: ast.Fault, number: number, scope: FaultScope, context: Context): FaultPlan | undefined {
  const trigger = lowerTrigger(fault.trigger, mayLast(fault), scope, context);
  const strike = lowerStrike(fault, trigger, scope, context);
  warnOfStrayMark(fault, context);
  return strike && trigger && { name: fault.name ?? `fault ${number}`, ...strike, trigger, optional: fault.marks.length > 0 };
}

/**
 * Warns of an `optional` that a reader takes for the next fault's: in the grammar, to which lines are nothing, it is that of the
 * fault before it.
 */
function warnOfStrayMark(fault: ast.Fault, { reporter }: Context): void {
  const mark = fault.marks.length > 0 ? part(fault, 'marks', fault.marks.length - 1) : undefined;
  if (!mark || mark.end !== fault.$cstNode?.end) return;
  const text = mark.root.fullText;
  const isFirstOfLine = /\n[ \t]*$/.test(text.slice(Math.max(0, mark.offset - 200), mark.offset));
  if (isFirstOfLine && /^[ \t]+fault\b/.test(text.slice(mark.end, mark.end + 200))) {
    reporter.warning('COV610', mark, 'this `optional` is that of the fault before it: write it at the end of the fault that it is meant for');
  }
}

/** True of what lasts or comes again, which may be written with `from`. */
export function mayLast({ effect, lifetime }: Strike): boolean {
  return dies(effect) || effect.$type === 'Stick' || lifetime?.word === 'every';
}

function dies(effect: ast.Effect): boolean {
  return effect.$type === 'Death' || effect.$type === 'Failure';
}

/** All of it but when it strikes, which is known where it is the same in each run. Undefined where something is wrong, which is reported. */
export function lowerStrike(fault: Strike, trigger: Trigger | undefined, scope: FaultScope, context: Context): Omit<FaultPlan, 'name' | 'trigger' | 'optional'> | undefined {
  const effect = lowerEffect(fault.effect, scope, context);
  const target = lowerTarget(fault, scope, context);
  const kind = dies(fault.effect) ? 'dies' : fault.effect.$type === 'Stick' ? 'sticks' : 'strikes once';
  const timing = fault.lifetime && lowerLifetime(fault.lifetime, kind, scope, context);
  warnOfLateEnd(fault.lifetime, timing, trigger, context);
  if (!effect || !target || (fault.lifetime && !timing)) return undefined;
  warnOfSharing(fault, { effect, target }, scope, context);
  warnOfAbsence(fault.effect.$cstNode, { effect, target }, scope, context);
  return {
    text: [fault.effect, fault.target, fault.trigger, fault.lifetime].map(foldedText).filter(Boolean).join(' '),
    effect,
    target,
    ...timing,
    range: context.range(fault),
  };
}

function lowerEffect(effect: ast.Effect, scope: FaultScope, context: Context): FaultEffect | undefined {
  switch (effect.$type) {
    case 'Flip': {
      const place = lowerPlace(effect.place, scope, context);
      const bits = lowerBits(effect.bits, place, context);
      if (!place || !bits) return undefined;
      warnOfFixed(effect.place.$cstNode, whyFixed(place, bits), context);
      return { kind: 'flip', place, bits };
    }
    case 'RandomFlip': {
      const places = effect.places.map((range) => lowerPlaceRange(range, scope, context));
      const count = integer(context, effect, 'count', { least: 1, what: 'a number of bits' });
      if (count === undefined || places.some((some) => some.length === 0)) return undefined;
      const all = places.flat();
      const bits = all.reduce((sum, place) => sum + placeWidth(place), 0);
      if (count > bits) {
        context.reporter.error('COV402', part(effect, 'count'), `these places have ${bits} bits together, not ${count}`, guesses(rename(part(effect, 'count'), String(bits))));
        return undefined;
      }
      const fixed = all.map((place) => whyFixed(place, allBits));
      if (fixed.every((why) => why !== undefined)) warnOfFixed(part(effect, 'places'), fixed[0], context);
      return { kind: 'flip-random', places: all, count };
    }
    case 'Overwrite': {
      const place = lowerPlace(effect.place, scope, context);
      const value = lowerValue(effect.value, place, scope, context);
      if (place?.kind === 'dma' || place?.kind === 'message') return notAvailable(context, effect.place.$cstNode, '`set` for a whole transfer (`flip` is)');
      if (place?.kind === 'comparer') return notAvailable(context, effect.place.$cstNode, '`set` for a verdict of the comparer (`flip` is)');
      if (!place || value === undefined) return undefined;
      if (place.kind === 'pc' && value % 2n === 1n) {
        const isPlain = ast.isNumberAddress(effect.value) && effect.value.offset === undefined;
        context.reporter.error('COV406', effect.value.$cstNode, 'a pc is always even', isPlain ? guesses(rename(effect.value.$cstNode, `0x${(value - 1n).toString(16)}`)) : []);
        return undefined;
      }
      warnOfFixed(effect.place.$cstNode, whyFixed(place, allBits), context);
      return { kind: 'set', place, value };
    }
    case 'Stick': {
      const place = lowerStuckPlace(effect.place, scope, context);
      const bits = lowerBits(effect.bits, place, context);
      const value = integer(context, effect, 'value');
      if (value !== undefined && value > 1) context.reporter.error('COV406', part(effect, 'value'), 'a bit sticks at 0 or at 1', guesses(rename(part(effect, 'value'), '1')));
      if (!place || !bits || value === undefined || value > 1) return undefined;
      warnOfFixed(effect.place.$cstNode, whyUnstuck(place, bits), context);
      return { kind: 'stick', place, bits, value: value === 0 ? 0 : 1 };
    }
    case 'Death':
      return { kind: 'die', how: effect.word === 'hang' ? 'hangs' : 'stops' };
    case 'Failure':
      return { kind: 'die', how: 'stops' };
    case 'MessageFault':
      return lowerMessage(effect, context);
  }
}

const allBits = Array.from({ length: 64 }, (_, bit) => bit);

/** Why a fault in these bits of a place changes nothing; undefined where it does. */
function whyFixed(place: Place | StuckPlace | PassingPlace, bits: readonly number[]): string | undefined {
  if (place.kind === 'x' && place.index === 0) return 'x0 always reads as zero';
  if (place.kind === 'pc' && bits.every((bit) => bit === 0)) return 'a pc is always even';
  if (place.kind !== 'csr' || csrHolds(place.number, bits)) return undefined;
  return `${placeText(place)} does not hold what is written to ${bits.length === 1 ? `bit ${bits[0]}` : 'these bits'}`;
}

/** Why bits that stick there change nothing. */
function whyUnstuck(place: StuckPlace, bits: readonly number[]): string | undefined {
  if (place.kind === 'alu') return undefined;
  if (place.kind !== 'csr') return whyFixed(place, bits);
  return csrSticks(place.number, bits) ? undefined : `${placeText(place)} has no ${bits.length === 1 ? `bit ${bits[0]}` : 'such bits'}`;
}

function warnOfFixed(place: Span | undefined, why: string | undefined, { reporter }: Context): void {
  if (why !== undefined) reporter.warning('COV601', place, `${why}: a fault there changes nothing`);
}

function lowerBits(ranges: ast.BitRange[], place: Place | StuckPlace | PassingPlace | undefined, context: Context): number[] | undefined {
  const bits = new Set<number>();
  let wrong = ranges.length === 0;
  const width = place ? placeWidth(place) : 64;
  for (const range of ranges) {
    const first = integer(context, range, 'first');
    const last = range.last === undefined ? first : integer(context, range, 'last');
    if (first === undefined || last === undefined) {
      wrong = true;
      continue;
    }
    const beyond = first >= width ? 'first' : last >= width ? 'last' : undefined;
    if (beyond) {
      const where = place ? placeText(place) : 'a register';
      context.reporter.error('COV402', part(range, beyond), `${where}, has ${width === 1 ? 'only bit 0' : `bits 0 to ${width - 1}`}, no bit ${range[beyond]}`.replace(/^([\w ]+),/, '$1'), inReach(range, beyond, width, bits));
      wrong = true;
      continue;
    }
    if (last < first) {
      context.reporter.error('COV402', range.$cstNode, `bits count upwards: ${last}..${first}`, rename(range.$cstNode, `${last}..${first}`));
      wrong = true;
      continue;
    }
    for (let bit = first; bit <= last; bit++) {
      if (bits.has(bit)) {
        context.reporter.error('COV403', range.$cstNode, `bit ${bit} is named twice${range.$container.$type === 'Flip' ? ', and would flip back' : ''}`, leaveOut(ranges, range.$containerIndex));
        wrong = true;
        break;
      }
      bits.add(bit);
    }
  }
  return wrong ? undefined : [...bits];
}

/** A wider place that has the bit, or else the highest bit that there is. */
function inReach(range: ast.BitRange, beyond: 'first' | 'last', width: number, named: ReadonlySet<number>): Fix[] {
  const { place } = range.$container;
  if (ast.isMemoryPlace(place)) return guesses(widened(place, Number(decodeInteger(range.last ?? range.first).value ?? Infinity) + 1));
  return named.has(width - 1) ? [] : guesses(rename(part(range, beyond), String(width - 1)));
}

function lowerTarget(fault: Strike, { chip, protection, others }: FaultScope, context: Context): FaultTarget | undefined {
  const { target, effect } = fault;
  const banks = banksOf(effect);
  const [bank] = banks;
  if (bank) {
    if (target) reportNeedless(target, 'the bank is what this strikes already', context);
    if (effect.$type === 'RandomFlip' && (banks.length < effect.places.length || banks.some((other) => other.bank !== bank.bank))) {
      context.reporter.error('COV409', part(effect, 'places'), 'bits are drawn from lines of one bank, or from places that are no bank\'s');
      return undefined;
    }
    return lowerBank(bank, chip, context);
  }
  if (effect.$type === 'MessageFault') {
    if (target) reportNeedless(target, 'the link is what this strikes already', context);
    return lowerLink(effect.link, chip, context);
  }
  if (effect.$type === 'Death' || effect.$type === 'Failure') {
    if (target) reportNeedless(target, `\`${effect.word}\` names what it strikes already`, context);
    return lowerComponent(effect, chip, protection, others, context);
  }
  if (isOfComparer(effect)) return lowerComparer(effect, target, protection, context);
  if (!target) {
    if (['Flip', 'RandomFlip', 'Overwrite', 'Stick'].includes(fault.effect.$type) && !lateTargetOf(fault)) {
      const first = protection ? replicasOf(protection.kind).at(-1) : 'B';
      context.reporter.error('COV409', head(fault.effect), `say where it strikes: \`in replica ${first}\` or \`on core N\``, guesses(append(fault.effect.$cstNode, ` in replica ${first}`, `Add \`in replica ${first}\``)));
    }
    return undefined;
  }
  if (target.$type === 'CoreTarget') {
    const core = integer(context, target.core, 'number');
    if (core === undefined) return undefined;
    if (chip && !coreExists(context, target.core, core, chip)) return undefined;
    const owner = ownerOf(core, others);
    if (owner !== undefined) {
      context.reporter.error('COV409', target.core.$cstNode, `core ${core} is guest ${owner}'s: write this fault in the block of ${owner}, whose run its trigger is about`);
      return undefined;
    }
    // A replica may come to a spare, and find a lasting fault there.
    if (protection && !protection.cores.includes(core) && !chip?.spares.includes(core)) {
      const cores = protection.cores.join(', ');
      context.reporter.warning('COV605', target.core.$cstNode, `no replica runs on core ${core} (they are on ${cores}), so this never strikes`, guesses(rename(part(target.core, 'number'), protection.cores.at(-1)?.toString())));
    }
    return { kind: 'core', core };
  }
  // One without a name is a slip that has been reported.
  if (!target.replica) return undefined;
  const place = part(target, 'replica');
  const replicas = replicasOf(protection?.kind ?? 'tmr');
  const replica = (['A', 'B', 'C'] as const).find((name) => name === target.replica);
  if (replica && replicas.includes(replica)) return { kind: 'replica', replica };
  if (!replica || !protection) {
    oneOf(context, place, target.replica, replicas, 'replica');
    return undefined;
  }
  const which = replicas.length === 1 ? 'only replica A' : `replicas ${replicas.join(' and ')}`;
  const fix = replicas.at(-1);
  context.reporter.error('COV405', place, `there is no replica ${replica}: under \`${protection.kind}\` there is ${which}`.replace('there is replicas', 'there are replicas'), [
    ...(place && fix ? guesses([{ title: `Change to replica ${fix}`, span: { offset: place.offset, end: place.end }, text: fix }]) : []),
  ]);
  return undefined;
}

function reportNeedless({ $cstNode: place }: ast.Target, why: string, { reporter }: Context): void {
  reporter.error('COV210', place, `${why}: leave out \`${place?.text ?? 'it'}\``, remove(place, `Leave out \`${place?.text}\``));
}

function isOfComparer(effect: ast.Effect): boolean {
  if (effect.$type === 'RandomFlip') return effect.places.some(({ first }) => first.$type === 'ComparerPlace');
  return (effect.$type === 'Flip' || effect.$type === 'Overwrite') && effect.place.$type === 'ComparerPlace';
}

/** There is one comparer for all replicas: its trigger is one of replica A's run. */
function lowerComparer(effect: ast.Effect, target: ast.Target | undefined, protection: ProtectionPlan | undefined, context: Context): FaultTarget {
  const { reporter } = context;
  if (target) reportNeedless(target, 'the comparer is what this strikes already, and there is one for all replicas', context);
  else if (protection && (protection.kind === 'none' || (!protection.compareOutput && protection.compareStateEpochs === 0))) {
    reporter.warning('COV605', effect.$cstNode, 'nothing is compared under this protection, so this never strikes');
  }
  return { kind: 'replica', replica: 'A' };
}

function lowerBank(place: ast.CachePlace, chip: ChipPlan | undefined, context: Context): FaultTarget | undefined {
  const bank = integer(context, place, 'bank');
  if (bank === undefined || !chip) return undefined;
  if (bank < chip.l2Banks) return { kind: 'component', component: bankName(bank) };
  noSuch('L2 bank', chip.l2Banks, bank, part(place, 'bank'), chip, context);
  return undefined;
}

function noSuch(what: string, count: number, number: number, place: Span | undefined, chip: ChipPlan, { reporter }: Context): void {
  reporter.error('COV309', place, `${chip.name} has ${count === 1 ? `only ${what} 0` : `${what}s 0 to ${count - 1}`}, no ${what} ${number}`, guesses(rename(place, String(count - 1))));
}

/** Warns of a component's fault that no replica meets, or that all of them do, which nobody who compares them can see. */
function warnOfSharing(fault: Strike, { effect, target }: Pick<FaultPlan, 'effect' | 'target'>, { chip, protection, others = [] }: FaultScope, { reporter }: Context): void {
  if (target.kind !== 'component' || !chip || !protection || protection.cores.length < 2) return;
  const all = placementOn(chip, protection.cores, protection.isolation, others.flatMap((each) => tenantsOf(each.protection)));
  if (typeof all === 'string') return;
  const placement = { domains: all.domains.slice(0, protection.cores.length) };
  const having = placement.domains.filter((domain) => reaches(domain, target.component, chip.cores));
  const isKnown = fault.$container.$type !== 'Injection' && fault.$container.items.some((item) => ast.isExpectation(item) && ast.isUnrecoverable(item.condition));
  // What only a bank or a link has done is done by another one.
  if (fault.effect.$type === 'Failure' && fault.effect.component.$type === 'MemoryController' && having.length === placement.domains.length && !isKnown) {
    reporter.warning('COV607', fault.effect.$cstNode, `all replicas share ${target.component} under isolation \`${protection.isolation}\`: without it the guest is stopped`);
    return;
  }
  const line = effect.kind === 'stick' && effect.place.kind === 'memory' ? effect.place.address : undefined;
  const met = line === undefined ? having : having.filter((domain) => bankName(homeOf(domain, line)) === target.component);
  if (line !== undefined && met.length === 0) {
    const homes = placement.domains.map((domain, i) => `${homeOf(domain, line)} for replica ${replicasOf(protection.kind)[i]}`);
    reporter.warning('COV605', fault.effect.$cstNode, `no replica has this line in ${target.component}, but in bank ${homes.join(', ')}: nothing comes of it at first`);
  } else if (line !== undefined && met.length === placement.domains.length) {
    reporter.warning('COV607', fault.effect.$cstNode, `all replicas share ${target.component} under isolation \`${protection.isolation}\`: the same error in all of them escapes the comparison`);
  }
}

/** The component that an effect names; undefined where the chip has none such, which is reported. */
function lowerComponent(effect: ast.Death | ast.Failure, chip: ChipPlan | undefined, protection: ProtectionPlan | undefined, others: FaultScope['others'], context: Context): FaultTarget | undefined {
  const { reporter } = context;
  if (effect.$type === 'Death') {
    const core = integer(context, effect.core, 'number');
    if (core === undefined || (chip && !coreExists(context, effect.core, core, chip))) return undefined;
    if (chip && protection && !protection.cores.includes(core) && !chip.spares.includes(core) && ownerOf(core, others) === undefined) {
      reporter.warning('COV605', effect.core.$cstNode, `no replica runs on core ${core}, and it is no spare: nothing comes of it`, guesses(rename(part(effect.core, 'number'), protection.cores.at(-1)?.toString())));
    }
    return { kind: 'component', component: coreName(core) };
  }
  const { component } = effect;
  if (component.$type === 'Link') {
    return lowerLink(component, chip, context);
  }
  const number = integer(context, component, 'number');
  if (number === undefined || !chip) return undefined;
  const isBank = component.$type === 'L2Bank';
  const count = isBank ? chip.l2Banks : chip.memoryControllers;
  if (number < count) return { kind: 'component', component: isBank ? bankName(number) : controllerName(number) };
  noSuch(isBank ? 'L2 bank' : 'memory controller', count, number, part(component, 'number'), chip, context);
  return undefined;
}
