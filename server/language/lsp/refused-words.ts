import { AstUtils, GrammarAST, type LangiumDocument } from 'langium';
import { fitting } from '../lifetimes';
import * as ast from '../generated/ast';
import { isEffect } from '../slip-context';
import { ownerOf, runAt } from './cursor';
import { near, partsOf } from './near-text';

/** A word of the grammar at a place where it parses. */
export interface Offer {
  word: string;
  /** The rule that it is in. */
  rule: string;
  /** True if the rule begins with it. */
  begins: boolean;
  document: LangiumDocument;
  offset: number;
  /** The tokens before it, from the statement that it is in on, or earlier. */
  before: readonly string[];
}

/** Where a keyword is in the grammar. */
export function placeOf(keyword: GrammarAST.Keyword): Pick<Offer, 'word' | 'rule' | 'begins'> {
  const rule = AstUtils.getContainerOfType(keyword, GrammarAST.isParserRule);
  return { word: keyword.value, rule: rule?.name ?? '', begins: rule !== undefined && firstOf(rule.definition) === keyword };
}

function firstOf(element: GrammarAST.AbstractElement | undefined): GrammarAST.AbstractElement | undefined {
  if (GrammarAST.isGroup(element)) return firstOf(element.elements[0]);
  return GrammarAST.isAssignment(element) ? firstOf(element.terminal) : element;
}

/** True of a word that parses where it is offered, and that the check refuses there whatever follows. */
export function isRefused(offer: Offer): boolean {
  return isMisplaced(offer) || isThereAlready(offer) || isRefusedOfSwitch(offer) || isRefusedOfFault(offer) || isRefusedElsewhere(offer);
}

/** What only a campaign has, and what none has. */
const ofCampaigns: ReadonlySet<string> = new Set(['any', 'coverage', 'inject']);
const ofScenarios: ReadonlySet<string> = new Set(['fault', 'optional']);

function isMisplaced({ word, rule, document, offset }: Offer): boolean {
  if (!ofCampaigns.has(word) && !ofScenarios.has(word)) return false;
  const run = runAt(document, offset);
  if (!run) return false;
  if (!ownerOf(run, ast.isCampaign)) return ofCampaigns.has(word);
  // `inject 1 fault`, `inject every fault`.
  return ofScenarios.has(word) && rule !== 'Injection';
}

/** Of statements, these may stand in a block more than once. */
const repeatable: ReadonlySet<string> = new Set(['Import', 'Chip', 'Guest', 'Scenario', 'Campaign', 'Switch', 'Fault', 'Expectation', 'Beside', 'Forward', 'Typing']);

function isThereAlready({ rule, begins, document, offset, before }: Offer): boolean {
  // `beside guest` is another guest.
  if (!begins || repeatable.has(rule) || before.at(-1) === 'beside') return false;
  const { block } = near(document, offset);
  return partsOf(block)?.some(({ $type, $cstNode: whole }) => $type === rule && whole !== undefined && whole.offset !== offset) ?? false;
}

/** Words that begin statements, and are never names. */
const reserved: ReadonlySet<string> = new Set(['import', 'chip', 'guest', 'scenario', 'campaign', 'protect', 'switch', 'beside', 'fault', 'optional', 'expect', 'inject', '{', '}']);

/** The word with which the last statement has begun, or the brace behind which none has. */
export function statementWord(before: readonly string[]): string | undefined {
  return before.findLast((word) => reserved.has(word));
}

/** What a protection is never switched at. */
function isRefusedOfSwitch({ word, rule, before }: Offer): boolean {
  if (statementWord(before) !== 'switch') return false;
  if (rule === 'CountTrigger') return word === 'checkpoint' || word === 'input';
  return rule === 'AccessTrigger' || rule === 'ValueTrigger' || rule === 'FromTrigger' || word === 'hit' || word === 'any';
}

/** Faults of these name what they strike. */
const targeted: ReadonlySet<string> = new Set(['kill', 'hang', 'fail', 'drop', 'duplicate', 'corrupt']);
const deadly: ReadonlySet<string> = new Set(['kill', 'hang', 'fail']);
/** Places that some effects cannot be at. */
const notAt: Readonly<Record<string, ReadonlySet<string>>> = {
  stick: new Set(['dma', 'input', 'comparer', 'l1i', 'l1d']),
  set: new Set(['dma', 'comparer']),
};
const places: ReadonlySet<string> = new Set(['DmaPlace', 'InputPlace', 'ComparerPlace', 'CachePlace']);

function isRefusedOfFault({ word, rule, begins, before }: Offer): boolean {
  const start = before.findLastIndex(isEffect);
  const effect = before[start] ?? '';
  if (places.has(rule)) return notAt[effect]?.has(word) ?? false;
  if (rule === 'ReplicaTarget' || rule === 'CoreTarget') return begins && (targeted.has(effect) || before.slice(start).some((each) => each === 'comparer' || each === 'l2'));
  if (rule !== 'Lifetime' || !(word in fitting)) return false;
  return !fitting[word as ast.Lifetime['word']].includes(deadly.has(effect) ? 'dies' : effect === 'stick' ? 'sticks' : 'strikes once');
}

function isRefusedElsewhere({ word, rule, before }: Offer): boolean {
  // A check detects, and recovers nothing.
  if (rule === 'Method') return before.findLast((each) => each === 'detected' || each === 'recovered') === 'recovered';
  // Every output is compared.
  return rule === 'CompareSubject' && word === 'every' && before.at(-1) !== 'state';
}
