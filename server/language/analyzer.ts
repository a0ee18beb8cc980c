import { Cancellation, interruptAndCheck, type AstNode, type LangiumDocument, type Reference } from 'langium';
import type { AlternativePlan, CampaignPlan } from '../../engine/covert/campaign-plan';
import type { ChipPlan, FaultPlan, Plan } from '../../engine/covert/plan';
import { nearestNames } from '../../engine/symbols/nearest';
import { declaredName } from './addresses';
import { reportAmbiguous } from './ambiguous-names';
import { withCaches } from './cache-faults';
import { lowerCampaign, type Injection } from './campaigns';
import { lowerChip } from './chips';
import { Context, documentOf, eachOnce } from './context';
import { defaultChip, defaults } from './defaults';
import { part, rename, type Diagnostic } from './diagnostic';
import * as ast from './generated/ast';
import { reportFaultless } from './expectations';
import { lowerPart, lowerStrikes, neighbourOf, reportCrowding, reportRepeated, reportSharedImages, reportSurplus } from './guest-parts';
import { lowerGuest, type LoweredGuest } from './guests';
import { reportImports } from './import-checks';
import { fileOf, lacksImports, visibleDeclarations } from './imports';
import { KeptAnalyses, sameOrNew } from './kept-analyses';
import { integer } from './measures';
import { add, encodeString, freshName, guesses } from './mends';
import { isMisplaced, reportMisplaced } from './misplaced';
import type { CovertServices } from './services';
import { reportLiterals, reportSyntax } from './syntax-errors';
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

/** What a scenario or a campaign comes to. */
interface LoweredRun extends Pick<Analysis, 'faults' | 'alternatives'> {
  /** Undefined where something is wrong with it. */
  plan: Plan | undefined;
  /** Of a campaign. */
  injection: Injection | undefined;
}

/** What chips and guests of this and of imported files come to, each worked out once. */
interface Work {
  context: Context;
  /** Of imported files; what is wrong there is reported with them. */
  others: Map<LangiumDocument, Context>;
  chips: Map<ast.Chip, ChipPlan | undefined>;
  guests: Map<ast.Guest, LoweredGuest>;
  faults: Map<ast.Fault, FaultPlan>;
  alternatives: Map<ast.Alternative, AlternativePlan>;
}

/** That of a scenario that names none. One for all, since much is worked out for each chip once. */
const plainChip: ChipPlan = { ...defaultChip };

/**
 * The one validator: the command line, the debugger and the editor all ask here.
 * Documents have to be linked, and what they import loaded.
 */
export class Analyzer {
  /** Of each text, the newest analysis. */
  readonly #latest = new WeakMap<object, Analysis>();
  /** What stays from one analysis to the next. */
  readonly #chips = new KeptAnalyses<ChipPlan | undefined>();
  readonly #guests = new WeakMap<ast.Guest, LoweredGuest>();
  readonly #runs = new KeptAnalyses<LoweredRun>();

  constructor(private readonly services: CovertServices) {}

  /** The newest analysis of a document as it is now; files that it names may have changed since. */
  async latest(document: LangiumDocument): Promise<Analysis> {
    return this.#latest.get(document.parseResult) ?? this.analyze(document);
  }

  /** Rejects with Langium's OperationCancelled where it is cancelled. */
  async analyze(document: LangiumDocument, cancelToken = Cancellation.CancellationToken.None): Promise<Analysis> {
    const context = new Context(document);
    const work: Work = { context, others: new Map(), chips: new Map(), guests: new Map(), faults: new Map(), alternatives: new Map() };
    const documents = this.services.shared.workspace.LangiumDocuments;
    const items = fileOf(document)?.items ?? [];
    const apart = items.filter((item) => ast.isChip(item) || ast.isGuest(item) || ast.isScenario(item) || ast.isCampaign(item));
    reportSyntax(document, this.services.Grammar, context.reporter, new Set(apart.map(({ $cstNode }) => $cstNode)));
    await reportImports(items.filter(ast.isImport), context, documents);
    reportDuplicates(items, context);
    const plans: Plan[] = [];
    const campaigns: CampaignPlan[] = [];
    for (const item of items) {
      await interruptAndCheck(cancelToken);
      if (ast.isChip(item)) this.#chip(item, work);
      else if (ast.isGuest(item)) await this.#guest(item, work);
      else if (ast.isScenario(item) || ast.isCampaign(item)) {
        const inputs = await this.#inputs(item, work);
        reportAmbiguous(item, context, documents);
        const { plan, injection, faults, alternatives } = this.#runs.of(item, context, inputs, (own) => this.#run(item, work, own));
        for (const [fault, lowered] of faults) work.faults.set(fault, lowered);
        for (const [alternative, lowered] of alternatives) work.alternatives.set(alternative, lowered);
        if (!plan || context.reporter.hasErrorsWithin(item.$cstNode)) continue;
        if (ast.isScenario(item)) plans.push(plan);
        else if (injection) campaigns.push({ base: plan, ...injection });
      }
    }
    // What could not be read may be what uses it.
    if (document.parseResult.parserErrors.length === 0) reportUnused(items, context, documents);
    const analysis = { diagnostics: context.reporter.sorted(), plans, campaigns, faults: work.faults, alternatives: work.alternatives };
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
    if (!work.chips.has(chip)) work.chips.set(chip, this.#chips.of(chip, this.#contextOf(chip, work), [], (own) => lowerChip(chip, own)));
    return work.chips.get(chip);
  }

  /** Looks at the guest's files each time; only where they are others than before is it another guest. */
  async #guest(guest: ast.Guest, work: Work): Promise<LoweredGuest> {
    const known = work.guests.get(guest);
    if (known) return known;
    const context = this.#contextOf(guest, work);
    const own = context.apart();
    if (guest.$cstNode) reportLiterals(guest.$cstNode, own.reporter);
    const lowered = sameOrNew(this.#guests.get(guest), await lowerGuest(guest, own, this.services.GuestFiles));
    context.reporter.take(own.reporter.findings);
    this.#guests.set(guest, lowered);
    work.guests.set(guest, lowered);
    return lowered;
  }

  /** All that a scenario or a campaign is made of beside its own text. What it names and nobody has is never the same, nor is what it could name and does not. */
  async #inputs(run: ast.Scenario | ast.Campaign, work: Work): Promise<unknown[]> {
    const inputs: unknown[] = run.items.some(ast.isGuestUse) ? [] : [Symbol()];
    for (const item of run.items) {
      const use = ast.isBeside(item) ? item.use : item;
      if (ast.isChipUse(use)) inputs.push(use.chip?.ref ? this.#chip(use.chip.ref, work) : Symbol());
      else if (ast.isGuestUse(use)) inputs.push(use.guest?.ref ? await this.#guest(use.guest.ref, work) : Symbol());
    }
    return inputs;
  }

  /** The chip or guest that is meant; an unknown name is reported with the nearest one offered. */
  #reportUnknown(use: ast.ChipUse | ast.GuestUse, context: Context): void {
    const isChip = use.$type === 'ChipUse';
    const reference = (isChip ? use.chip : use.guest) as Reference<ast.Chip | ast.Guest> | undefined;
    if (!reference || reference.ref) return;
    const documents = this.services.shared.workspace.LangiumDocuments;
    // It may be in the file that is missing, which is an error of its own.
    if (lacksImports(context.document, documents)) return;
    const names = [
      ...(isChip ? visibleDeclarations(context.document, documents, ast.isChip) : visibleDeclarations(context.document, documents, ast.isGuest)).keys(),
    ];
    // Or it is what has been given no name, likewise.
    const items = fileOf(context.document)?.items ?? [];
    if ((isChip ? items.filter(ast.isChip) : items.filter(ast.isGuest)).some((item) => (item.name as string | undefined) === undefined)) return;
    const place = reference.$refNode;
    const kind = isChip ? 'chip' : 'guest';
    const nearest = nearestNames(reference.$refText, names, 1)[0];
    const hint = nearest === undefined ? `: declare \`${kind} ${reference.$refText} { … }\` or import its file` : `; did you mean \`${nearest}\`?`;
    context.reporter.error('COV201', place, `there is no ${kind} \`${reference.$refText}\`${hint}`, guesses(rename(place, nearest && declaredName(nearest))));
  }

  /** A scenario's plan, or what the runs of a campaign have in common, with what it injects. */
  #run(scenario: ast.Scenario | ast.Campaign, work: Work, context: Context): LoweredRun {
    const { reporter } = context;
    const whole = scenario.$cstNode;
    const settings = eachOnce(scenario.items.filter((item) => !ast.isFault(item) && !ast.isExpectation(item) && !ast.isSwitch(item) && !ast.isBeside(item) && !isMisplaced(item)), context);
    reportMisplaced(scenario, context);

    const chipUse = settings.find(ast.isChipUse);
    if (chipUse) this.#reportUnknown(chipUse, context);
    const chip = chipUse ? chipUse.chip?.ref && this.#chip(chipUse.chip.ref, work) : plainChip;

    const guestUse = settings.find(ast.isGuestUse);
    if (guestUse) this.#reportUnknown(guestUse, context);
    else if (!scenario.items.some(ast.isGuestUse) && context.intact(scenario)) {
      const [only, ...more] = visibleDeclarations(context.document, this.services.shared.workspace.LangiumDocuments, ast.isGuest).keys();
      const fixes = only !== undefined && more.length === 0 ? add(scenario, `guest ${declaredName(only)}`) : [];
      reporter.error('COV206', part(scenario, 'name'), `this ${scenario.$type.toLowerCase()} has no guest: say \`guest NAME\``, fixes);
    }
    const guest = guestUse?.guest?.ref && work.guests.get(guestUse.guest.ref);

    const seed = settings.find(ast.isSeed);
    const seedValue = seed ? integer(context, seed, 'value', { what: 'a seed' }) : defaults.seed;
    const parts = [lowerPart(scenario, guest, chip, [], context)];
    for (const beside of scenario.items.filter(ast.isBeside)) {
      if (beside.use) this.#reportUnknown(beside.use, context);
      reportRepeated(beside, context);
      const other = beside.use?.guest?.ref && work.guests.get(beside.use.guest.ref);
      parts.push(lowerPart(beside, other, chip, parts, context));
    }
    if (chip) reportCrowding(parts, chip, context);
    reportSharedImages(parts, context);
    const faults = new Map<ast.Fault, FaultPlan>();
    const guests = parts.map((part, i) => neighbourOf(part, lowerStrikes(part, parts.toSpliced(i, 1), faults, context), context));
    reportSurplus(faults, context);
    if (ast.isScenario(scenario) && context.intact(scenario)) reportFaultless(scenario, context);
    const alternatives = new Map<ast.Alternative, AlternativePlan>();
    const injection = ast.isCampaign(scenario) ? lowerCampaign(scenario, settings.find(ast.isInjection), parts, seedValue ?? defaults.seed, alternatives, context) : undefined;
    if (ast.isScenario(scenario) && !scenario.items.some((item) => ast.isExpectation(item) || (ast.isBeside(item) && item.items.some(ast.isExpectation))) && context.intact(scenario)) {
      reporter.warning('COV603', part(scenario, 'name'), 'this scenario expects nothing, so it passes whatever happens: say `expect …`', guesses(add(scenario, 'expect no corruption')));
    }

    const name = scenario.name === undefined ? undefined : decodeString(scenario.name).value;
    const [own, ...neighbours] = guests.filter((each) => each !== undefined);
    const lowered = { faults, alternatives, injection };
    if (reporter.hasErrorsWithin(whole) || !context.intact(scenario) || name === undefined || !chip || !own || neighbours.length + 1 < parts.length || seedValue === undefined) {
      return { ...lowered, plan: undefined };
    }
    const strikes = [...guests.flatMap((each) => each?.faults ?? []), ...(injection?.alternatives ?? [])];
    return { ...lowered, plan: { name, chip: withCaches(chip, strikes), ...own, ...(neighbours.length > 0 && { neighbours }), seed: seedValue } };
  }
}

/** A name like that of an item, which has none of its own, as it is written. `taken`: as those of its kind are decoded. */
function otherName(item: ast.Chip | ast.Guest | ast.Scenario | ast.Campaign, taken: ReadonlySet<string>): string | undefined {
  if (ast.isChip(item) || ast.isGuest(item)) return declaredName(freshName(item.name, taken));
  const { value } = decodeString(item.name);
  return value && encodeString(freshName(value, taken, ' '));
}

/** The names of all items of a kind. */
function namesOf(kind: string, items: readonly ast.Item[]): ReadonlySet<string> {
  const names = items.flatMap((item) => (ast.isImport(item) || item.$type !== kind ? [] : (item.name ?? [])));
  return new Set(kind === 'Scenario' || kind === 'Campaign' ? names.map((name) => decodeString(name).value ?? '') : names);
}

/** Chips, guests and scenarios have a name of their own among their kind, and so have campaigns. */
function reportDuplicates(items: readonly ast.Item[], { reporter }: Context): void {
  const first = new Map<string, ast.Item>();
  const taken = new Map<string, ReadonlySet<string>>();
  const takenOf = (kind: string): ReadonlySet<string> => {
    const names = taken.get(kind) ?? namesOf(kind, items);
    taken.set(kind, names);
    return names;
  };
  for (const item of items) {
    // Behind a scenario's broken head, what it uses looks like a declaration without a block.
    if (ast.isImport(item) || item.name === undefined || !item.$cstNode?.text.includes('{')) continue;
    const titled = ast.isScenario(item) || ast.isCampaign(item) ? decodeString(item.name).value : undefined;
    const key = `${item.$type} ${titled ?? item.name}`;
    const earlier = first.get(key);
    if (!earlier) {
      first.set(key, item);
      if (titled?.trim() === '') {
        reporter.error('COV206', part(item, 'name'), 'this name is empty');
      }
      continue;
    }
    const kind = item.$type.toLowerCase();
    const line = (earlier.$cstNode?.range.start.line ?? 0) + 1;
    reporter.error('COV202', part(item, 'name'), `there is another ${kind} of this name in line ${line}`, () => guesses(rename(part(item, 'name'), otherName(item, takenOf(item.$type)))), part(earlier as typeof item, 'name'));
  }
}
