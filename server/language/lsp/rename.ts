import type { LangiumDocument } from 'langium';
import { DefaultRenameProvider } from 'langium/lsp';
import { ResponseError, type RenameParams, type WorkspaceEdit } from 'vscode-languageserver';
import { declaredName } from '../addresses';

/** Invalid parameters, as JSON-RPC numbers it. */
const invalidParams = -32_602;

/** Renames chips and guests; a name that is no plain word is put between backticks. */
export class CovertRename extends DefaultRenameProvider {
  override async rename(document: LangiumDocument, params: RenameParams): Promise<WorkspaceEdit | undefined> {
    const name = params.newName.replace(/^`|`$/g, '');
    if (name.trim() === '' || /[`\r\n]/.test(name)) {
      throw new ResponseError(invalidParams, 'A name has at least one character, and no backtick and no line break.');
    }
    return super.rename(document, { ...params, newName: declaredName(name) });
  }
}
