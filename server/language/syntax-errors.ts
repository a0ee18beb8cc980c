import { AbstractParserErrorMessageProvider, AstUtils, GrammarAST, type CompositeCstNode, type CstNode, type Grammar, type LangiumDocument } from 'langium';
import { nearestNames } from '../../engine/symbols/nearest';
import { rename, type Fix, type Reporter, type Span } from './diagnostic';
import * as ast from './generated/ast';
import { lateTargetAt } from './late-targets';
import { append, encodeString, replace } from './mends';
import { mostMistakes } from './recovery';
import { isSlip, writtenBefore, writtenBehind } from './slip-reading';
import { unitWanted } from './units-wanted';
import { decodeDecimal, decodeInteger, decodePattern, decodeString, isBareString } from './values';

interface Token {
  image: string;
  startOffset: number;
  endOffset?: number | undefined;
  tokenType: { name: string };
}

/** What the parser knows when it is stuck. It travels as the text of the exception, which is all that the parser keeps. */
interface Stuck {
  expected: string[];
  /** The rule that was being read. */
  rule: string;
  /** The token that does not fit, where it is not the first one of what was being read. */
  at?: { offset?: number | undefined; image: string; type: string } | undefined;
}

/** Hands on what was expected, so that {@link reportSyntax} can put it in words. */
export class StuckMessages extends AbstractParserErrorMessageProvider {
  override buildMismatchTokenMessage({ expected, ruleName }: { expected: { name: string }; ruleName: string }): string {
    return stuck([expected.name], ruleName);
  }

  /** Only the rule of the whole file can leave something unread; the parser does not name it here. */
  override buildNotAllInputParsedMessage(): string {
    return stuck(['EOF'], 'File');
  }

  /** Goes along the alternatives for as long as one fits, to the token at which none does. */
  override buildNoViableAltMessage(options: {
    expectedPathsPerAlt: { name: string }[][][];
    actual: Token[];
    ruleName: string;
  }): string {
    let paths = options.expectedPathsPerAlt.flat();
    for (let depth = 0; ; depth++) {
      const token = options.actual[depth];
      const fitting = paths.filter((path) => path[depth]?.name === token?.tokenType.name);
      const goesOn = fitting.some((path) => path.length > depth + 1);
      if (token && fitting.length > 0 && goesOn && options.actual.length > depth + 1) {
        paths = fitting;
        continue;
      }
      const expected = paths.flatMap((path) => (path[depth] ? [path[depth]!.name] : []));
      return stuck(expected, options.ruleName, depth > 0 ? token : undefined);
    }
  }

  override buildEarlyExitMessage(options: { expectedIterationPaths: { name: string }[][]; ruleName: string }): string {
    return stuck(options.expectedIterationPaths.flatMap(([first]) => (first ? [first.name] : [])), options.ruleName);
  }
}

/** What stands behind all of the text. */
const fileEnd: Token = { image: '', startOffset: Number.NaN, tokenType: { name: 'EOF' } };

function stuck(expected: string[], ruleName: string, found?: Token): string {
  const names = expected.map((name) => name.replace(/:KW$/, ''));
  const token = found && (writtenBehind(found) ?? fileEnd);
  // Behind the last token is the end of the file, which has no place of its own.
  const at = token && { offset: Number.isNaN(token.startOffset) ? undefined : token.startOffset, image: token.image, type: token.tokenType.name };
  return JSON.stringify({ expected: [...new Set(names)], rule: ruleName.replace(/\u200b/g, ''), at } satisfies Stuck);
}

/** How messages call the terminals. */
const terminalNames: Readonly<Record<string, string>> = {
  ID: 'a name',
  QUOTED: 'a name',
  STRING: 'a string in quotation marks',
  INTEGER: 'a whole number',
  DECIMAL: 'a number',
  REGEX: 'a pattern between slashes',
  HOST: 'an address such as 127.0.0.1',
  EOF: 'the end of the file',
};

/** What a rule that reads a name stands for. */
const ruleNames: Readonly<Record<string, string>> = {
  Word: 'a name',
  SymbolName: "a symbol's name",
  RegisterName: "a register's name",
};

/** Reports what the lexer and the parser could not read, and literals that are malformed but for those of some parts of the file. */
export function reportSyntax(document: LangiumDocument, grammar: Grammar, reporter: Reporter, apart: ReadonlySet<CstNode | undefined> = new Set()): void {
  const { parseResult, textDocument } = document;
  for (const { offset, length } of parseResult.lexerErrors) {
    const text = textDocument.getText().slice(offset, offset + length);
    const shown = [...text].slice(0, 12).join('');
    const place = { offset, end: offset + length };
    reporter.error('COV100', place, `\`${shown}\` has no meaning here`, replace(place, '', `Remove \`${shown}\``));
  }
  const root = parseResult.value.$cstNode as CompositeCstNode | undefined;
  for (const child of root?.content ?? []) if (!apart.has(child)) reportLiterals(child, reporter);
  // One mistake often makes the parser stumble twice; the first stumble is the one that tells.
  let lastEnd = -1;
  for (const error of parseResult.parserErrors) if (isSlip(error)) reporter.error(error.slip.code, error.slip.span, error.slip.message, error.slip.fixes);
  for (const [index, error] of parseResult.parserErrors.filter((one) => !isSlip(one)).entries()) {
    const ended = index + 1 >= mostMistakes ? ` (nothing behind it was read, after ${mostMistakes} mistakes)` : '';
    const token: Token = writtenBehind(error.token) ?? fileEnd;
    const previous: Token | undefined = writtenBefore((error as { previousToken?: Token }).previousToken);
    const known = parseStuck(error.message);
    const { at } = known;
    // A word that could be a fault's name, and is an effect's written wrong.
    if (previous && known.rule === 'Fault' && known.expected.length === 1 && known.expected[0] === ':' && previous.startOffset >= lastEnd) {
      const place = placeOf(previous, undefined, textDocument.getText());
      lastEnd = place.end;
      const { message, fixes } = notAnEffect(previous.image, place, grammar);
      reporter.error('COV101', place, message + ended, fixes);
      continue;
    }
    const place = placeOf(at ? { image: at.image, startOffset: at.offset ?? Number.NaN } : token, at ? undefined : previous, textDocument.getText());
    if (place.offset < lastEnd) continue;
    const late = root && (token.image === 'in' || token.image === 'on') ? lateTargetAt(root, place.offset) : undefined;
    lastEnd = Math.max(late?.span.end ?? place.end, place.offset + 1);
    if (late) {
      reporter.error('COV101', late.span, late.message + ended, late.fixes);
      continue;
    }
    const before = at ? at.offset !== undefined && wordBefore(at.offset, textDocument.getText()) : previous;
    const brokenOff = before && !isEnd(known) && isNextStatement(at ? { image: at.image, startOffset: place.offset } : token, before, textDocument.getText(), grammar);
    if (brokenOff) {
      const end = before.startOffset + before.image.length;
      const { message, fixes } = inWords(known, { image: '', type: '' }, { offset: end - 1, end }, textDocument.getText(), grammar, 'the line ends');
      reporter.error('COV101', { offset: end - 1, end }, message + ended, known.rule === 'Unit' ? fixes : []);
      continue;
    }
    const { message, fixes } = inWords(known, at ?? { image: token.image, type: token.tokenType.name }, place, textDocument.getText(), grammar);
    reporter.error('COV101', place, message + ended, fixes);
  }
}

/** True if only the end of something may follow, of which nobody can say whether it is complete. */
function isEnd({ expected: [only, ...others] }: Stuck): boolean {
  return others.length === 0 && (only === '}' || only === 'EOF');
}

/** How far before a word the one before it is looked for. */
const longestGap = 500;

/** A token, as far as its place goes. */
type Placed = Pick<Token, 'image' | 'startOffset'>;

/** What stands before a place, as far as it is of one piece. */
function wordBefore(offset: number, text: string): Placed | undefined {
  const [image] = /\S+(?=\s*$)/.exec(text.slice(Math.max(0, offset - longestGap), offset)) ?? [];
  return image === undefined ? undefined : { image, startOffset: text.lastIndexOf(image, offset - 1) };
}

/** True if a token in another line than the one before begins or ends something: then what is missing is missing before it. */
function isNextStatement(token: Placed, previous: Placed, text: string, grammar: Grammar): boolean {
  if (Number.isNaN(token.startOffset) || Number.isNaN(previous.startOffset) || !text.slice(previous.startOffset + previous.image.length, token.startOffset).includes('\n')) return false;
  return token.image === '}' || statementStarts(grammar).has(token.image);
}

function notAnEffect(word: string, place: Span, grammar: Grammar): { message: string; fixes: Fix[] } {
  const effects = effectWords(grammar);
  const nearest = nearestNames(word, [...effects], 1)[0];
  const hint = nearest === undefined ? ` (a name of the fault has a \`:\` behind it)` : `; did you mean \`${nearest}\`?`;
  return { message: `expected ${listed([...effects].map((effect) => `\`${effect}\``))}, but found \`${word}\`${hint}`, fixes: rename(place, nearest) };
}

/** A token, or where nothing is left of the file, the last thing in it. */
function placeOf(token: Placed, previous: Placed | undefined, text: string): Span {
  if (!Number.isNaN(token.startOffset)) return { offset: token.startOffset, end: token.startOffset + token.image.length };
  if (previous && !Number.isNaN(previous.startOffset)) {
    const end = previous.startOffset + previous.image.length;
    return { offset: end - 1, end };
  }
  return { offset: Math.max(0, text.trimEnd().length - 1), end: text.trimEnd().length };
}

function inWords(
  { expected, rule }: Stuck,
  token: { image: string; type: string },
  place: Span,
  text: string,
  grammar: Grammar,
  atEnd = 'the file ends',
): { message: string; fixes: Fix[] } {
  const found = token.image === '' ? atEnd : `found \`${token.image.split(/[\r\n]/)[0]}\``;
  const isWord = /^[a-z]\w*$/i.test(token.image);
  const isName = expected.includes('QUOTED');
  if (isName && isWord && token.type !== 'ID' && !statementStarts(grammar).has(token.image)) {
    return {
      message: `\`${token.image}\` is a word of the language: write it between backticks to use it as a name`,
      fixes: [{ title: `Write \`${token.image}\` between backticks`, span: place, text: `\`${token.image}\`` }],
    };
  }
  if (rule === 'Unit') return withoutUnit(text, token.image === '' ? place.end : place.offset, found);
  const named = ruleNames[rule];
  if (named !== undefined) return { message: `expected ${named}, but ${found}`, fixes: [] };
  // A repetition that broke off knows only what ends it; what may go on in it is in the grammar.
  const ends = isEnd({ expected, rule });
  const next = ends ? [...repeatedStarts(grammar, rule), ...expected] : expected;
  const kinds = [...new Set(next.filter((name) => isWorthNaming(name, next)).map((name) => terminalNames[name] ?? `\`${name}\``))];
  const words = next.filter((name) => /^\w+$/.test(name) && !(name in terminalNames));
  // What ended may have been meant to go on.
  const nearest = isWord ? (nearestNames(token.image, words, 1)[0] ?? (ends && isMisspelt(token.image, grammar) ? nearestNames(token.image, keywords(grammar), 1)[0] : undefined)) : undefined;
  const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
  // Between statements, where other languages have one.
  const fixes = token.image === ',' && ends ? replace(place, '', 'Remove `,`') : token.type === 'STRING' && expected.includes('contains') ? ['contains', 'is'].flatMap((word) => replace({ offset: place.offset, end: place.offset }, `${word} `, `Write \`${word}\``)) : rename(place, nearest);
  return { message: `expected ${listed(kinds)}, but ${found}${hint}`, fixes };
}

/** A number has no unit: which ones there are hangs on what it is a number of. */
function withoutUnit(text: string, end: number, found: string): { message: string; fixes: Fix[] } {
  const { units, example } = unitWanted(text.slice(Math.max(0, end - longestGap), end).match(/[\w.]+|[^\s\w]/g) ?? []);
  const [only, ...others] = units;
  const written = text.slice(0, end).trimEnd().length;
  const fixes = only !== undefined && others.length === 0 ? append({ offset: written, end: written }, ` ${only}`, `Write \`${only}\``) : [];
  return { message: `expected a unit after the number, as in \`${example}\`, but ${found}`, fixes };
}

/** A whole number is a number, and of registers' names one is a word of the language. */
function isWorthNaming(name: string, next: readonly string[]): boolean {
  if (name === 'INTEGER') return !next.includes('DECIMAL');
  return name !== 'cycle' || next.includes('instruction') || !next.includes('ID');
}

/** True if a word may be one of the language written wrong: short ones are near to too many, and what is one already stands in a wrong place. */
function isMisspelt(word: string, grammar: Grammar): boolean {
  return word.length > 3 && !keywords(grammar).includes(word);
}

function parseStuck(text: string): Stuck {
  try {
    return JSON.parse(text) as Stuck;
  } catch {
    return { expected: [], rule: '' };
  }
}

function listed(kinds: string[]): string {
  if (kinds.length === 0) return 'something else';
  if (kinds.length > 16) return `one of ${kinds.slice(0, 15).join(', ')}, …`;
  return kinds.length === 1 ? kinds[0]! : `${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}`;
}

/** What a grammar says, worked out once: a file may have a thousand mistakes. */
function once<T>(of: (grammar: Grammar) => T): (grammar: Grammar) => T {
  const known = new WeakMap<Grammar, { what: T }>();
  return (grammar) => {
    let found = known.get(grammar);
    if (!found) known.set(grammar, (found = { what: of(grammar) }));
    return found.what;
  };
}

/** The words with which repeated statements begin, of all rules. */
const statementStarts = once((grammar): ReadonlySet<string> => new Set(grammar.rules.flatMap(({ name }) => repeatedStarts(grammar, name))));

/** The words with which the effects of faults begin. */
export const effectWords = once((grammar): ReadonlySet<string> => {
  const rule = grammar.rules.find(({ name }) => name === 'Effect');
  const effects = new Set<string>();
  if (rule && GrammarAST.isParserRule(rule)) firstWords(rule.definition, effects);
  return effects;
});

/** Every word of the language. */
const keywords = once((grammar) => {
  const found = new Set<string>();
  for (const node of AstUtils.streamAllContents(grammar)) if (GrammarAST.isKeyword(node) && /^[a-z]\w*$/.test(node.value)) found.add(node.value);
  return [...found];
});

/** The words with which the repeated statements of a rule begin. */
function repeatedStarts(grammar: Grammar, ruleName: string): string[] {
  const rule = grammar.rules.find(({ name }) => name === ruleName);
  if (!rule || !GrammarAST.isParserRule(rule)) return [];
  const starts = new Set<string>();
  const visit = (element: GrammarAST.AbstractElement): void => {
    if (GrammarAST.isAssignment(element) && element.cardinality === '*') firstWords(element.terminal, starts);
    else if (GrammarAST.isGroup(element) || GrammarAST.isAlternatives(element)) element.elements.forEach(visit);
  };
  visit(rule.definition);
  return [...starts];
}

/** Adds the words that an element of the grammar can begin with. */
function firstWords(element: GrammarAST.AbstractElement, into: Set<string>): void {
  if (GrammarAST.isKeyword(element)) into.add(element.value);
  else if (GrammarAST.isAssignment(element)) firstWords(element.terminal, into);
  else if (GrammarAST.isAlternatives(element)) element.elements.forEach((one) => firstWords(one, into));
  else if (GrammarAST.isGroup(element)) {
    for (const one of element.elements) {
      firstWords(one, into);
      if (one.cardinality !== '?' && one.cardinality !== '*') break;
    }
  } else if (GrammarAST.isRuleCall(element) && GrammarAST.isParserRule(element.rule.ref)) {
    firstWords(element.rule.ref.definition, into);
  }
}

/** Every token of the text, comments included. */
export function* leaves(node: CstNode): Generator<CstNode & { tokenType: { name: string } }> {
  const open: CstNode[] = [node];
  for (let next = open.pop(); next; next = open.pop()) {
    // One by one: a node may have more of them than a call takes arguments.
    if ('content' in next) for (const child of (next.content as CstNode[]).toReversed()) open.push(child);
    else yield next as CstNode & { tokenType: { name: string } };
  }
}

/** Reports the literals of a part of the file that are malformed. */
export function reportLiterals(node: CstNode, reporter: Reporter): void {
  for (const leaf of leaves(node)) reportLiteral(leaf, reporter);
}

/** Reports a string, pattern, number, name or comment that is malformed. */
export function reportLiteral(leaf: CstNode & { tokenType: { name: string } }, reporter: Reporter): void {
  const { text, offset, end } = leaf;
  const at = (from = 0, length = text.length - from): Span => ({ offset: offset + from, end: Math.min(end, offset + from + length) });
  switch (leaf.tokenType.name) {
    case 'STRING': {
      // One without quotation marks is a slip that has been reported.
      if (isBareString(text)) return;
      if (!text.startsWith('"')) {
        const written = encodeString(decodeString(text).value ?? '');
        reporter.error('COV100', at(), `a string stands in straight quotation marks: write \`${written}\``, replace(at(), written));
        return;
      }
      const { problem } = decodeString(text);
      if (!problem) return;
      // What is no escape was most likely meant as it stands.
      if (problem.offset !== undefined) reporter.error('COV103', at(problem.offset, problem.length), problem.message, replace(at(problem.offset, 1), '\\\\', 'Write the backslash itself: `\\\\`'));
      else reporter.error('COV102', at(), problem.message, closing('"', text, end));
      return;
    }
    case 'REGEX': {
      const { problem } = decodePattern(text);
      if (problem?.message.includes('no end')) reporter.error('COV102', at(), problem.message, closing('/', text, end));
      else if (problem) reporter.error('COV503', at(), problem.message);
      return;
    }
    case 'INTEGER':
    case 'DECIMAL': {
      const { problem } = leaf.tokenType.name === 'INTEGER' ? decodeInteger(text) : decodeDecimal(text);
      // One in groups is a slip that has been reported.
      if (/[, ]/.test(text)) return;
      const tidy = text.replace(/_+/g, '_').replace(/^(0[xb])?_|_(?=\.|$)/g, '$1');
      if (problem) reporter.error('COV104', at(problem.offset, problem.length), problem.message, isNumber(tidy) ? replace(at(), tidy) : []);
      return;
    }
    case 'ID':
      if (/[^\x00-\x7f]/.test(text) && isAnyName(leaf)) reporter.error('COV100', at(), `\`${text}\` has letters that a plain name does not have: write it between backticks`, replace(at(), `\`${text}\``, `Write \`${text}\` between backticks`));
      return;
    case 'QUOTED':
      if (text.length < 2 || !text.endsWith('`')) reporter.error('COV102', at(), 'this name has no end: write a backtick', closing('`', text, end));
      else if (text.length === 2) reporter.error('COV101', at(), 'expected a name between the backticks');
      return;
    case 'BLOCK_COMMENT':
      if (text.length < 4 || !text.endsWith('*/')) reporter.error('COV102', at(0, 2), 'this comment has no end: write `*/`', closing(' */', text, end));
      return;
  }
}

/** True where any name may stand; elsewhere validation says which there are. */
function isAnyName({ astNode }: CstNode): boolean {
  return ast.isChip(astNode) || ast.isGuest(astNode) || ast.isFault(astNode) || ast.isChipUse(astNode) || ast.isGuestUse(astNode) || ast.isSymbolAddress(astNode) || ast.isPathStep(astNode) || ast.isDivergence(astNode);
}

const isNumber = (text: string): boolean => decodeDecimal(text).problem === undefined;

/** The mark that ends a literal, behind the last thing in it. */
function closing(mark: string, text: string, end: number): Fix[] {
  const offset = end - (text.length - text.trimEnd().length);
  return append({ offset, end: offset }, mark, `Write the missing \`${mark.trim()}\``);
}
