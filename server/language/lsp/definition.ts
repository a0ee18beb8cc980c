import { readFile } from 'node:fs/promises';
import { URI, type AstNode, type LangiumDocument } from 'langium';
import { DefaultDefinitionProvider } from 'langium/lsp';
import type { DefinitionParams, LocationLink } from 'vscode-languageserver';
import { SourceFinder } from '../../debug/sources';
import { lowerAddress } from '../addresses';
import { Context } from '../context';
import * as ast from '../generated/ast';
import type { GuestFile } from '../guest-files';
import { resolvedUri } from '../imports';
import { decodeString } from '../values';
import { cursorAt, guestOf, isPart, ownerOf, runAt } from './cursor';
import { guestFile } from './guest-lookup';
import type { CovertLspServices } from './lsp-services';

const fileStart = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** To a chip's or guest's declaration, to an imported file, and from a symbol into the guest's source. */
export class CovertDefinition extends DefaultDefinitionProvider {
  constructor(private readonly services: CovertLspServices) {
    super(services);
  }

  override async getDefinition(document: LangiumDocument, params: DefinitionParams): Promise<LocationLink[] | undefined> {
    const cursor = cursorAt(document, params.position);
    if (!cursor) return undefined;
    const { leaf, node } = cursor;
    if (ast.isImport(node) && isPart(leaf, node, 'path')) {
      const uri = resolvedUri(document, node.path);
      return uri && [{ targetUri: uri.toString(), targetRange: fileStart, targetSelectionRange: fileStart, originSelectionRange: leaf.range }];
    }
    const address = ownerOf(node, ast.isAddress);
    if (!address && !ast.isDivergence(node)) return super.getDefinition(document, params);
    const file = await guestFile(guestOf(runAt(document, leaf.offset)), this.services.GuestFiles);
    if (!file) return undefined;
    const finder = new SourceFinder(file.path);
    const found = await this.#sourceOf(node, address, file, finder, new Context(document));
    if (!found) return undefined;
    const line = Math.max(0, found.line - 1);
    const range = { start: { line, character: 0 }, end: { line, character: 0 } };
    return [{ targetUri: URI.file(found.path).toString(), targetRange: range, targetSelectionRange: range, originSelectionRange: leaf.range }];
  }

  async #sourceOf(
    node: AstNode,
    address: ast.Address | undefined,
    { symbols }: GuestFile,
    finder: SourceFinder,
    context: Context,
  ): Promise<{ path: string; line: number } | undefined> {
    if (ast.isLineAddress(address)) {
      const name = decodeString(address.file).value;
      const full = name && symbols.files.find((path) => path === name || path.endsWith(`/${name}`));
      const path = full && finder.find(full);
      return path ? { path, line: Number(address.line.replaceAll('_', '')) } : undefined;
    }
    const name = ast.isDivergence(node) ? node.symbol : ast.isSymbolAddress(address) ? address.symbol : undefined;
    const symbol = name === undefined ? undefined : symbols.find(name);
    const whole = ast.isSymbolAddress(address) && address.offset !== undefined ? undefined : symbol;
    const at = whole?.address ?? (address && lowerAddress(address, symbols, context)?.address);
    const row = at === undefined ? undefined : symbols.lineAt(at)?.location;
    if (row) {
      const path = finder.find(row.file);
      if (path === undefined) return undefined;
      return { path, line: (whole && (await lineNaming(path, whole.name, row.line))) ?? row.line };
    }
    // The line table knows code only; a variable is declared where its name is followed by its end, size or value.
    if (!symbol || symbol.kind !== 'object') return undefined;
    for (const source of symbols.files) {
      const path = finder.find(source);
      const lines = path === undefined ? [] : await linesOf(path);
      const declaration = new RegExp(`^[\\w\\s*]+\\b${escaped(symbol.name)}\\s*(\\[|=|;)`);
      const index = lines.findIndex((text) => declaration.test(text) && !/^\s*(extern|return)\b/.test(text));
      if (path !== undefined && index >= 0) return { path, line: index + 1 };
    }
    return undefined;
  }
}

/** A function's code begins below its head: the last line up to there that has its name. */
async function lineNaming(path: string, name: string, line: number): Promise<number | undefined> {
  const lines = await linesOf(path);
  const pattern = new RegExp(`\\b${escaped(name)}\\b`);
  for (let at = Math.min(line, lines.length); at > 0; at--) if (pattern.test(lines[at - 1] ?? '')) return at;
  return undefined;
}

function escaped(name: string): string {
  return name.replace(/[^\w]/g, '\\$&');
}

async function linesOf(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split(/\r?\n/);
  } catch {
    return [];
  }
}
