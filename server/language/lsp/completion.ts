import { AstUtils, GrammarAST, TextDocument, type Cancellation, type LangiumDocument } from 'langium';
import {
  DefaultCompletionProvider,
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
import { words } from '../words';
import { componentItems } from './chip-completion';
import { guestOf, runAt } from './cursor';
import { choicesAfter, durations, unitsAfter } from './expected-words';
import { fileOf, guestFile } from './guest-lookup';
import { describePlace } from './guest-words';
import type { CovertLspServices } from './lsp-services';
import { isMisplacedWord } from './misplaced-words';
import { near, textBefore } from './near-text';
import { namesFile, pathItems } from './path-completion';
import { describeRegister } from './register-help';
import { sceneAt } from './scene';
import { snippets } from './snippets';
import { elementItems, lineItems, memberItems, sourceItems, symbolItems, type SymbolData } from './symbol-completion';

const nameRules: ReadonlySet<string> = new Set(['Word', 'SymbolName', 'RegisterName', 'Unit']);

/** Keywords by position, names, registers, units, paths, parts of the chip, and what the guest's ELF names. */
export class CovertCompletion extends DefaultCompletionProvider {
  override readonly completionOptions = { triggerCharacters: ['&', '.', '"', '/', ':', '[', ' '] };
  readonly #files: GuestFiles;
  readonly #effects: ReadonlySet<string>;
  /** Whose contexts are being built. */
  #document: LangiumDocument | undefined;
  #takesSnippets = false;

  constructor(services: CovertLspServices) {
    super(services);
    this.#files = services.GuestFiles;
    this.#effects = effectWords(services.Grammar);
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
    const { uri, languageId, version } = document;
    return super.findFeaturesAt(TextDocument.create(uri, languageId, version, text), text.length);
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
      // `at 5` may be an address as well as the beginning of a time.
      if (next.feature.value === 'hit') this.#unitAfterNumber(context, accept);
      // Words that a name may also be are no suggestions for a name. A fault may have one, but most begin with what they do.
      if (!isNameRule || (this.#effects.has(next.feature.value) && this.#wordsBefore(context).at(-1) === 'fault')) this.#keyword(context, next.feature.value, accept);
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
    if (terminal === 'STRING') {
      if (namesFile(rule)) add(await pathItems(rule, context));
      else if (rule === 'LineAddress') add(await this.#ofGuest(context, (file) => sourceItems(file, context)));
    } else if (terminal === 'INTEGER') {
      if (rule === 'LineAddress') add(await this.#ofGuest(context, (file) => lineItems(file, before, context)));
      else if (rule === 'PathStep') add(await this.#ofGuest(context, (file) => elementItems(file, before)));
      else if (rule === 'Stick' && property === 'value') add(['0', '1'].map((label) => ({ label, kind: CompletionItemKind.Value, sortText: '0' })));
      else add(componentItems(rule, property, before, context));
    } else if (terminal === 'ID' && rule === 'SymbolName' && before.at(-1) === '.') {
      add(await this.#ofGuest(context, (file) => memberItems(file, before)));
    } else if (terminal === 'ID' && isNameRule) {
      if (rule === 'Word') add(before.at(-1) === 'replica' ? replicaItems(context) : choiceItems(before));
      else if (rule === 'Unit') add(unitsAfter(before).map((label) => ({ label, kind: CompletionItemKind.Unit, sortText: '0' })));
      else if (rule === 'RegisterName') add(registerItems());
      else add(await this.#ofGuest(context, (file) => symbolItems(file, wantsCode(before), typedIn(context))));
    }
  }

  protected override createReferenceCompletionItem(...[description, reference, context]: Parameters<DefaultCompletionProvider['createReferenceCompletionItem']>): CompletionValueItem {
    const item = super.createReferenceCompletionItem(description, reference, context);
    return { ...item, insertText: declaredName(description.name), detail: description.type.toLowerCase() };
  }

  #keyword(context: CompletionContext, word: string, accept: CompletionAcceptor): void {
    if (!/^\w+$/.test(word) || isMisplacedWord(word, context.document, context.tokenOffset)) return;
    const documentation = words[word];
    const described = documentation === undefined ? {} : { documentation };
    accept(context, { label: word, kind: CompletionItemKind.Keyword, sortText: '1', ...described });
    const isUse = (word === 'chip' || word === 'guest') && runAt(context.document, context.tokenOffset) !== undefined;
    if (!this.#takesSnippets || isUse) return;
    for (const { label, text } of snippets[word] ?? []) {
      accept(context, {
        label,
        filterText: label.replace(/ ….*/, ''),
        kind: CompletionItemKind.Snippet,
        insertText: text,
        insertTextFormat: InsertTextFormat.Snippet,
        detail: 'a whole one',
        sortText: '2',
        ...described,
      });
    }
  }

  #unitAfterNumber(context: CompletionContext, accept: CompletionAcceptor): void {
    const before = this.#wordsBefore(context);
    if (before.at(-2) !== 'at' || !/^[0-9]/.test(before.at(-1) ?? '')) return;
    for (const label of durations) accept(context, { label, kind: CompletionItemKind.Unit, sortText: '0' });
  }

  async #ofGuest(context: CompletionContext, items: (file: GuestFile) => CompletionValueItem[] | Promise<CompletionValueItem[]>): Promise<CompletionValueItem[]> {
    const file = await guestFile(guestOf(runAt(context.document, context.offset)), this.#files);
    return file ? items(file) : [];
  }

  /** The tokens before the one that is completed, from the last statement on. */
  #wordsBefore(context: CompletionContext): string[] {
    return this.lexer.tokenize(textBefore(context.document, context.tokenOffset)).tokens.map(({ image }) => image);
  }
}

/** True where code is more likely to be meant than a variable. */
function wantsCode(before: readonly string[]): boolean {
  return !['&', 'read', 'write'].includes(before.at(-1) ?? '') && !before.slice(-8).includes('memory');
}

function typedIn({ textDocument, tokenOffset, offset }: CompletionContext): string {
  return textDocument.getText().slice(tokenOffset, offset);
}

function choiceItems(before: readonly string[]): CompletionValueItem[] {
  return choicesAfter(before).map(({ label, means }): CompletionValueItem => ({
    label,
    kind: CompletionItemKind.EnumMember,
    sortText: '0',
    ...(means !== undefined && { documentation: { kind: 'markdown' as const, value: means } }),
  }));
}

/** The replicas that the guest has, and the cores that they begin on. */
function replicaItems({ document, offset }: CompletionContext): CompletionValueItem[] {
  const protection = sceneAt(document, offset)?.protection;
  return replicasOf(protection?.kind ?? 'dmr').map((label, i) => {
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
