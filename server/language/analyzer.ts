import type { AstNode, LangiumDocument, Reference } from 'langium';
import type { AlternativePlan, CampaignPlan } from '../../engine/covert/campaign-plan';
import type { ChipPlan, FaultPlan, Plan } from '../../engine/covert/plan';
import { nearestNames } from '../../engine/symbols/nearest';
import { declaredName } from './addresses';
import { withCaches } from './cache-faults';
import { lowerCampaign, type Injection } from './campaigns';
import { lowerChip } from './chips';
import { Context, documentOf, eachOnce } from './context';
import { defaultChip, defaults } from './defaults';
import { part, rename, type Diagnostic } from './diagnostic';
import * as ast from './generated/ast';
import { lowerPart, lowerStrikes, neighbourOf, reportCrowding, reportRepeated, reportSharedImages, reportSurplus } from './guest-parts';
import { lowerGuest, type LoweredGuest } from './guests';
import { reportImports } from './import-checks';
import { fileOf, visibleDeclarations } from './imports';
import { integer } from './measures';
import { add, encodeString, freshName } from './mends';
import { isMisplaced, reportMisplaced } from './misplaced';
import type { CovertServices } from './services';
import { reportSyntax } from './syntax-errors';
import { reportUnused } from './unused';
import { decodeString } from './values';

/** What a file amounts to. */
export interface Analysis {
  /** In the order of their places. Of this file alone, not of what it imports. */
  diagnostics: Diagnostic[];
  /** The scenarios in which nothing is wrong, in the order of the file. */
  plans: Plan[];
  /** Likewise the campaigns. */
  campaigns: CampaignPlan[];
  /** The faults in which nothing is wrong, whatever may be wrong around them. */
  faults: ReadonlyMap<ast.Fault, FaultPlan>;
  /** Likewise what campaigns draw from. */
  alternatives: ReadonlyMap<ast.Alternative, AlternativePlan>;
}

/** What chips and guests of this and of imported files come to, each worked out once. */
interface Work {
  context: Context;
  /** Of imported files; what is wrong there is reported with them. */
  others: Map<LangiumDocument, Context>;
  chips: Map<ast.Chip, ChipPlan | undefined>;
  guests: Map<ast.Guest, Promise<LoweredGuest>>;
  faults: Map<ast.Fault, FaultPlan>;
  alternatives: Map<ast.Alternative, AlternativePlan>;
}

/**
 * The one validator: the command line, the debugger and the editor all ask here.
 * Documents have to be linked, and what they import loaded.
 */
export class Analyzer {
  /** Of each text, the newest analysis. */
  readonly #latest = new WeakMap<object, Analysis>();

  constructor(private readonly services: CovertServices) {}

  /** The newest analysis of a document as it is now; files that it names may have changed since. */
  async latest(document: LangiumDocument): Promise<Analysis> {
    return this.#latest.get(document.parseResult) ?? this.analyze(document);
  }

  async analyze(document: LangiumDocument): Promise<Analysis> {
    const context = new Context(document);
    const work: Work = { context, others: new Map(), chips: new Map(), guests: new Map(), faults: new Map(), alternatives: new Map() };
    const documents = this.services.shared.workspace.LangiumDocuments;
    reportSyntax(document, this.services.Grammar, context.reporter);
    const items = fileOf(document)?.items ?? [];
    await reportImports(items.filter(ast.isImport), context, documents);
    reportDuplicates(items, context);
    const plans: Plan[] = [];
    const campaigns: CampaignPlan[] = [];
    for (const item of items) {
      if (ast.isChip(item)) this.#chip(item, work);
      else if (ast.isGuest(item)) await this.#guest(item, work);
      else if (ast.isScenario(item)) {
        const lowered = await this.#scenario(item, work);
        if (lowered) plans.push(lowered.plan);
      } else if (ast.isCampaign(item)) {
        const lowered = await this.#scenario(item, work);
        if (lowered?.injection) campaigns.push({ base: lowered.plan, ...lowered.injection });
      }
    }
    reportUnused(items, context, documents);
    const { diagnostics } = context.reporter;
    const sorted = diagnostics.toSorted((a, b) => a.span.offset - b.span.offset || a.span.end - b.span.end);
    const analysis = { diagnostics: sorted, plans, campaigns, faults: work.faults, alternatives: work.alternatives };
    this.#latest.set(document.parseResult, analysis);
    return analysis;
  }

  #contextOf(node: AstNode, work: Work): Context {
    const document = documentOf(node);
    if (document === work.context.document) return work.context;
    let context = work.others.get(document);
    if (!context) work.others.set(document, (context = new Context(document)));
    return context;
  }

  #chip(chip: ast.Chip, work: Work): ChipPlan | undefined {
    if (!work.chips.has(chip)) work.chips.set(chip, lowerChip(chip, this.#contextOf(chip, work)));
    return work.chips.get(chip);
  }

  #guest(guest: ast.Guest, work: Work): Promise<LoweredGuest> {
    let lowered = work.guests.get(guest);
    if (!lowered) work.guests.set(guest, (lowered = lowerGuest(guest, this.#contextOf(guest, work), this.services.GuestFiles)));
    return lowered;
  }

  /** The chip or guest that is meant; an unknown name is reported with the nearest one offered. */
  #reportUnknown(use: ast.ChipUse | ast.GuestUse, context: Context): void {
    const isChip = use.$type === 'ChipUse';
    const reference = (isChip ? use.chip : use.guest) as Reference<ast.Chip | ast.Guest> | undefined;
    if (!reference || reference.ref) return;
    const documents = this.services.shared.workspace.LangiumDocuments;
    const names = [
      ...(isChip ? visibleDeclarations(context.document, documents, ast.isChip) : visibleDeclarations(context.document, documents, ast.isGuest)).keys(),
    ];
    const place = reference.$refNode;
    const kind = isChip ? 'chip' : 'guest';
    const nearest = nearestNames(reference.$refText, names, 1)[0];
    const hint = nearest === undefined ? `: declare \`${kind} ${reference.$refText} { … }\` or import its file` : `; did you mean \`${nearest}\`?`;
    context.reporter.error('COV201', place, `there is no ${kind} \`${reference.$refText}\`${hint}`, rename(place, nearest && declaredName(nearest)));
  }

  /** A scenario's plan, or what the runs of a campaign have in common, with what it injects; undefined where something is wrong. */
  async #scenario(scenario: ast.Scenario | ast.Campaign, work: Work): Promise<{ plan: Plan; injection: Injection | undefined } | undefined> {
    const { context } = work;
    const { reporter } = context;
    const whole = scenario.$cstNode;
    const settings = eachOnce(scenario.items.filter((item) => !ast.isFault(item) && !ast.isExpectation(item) && !ast.isSwitch(item) && !ast.isBeside(item) && !isMisplaced(item)), context);
    reportMisplaced(scenario, context);

    const chipUse = settings.find(ast.isChipUse);
    if (chipUse) this.#reportUnknown(chipUse, context);
    const chip = chipUse ? chipUse.chip?.ref && this.#chip(chipUse.chip.ref, work) : { ...defaultChip };

    const guestUse = settings.find(ast.isGuestUse);
    if (guestUse) this.#reportUnknown(guestUse, context);
    else if (!scenario.items.some(ast.isGuestUse) && context.intact(scenario)) {
      const [only, ...more] = visibleDeclarations(context.document, this.services.shared.workspace.LangiumDocuments, ast.isGuest).keys();
      const fixes = only !== undefined && more.length === 0 ? add(scenario, `guest ${declaredName(only)}`) : [];
      reporter.error('COV206', part(scenario, 'name'), `this ${scenario.$type.toLowerCase()} has no guest: say \`guest NAME\``, fixes);
    }
    const guest = guestUse?.guest?.ref && (await this.#guest(guestUse.guest.ref, work));

    const seed = settings.find(ast.isSeed);
    const seedValue = seed ? integer(context, seed, 'value', { what: 'a seed' }) : defaults.seed;
    const parts = [lowerPart(scenario, guest, chip, [], context)];
    for (const beside of scenario.items.filter(ast.isBeside)) {
      if (beside.use) this.#reportUnknown(beside.use, context);
      reportRepeated(beside, context);
      const other = beside.use?.guest?.ref && (await this.#guest(beside.use.guest.ref, work));
      parts.push(lowerPart(beside, other, chip, parts, context));
    }
    if (chip) reportCrowding(parts, chip, context);
    reportSharedImages(parts, context);
    const faults: typeof work.faults = new Map();
    const guests = parts.map((part, i) => neighbourOf(part, lowerStrikes(part, parts.toSpliced(i, 1), faults, context), context));
    reportSurplus(faults, context);
    for (const [fault, plan] of faults) work.faults.set(fault, plan);
    const injection = ast.isCampaign(scenario) ? lowerCampaign(scenario, settings.find(ast.isInjection), parts, seedValue ?? defaults.seed, work.alternatives, context) : undefined;
    if (ast.isScenario(scenario) && !scenario.items.some((item) => ast.isExpectation(item) || (ast.isBeside(item) && item.items.some(ast.isExpectation))) && context.intact(scenario)) {
      reporter.warning('COV603', part(scenario, 'name'), 'this scenario expects nothing, so it passes whatever happens: say `expect …`', add(scenario, 'expect no corruption'));
    }

    const name = scenario.name === undefined ? undefined : decodeString(scenario.name).value;
    const [own, ...neighbours] = guests.filter((each) => each !== undefined);
    if (reporter.hasErrorsWithin(whole) || !context.intact(scenario) || name === undefined || !chip || !own || neighbours.length + 1 < parts.length) return undefined;
    if (seedValue === undefined) return undefined;
    const strikes = [...guests.flatMap((each) => each?.faults ?? []), ...(injection?.alternatives ?? [])];
    return { plan: { name, chip: withCaches(chip, strikes), ...own, ...(neighbours.length > 0 && { neighbours }), seed: seedValue }, injection };
  }
}

/** A name like that of an item, which has none of its own, as it is written. */
function otherName(item: ast.Chip | ast.Guest | ast.Scenario | ast.Campaign, items: readonly ast.Item[]): string | undefined {
  const names = items.flatMap((other) => (ast.isImport(other) || other.$type !== item.$type ? [] : (other.name ?? [])));
  if (ast.isChip(item) || ast.isGuest(item)) return declaredName(freshName(item.name, new Set(names)));
  const { value } = decodeString(item.name);
  return value && encodeString(freshName(value, new Set(names.map((name) => decodeString(name).value ?? '')), ' '));
}

/** Chips, guests and scenarios have a name of their own among their kind, and so have campaigns. */
function reportDuplicates(items: readonly ast.Item[], { reporter }: Context): void {
  const first = new Map<string, ast.Item>();
  for (const item of items) {
    if (ast.isImport(item) || item.name === undefined) continue;
    const key = `${item.$type} ${item.name}`;
    const earlier = first.get(key);
    if (!earlier) {
      first.set(key, item);
      if ((ast.isScenario(item) || ast.isCampaign(item)) && decodeString(item.name).value?.trim() === '') {
        reporter.error('COV206', part(item, 'name'), 'this name is empty');
      }
      continue;
    }
    const kind = item.$type.toLowerCase();
    const line = (earlier.$cstNode?.range.start.line ?? 0) + 1;
    reporter.error('COV202', part(item, 'name'), `there is another ${kind} of this name in line ${line}`, () => rename(part(item, 'name'), otherName(item, items)));
  }
}
