import type { LangiumDocument } from 'langium';
import { DefaultDefinitionProvider, type DeclarationProvider, type ImplementationProvider, type TypeDefinitionProvider } from 'langium/lsp';
import type { DeclarationParams, DefinitionParams, ImplementationParams, LocationLink, TypeDefinitionParams } from 'vscode-languageserver';
import * as ast from '../generated/ast';
import { resolvedUri } from '../imports';
import { cursorAt, isPart } from './cursor';
import { guestSource } from './guest-source';
import type { CovertLspServices } from './lsp-services';

const fileStart = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** To a chip's or guest's declaration, to an imported file, and from a symbol into the guest's source. */
export class CovertDefinition extends DefaultDefinitionProvider implements DeclarationProvider, ImplementationProvider {
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
    const found = await guestSource(document, cursor, 'declaration', this.services.GuestFiles);
    return found === 'elsewhere' ? super.getDefinition(document, params) : found;
  }

  /** What is declared is declared once, where it is defined. */
  getDeclaration(document: LangiumDocument, params: DeclarationParams): Promise<LocationLink[] | undefined> {
    return this.getDefinition(document, params);
  }

  getImplementation(document: LangiumDocument, params: ImplementationParams): Promise<LocationLink[] | undefined> {
    return this.getDefinition(document, params);
  }
}

/** From a variable of the guest, or a member of it, to where the source declares its type. */
export class CovertTypeDefinition implements TypeDefinitionProvider {
  constructor(private readonly services: CovertLspServices) {}

  async getTypeDefinition(document: LangiumDocument, params: TypeDefinitionParams): Promise<LocationLink[] | undefined> {
    const cursor = cursorAt(document, params.position);
    const found = cursor && (await guestSource(document, cursor, 'type', this.services.GuestFiles));
    return found === 'elsewhere' ? undefined : found;
  }
}
