import { basename } from 'node:path';
import { firstBeyond } from '../../engine/covert/fault-limits';
import type { ChipPlan, ExpectationPlan, FaultPlan, Neighbour, ProtectionPlan, SwitchPlan } from '../../engine/covert/plan';
import { declaredName } from './addresses';
import { warnOfFastTiming } from './cache-faults';
import { eachOnce, type Context } from './context';
import { defaults, periods } from './defaults';
import { part, rename, type Span } from './diagnostic';
import { lowerExpectation, reportContradictions } from './expectations';
import { lowerFault, type FaultScope, type Occupancy } from './faults';
import * as ast from './generated/ast';
import type { LoweredGuest } from './guests';
import { reportMissingInputs } from './inputs';
import { count, positive } from './measures';
import { freshName, guesses } from './mends';
import { isMisplaced, isOfWhole } from './misplaced';
import { placementOn } from './placements';
import { defaultProtection, lowerProtection, tenantsOf, withoutIsolation, type Taken } from './protections';
import { lowerSwitch, widest } from './switches';

/** What says something of a guest. */
type Owner = ast.Scenario | ast.Campaign | ast.Beside;
type OwnerItem = ast.ScenarioItem | ast.CampaignItem | ast.BesideItem;

/** What a scenario or a campaign says of one of its guests: of its own, or of one beside it. */
export interface GuestPart {
  readonly owner: Owner;
  /** As reports call it, if it is known. */
  readonly name: string;
  readonly guest: LoweredGuest | undefined;
  readonly protection: ProtectionPlan | undefined;
  readonly switches: readonly SwitchPlan[];
  readonly maxInstructions: number | undefined;
  /** The limit that is written, if any. */
  readonly limit: number | undefined;
  readonly narrow: FaultScope;
}

/** What one guest of a scenario runs on, and how it is protected. `earlier`: the guests that have been given cores before, the scenario's own first; its limit is that of all that have none. */
export function lowerPart(owner: Owner, guest: LoweredGuest | undefined, chip: ChipPlan | undefined, earlier: readonly GuestPart[], context: Context): GuestPart {
  const items: readonly OwnerItem[] = owner.items;
  const name = nameOf(guest, earlier);
  if (ast.isBeside(owner) && guest?.plan?.disks?.some(({ writable }) => writable)) {
    context.reporter.error('COV107', part(owner, 'use'), 'not available yet: a disk that is written back of a guest beside another one (the scenario\'s own guest may have one)');
  }
  const taken: Taken = new Map(earlier.flatMap((each) => each.protection?.cores.map((core) => [core, each.name] as const) ?? []));
  const limit = items.find(ast.isLimit);
  const isLinux = guest?.file !== undefined && !guest.file.elf;
  const usual = (ast.isBeside(owner) ? earlier[0]?.limit : undefined) ?? (isLinux ? defaults.linuxMaxInstructions : defaults.maxInstructions);
  const written = limit && context.intact(limit) ? positive(context, limit.length, count(context, limit.length, 'instructions'), 'a limit') : undefined;
  const maxInstructions = limit ? written : usual;

  const node = items.find(ast.isProtection);
  const isSwitched = items.some(ast.isSwitch);
  const usualPeriods = isLinux ? periods.linux : periods.bare;
  let protection: ProtectionPlan | undefined;
  if (chip && node && context.intactSpan(headOf(node))) protection = lowerProtection(node, chip, isSwitched, usualPeriods, context, taken);
  else if (chip && !node) protection = defaultProtection(chip, 'none', usualPeriods, taken);
  if (node && guest?.plan) reportMissingInputs(node, guest.plan, context);

  const symbols = guest?.file?.symbols;
  const narrow: FaultScope = {
    chip,
    protection,
    file: guest?.file,
    guest: guest?.plan,
    symbols,
    ramBytes: guest?.ramBytes ?? defaults.ramBytes,
    maxInstructions: maxInstructions ?? defaults.maxInstructions,
  };
  const switches = items.filter(ast.isSwitch).flatMap((each) => (context.intact(each) && lowerSwitch(each, narrow, context, taken)) || []);
  return { owner, name, guest, protection, switches, maxInstructions, limit: written, narrow };
}

/** What faults of a guest are checked against where all others are known. */
export function strikeScope({ narrow, switches }: GuestPart, others: readonly GuestPart[]): FaultScope {
  const occupied = others.flatMap(({ name, protection }): Occupancy[] => (protection ? [{ name, protection }] : []));
  return { ...narrow, protection: narrow.protection && widest(narrow.protection, switches), others: occupied };
}

/** What strikes a guest, and what is expected of it, where all others are known. Faults in which nothing is wrong go into `into`. */
export function lowerStrikes(guest: GuestPart, others: readonly GuestPart[], into: Map<ast.Fault, FaultPlan>, context: Context): { faults: FaultPlan[]; expectations: ExpectationPlan[] } {
  const { owner, narrow } = guest;
  const items: readonly OwnerItem[] = owner.items;
  const scope = strikeScope(guest, others);
  const nodes = items.filter(ast.isFault).filter((fault) => !isMisplaced(fault));
  const faults = nodes.flatMap((fault, index) => {
    const plan = context.intact(fault) ? lowerFault(fault, index + 1, scope, context) : undefined;
    if (plan) into.set(fault, plan);
    if (plan) warnOfFastTiming(fault, plan, narrow.chip, context);
    return plan ?? [];
  });
  reportDuplicateFaults(nodes, context);
  const cores = new Set([...(narrow.chip?.spares ?? []), ...(scope.protection?.cores ?? [])]).size;
  const expectations = items.filter(ast.isExpectation).filter((node) => !isOfWhole(node)).flatMap((node) => {
    const plan = context.intact(node) ? lowerExpectation(node, { symbols: scope.symbols, protection: scope.protection, cores }, context) : undefined;
    return plan ? [{ plan, node }] : [];
  });
  reportContradictions(expectations, context);
  return { faults, expectations: expectations.map(({ plan }) => plan) };
}

/** Reports the first of a scenario's faults for which a core has no room. */
export function reportSurplus(faults: ReadonlyMap<ast.Fault, FaultPlan>, { reporter }: Context): void {
  const beyond = firstBeyond([...faults.values()]);
  const fault = beyond && [...faults.keys()][beyond.index];
  if (fault) reporter.error('COV412', part(fault, 'effect'), `${beyond.why}: try the others in a scenario of their own`);
}

/** Undefined where something is missing, which has been reported. */
export function neighbourOf({ owner, name, guest, protection, switches, maxInstructions }: GuestPart, lowered: ReturnType<typeof lowerStrikes>, context: Context): Neighbour | undefined {
  if (!guest?.plan || !protection || maxInstructions === undefined) return undefined;
  return { guest: { ...guest.plan, name }, protection, ...(switches.length > 0 && { switches }), ...lowered, maxInstructions, range: context.range(owner) };
}

/** Reports the first guest that the chip has no domains for beside those before it. */
export function reportCrowding(parts: readonly GuestPart[], chip: ChipPlan, { reporter }: Context): void {
  for (const [i, { owner, name, protection }] of parts.entries()) {
    const before = parts.slice(0, i).flatMap((each) => (each.protection ? tenantsOf(each.protection) : []));
    // A core that is used twice has been reported.
    if (!protection || !ast.isBeside(owner) || before.some(({ core }) => protection.cores.includes(core)) || new Set(protection.cores).size < protection.cores.length) continue;
    if (typeof placementOn(chip, protection.cores, protection.isolation) === 'string') continue;
    const placement = placementOn(chip, protection.cores, protection.isolation, before);
    if (typeof placement !== 'string') continue;
    const node = owner.items.find(ast.isProtection);
    const place = node ? part(node, 'kind') : part(owner, 'use');
    const others = parts.slice(0, i).map((each) => each.name).join(' and ');
    reporter.error('COV305', place, `${chip.name} cannot give isolation to ${name} beside ${others} on these cores: ${placement}; say \`isolation none\`, or protect them with fewer replicas`, typeof placementOn(chip, protection.cores, 'none', before) === 'string' ? [] : withoutIsolation(node));
    return;
  }
}

/** Reports a guest that has a disk whose image another one writes to. */
export function reportSharedImages(parts: readonly GuestPart[], { reporter }: Context): void {
  for (const [i, { guest, name }] of parts.entries()) {
    const written = guest?.plan?.disks?.flatMap(({ image, writable }) => (writable && image.file ? [image.file.path] : [])) ?? [];
    for (const other of parts.toSpliced(i, 1)) {
      const shared = other.guest?.plan?.disks?.find(({ image }) => image.file && written.includes(image.file.path))?.image.file;
      if (shared) reporter.error('COV203', ast.isBeside(other.owner) ? part(other.owner, 'use') : part(other.owner, 'name'), `${basename(shared.path)} is the disk that ${name} writes to: give ${other.name} a copy of it`);
    }
  }
}

/** `batch`, and `batch 2` where there is one already. */
function nameOf(guest: LoweredGuest | undefined, earlier: readonly GuestPart[]): string {
  const name = guest?.plan?.name ?? 'guest';
  const isFree = (each: string): boolean => earlier.every((other) => other.name !== each);
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? name : `${name} ${number}`;
    if (isFree(numbered)) return numbered;
  }
}

/** A protection's first line may be whole although one of its settings is not; each of those is looked at by itself. */
export function headOf({ $cstNode: whole, settings: [first] }: ast.Protection): Span | undefined {
  return whole && { offset: whole.offset, end: first?.$cstNode?.offset ?? whole.end };
}

function reportDuplicateFaults(faults: readonly ast.Fault[], { reporter }: Context): void {
  const first = new Map<string, ast.Fault>();
  for (const fault of faults) {
    if (fault.name === undefined) continue;
    const earlier = first.get(fault.name);
    if (!earlier) first.set(fault.name, fault);
    else {
      const line = (earlier.$cstNode?.range.start.line ?? 0) + 1;
      const { name } = fault;
      const fresh = (): string => freshName(name, new Set(faults.flatMap((each) => each.name ?? [])));
      reporter.error('COV202', part(fault, 'name'), `there is another fault of this name in line ${line}`, () => guesses(rename(part(fault, 'name'), declaredName(fresh()))), part(earlier, 'name'));
    }
  }
}

/** Reports what a block says twice of its guest. */
export function reportRepeated(owner: ast.Beside, context: Context): void {
  eachOnce(owner.items.filter((item) => ast.isProtection(item) || ast.isLimit(item)), context);
}
