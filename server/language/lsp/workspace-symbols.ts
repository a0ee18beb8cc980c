import type { LangiumDocument } from 'langium';
import type { FuzzyMatcher, LangiumSharedServices, WorkspaceSymbolProvider } from 'langium/lsp';
import { SymbolKind, type WorkspaceSymbol, type WorkspaceSymbolParams } from 'vscode-languageserver';
import { part } from '../diagnostic';
import * as ast from '../generated/ast';
import { fileOf } from '../imports';
import { decodeString } from '../values';

/** Nobody reads more. */
const mostSymbols = 500;

/** Chips, guests, scenarios, campaigns and named faults of all files of the folder, open or not. */
export class CovertWorkspaceSymbols implements WorkspaceSymbolProvider {
  readonly #documents: LangiumSharedServices['workspace']['LangiumDocuments'];
  readonly #matcher: FuzzyMatcher;

  constructor(services: LangiumSharedServices) {
    this.#documents = services.workspace.LangiumDocuments;
    this.#matcher = services.lsp.FuzzyMatcher;
  }

  getSymbols({ query }: WorkspaceSymbolParams): WorkspaceSymbol[] {
    const found: WorkspaceSymbol[] = [];
    for (const document of this.#documents.all) {
      for (const symbol of symbolsOf(document)) {
        if (!this.#matches(query, symbol.name)) continue;
        found.push(symbol);
        if (found.length === mostSymbols) return found;
      }
    }
    return found;
  }

  /** From any word of a name on: a scenario's is a sentence. */
  #matches(query: string, name: string): boolean {
    return [...name.matchAll(/\S+/g)].some(({ index }) => this.#matcher.match(query, name.slice(index)));
  }
}

function symbolsOf(document: LangiumDocument): WorkspaceSymbol[] {
  return (fileOf(document)?.items ?? []).flatMap((item) => {
    if (ast.isImport(item) || item.name === undefined) return [];
    if (ast.isChip(item)) return symbol(document, item.name, SymbolKind.Struct, item);
    if (ast.isGuest(item)) return symbol(document, item.name, SymbolKind.Module, item);
    const name = decodeString(item.name).value ?? item.name;
    const faults = ast.isScenario(item) ? [...item.items, ...item.items.filter(ast.isBeside).flatMap((beside) => beside.items)].filter(ast.isFault) : [];
    return [
      ...symbol(document, name, SymbolKind.Event, item),
      ...faults.flatMap((fault) => (fault.name === undefined ? [] : symbol(document, fault.name, SymbolKind.Constant, fault, name))),
    ];
  });
}

function symbol(document: LangiumDocument, name: string, kind: SymbolKind, node: ast.Chip | ast.Guest | ast.Scenario | ast.Campaign | ast.Fault, containerName?: string): WorkspaceSymbol[] {
  const range = part(node as ast.Fault, 'name')?.range;
  if (!range || name === '') return [];
  return [{ name, kind, location: { uri: document.uri.toString(), range }, ...(containerName !== undefined && { containerName }) }];
}
