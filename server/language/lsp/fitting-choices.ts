import type { AstNode, LangiumDocument } from 'langium';
import { costNames, costsOfProcessor, costsWith, type Processor } from '../../../engine/chip/cost-table';
import type { DetectionMethod, Expectation, RecoveryMethod } from '../../../engine/covert/plan';
import { describeCost, processors } from '../costs';
import { whyImpossible } from '../expectations';
import * as ast from '../generated/ast';
import { protectionKinds } from '../protections';
import { choicesAfter, headOf, listBefore, type Choice } from './expected-words';
import { near } from './near-text';
import { sceneAt, type Scene } from './scene';

/** A word that fits a place. */
export interface FittingChoice extends Choice {
  detail?: string;
  /** Why it comes to nothing as the scenario is now. */
  hopeless?: string;
}

/** What of {@link choicesAfter} may stand at an offset, given what stands around it. */
export function fittingChoices(before: readonly string[], document: LangiumDocument, offset: number): readonly FittingChoice[] {
  const { names } = listBefore(before);
  const all = choicesAfter(before).filter(({ label }) => !names.includes(label));
  const head = headOf(before);
  if (head !== 'detected' && head !== 'recovered' && head !== 'degraded') return all;
  const scene = sceneAt(document, offset);
  if (head === 'degraded') return all.filter(({ label }) => protectionKinds.some((protection) => protection === label && whyHopeless({ kind: 'degraded-to', protection }, scene) === undefined));
  return all.map((choice) => {
    const by = [...names, choice.label];
    const hopeless = whyHopeless(head === 'detected' ? { kind: head, by: by as DetectionMethod[] } : { kind: head, by: by as RecoveryMethod[] }, scene);
    return { ...choice, ...(hopeless !== undefined && { hopeless }) };
  });
}

/** Why an expectation can never hold in a scene, as far as that is known. */
function whyHopeless(expectation: Expectation, scene: Scene | undefined): string | undefined {
  if (!scene?.widest) return undefined;
  const { kind, cores } = scene.widest;
  return whyImpossible(expectation, kind, new Set([...scene.chip.spares, ...cores]).size);
}

/** What is expected, by the rule that reads it, where a protection decides whether it can hold. */
const conditions: Readonly<Record<string, readonly Expectation[]>> = {
  Detected: [{ kind: 'detected', by: [] }],
  Recovered: [{ kind: 'recovered', by: [] }],
  Unrecoverable: [{ kind: 'unrecoverable' }],
  Restored: [{ kind: 'redundancy-restored' }],
  Degraded: protectionKinds.map((protection) => ({ kind: 'degraded-to', protection })),
};

/** True of a rule of expectations none of which can hold at an offset, as the scenario is now. */
export function isHopeless(rule: string, document: LangiumDocument, offset: number): boolean {
  const expectations = Object.hasOwn(conditions, rule) ? conditions[rule] : undefined;
  if (!expectations) return false;
  const scene = sceneAt(document, offset);
  return expectations.every((expectation) => whyHopeless(expectation, scene) !== undefined);
}

/** The entries of the table of costs around an offset that it does not have yet, with what they are where nothing is said. */
export function costChoices(document: LangiumDocument, offset: number): readonly FittingChoice[] {
  const { block } = near(document, offset);
  if (!ast.isCosts(block)) return [];
  const isOther = ({ $cstNode: whole }: AstNode): boolean => whole !== undefined && whole.offset !== offset;
  const there = block.entries.filter(isOther).map(({ name }) => name);
  const processor = processors.find((name) => name === block.processor);
  const usual = costsWith(processor && costsOfProcessor(processor satisfies Processor));
  return costNames
    .filter((name) => !there.includes(name))
    .map((label) => ({ label, detail: `${usual[label]} cycles${processor ? ` on ${processor}` : ''} where nothing is said`, means: describeCost(label) ?? '' }));
}
