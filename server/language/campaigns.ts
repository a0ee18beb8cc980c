import { mostWeight, type AlternativePlan, type AnyInstruction, type BoundPlan, type CampaignPlan, type CoveragePlan, type Injections } from '../../engine/covert/campaign-plan';
import { exactRange } from '../../engine/covert/campaign-ranges';
import { faultSpace } from '../../engine/covert/campaign-runs';
import { firstBeyond } from '../../engine/covert/fault-limits';
import type { Trigger } from '../../engine/covert/plan';
import { warnOfFastTiming } from './cache-faults';
import { foldedText, type Context } from './context';
import { head, part } from './diagnostic';
import { lowerStrike, mayLast, type FaultScope } from './faults';
import * as ast from './generated/ast';
import { strikeScope, type GuestPart } from './guest-parts';
import { fraction, integer } from './measures';
import { isOfWhole } from './misplaced';
import { lowerTrigger } from './triggers';

/** What a campaign has beside what its runs have in common. */
export type Injection = Omit<CampaignPlan, 'base'>;

/** How sure a rate has to be where nothing is said. */
const usualConfidence = 0.95;

/**
 * What a campaign injects, and what it expects of all runs. `parts`: its own guest, and those beside it; `seed`: that of its runs. Alternatives in
 * which nothing is wrong go into `into`. Undefined where something is wrong, which is reported.
 */
export function lowerCampaign(campaign: ast.Campaign, injection: ast.Injection | undefined, [own, ...others]: readonly GuestPart[], seed: number, into: Map<ast.Alternative, AlternativePlan>, context: Context): Injection | undefined {
  const coverage = lowerCoverages(campaign, injection, context);
  if (!injection) {
    if (!campaign.items.some(ast.isInjection) && context.intact(campaign)) {
      context.reporter.error('COV206', part(campaign, 'name'), 'this campaign injects nothing: say `inject N faults { … }`, or `inject every { … }`');
    }
    return undefined;
  }
  if (!own) return undefined;
  const scope = strikeScope(own, others);
  const injections = lowerInjections(injection, seed, context);
  const alternatives = injection.alternatives.flatMap((node) => {
    const plan = context.intact(node) ? lowerAlternative(node, injection, scope, context) : undefined;
    if (plan) into.set(node, plan);
    return plan ?? [];
  });
  if (injection.alternatives.length === 0 && context.intact(injection)) {
    context.reporter.error('COV206', head(injection), 'there is nothing to inject: say what strikes, as in `flip 1 random bit of x1..x31 in replica A at any instruction`');
  }
  if (!injections || alternatives.length < Math.max(1, injection.alternatives.length)) return undefined;
  warnOfRepetition(injection, injections, alternatives, context);
  return { alternatives, injections, ...(coverage && { coverage }) };
}

function lowerInjections(injection: ast.Injection, usualSeed: number, context: Context): Injections | undefined {
  const seed = injection.seed === undefined ? usualSeed : integer(context, injection, 'seed', { what: 'a seed' });
  if (injection.every) {
    if (injection.seed !== undefined) context.reporter.warning('COV606', part(injection, 'seed'), 'nothing is drawn where every fault is injected: a seed has no effect');
    return { kind: 'every' };
  }
  const count = integer(context, injection, 'count', { least: 1, what: 'a number of faults' });
  return count === undefined || seed === undefined ? undefined : { kind: 'drawn', count, seed };
}

function lowerAlternative(node: ast.Alternative, injection: ast.Injection, scope: FaultScope, context: Context): AlternativePlan | undefined {
  const { reporter } = context;
  const trigger = node.trigger.$type === 'AnyTrigger' ? lowerAny(node.trigger, scope, context) : lowerTrigger(node.trigger, mayLast(node), scope, context);
  const strike = lowerStrike(node, trigger?.kind === 'any' ? undefined : trigger, scope, context);
  const weight = node.weight === undefined ? 1 : integer(context, node, 'weight', { least: 1, most: mostWeight, what: 'a weight' });
  if (node.weight !== undefined && injection.every) reporter.warning('COV606', part(node, 'weight'), 'every fault is injected once: a weight has no effect');
  if (!strike || !trigger || weight === undefined) return undefined;
  warnOfFastTiming(node, strike, scope.chip, context);
  const beyond = firstBeyond([{ effect: strike.effect, trigger: trigger.kind === 'any' ? { kind: 'instruction', count: 0 } : trigger }]);
  if (beyond) reporter.error('COV412', part(node, 'effect'), `${beyond.why}: draw fewer bits`);
  return { ...strike, trigger, weight };
}

function lowerAny({ lower, upper, $cstNode: whole }: ast.AnyTrigger, scope: FaultScope, context: Context): AnyInstruction | undefined {
  if (!lower && !upper) return { kind: 'any' };
  const [from, to] = [lower, upper].map((bound): BoundPlan | undefined => {
    const trigger = bound && lowerTrigger(bound, false, scope, context);
    return trigger && { trigger, text: foldedText(bound) };
  });
  if (!from || !to) return undefined;
  if (isAfter(from.trigger, to.trigger)) {
    const place = lower?.$cstNode && upper?.$cstNode ? { offset: lower.$cstNode.offset, end: upper.$cstNode.end } : whole;
    const fixes = place && lower?.$cstNode && upper?.$cstNode ? [{ title: 'Swap the bounds', span: { offset: place.offset, end: place.end }, text: `${upper.$cstNode.text} and ${lower.$cstNode.text}` }] : [];
    context.reporter.error('COV413', place, `the bounds are in the wrong order: \`${to.text}\` comes before \`${from.text}\``, fixes);
    return undefined;
  }
  return { kind: 'any', between: { lower: from, upper: to } };
}

/** True where one trigger is sure to come after the other. */
function isAfter(one: Trigger, other: Trigger): boolean {
  if (one.kind === 'execute' && other.kind === 'execute') return one.address === other.address && one.hit > other.hit;
  if (one.kind === 'access' && other.kind === 'access') return one.access === other.access && one.address === other.address && one.hit > other.hit;
  const [a, b] = [one, other].map((trigger) => ('count' in trigger ? trigger.count : 'number' in trigger ? trigger.number : NaN)) as [number, number];
  return one.kind === other.kind && a > b;
}

/** Warns where a fault has to be drawn more than once; where that takes a run of the guest, nothing is said. */
function warnOfRepetition(injection: ast.Injection, injections: Injections, alternatives: AlternativePlan[], { reporter }: Context): void {
  if (injections.kind !== 'drawn') return;
  const ranges = alternatives.map(({ trigger }) => (trigger.kind === 'any' ? exactRange(trigger) : undefined));
  if (alternatives.some(({ trigger }, i) => trigger.kind === 'any' && !ranges[i])) return;
  const space = faultSpace({ alternatives }, ranges);
  if (BigInt(injections.count) <= space) return;
  reporter.warning('COV609', part(injection, 'count'), `there ${space === 1n ? 'is only 1 fault' : `are only ${space} faults`} to draw from, so that some are drawn more than once: \`inject every\` takes each once`);
}

/** The first is meant where there are several, which is reported. */
function lowerCoverages(campaign: ast.Campaign, injection: ast.Injection | undefined, context: Context): CoveragePlan | undefined {
  const [first, ...others] = campaign.items.filter(ast.isExpectation).filter(isOfWhole);
  for (const other of others) {
    const line = (first?.$cstNode?.range.start.line ?? 0) + 1;
    context.reporter.error('COV205', other.condition.$cstNode, `\`coverage\` is expected in line ${line} already`, [], first?.$cstNode);
  }
  return first && ast.isCoverage(first.condition) && context.intact(first) ? lowerCoverage(first, first.condition, injection, context) : undefined;
}

function lowerCoverage(node: ast.Expectation, condition: ast.Coverage, injection: ast.Injection | undefined, context: Context): CoveragePlan | undefined {
  const { reporter } = context;
  const least = fraction(condition.least);
  const confidence = condition.confidence ? fraction(condition.confidence) : usualConfidence;
  if (least !== undefined && (least <= 0 || least > 1)) {
    reporter.error('COV106', condition.least.$cstNode, `a coverage is more than 0 % and at most 100 %, not ${condition.least.number} %`);
    return undefined;
  }
  if (confidence !== undefined && (confidence <= 0 || confidence >= 1)) {
    reporter.error('COV106', condition.confidence?.$cstNode, `a confidence is more than 0 % and less than 100 %, not ${condition.confidence?.number} %`);
    return undefined;
  }
  if (condition.confidence && injection?.every) reporter.warning('COV606', condition.confidence.$cstNode, 'where every fault is injected the coverage is known exactly: `confidence` has no effect');
  if (least === undefined || confidence === undefined) return undefined;
  return { least, confidence, text: foldedText(condition), range: context.range(node) };
}
