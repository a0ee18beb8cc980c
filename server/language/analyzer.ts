import type { AstNode, LangiumDocument, Reference } from 'langium';
import type { ChipPlan, FaultPlan, Plan, ProtectionPlan } from '../../engine/covert/plan';
import { nearestNames } from '../../engine/symbols/nearest';
import { declaredName } from './addresses';
import { warnOfFastTiming, withCaches } from './cache-faults';
import { lowerChip } from './chips';
import { Context, documentOf, eachOnce } from './context';
import { defaultChip, defaults, periods } from './defaults';
import { part, rename, type Diagnostic, type Span } from './diagnostic';
import { lowerExpectation, reportContradictions } from './expectations';
import { lowerFault } from './faults';
import * as ast from './generated/ast';
import { lowerGuest, type LoweredGuest } from './guests';
import { reportMissingInputs } from './inputs';
import { reportImports } from './import-checks';
import { fileOf, visibleDeclarations } from './imports';
import { count, integer, notAvailable, positive } from './measures';
import { defaultProtection, lowerProtection } from './protections';
import type { CovertServices } from './services';
import { lowerSwitch, widest } from './switches';
import { reportSyntax } from './syntax-errors';
import { reportUnused } from './unused';
import { decodeString } from './values';

/** What a file amounts to. */
export interface Analysis {
  /** In the order of their places. Of this file alone, not of what it imports. */
  diagnostics: Diagnostic[];
  /** The scenarios in which nothing is wrong, in the order of the file. */
  plans: Plan[];
  /** The faults in which nothing is wrong, whatever may be wrong around them. */
  faults: ReadonlyMap<ast.Fault, FaultPlan>;
}

/** What chips and guests of this and of imported files come to, each worked out once. */
interface Work {
  context: Context;
  /** Of imported files; what is wrong there is reported with them. */
  others: Map<LangiumDocument, Context>;
  chips: Map<ast.Chip, ChipPlan | undefined>;
  guests: Map<ast.Guest, Promise<LoweredGuest>>;
  faults: Map<ast.Fault, FaultPlan>;
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
    const work: Work = { context, others: new Map(), chips: new Map(), guests: new Map(), faults: new Map() };
    const documents = this.services.shared.workspace.LangiumDocuments;
    reportSyntax(document, this.services.Grammar, context.reporter);
    const items = fileOf(document)?.items ?? [];
    await reportImports(items.filter(ast.isImport), context, documents);
    reportDuplicates(items, context);
    const plans: Plan[] = [];
    for (const item of items) {
      if (ast.isChip(item)) this.#chip(item, work);
      else if (ast.isGuest(item)) await this.#guest(item, work);
      else if (ast.isScenario(item)) {
        const plan = await this.#scenario(item, work);
        if (plan) plans.push(plan);
      } else if (ast.isCampaign(item)) {
        for (const use of item.items) if (ast.isChipUse(use) || ast.isGuestUse(use)) this.#reportUnknown(use, context);
        notAvailable(context, part(item, 'word'), 'campaigns');
      }
    }
    reportUnused(items, context, documents);
    const { diagnostics } = context.reporter;
    const sorted = diagnostics.toSorted((a, b) => a.span.offset - b.span.offset || a.span.end - b.span.end);
    const analysis = { diagnostics: sorted, plans, faults: work.faults };
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

  async #scenario(scenario: ast.Scenario, work: Work): Promise<Plan | undefined> {
    const { context } = work;
    const { reporter } = context;
    const whole = scenario.$cstNode;
    const faults = scenario.items.filter(ast.isFault);
    const expectations = scenario.items.filter(ast.isExpectation);
    const settings = eachOnce(scenario.items.filter((item) => !ast.isFault(item) && !ast.isExpectation(item) && !ast.isSwitch(item)), context);

    const chipUse = settings.find(ast.isChipUse);
    if (chipUse) this.#reportUnknown(chipUse, context);
    const chip = chipUse ? chipUse.chip?.ref && this.#chip(chipUse.chip.ref, work) : { ...defaultChip };

    const guestUse = settings.find(ast.isGuestUse);
    if (guestUse) this.#reportUnknown(guestUse, context);
    else if (!scenario.items.some(ast.isGuestUse) && context.intact(scenario)) {
      reporter.error('COV206', part(scenario, 'name'), 'this scenario has no guest: say `guest NAME`');
    }
    const guest = guestUse?.guest?.ref && (await this.#guest(guestUse.guest.ref, work));

    const seed = settings.find(ast.isSeed);
    const limit = settings.find(ast.isLimit);
    const seedValue = seed ? integer(context, seed, 'value', { what: 'a seed' }) : defaults.seed;
    const isLinux = guest?.file !== undefined && !guest.file.elf;
    const usual = isLinux ? defaults.linuxMaxInstructions : defaults.maxInstructions;
    const maxInstructions = limit ? positive(context, limit.length, count(context, limit.length, 'instructions'), 'a limit') : usual;

    const protectionNode = scenario.items.find(ast.isProtection);
    let protection: ProtectionPlan | undefined;
    if (chip && protectionNode && context.intactSpan(headOf(protectionNode))) protection = lowerProtection(protectionNode, chip, scenario.items.some(ast.isSwitch), isLinux ? periods.linux : periods.bare, context);
    else if (chip && !protectionNode) protection = defaultProtection(chip, 'none', isLinux ? periods.linux : periods.bare);

    if (protectionNode && guest?.plan) reportMissingInputs(protectionNode, guest.plan, context);

    const symbols = guest?.file?.symbols;
    const narrow = {
      chip,
      protection,
      file: guest?.file,
      guest: guest?.plan,
      symbols,
      ramBytes: guest?.ramBytes ?? defaults.ramBytes,
      maxInstructions: maxInstructions ?? defaults.maxInstructions,
    };
    const switches = scenario.items.filter(ast.isSwitch).flatMap((node) => (context.intact(node) && lowerSwitch(node, narrow, context)) || []);
    const scope = { ...narrow, protection: protection && widest(protection, switches) };
    const faultPlans = faults.map((fault, index) => {
      const plan = context.intact(fault) ? lowerFault(fault, index + 1, scope, context) : undefined;
      if (plan) work.faults.set(fault, plan);
      if (plan) warnOfFastTiming(fault, plan, chip, context);
      return plan;
    });
    reportDuplicateFaults(faults, context);
    const cores = new Set([...(chip?.spares ?? []), ...(scope.protection?.cores ?? [])]).size;
    const expectationPlans = expectations.map((node) => ({
      plan: context.intact(node) ? lowerExpectation(node, { symbols, protection: scope.protection, cores }, context) : undefined,
      place: node.condition?.$cstNode,
    }));
    reportContradictions(expectationPlans.flatMap(({ plan, place }) => (plan ? [{ plan, place }] : [])), context);
    if (expectations.length === 0 && context.intact(scenario)) {
      reporter.warning('COV603', part(scenario, 'name'), 'this scenario expects nothing, so it passes whatever happens: say `expect …`');
    }

    const name = scenario.name === undefined ? undefined : decodeString(scenario.name).value;
    if (reporter.hasErrorsWithin(whole) || !context.intact(scenario) || name === undefined || !chip || !guest?.plan || !protection) return undefined;
    if (seedValue === undefined || maxInstructions === undefined) return undefined;
    return {
      name,
      range: context.range(scenario),
      chip: withCaches(chip, faultPlans.filter((fault) => fault !== undefined)),
      guest: guest.plan,
      protection,
      ...(switches.length > 0 && { switches }),
      faults: faultPlans.filter((fault) => fault !== undefined),
      expectations: expectationPlans.map(({ plan }) => plan).filter((plan) => plan !== undefined),
      seed: seedValue,
      maxInstructions,
    };
  }
}

/** A protection's first line may be whole although one of its settings is not; each of those is looked at by itself. */
function headOf({ $cstNode: whole, settings: [first] }: ast.Protection): Span | undefined {
  return whole && { offset: whole.offset, end: first?.$cstNode?.offset ?? whole.end };
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
    reporter.error('COV202', part(item, 'name'), `there is another ${kind} of this name in line ${line}`);
  }
}

function reportDuplicateFaults(faults: readonly ast.Fault[], { reporter }: Context): void {
  const first = new Map<string, ast.Fault>();
  for (const fault of faults) {
    if (fault.name === undefined) continue;
    const earlier = first.get(fault.name);
    if (!earlier) first.set(fault.name, fault);
    else {
      const line = (earlier.$cstNode?.range.start.line ?? 0) + 1;
      reporter.error('COV202', part(fault, 'name'), `there is another fault of this name in line ${line}`);
    }
  }
}
