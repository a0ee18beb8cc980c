import type { LangiumDocument } from 'langium';
import { DefaultDefinitionProvider } from 'langium/lsp';
import { URI } from 'langium';
import type { DefinitionParams, LocationLink } from 'vscode-languageserver';
import { SourceFinder } from '../../debug/sources';
import { lowerAddress } from '../addresses';
import { Context } from '../context';
import * as ast from '../generated/ast';
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
    let place: { file: string; line: number } | undefined;
    if (ast.isLineAddress(address)) {
      const name = decodeString(address.file).value;
      const full = name && file.symbols.files.find((path) => path === name || path.endsWith(`/${name}`));
      if (full) place = { file: full, line: Number(address.line.replaceAll('_', '')) };
    } else {
      const symbol = ast.isDivergence(node) && node.symbol !== undefined ? file.symbols.find(node.symbol) : undefined;
      const at = symbol?.address ?? (address && lowerAddress(address, file.symbols, new Context(document))?.address);
      place = at === undefined ? undefined : file.symbols.lineAt(at)?.location;
    }
    const path = place && new SourceFinder(file.path).find(place.file);
    if (!place || path === undefined) return undefined;
    const line = Math.max(0, place.line - 1);
    const range = { start: { line, character: 0 }, end: { line, character: 0 } };
    return [{ targetUri: URI.file(path).toString(), targetRange: range, targetSelectionRange: range, originSelectionRange: leaf.range }];
  }
}
