import type { DetectionMethod, Expectation, ExpectationPlan, ProtectionKind, ProtectionPlan, RecoveryMethod } from '../../engine/covert/plan';
import type { Symbol, Symbols } from '../../engine/symbols/types';
import { lineOf, unknownSymbol } from './addresses';
import { foldedText, type Context } from './context';
import { part } from './diagnostic';
import * as ast from './generated/ast';
import { fraction, integer, oneOf, span } from './measures';
import { guesses, leaveOut, remove } from './mends';
import { protectionKinds } from './protections';
import { decodePattern, decodeString } from './values';

export const detectionMethods: readonly DetectionMethod[] = ['output', 'state', 'watchdog', 'trap', 'vote', 'machine check'];
export const recoveryMethods: readonly RecoveryMethod[] = ['rollback', 'failover', 'vote'];

/** What expectations are checked against. */
export interface ExpectationScope {
  symbols: Symbols | undefined;
  protection: ProtectionPlan | undefined;
  /** Cores that the guest may be run on, spares among them. */
  cores: number;
}

/** Undefined where something is wrong, which is reported. */
export function lowerExpectation(node: ast.Expectation, scope: ExpectationScope, context: Context): ExpectationPlan | undefined {
  const expectation = lowerCondition(node.condition, scope, context);
  if (!expectation) return undefined;
  const impossible = scope.protection && whyImpossible(expectation, scope.protection.kind, scope.cores);
  if (impossible !== undefined) {
    // A scenario that expects nothing is none either.
    const isOnly = (): boolean => node.$container.items.filter((item) => item.$type === node.$type).length === 1;
    context.reporter.error('COV502', node.condition.$cstNode, impossible, () => (isOnly() ? [] : remove(node.$cstNode, 'Remove this expectation', true)));
    return undefined;
  }
  return { expectation, text: foldedText(node.condition), range: context.range(node) };
}

function lowerCondition(condition: ast.Condition, { symbols }: ExpectationScope, context: Context): Expectation | undefined {
  switch (condition.$type) {
    case 'Clean':
      return { kind: 'clean' };
    case 'Masked':
      return { kind: 'masked' };
    case 'Unrecoverable':
      return { kind: 'unrecoverable' };
    case 'Restored':
      return { kind: 'redundancy-restored' };
    case 'Corruption':
      return { kind: condition.none ? 'no-corruption' : 'corruption' };
    case 'Detected': {
      const by = methods(condition.methods, detectionMethods, 'way of detection', context);
      if (!condition.within) return { kind: 'detected', by };
      const within = span(context, condition.within);
      return within && { kind: 'detected', by, within };
    }
    case 'Recovered': {
      const by = methods(condition.methods, recoveryMethods, 'way of recovery', context);
      return { kind: 'recovered', by };
    }
    case 'Divergence':
      return lowerDivergence(condition, symbols, context);
    case 'OutputIs': {
      const text = decodeString(condition.text).value;
      if (text === undefined) return undefined;
      return { kind: condition.relation === 'is' ? 'output-is' : 'output-contains', text };
    }
    case 'OutputMatches': {
      const pattern = decodePattern(condition.pattern).value;
      return pattern === undefined ? undefined : { kind: 'output-matches', pattern };
    }
    case 'Exit': {
      const code = integer(context, condition, 'code', { most: 2 ** 31 - 1, what: 'an exit code' });
      return code === undefined ? undefined : { kind: 'exit', code };
    }
    case 'Overhead': {
      const limit = fraction(condition.limit);
      if (limit !== 0) return limit === undefined ? undefined : { kind: 'overhead-below', fraction: limit };
      context.reporter.error('COV502', condition.limit.$cstNode, 'below 0 % comes only a guest that went wrong and ended early: give a limit above 0 %');
      return undefined;
    }
    case 'Degraded': {
      const protection = oneOf(context, part(condition, 'protection'), condition.protection, protectionKinds, 'protection');
      return protection && { kind: 'degraded-to', protection };
    }
    case 'Coverage':
      context.reporter.error('COV504', condition.$cstNode, 'coverage is what a `campaign` measures over all its runs, of its own guest: one run has none');
      return undefined;
  }
}

function methods<M extends string>(nodes: ast.Method[], known: readonly M[], what: string, context: Context): M[] {
  const found: M[] = [];
  for (const node of nodes) {
    const method = oneOf(context, node.$cstNode, node.machine ? 'machine check' : node.name, known, what);
    if (method && found.includes(method)) context.reporter.error('COV205', node.$cstNode, `\`${method}\` stands here already`, leaveOut(nodes, node.$containerIndex));
    else if (method) found.push(method);
  }
  return found;
}

function lowerDivergence(condition: ast.Divergence, symbols: Symbols | undefined, context: Context): Expectation | undefined {
  if (condition.line) {
    const line = lineOf(condition.line, symbols, context);
    if (!line) return undefined;
    const ranges = line.symbols.rangesOf(line.file, line.line).map(({ start, end }) => ({ start, end }));
    return { kind: 'divergence-at', file: line.file, line: line.line, ranges };
  }
  if (condition.symbol === undefined || !symbols) return undefined;
  const symbol = symbols.find(condition.symbol);
  if (!symbol) {
    unknownSymbol(condition, 'symbol', symbols, context);
    return undefined;
  }
  if (symbol.kind === 'object') {
    context.reporter.error('COV407', part(condition, 'symbol'), `\`${symbol.name}\` is data, and instructions diverge in code`);
    return undefined;
  }
  return { kind: 'divergence-in', symbol: symbol.name, start: symbol.address, end: endOf(symbol, symbols) };
}

/** A symbol without a size, as assembly has them, reaches to the next one. */
export function endOf(symbol: Symbol, symbols: Symbols): bigint {
  if (symbol.size > 0) return symbol.address + BigInt(symbol.size);
  let next: bigint | undefined;
  for (const { address } of symbols.symbols) {
    if (address > symbol.address && (next === undefined || address < next)) next = address;
  }
  return next ?? symbol.address + 2n;
}

/** Why an expectation can never hold under a protection. */
export function whyImpossible(expectation: Expectation, kind: ProtectionKind, cores: number): string | undefined {
  switch (expectation.kind) {
    case 'detected':
    case 'recovered':
    case 'unrecoverable':
      if (kind === 'none') return 'under `protect none` nobody compares, so nothing is noticed';
      if (kind === 'dmr' && cores < 3 && expectation.kind !== 'unrecoverable' && expectation.by.length === 1 && expectation.by[0] === 'vote') {
        return 'two replicas have no majority: a vote needs `protect tmr`, or a `spare` core on which a third one may run along';
      }
      return undefined;
    case 'degraded-to':
      if (protectionKinds.indexOf(expectation.protection) < protectionKinds.indexOf(kind)) return undefined;
      return `under \`protect ${kind}\` there is nothing below it that could be \`${expectation.protection}\``;
    case 'redundancy-restored':
      return kind === 'none' ? 'under `protect none` there is no redundancy that could be restored' : undefined;
    default:
      return undefined;
  }
}

/** Warns of what replicas only do after a fault, in a scenario that has none: with the same inputs they stay the same. */
export function reportFaultless(scenario: ast.Scenario, { reporter }: Context): void {
  const parts = [scenario, ...scenario.items.filter(ast.isBeside)];
  const items: readonly (ast.ScenarioItem | ast.BesideItem)[] = parts.flatMap((each) => each.items);
  const mayDiverge = items.some((item) => ast.isFault(item) || ast.isInjection(item) || (ast.isProtection(item) && item.settings.some(ast.isUncoordinated)));
  if (mayDiverge) return;
  for (const { condition } of items.filter(ast.isExpectation)) {
    const needsFault = ast.isMasked(condition) || ast.isDetected(condition) || ast.isRecovered(condition) || ast.isUnrecoverable(condition) || ast.isDivergence(condition) || (ast.isCorruption(condition) && !condition.none);
    if (needsFault && !reporter.hasErrorsWithin(condition.$cstNode)) reporter.warning('COV611', condition.$cstNode, 'nothing goes wrong in this scenario, so this never holds: say what does with `fault …`');
  }
}

type Kind = Expectation['kind'];

/** Pairs that never hold together, and why. */
const exclusive: readonly [Kind, Kind, string][] = [
  ['corruption', 'no-corruption', 'a wrong byte was released or it was not'],
  ['clean', 'detected', 'what never diverged is not detected'],
  ['clean', 'recovered', 'what never diverged is not recovered from'],
  ['clean', 'unrecoverable', 'what never diverged is not stopped'],
  ['clean', 'divergence-in', '`clean` says that nothing diverges'],
  ['clean', 'divergence-at', '`clean` says that nothing diverges'],
  ['masked', 'detected', '`masked` says that nothing reached a comparison'],
  ['masked', 'recovered', '`masked` says that nothing reached a comparison'],
  ['masked', 'unrecoverable', '`masked` says that nothing reached a comparison'],
  ['masked', 'corruption', '`masked` says that nothing reached the output'],
  ['recovered', 'unrecoverable', 'the guest went on or it was stopped'],
  ['unrecoverable', 'exit', 'a guest that was stopped does not exit'],
  ['degraded-to', 'redundancy-restored', 'in the end there is less protection or there is not'],
];

interface Expected {
  plan: ExpectationPlan;
  node: ast.Expectation;
}

/** Reports pairs of expectations of which at most one can hold, and what is expected twice, at the later one. */
export function reportContradictions(all: readonly Expected[], context: Context): void {
  const before = new EarlierExpectations();
  for (const later of all) {
    const same = before.same(later);
    if (same) {
      const line = same.plan.range?.line;
      context.reporter.warning('COV606', later.node.condition?.$cstNode, `this is expected in line ${line} already`, guesses(remove(later.node.$cstNode, 'Remove it')), same.node.condition?.$cstNode);
      continue;
    }
    const earlier = before.excluding(later);
    before.add(later);
    if (!earlier) continue;
    const { text, range } = earlier.other.plan;
    context.reporter.error('COV501', later.node.condition?.$cstNode, `this excludes \`${text}\` of line ${range?.line}: ${earlier.why}`, [
      ...remove(later.node.$cstNode, `Remove \`expect ${later.plan.text}\``, true),
      ...remove(earlier.other.node.$cstNode, `Remove \`expect ${text}\` of line ${range?.line}`, true),
    ], earlier.other.node.condition?.$cstNode);
  }
}

/**
 * What stands before an expectation, so that thousands of them are looked at once each: whether two kinds exclude each other
 * the first of a kind tells for all of them, and of several texts of the whole output the first has met the others.
 */
class EarlierExpectations {
  readonly #texts = new Map<string, Expected>();
  readonly #first = new Map<Kind, Expected>();
  readonly #pieces: Expected[] = [];

  add(one: Expected): void {
    const { expectation, text } = one.plan;
    this.#texts.set(text, one);
    if (!this.#first.has(expectation.kind)) this.#first.set(expectation.kind, one);
    if (expectation.kind === 'output-contains') this.#pieces.push(one);
  }

  same({ plan }: Expected): Expected | undefined {
    return this.#texts.get(plan.text);
  }

  excluding({ plan }: Expected): { other: Expected; why: string } | undefined {
    const others = [...this.#first.values(), ...(plan.expectation.kind === 'output-is' ? this.#pieces : [])];
    for (const other of others) {
      const why = contradiction(other.plan.expectation, plan.expectation);
      if (why !== undefined) return { other, why };
    }
    return undefined;
  }
}

/** True if expectations of two kinds never hold together. */
export function excludes(a: Kind, b: Kind): boolean {
  return exclusionOf(a, b) !== undefined;
}

function exclusionOf(a: Kind, b: Kind): string | undefined {
  return exclusive.find(([one, other]) => (a === one && b === other) || (a === other && b === one))?.[2];
}

function contradiction(a: Expectation, b: Expectation): string | undefined {
  const why = exclusionOf(a.kind, b.kind);
  if (why !== undefined) return why;
  if (a.kind === 'exit' && b.kind === 'exit' && a.code !== b.code) return 'a guest exits once';
  if (a.kind === 'output-is' && b.kind === 'output-is' && a.text !== b.text) return 'the output is one text';
  const [whole, piece] = a.kind === 'output-is' ? [a, b] : [b, a];
  if (whole.kind === 'output-is' && piece.kind === 'output-contains' && !whole.text.includes(piece.text)) {
    return 'the one text does not contain the other';
  }
  return undefined;
}
