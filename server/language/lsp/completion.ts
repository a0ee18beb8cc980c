import { AstUtils, GrammarAST, GrammarUtils, type Cancellation, type LangiumDocument, type LexerResult, type TextDocument } from 'langium';
import {
  DefaultCompletionProvider,
  findNextFeatures,
  type CompletionAcceptor,
  type CompletionBacktrackingInformation,
  type CompletionContext,
  type CompletionValueItem,
  type NextFeature,
} from 'langium/lsp';
import { CompletionItemKind, InsertTextFormat, type CompletionItem, type CompletionList, type CompletionParams, type Position } from 'vscode-languageserver';
import { declaredName } from '../addresses';
import { hasCsr } from '../csr-probe';
import type { GuestFile, GuestFiles } from '../guest-files';
import { registerNames, registerOf } from '../places';
import { replicasOf } from '../protections';
import { effectWords } from '../syntax-errors';
import { isInCosts, unitWanted } from '../units-wanted';
import { words } from '../words';
import { componentItems } from './chip-completion';
import { guestOf, runAt } from './cursor';
import { costChoices, fittingChoices, isHopeless, type FittingChoice } from './fitting-choices';
import { fileOf, guestFile } from './guest-lookup';
import { describePlace } from './guest-words';
import type { CovertLspServices } from './lsp-services';
import { near, textBefore } from './near-text';
import { operatorsFor } from './operators';
import { namesFile, pathItems } from './path-completion';
import { quotedItem, typedInBackticks } from './quoted-names';
import { isRefused, placeOf, statementWord } from './refused-words';
import { describeRegister } from './register-help';
import { sceneAt } from './scene';
import { continuations, snippets, type Snippet } from './snippets';
import { elementItems, lineItems, memberItems, sourceItems, symbolItems, type SymbolData } from './symbol-completion';

type Token = LexerResult['tokens'][number];

const nameRules: ReadonlySet<string> = new Set(['Word', 'SymbolName', 'RegisterName', 'Unit', 'CostName']);

/** Keywords by position, names, registers, units, paths, parts of the chip, and what the guest's ELF names. */
export class CovertCompletion extends DefaultCompletionProvider {
  override readonly completionOptions = { triggerCharacters: ['&', '.', '"', '/', ':', '[', ' ', '`'] };
  readonly #files: GuestFiles;
  readonly #effects: ReadonlySet<string>;
  /** Of the grammar; what is none is a word or a sign of the language. */
  readonly #terminals: ReadonlySet<string>;
  /** Whose contexts are being built. */
  #document: LangiumDocument | undefined;
  #takesSnippets = false;
  /** Each of many features that may come next asks for the same words. */
  readonly #before = new WeakMap<CompletionContext, readonly string[]>();

  constructor(services: CovertLspServices) {
    super(services);
    this.#files = services.GuestFiles;
    this.#effects = effectWords(services.Grammar);
    this.#terminals = new Set(services.Grammar.rules.filter(GrammarAST.isTerminalRule).map(({ name }) => name));
    services.shared.lsp.LanguageServer.onInitialize(({ capabilities: { textDocument } }) => {
      this.#takesSnippets = textDocument?.completion?.completionItem?.snippetSupport === true;
    });
  }

  /** Says the rest of an item, which is dear to look up for all of a list. */
  async resolve(item: CompletionItem): Promise<CompletionItem> {
    const { elf, symbol } = (item.data ?? {}) as Partial<SymbolData>;
    const file = elf === undefined ? undefined : await fileOf(elf, this.#files);
    const found = symbol === undefined ? undefined : file?.symbols.find(symbol);
    if (!found || !file) return item;
    return { ...item, documentation: { kind: 'markdown', value: describePlace(found.address, file, found.name) } };
  }

  override async getCompletion(document: LangiumDocument, params: CompletionParams, token?: Cancellation.CancellationToken): Promise<CompletionList | undefined> {
    const offset = document.textDocument.offsetAt(params.position);
    // Spaces that indent a line ask for nothing.
    const isIndent = params.context?.triggerCharacter === ' ' && /(^|\n)[ \t]*$/.test(document.textDocument.getText().slice(Math.max(0, offset - 200), offset));
    if (isIndent || this.#isInComment(document, offset)) return { isIncomplete: false, items: [] };
    return super.getCompletion(document, params, token);
  }

  #isInComment(document: LangiumDocument, offset: number): boolean {
    const text = textBefore(document, offset);
    const last = this.lexer.tokenize(text).hidden.findLast(({ tokenType }) => tokenType.name !== 'WS');
    return last !== undefined && (last.endOffset ?? 0) + 1 === text.length && !(last.tokenType.name === 'BLOCK_COMMENT' && /^\/\*.*\*\/$/s.test(last.image));
  }

  /** Parsing and lexing begin at the last statement: what is far above does not matter. */
  protected override *buildContexts(document: LangiumDocument, position: Position): IterableIterator<CompletionContext> {
    const contexts = super.buildContexts(document, position);
    for (;;) {
      // Others may be asked for between two of them.
      this.#document = document;
      const next = contexts.next();
      if (next.done) return;
      yield next.value;
    }
  }

  protected override findFeaturesAt(document: TextDocument, offset: number): NextFeature[] {
    const text = this.#document?.textDocument === document ? textBefore(this.#document, offset) : document.getText().slice(0, offset);
    const { tokens } = this.lexer.tokenize(text);
    const last = tokens.at(-1);
    // The parser takes the last word for one of the things that it may be: which of them, what follows says. The grammar knows all.
    const open = last && (this.#isKeyword(last) || last.tokenType.name === 'INTEGER') ? this.#featuresAfter(text.slice(0, last.startOffset), tokens) : [];
    return open.length > 0 ? open : this.#featuresAfter(text, tokens);
  }

  /** What may come after some tokens, the first of which are to be parsed; the grammar alone is asked about the others. */
  #featuresAfter(text: string, tokens: readonly Token[]): NextFeature[] {
    const parsed = this.completionParser.parse(text);
    const entry = parsed.tokenIndex === 0 ? GrammarUtils.getEntryRule(this.grammar) : undefined;
    const stack = entry ? [this.buildSyntheticEntryRuleCall(entry)] : parsed.elementStack.map((feature) => ({ feature }));
    return findNextFeatures([stack], tokens.slice(parsed.tokenIndex).map((token) => this.#nothingElse(token)));
  }

  /** A token that no terminal but its own matches: Langium looks for it anywhere in the text, as a name in `at` or in `0x1f`. */
  #nothingElse(token: Token): Token {
    const image = this.#isKeyword(token) ? '' : token.tokenType.name === 'INTEGER' ? '0' : token.image;
    return { ...token, image };
  }

  #isKeyword({ tokenType }: Token): boolean {
    return !this.#terminals.has(tokenType.name);
  }

  protected override backtrackToAnyToken(text: string, offset: number): CompletionBacktrackingInformation {
    const from = this.#document ? near(this.#document, offset).from : 0;
    // What follows on the line may be the rest of the token.
    const lineEnd = text.indexOf('\n', offset);
    const found = super.backtrackToAnyToken(text.slice(from, lineEnd < 0 ? undefined : lineEnd), offset - from);
    const { previousTokenStart: start = from > 0 ? -1 : undefined, previousTokenEnd: end = 0 } = found;
    return {
      nextTokenStart: found.nextTokenStart + from,
      nextTokenEnd: found.nextTokenEnd + from,
      // Without a token since then, it is the brace that opens the block.
      ...(start !== undefined && { previousTokenStart: start + from, previousTokenEnd: end + from }),
    };
  }

  protected override async completionFor(context: CompletionContext, next: NextFeature, accept: CompletionAcceptor): Promise<void> {
    const rule = AstUtils.getContainerOfType(next.feature, GrammarAST.isParserRule)?.name ?? '';
    const isNameRule = nameRules.has(rule);
    if (GrammarAST.isKeyword(next.feature)) {
      // Words that a name may also be are no suggestions for a name. A fault may have one, but most begin with what they do.
      if (!isNameRule || (this.#effects.has(next.feature.value) && this.#wordsBefore(context).at(-1) === 'fault')) this.#keyword(context, next.feature, accept);
      return;
    }
    if (GrammarAST.isCrossReference(next.feature)) {
      await super.completionFor(context, next, accept);
      return;
    }
    if (!GrammarAST.isRuleCall(next.feature)) return;
    const terminal = next.feature.rule.ref?.name ?? '';
    const property = AstUtils.getContainerOfType(next.feature, GrammarAST.isAssignment)?.feature ?? '';
    const before = this.#wordsBefore(context);
    const add = (items: readonly CompletionValueItem[]): void => items.forEach((item) => accept(context, item));
    const isSwitch = statementWord(before) === 'switch';
    const continuation = continuations[`${rule} ${property}`];
    if (continuation) this.#snippet(context, continuation, accept);
    if (terminal === 'STRING') {
      if (namesFile(rule)) add(await pathItems(rule, context));
      else if (rule === 'LineAddress' && !isSwitch) add(await this.#ofGuest(context, (file) => sourceItems(file, context)));
    } else if (terminal === 'INTEGER') {
      if (rule === 'LineAddress') add(await this.#ofGuest(context, (file) => lineItems(file, before, context)));
      else if (rule === 'PathStep') add(await this.#ofGuest(context, (file) => elementItems(file, before)));
      else if (rule === 'Stick' && property === 'value') add(['0', '1'].map((label) => ({ label, kind: CompletionItemKind.Value, sortText: '0' })));
      else add(componentItems(rule, property, before, context));
    } else if (terminal === 'HOST') {
      add([{ label: '127.0.0.1', kind: CompletionItemKind.Value, sortText: '0', documentation: 'The loopback of this machine: nobody else can reach it.' }]);
    } else if (terminal === 'ID' && rule === 'SymbolName' && before.at(-1) === '.') {
      add(await this.#ofGuest(context, (file) => memberItems(file, before)));
    } else if (terminal === 'ID' && rule === 'Forward') {
      add(choiceItems(fittingChoices(before, context.document, context.tokenOffset)));
    } else if (terminal === 'ID' && isNameRule) {
      if (rule === 'Word') add(before.at(-1) === 'replica' ? replicaItems(context) : choiceItems(isInCosts(before) ? costChoices(context.document, context.tokenOffset) : fittingChoices(before, context.document, context.tokenOffset)));
      else if (rule === 'Unit') add(unitWanted(before).units.map((label) => ({ label, kind: CompletionItemKind.Unit, sortText: '0' })));
      else if (rule === 'RegisterName') add(registerItems());
      else if (!isSwitch) add(await this.#ofGuest(context, (file) => symbolItems(file, wantsCode(before), typedIn(context))));
    }
  }

  protected override createReferenceCompletionItem(...[description, reference, context]: Parameters<DefaultCompletionProvider['createReferenceCompletionItem']>): CompletionValueItem {
    const item = super.createReferenceCompletionItem(description, reference, context);
    return { ...item, insertText: declaredName(description.name), detail: description.type.toLowerCase() };
  }

  /** Between backticks nothing stands but names. */
  protected override fillCompletionItem(context: CompletionContext, item: CompletionValueItem): CompletionItem | undefined {
    if (typedInBackticks(context) === undefined) return super.fillCompletionItem(context, item);
    const label = item.label ?? ('nodeDescription' in item ? item.nodeDescription.name : '');
    const isName = item.kind !== CompletionItemKind.Keyword && item.insertTextFormat !== InsertTextFormat.Snippet;
    const quoted = isName ? quotedItem(item, label, context, this.fuzzyMatcher) : undefined;
    return quoted && super.fillCompletionItem(context, quoted);
  }

  #keyword(context: CompletionContext, keyword: GrammarAST.Keyword, accept: CompletionAcceptor): void {
    const place = placeOf(keyword);
    const { word, rule } = place;
    const { document, tokenOffset } = context;
    const before = this.#wordsBefore(context);
    if (!/^\w+$/.test(word)) {
      for (const operator of operatorsFor(word, rule, before, context)) this.#operator(context, word, operator, accept);
      return;
    }
    if (isRefused({ ...place, document, offset: tokenOffset, before })) return;
    const documentation = words[word];
    const described = documentation === undefined ? {} : { documentation };
    accept(context, { label: word, kind: CompletionItemKind.Keyword, sortText: isHopeless(rule, document, tokenOffset) ? '8' : '1', ...described });
    const isUse = (word === 'chip' || word === 'guest') && runAt(document, tokenOffset) !== undefined;
    if (!isUse) for (const snippet of snippets[word] ?? []) this.#snippet(context, snippet, accept, described);
  }

  #snippet(context: CompletionContext, { label, text }: Snippet, accept: CompletionAcceptor, more: Partial<CompletionItem> = {}): void {
    if (!this.#takesSnippets) return;
    accept(context, {
      label,
      filterText: label.replace(/ ….*/, ''),
      kind: CompletionItemKind.Snippet,
      insertText: text,
      insertTextFormat: InsertTextFormat.Snippet,
      detail: 'a whole one',
      sortText: '2',
      ...more,
    });
  }

  /** With what most often follows it, where the editor takes that. */
  #operator(context: CompletionContext, sign: string, { label, text }: Snippet, accept: CompletionAcceptor): void {
    const shared = { kind: CompletionItemKind.Operator, sortText: '1', filterText: sign };
    if (this.#takesSnippets) accept(context, { ...shared, label, insertText: text, insertTextFormat: InsertTextFormat.Snippet });
    else accept(context, { ...shared, label: sign });
  }

  async #ofGuest(context: CompletionContext, items: (file: GuestFile) => CompletionValueItem[] | Promise<CompletionValueItem[]>): Promise<CompletionValueItem[]> {
    const file = await guestFile(guestOf(runAt(context.document, context.offset)), this.#files);
    return file ? items(file) : [];
  }

  /** The tokens before the one that is completed, from the last statement on. */
  #wordsBefore(context: CompletionContext): readonly string[] {
    let before = this.#before.get(context);
    if (!before) this.#before.set(context, (before = this.lexer.tokenize(textBefore(context.document, context.tokenOffset)).tokens.map(({ image }) => image)));
    return before;
  }
}

/** True where code is more likely to be meant than a variable. */
function wantsCode(before: readonly string[]): boolean {
  return !['&', 'read', 'write'].includes(before.at(-1) ?? '') && !before.slice(-8).includes('memory');
}

function typedIn({ textDocument, tokenOffset, offset }: CompletionContext): string {
  return textDocument.getText().slice(tokenOffset, offset);
}

function choiceItems(choices: readonly FittingChoice[]): CompletionValueItem[] {
  return choices.map(({ label, means, detail, hopeless }): CompletionValueItem => {
    const said = [means, hopeless === undefined ? undefined : `As it is, this cannot hold: ${hopeless}.`].filter((text) => text !== undefined);
    return {
      label,
      kind: CompletionItemKind.EnumMember,
      sortText: hopeless === undefined ? '0' : '8',
      ...(detail !== undefined && { detail }),
      ...(said.length > 0 && { documentation: { kind: 'markdown' as const, value: said.join('\n\n') } }),
    };
  });
}

/** The replicas that the guest ever has, and the cores that they begin on. */
function replicaItems({ document, offset }: CompletionContext): CompletionValueItem[] {
  const { protection, widest } = sceneAt(document, offset) ?? {};
  return replicasOf(widest?.kind ?? 'dmr').map((label, i) => {
    const core = protection?.cores[i];
    return { label, kind: CompletionItemKind.EnumMember, sortText: '0', ...(core !== undefined && { detail: `core ${core}` }) };
  });
}

function registerItems(): CompletionValueItem[] {
  return registerNames().flatMap((label): CompletionValueItem[] => {
    const place = registerOf(label);
    if (place?.kind === 'csr' && !hasCsr(place.number)) return [];
    const role = place && describeRegister(place);
    const isCommon = place?.kind === 'x' || place?.kind === 'pc';
    return [
      {
        label,
        kind: CompletionItemKind.Variable,
        sortText: isCommon ? (/^x\d/.test(label) ? '4' : '3') : '5',
        ...(role !== undefined && { documentation: { kind: 'markdown' as const, value: role } }),
      },
    ];
  });
}
