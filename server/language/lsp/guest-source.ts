import { URI, type LangiumDocument } from 'langium';
import type { LocationLink } from 'vscode-languageserver';
import type { SourceLocation, Symbols } from '../../../engine/symbols/types';
import { SourceFinder } from '../../debug/sources';
import { lowerAddress } from '../addresses';
import { Context } from '../context';
import * as ast from '../generated/ast';
import type { GuestFiles } from '../guest-files';
import { decodeString } from '../values';
import { guestOf, isPart, ownerOf, runAt, type Cursor } from './cursor';
import { guestFile, sourceFileOf } from './guest-lookup';

/** Links into a guest's source: where what is under the cursor is declared, or its type; `elsewhere` of what is nothing of a guest's. */
export async function guestSource(document: LangiumDocument, { leaf, node }: Cursor, what: 'declaration' | 'type', files: GuestFiles): Promise<LocationLink[] | 'elsewhere' | undefined> {
  const address = ownerOf(node, ast.isAddress);
  if (!address && !ast.isDivergence(node)) return 'elsewhere';
  const file = await guestFile(guestOf(runAt(document, leaf.offset)), files);
  if (!file) return undefined;
  const { symbols } = file;
  const named = nameUnder({ leaf, node }, address);
  let place: Pick<SourceLocation, 'file' | 'line'> | undefined;
  if (what === 'type') place = named && symbols.typeDeclarationOf(named.name, named.members);
  else if (ast.isLineAddress(address)) place = lineOf(address, symbols);
  else place = (named && symbols.declarationOf(named.name, named.members)) ?? codeAt(address, named?.name, symbols, new Context(document));
  const path = place && new SourceFinder(file.path).find(place.file);
  if (!place || path === undefined) return undefined;
  const line = Math.max(0, place.line - 1);
  const range = { start: { line, character: 0 }, end: { line, character: 0 } };
  return [{ targetUri: URI.file(path).toString(), targetRange: range, targetSelectionRange: range, originSelectionRange: leaf.range }];
}

/** The symbol, with the members that lead up to the cursor; undefined on a number, such as how far behind a symbol something is. */
function nameUnder({ leaf, node }: Cursor, address: ast.Address | undefined): { name: string; members: string[] } | undefined {
  if (ast.isDivergence(node)) return node.symbol === undefined ? undefined : { name: node.symbol, members: [] };
  if (!ast.isSymbolAddress(address)) return undefined;
  if (ast.isPathStep(node)) return { name: address.symbol, members: address.path.slice(0, (node.$containerIndex ?? 0) + 1).flatMap(({ member }) => member ?? []) };
  return isPart(leaf, address, 'offset') || isPart(leaf, address, 'sign') ? undefined : { name: address.symbol, members: [] };
}

function lineOf(address: ast.LineAddress, symbols: Symbols): Pick<SourceLocation, 'file' | 'line'> | undefined {
  const name = decodeString(address.file).value;
  const file = name && sourceFileOf(name, symbols);
  return file ? { file, line: Number(address.line.replaceAll('_', '')) } : undefined;
}

/** What has no declaration, as of an assembly file, has its code. */
function codeAt(address: ast.Address | undefined, name: string | undefined, symbols: Symbols, context: Context): SourceLocation | undefined {
  const at = address ? lowerAddress(address, symbols, context)?.address : name === undefined ? undefined : symbols.find(name)?.address;
  return at === undefined ? undefined : symbols.lineAt(at)?.location;
}
