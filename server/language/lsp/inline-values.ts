import { AstUtils, type LangiumDocument } from 'langium';
import type { InlineValue, Range } from 'vscode-languageserver';
import { csrNames, fNames, xNames } from '../../../engine/isa/registers';
import { part } from '../diagnostic';
import * as ast from '../generated/ast';
import { registerOf } from '../places';

/**
 * Names in a range whose values a debugger can say: registers, by the names that the debug adapter evaluates, and variables
 * of the guest as a whole.
 */
export function inlineValues(document: LangiumDocument, range: Range): InlineValue[] {
  const found: InlineValue[] = [];
  for (const node of AstUtils.streamAst(document.parseResult.value, { range })) {
    if (ast.isRegisterPlace(node) || ast.isValueTrigger(node)) {
      const expression = adapterName(node.register);
      const place = part(node as ast.RegisterPlace, 'register');
      if (expression !== undefined && place) found.push({ range: place.range, expression });
    } else if (ast.isSymbolAddress(node) && node.reference) {
      const place = part(node, 'symbol');
      if (place) found.push({ range: place.range, expression: node.symbol });
    }
  }
  return found;
}

function adapterName(register: string): string | undefined {
  const place = registerOf(register);
  switch (place?.kind) {
    case 'pc':
      return 'pc';
    case 'x':
      return xNames[place.index];
    case 'f':
      return fNames[place.index];
    case 'csr':
      return csrNames.get(place.number);
    default:
      return undefined;
  }
}
