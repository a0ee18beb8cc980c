import type { LangiumDocument } from 'langium';
import type { DocumentSymbolProvider } from 'langium/lsp';
import { SymbolKind, type DocumentSymbol } from 'vscode-languageserver';
import { foldedText } from '../context';
import { part } from '../diagnostic';
import * as ast from '../generated/ast';
import { fileOf } from '../imports';
import { decodeString } from '../values';

/** The outline: chips, guests, scenarios and campaigns, with what stands in these. */
export class CovertOutline implements DocumentSymbolProvider {
  getSymbols(document: LangiumDocument): DocumentSymbol[] {
    return (fileOf(document)?.items ?? []).flatMap((item) => {
      if (ast.isImport(item) || !item.name) return [];
      const name = ast.isChip(item) || ast.isGuest(item) ? item.name : (decodeString(item.name).value ?? item.name);
      const kind = { Chip: SymbolKind.Struct, Guest: SymbolKind.Module, Scenario: SymbolKind.Event, Campaign: SymbolKind.Event }[item.$type];
      const children = ast.isScenario(item) || ast.isCampaign(item) ? scenarioChildren(item) : [];
      return symbol(name || '(no name)', item.$type.toLowerCase(), kind, item, part(item, 'name'), children);
    });
  }
}

function scenarioChildren(scenario: ast.Scenario | ast.Campaign | ast.Beside): DocumentSymbol[] {
  const items: readonly (ast.ScenarioItem | ast.CampaignItem | ast.BesideItem)[] = scenario.items;
  return items.flatMap((item) => {
    switch (item.$type) {
      case 'Beside':
        return symbol(item.use?.guest?.$refText ?? '', 'beside', SymbolKind.Module, item, item.use?.$cstNode, scenarioChildren(item));
      case 'Protection':
        return symbol(`protect ${item.kind ?? ''}`, '', SymbolKind.Interface, item, item.$cstNode);
      case 'Switch':
        return symbol(`switch to ${item.kind ?? ''}`, '', SymbolKind.Interface, item, item.$cstNode);
      case 'Fault':
        return symbol(item.name ?? (foldedText(item.effect) || 'fault'), 'fault', SymbolKind.Constant, item, part(item, 'effect'));
      case 'Injection':
        return symbol(item.every ? 'inject every fault' : `inject ${item.count ?? ''} faults`, '', SymbolKind.Array, item, part(item, 'word'), alternatives(item));
      case 'Expectation':
        return symbol(foldedText(item), '', SymbolKind.Boolean, item, item.$cstNode);
      default:
        return [];
    }
  });
}

function alternatives(injection: ast.Injection): DocumentSymbol[] {
  return injection.alternatives.flatMap((each) => symbol(foldedText(each.effect) || 'fault', 'fault', SymbolKind.Constant, each, part(each, 'effect')));
}

type Whole = ast.Item | ast.ScenarioItem | ast.Alternative;

function symbol(
  name: string,
  detail: string,
  kind: SymbolKind,
  { $cstNode: whole }: Whole,
  selection: Whole['$cstNode'],
  children: DocumentSymbol[] = [],
): DocumentSymbol[] {
  if (!whole || name === '') return [];
  return [{ name, detail, kind, range: whole.range, selectionRange: (selection ?? whole).range, children }];
}
