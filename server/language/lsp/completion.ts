import { AstUtils, GrammarAST } from 'langium';
import { DefaultCompletionProvider, type CompletionAcceptor, type CompletionContext, type CompletionValueItem, type NextFeature } from 'langium/lsp';
import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver';
import { costNames } from '../../../engine/chip/cost-table';
import { inputClasses } from '../../../engine/covert/plan';
import { declaredName, quoted } from '../addresses';
import { hasCsr } from '../csr-probe';
import { describeCost, processors } from '../costs';
import { detectionMethods, recoveryMethods } from '../expectations';
import type { GuestFiles } from '../guest-files';
import { inputWords } from '../inputs';
import { registerNames, registerOf } from '../places';
import { comparable, isolations, protectionKinds } from '../protections';
import { timingLevels } from '../timings';
import { countUnits, frequencyUnits, sizeUnits, timeUnits } from '../values';
import { words } from '../words';
import { guestOf, runAt } from './cursor';
import { guestFile, hex, namedSymbols, sourceOf } from './guest-lookup';
import type { CovertLspServices } from './lsp-services';
import { isMisplacedWord } from './misplaced-words';
import { describeRegister } from './register-help';

/** Words of closed sets that are no keywords, by the word that they follow. */
const choices: Readonly<Record<string, readonly string[]>> = {
  protect: protectionKinds,
  degraded: protectionKinds,
  isolation: isolations,
  compare: comparable,
  uncoordinated: inputClasses,
  detected: detectionMethods,
  recovered: recoveryMethods,
  replica: ['A', 'B'],
  timing: timingLevels,
  linux: ['debian'],
  costs: processors,
  firmware: ['opensbi'],
  '.': ['b', 'h', 'w', 'd'],
};

/** Units, by the word that an amount follows. */
const units: Readonly<Record<string, readonly string[]>> = {
  ram: [...sizeUnits.keys()].toReversed(),
  of: [...sizeUnits.keys()].toReversed(),
  l1i: [...sizeUnits.keys()].toReversed(),
  l1d: [...sizeUnits.keys()].toReversed(),
  cores: [...frequencyUnits.keys()].toReversed(),
  epoch: ['instructions'],
  limit: ['instructions'],
  every: ['epochs'],
  watchdog: ['epochs'],
};
const durations = [...timeUnits.keys(), ...[...countUnits.keys()].filter((unit) => unit.endsWith('s'))];

/** Whole statements, offered with the word that begins them. */
const snippets: Readonly<Record<string, string>> = {
  scenario: 'scenario "${1:name}" {\n  guest ${2:guest}\n  protect dmr on core 0, core 1\n\n  fault flip ${3:a0} bit ${4:17} in replica B at ${5:main}\n\n  expect detected\n  expect recovered\n  expect no corruption\n}',
  campaign: 'campaign "${1:name}" {\n  guest ${2:guest}\n  protect dmr on core 0, core 1\n\n  inject ${3:1_000} faults seed ${4:1} {\n    flip 1 random bit of ${5:x1..x31} in replica ${6:B} at any instruction\n  }\n\n  expect coverage >= ${7:99} % confidence 95 %\n  expect no corruption\n}',
  inject: 'inject ${1:1_000} faults seed ${2:1} {\n  flip 1 random bit of ${3:x1..x31} in replica ${4:B} at any instruction\n}',
  guest: 'guest ${1:name} {\n  elf "${2:guest.elf}"\n  ram ${3:16} MiB\n}',
  chip: 'chip ${1:name} {\n  cores ${2:8} at ${3:2} GHz\n  l2 ${4:8} banks of ${5:512} KiB\n  memory ${6:4} controllers\n  ring\n}',
  fault: 'fault flip ${1:a0} bit ${2:17} in replica ${3:B} at ${4:instruction 1_000}',
};

/** Keywords by position, names, registers, units and the guest's symbols. */
export class CovertCompletion extends DefaultCompletionProvider {
  override readonly completionOptions = { triggerCharacters: ['&', '.', '"'] };
  readonly #files: GuestFiles;

  constructor(services: CovertLspServices) {
    super(services);
    this.#files = services.GuestFiles;
  }

  protected override async completionFor(context: CompletionContext, next: NextFeature, accept: CompletionAcceptor): Promise<void> {
    const rule = AstUtils.getContainerOfType(next.feature, GrammarAST.isParserRule)?.name ?? '';
    const isNameRule = ['Word', 'SymbolName', 'RegisterName', 'Unit'].includes(rule);
    if (GrammarAST.isKeyword(next.feature)) {
      // `at 5` may be an address as well as the beginning of a time.
      if (next.feature.value === 'hit') this.#unitAfterNumber(context, accept);
      // Words that a name may also be are no suggestions for a name.
      if (!isNameRule) this.#keyword(context, next.feature.value, accept);
      return;
    }
    if (GrammarAST.isCrossReference(next.feature)) {
      await super.completionFor(context, next, accept);
      return;
    }
    if (!GrammarAST.isRuleCall(next.feature) || next.feature.rule.ref?.name !== 'ID' || !isNameRule) return;
    const before = this.#wordsBefore(context);
    if (isInCosts(before)) {
      const [labels, kind] = rule === 'Unit' ? [['cycles'], CompletionItemKind.Unit] : [costNames, CompletionItemKind.EnumMember];
      for (const label of labels) {
        const value = describeCost(label);
        accept(context, { label, kind, sortText: '0', ...(value !== undefined && { documentation: { kind: 'markdown' as const, value } }) });
      }
    } else if (rule === 'Word') this.#choices(context, headOf(before), accept);
    else if (rule === 'Unit') for (const label of unitsAfter(before)) accept(context, { label, kind: CompletionItemKind.Unit, sortText: '0' });
    else if (rule === 'RegisterName') this.#registers(context, accept);
    else await this.#symbols(context, accept, !['&', 'read', 'write'].includes(before.at(-1) ?? '') && !before.includes('memory'));
  }

  #choices(context: CompletionContext, head: string, accept: CompletionAcceptor): void {
    for (const label of choices[head] ?? []) {
      const documentation = head === 'uncoordinated' ? (inputWords as Readonly<Record<string, string>>)[label] : undefined;
      accept(context, { label, kind: CompletionItemKind.EnumMember, sortText: '0', ...(documentation !== undefined && { documentation }) });
    }
  }

  #keyword(context: CompletionContext, word: string, accept: CompletionAcceptor): void {
    if (!/^\w+$/.test(word) || isMisplacedWord(word, context.document, context.tokenOffset)) return;
    const documentation = words[word];
    const described = documentation === undefined ? {} : { documentation };
    accept(context, { label: word, kind: CompletionItemKind.Keyword, sortText: '1', ...described });
    const snippet = snippets[word];
    const isUse = (word === 'chip' || word === 'guest') && runAt(context.document, context.tokenOffset) !== undefined;
    if (snippet === undefined || isUse) return;
    accept(context, {
      label: `${word} …`,
      filterText: word,
      kind: CompletionItemKind.Snippet,
      insertText: snippet,
      insertTextFormat: InsertTextFormat.Snippet,
      detail: 'a whole one',
      sortText: '2',
      ...described,
    });
  }

  protected override createReferenceCompletionItem(...[description, reference, context]: Parameters<DefaultCompletionProvider['createReferenceCompletionItem']>): CompletionValueItem {
    const item = super.createReferenceCompletionItem(description, reference, context);
    return { ...item, insertText: declaredName(description.name), detail: description.type.toLowerCase() };
  }

  #unitAfterNumber(context: CompletionContext, accept: CompletionAcceptor): void {
    const before = this.#wordsBefore(context);
    if (before.at(-2) !== 'at' || !/^[0-9]/.test(before.at(-1) ?? '')) return;
    for (const label of durations) accept(context, { label, kind: CompletionItemKind.Unit, sortText: '0' });
  }

  #registers(context: CompletionContext, accept: CompletionAcceptor): void {
    for (const label of registerNames()) {
      const place = registerOf(label);
      if (place?.kind === 'csr' && !hasCsr(place.number)) continue;
      const role = place && describeRegister(place);
      const common = place?.kind === 'x' || place?.kind === 'pc';
      accept(context, {
        label,
        kind: CompletionItemKind.Variable,
        sortText: common ? (/^x\d/.test(label) ? '4' : '3') : '5',
        ...(role === undefined ? {} : { documentation: { kind: 'markdown' as const, value: role } }),
      });
    }
  }

  async #symbols(context: CompletionContext, accept: CompletionAcceptor, code: boolean): Promise<void> {
    const file = await guestFile(guestOf(runAt(context.document, context.offset)), this.#files);
    if (!file) return;
    for (const symbol of namedSymbols(file)) {
      const source = sourceOf(symbol.address, file);
      const wanted = (symbol.kind === 'function') === code;
      accept(context, {
        label: symbol.name,
        insertText: quoted(symbol.name),
        kind: symbol.kind === 'function' ? CompletionItemKind.Function : CompletionItemKind.Variable,
        detail: source ? `${source.file}:${source.line}` : hex(symbol.address),
        sortText: wanted ? '0' : '6',
      });
    }
  }

  /** The tokens before the one that is completed, back to the start of the line's statement. */
  #wordsBefore(context: CompletionContext): string[] {
    const text = context.textDocument.getText().slice(0, context.tokenOffset);
    return this.lexer.tokenize(text).tokens.slice(-40).map(({ image }) => image);
  }
}

/** The word that decides what a name may be: over a list's commas and over `by` and `to`, back to its start. */
function headOf(before: string[]): string {
  let at = before.length - 1;
  while (at > 0 && before[at] === ',') {
    at -= 2;
    // `compare output, state every 4 epochs, …`
    if (before[at + 1] === 'epochs') at -= 2;
  }
  const head = before[at] ?? '';
  return head === 'by' || head === 'to' ? (before[at - 1] ?? '') : head;
}

/** `every 4 epochs` is about comparisons and checkpoints, else a fault comes again so often; `of 512 KiB` is about banks, else a period. */
function unitsAfter(before: string[]): readonly string[] {
  const [word, ahead] = [before.at(-2) ?? '', before.at(-3) ?? ''];
  const isOfFault = (word === 'every' && ahead !== 'checkpoint' && ahead !== 'state') || (word === 'of' && ahead === '%');
  return isOfFault ? durations : (units[word] ?? unitsOfTrigger(before));
}

/** Within the braces of `costs { … }` or `costs prescott { … }`. */
function isInCosts(before: string[]): boolean {
  const brace = before.findLastIndex((word) => word === '{' || word === '}');
  return before[brace] === '{' && (before[brace - 1] === 'costs' || before[brace - 2] === 'costs');
}

/** `at 2 GHz` is a clock where it follows a number of cores, else a time. */
function unitsOfTrigger(before: string[]): readonly string[] {
  return before.at(-2) === 'at' && before.at(-4) === 'cores' ? [...frequencyUnits.keys()].toReversed() : durations;
}
