import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CompletionContext, CompletionValueItem } from 'langium/lsp';
import { CompletionItemKind } from 'vscode-languageserver';
import type { Symbol } from '../../../engine/symbols/types';
import { SourceFinder } from '../../debug/sources';
import { quoted } from '../addresses';
import type { GuestFile } from '../guest-files';
import { decodeName, decodeString } from '../values';
import { elementsOf, globalOf, membersOf, partOf, type Step } from '../variables';
import { hex, namedSymbols, sourceFileOf } from './guest-lookup';
import { numberTypeOf } from './variable-help';

/** What an item of a symbol carries, for the rest of it to be looked up when it is shown. */
export interface SymbolData {
  elf: string;
  symbol: string;
}

/** A kernel has a hundred thousand names: more than so many are not listed. Lists are marked as incomplete, so who types on is given others. */
const mostSymbols = 500;

/** The guest's symbols, code first where code is wanted, variables first where they are. */
export function symbolItems(file: GuestFile, wantsCode: boolean, typed: string): CompletionValueItem[] {
  return fitting(namedSymbols(file), typed).map(({ name, kind, address }): CompletionValueItem => ({
    label: name,
    insertText: quoted(name),
    kind: kind === 'function' ? CompletionItemKind.Function : CompletionItemKind.Variable,
    detail: hex(address),
    sortText: (kind === 'function') === wantsCode ? '0' : '6',
    data: { elf: file.path, symbol: name } satisfies SymbolData,
  }));
}

/** Those that begin with what is typed, then those that have it in them. */
function fitting(symbols: readonly Symbol[], typed: string): readonly Symbol[] {
  if (symbols.length <= mostSymbols) return symbols;
  const wanted = decodeName(typed).toLowerCase();
  const [first, more]: [Symbol[], Symbol[]] = [[], []];
  for (const symbol of symbols) {
    const at = symbol.name.toLowerCase().indexOf(wanted);
    if (at >= 0) (at === 0 ? first : more).push(symbol);
    if (first.length === mostSymbols) break;
  }
  return [...first, ...more].slice(0, mostSymbols);
}

/** The members that may follow `table[3].`, with their types. */
export function memberItems({ symbols }: GuestFile, before: readonly string[]): CompletionValueItem[] {
  const start = pathBefore(before.slice(0, -1));
  const whole = start && partOf(globalOf(symbols, start.symbol), start.steps);
  // Bit-fields have no address.
  return (whole ? membersOf(whole).filter(({ address }) => address !== undefined) : []).map((member, i): CompletionValueItem => ({
    label: member.name,
    insertText: quoted(member.name),
    kind: CompletionItemKind.Field,
    detail: member.type,
    documentation: numberTypeOf(member),
    sortText: `0${String(i).padStart(4, '0')}`,
  }));
}

/** The first and the last element of the array before `[`. */
export function elementItems({ symbols }: GuestFile, before: readonly string[]): CompletionValueItem[] {
  const start = pathBefore(before.slice(0, -1));
  const whole = start && partOf(globalOf(symbols, start.symbol), start.steps);
  const elements = whole && elementsOf(whole);
  if (!whole || !elements?.length) return [];
  return [...new Set([0, elements.length - 1])].map((index): CompletionValueItem => ({
    label: String(index),
    kind: CompletionItemKind.Value,
    detail: elements.first.type,
    documentation: `\`${whole.type}\` has elements 0 to ${elements.length! - 1}.`,
    sortText: `0${index}`,
  }));
}

/** `table [ 3 ] . key` at the end of some words. */
function pathBefore(words: readonly string[]): { symbol: string; steps: Step[] } | undefined {
  const steps: Step[] = [];
  let at = words.length - 1;
  for (;;) {
    if (words[at] === ']' && words[at - 2] === '[') {
      steps.unshift('element');
      at -= 3;
    } else if (words[at - 1] === '.') {
      steps.unshift({ member: decodeName(words[at] ?? '') });
      at -= 2;
    } else break;
  }
  const symbol = words[at];
  return symbol === undefined || !/^[a-zA-Z_`]/.test(symbol) ? undefined : { symbol: decodeName(symbol), steps };
}

/** The guest's source files, for `"file.c":42`. */
export function sourceItems({ symbols }: GuestFile, context: CompletionContext): CompletionValueItem[] {
  const { textDocument, tokenOffset, tokenEndOffset, offset } = context;
  const written = textDocument.getText().slice(tokenOffset, offset);
  const isBegun = written.startsWith('"');
  if (written !== '' && !isBegun) return [];
  const isClosed = isBegun && /[^\\]"$/.test(textDocument.getText().slice(tokenOffset, tokenEndOffset)) && tokenEndOffset > offset;
  const range = { start: textDocument.positionAt(isBegun ? tokenOffset : offset), end: textDocument.positionAt(isClosed ? tokenEndOffset : offset) };
  return [...new Set(symbols.files.map((path) => basename(path)))].map((name): CompletionValueItem => ({
    label: name,
    kind: CompletionItemKind.File,
    filterText: `"${name}"`,
    sortText: `1${name}`,
    textEdit: { range, newText: isClosed ? `"${name}"` : `"${name}":` },
  }));
}

/** More lines of one file are not listed; typing a digit narrows them. */
const mostLines = 2000;

/** The lines of a source file that have code, with their function and text. */
export async function lineItems(file: GuestFile, before: readonly string[], context: CompletionContext): Promise<CompletionValueItem[]> {
  const name = decodeString(before.at(-2) ?? '').value;
  if (name === undefined) return [];
  const { symbols } = file;
  const typed = context.textDocument.getText().slice(context.tokenOffset, context.offset);
  const full = sourceFileOf(name, symbols);
  const path = full && new SourceFinder(file.path).find(full);
  const text = path === undefined ? [] : await linesOf(path);
  const items: CompletionValueItem[] = [];
  for (const { line, address } of symbols.linesWithCode(name)) {
    if (items.length === mostLines) break;
    if (!String(line).startsWith(typed)) continue;
    const symbol = symbols.at(address);
    const source = text[line - 1]?.trim();
    items.push({
      label: String(line),
      kind: CompletionItemKind.Reference,
      sortText: `0${String(line).padStart(7, '0')}`,
      labelDetails: { ...(source !== undefined && { detail: `  ${source}` }), ...(symbol && { description: symbol.name }) },
      ...(symbol && { detail: symbol.name }),
      ...(source !== undefined && { documentation: { kind: 'markdown' as const, value: `\`\`\`c\n${source}\n\`\`\`` } }),
    });
  }
  return items;
}

async function linesOf(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split(/\r?\n/);
  } catch {
    return [];
  }
}
