import { AstUtils, type LangiumDocument } from 'langium';
import type { InlayHintProvider } from 'langium/lsp';
import { InlayHintKind, type InlayHint, type InlayHintParams } from 'vscode-languageserver';
import { lowerAddress } from '../addresses';
import { Context } from '../context';
import * as ast from '../generated/ast';
import { guestOf, runAt } from './cursor';
import { guestFile, sourceOf } from './guest-lookup';
import type { CovertLspServices } from './lsp-services';

/** The source line behind each address of code. */
export class CovertHints implements InlayHintProvider {
  constructor(private readonly services: CovertLspServices) {}

  async getInlayHints(document: LangiumDocument, { range }: InlayHintParams): Promise<InlayHint[]> {
    const hints: InlayHint[] = [];
    const context = new Context(document);
    for (const node of AstUtils.streamAst(document.parseResult.value, { range })) {
      if (!ast.isAddressTrigger(node) && !ast.isAccessTrigger(node)) continue;
      const { address } = node;
      if (!address?.$cstNode || ast.isLineAddress(address) || !context.intact(node)) continue;
      const file = await guestFile(guestOf(runAt(document, address.$cstNode.offset)), this.services.GuestFiles);
      const found = file && lowerAddress(address, file.symbols, context);
      const source = found && sourceOf(found.address, file);
      if (!source) continue;
      const label = `${source.file.split(/[\\/]/).at(-1)}:${source.line}`;
      hints.push({ position: address.$cstNode.range.end, label, kind: InlayHintKind.Type, paddingLeft: true });
    }
    return hints;
  }
}
