import { isCompositeCstNode, isLeafCstNode, type CompositeCstNode, type LangiumDocument, type LeafCstNode } from 'langium';
import { AllSemanticTokenModifiers, AllSemanticTokenTypes, type SemanticTokenProvider } from 'langium/lsp';
import {
  SemanticTokenModifiers,
  SemanticTokenTypes,
  type Range,
  type SemanticTokens,
  type SemanticTokensDelta,
  type SemanticTokensDeltaParams,
  type SemanticTokensOptions,
  type SemanticTokensParams,
  type SemanticTokensRangeParams,
} from 'vscode-languageserver';
import { SemanticTokensDiff } from 'vscode-languageserver/lib/common/semanticTokens.js';
import * as ast from '../generated/ast';
import { registerOf } from '../places';
import { propertyOf } from './cursor';
import type { CovertLspServices } from './lsp-services';

interface Colour {
  type: SemanticTokenTypes;
  modifiers?: readonly SemanticTokenModifiers[];
}

const declared = (type: SemanticTokenTypes): Colour => ({ type, modifiers: [SemanticTokenModifiers.declaration] });
const fixed = (type: SemanticTokenTypes): Colour => ({ type, modifiers: [SemanticTokenModifiers.readonly] });
const { struct, class: guest, event, property, variable, function: code, enumMember, number, string, keyword, comment, regexp, type: unit, namespace } = SemanticTokenTypes;

/** What names are, by the node and property that they stand for. */
const names: Readonly<Record<string, Colour>> = {
  'Chip.name': declared(struct),
  'ChipUse.chip': { type: struct },
  'Guest.name': declared(guest),
  'GuestUse.guest': { type: guest },
  'Scenario.name': declared(event),
  'Campaign.name': declared(event),
  'Fault.name': declared(property),
  'SymbolAddress.symbol': { type: code },
  'Divergence.symbol': { type: code },
  'PathStep.member': { type: property },
  'LineAddress.file': { type: namespace },
  'Import.path': { type: namespace },
  'Elf.path': { type: namespace },
  'Disk.path': { type: namespace },
  'Firmware.path': { type: namespace },
  'Protection.kind': fixed(enumMember),
  'Switch.kind': fixed(enumMember),
  'Isolation.kind': fixed(enumMember),
  'CompareSubject.kind': fixed(enumMember),
  'InputName.name': fixed(enumMember),
  'Method.name': fixed(enumMember),
  'Degraded.protection': fixed(enumMember),
  'Timing.level': fixed(enumMember),
  'Costs.processor': fixed(enumMember),
  'Cost.name': { type: property },
  'Linux.distribution': fixed(enumMember),
  'Firmware.name': fixed(enumMember),
  'Forward.protocol': fixed(enumMember),
  'Forward.address': { type: number },
  'MemoryPlace.width': fixed(enumMember),
  'ReplicaTarget.replica': fixed(enumMember),
  'Amount.unit': { type: unit },
  'CoreNumber.number': fixed(variable),
  'L2Bank.number': fixed(variable),
  'CachePlace.bank': fixed(variable),
  'MemoryController.number': fixed(variable),
  'Link.from': fixed(variable),
  'Link.to': fixed(variable),
};

/** The newest whole answer about a document. */
interface Told {
  id: string;
  data: number[];
}

/**
 * Colours what only the meaning tells: names, registers, symbols, words of closed sets. Editors without a grammar of their own
 * also get the words of the language, numbers, texts and comments.
 */
export class CovertHighlighting implements SemanticTokenProvider {
  readonly tokenTypes = AllSemanticTokenTypes;
  readonly tokenModifiers = AllSemanticTokenModifiers;
  readonly semanticTokensOptions: SemanticTokensOptions = {
    legend: { tokenTypes: Object.keys(AllSemanticTokenTypes), tokenModifiers: Object.keys(AllSemanticTokenModifiers) },
    full: { delta: true },
    range: true,
  };
  readonly #told = new Map<string, Told>();
  #count = 0;
  #coloursAll = true;

  constructor({ shared }: CovertLspServices) {
    shared.lsp.LanguageServer.onInitialize(({ capabilities: { textDocument } }) => {
      this.#coloursAll = textDocument?.semanticTokens?.augmentsSyntaxTokens !== true;
    });
    shared.workspace.TextDocuments.onDidClose(({ document }) => this.#told.delete(document.uri));
  }

  semanticHighlight(document: LangiumDocument, _params: SemanticTokensParams): SemanticTokens {
    return this.#tell(document);
  }

  semanticHighlightRange(document: LangiumDocument, { range }: SemanticTokensRangeParams): SemanticTokens {
    return { data: this.#tokensOf(document, range) };
  }

  semanticHighlightDelta(document: LangiumDocument, { previousResultId }: SemanticTokensDeltaParams): SemanticTokens | SemanticTokensDelta {
    const before = this.#told.get(document.uri.toString());
    const now = this.#tell(document);
    if (before?.id !== previousResultId) return now;
    return { resultId: now.resultId, edits: new SemanticTokensDiff(before.data, now.data).computeDiff() };
  }

  #tell(document: LangiumDocument): Told & { resultId: string } {
    const told = { id: String(++this.#count), data: this.#tokensOf(document) };
    this.#told.set(document.uri.toString(), told);
    return { ...told, resultId: told.id };
  }

  #tokensOf(document: LangiumDocument, range?: Range): number[] {
    const root = document.parseResult.value.$cstNode;
    const data: number[] = [];
    if (!root || !isCompositeCstNode(root)) return data;
    const { textDocument } = document;
    const from = range ? textDocument.offsetAt(range.start) : 0;
    const to = range ? textDocument.offsetAt(range.end) : Infinity;
    let line = 0;
    let character = 0;
    for (const leaf of leavesOf(root, from, to)) {
      const colour = colourOf(leaf, this.#coloursAll);
      if (!colour) continue;
      const modifiers = (colour.modifiers ?? []).reduce((bits, one) => bits | AllSemanticTokenModifiers[one]!, 0);
      for (const piece of linesOf(leaf)) {
        data.push(piece.line - line, piece.line === line ? piece.character - character : piece.character, piece.length, AllSemanticTokenTypes[colour.type]!, modifiers);
        ({ line, character } = piece);
      }
    }
    return data;
  }
}

/** Leaves that touch a span, in their order. */
function* leavesOf(node: CompositeCstNode, from: number, to: number): Generator<LeafCstNode> {
  for (const child of node.content) {
    if (child.end < from || child.offset > to) continue;
    if (isCompositeCstNode(child)) yield* leavesOf(child, from, to);
    else if (isLeafCstNode(child)) yield child;
  }
}

function colourOf(leaf: LeafCstNode, coloursAll: boolean): Colour | undefined {
  const terminal = leaf.tokenType.name;
  if (leaf.hidden) return coloursAll && terminal !== 'WS' ? { type: comment } : undefined;
  const node = leaf.astNode;
  const name = propertyOf(leaf);
  const known = name === undefined ? undefined : names[`${node.$type}.${name}`];
  if (known) return known;
  if (name === 'register' && (ast.isRegisterPlace(node) || ast.isValueTrigger(node))) return registerOf(node.register) ? { type: variable } : undefined;
  if (!coloursAll) return undefined;
  switch (terminal) {
    case 'STRING':
      return { type: string };
    case 'REGEX':
      return { type: regexp };
    case 'INTEGER':
    case 'DECIMAL':
    case 'HOST':
      return { type: number };
    default:
      return /^\w/.test(leaf.text) ? { type: keyword } : undefined;
  }
}

/** A comment may have several lines; a token of a client has one. */
function linesOf({ range: { start, end }, text }: LeafCstNode): { line: number; character: number; length: number }[] {
  if (start.line === end.line) return [{ ...start, length: text.length }];
  return text.split(/\r?\n/).flatMap((piece, i) =>
    piece.length === 0 ? [] : [{ line: start.line + i, character: i === 0 ? start.character : 0, length: piece.length }],
  );
}
